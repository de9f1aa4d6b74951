"""The headline contrasts from many starts and on many training sets."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from valleys.nets.datasets import check_request
from valleys.nets.engine.problem import Problem, load_problem
from valleys.nets.engine.training import evaluate
from valleys.nets.experiments.ensemble import Ensemble, train_ensemble
from valleys.nets.experiments.specs import (
    MAIN_THRESHOLD,
    Spec,
    check_batch_size,
    check_thresholds,
    check_training,
)
from valleys.nets.measures.solutions import similarity_matrix
from valleys.nets.measures.walls import walls
from valleys.results.spec import check_distinct, require

Setting = tuple[int, float]  # batch size, learning rate
DESCRIPTIONS = {
    "train_loss": "mean cross-entropy on the training set",
    "flatness": "inverse geometric mean of the ten largest eigenvalues of the second layer's "
    "Hessian (Eq. 6)",
    "freezing_time": "training time of the first step with training loss below L_c (Eq. 7)",
    "full_accuracy": "fraction of all test images that is right at the end",
    "similarity": "Jaccard similarity of the errors of two runs on all test images (Eq. 4)",
    "wall": "rise of the training loss above the higher end on the line between two runs",
}


@dataclass(frozen=True)
class StartsSpec(Spec):
    """Runs of several (B, η) from one start on one training set.

    Attributes:
        start: seed of the start; `seed` is of the batch orders alone.
        training_set: which images; each number is a set of its own.
        settings: pairs (B, η); B equal to the training set is gradient descent, which has one run.
        training_time: ηt at the end.
        n_runs: runs of each setting.
        n_records: equally spaced records of loss and flatness, the first at step 0.
        threshold: L_c of the freezing time.
    """

    start: int = 0
    training_set: int = 0
    settings: tuple[Setting, ...] = ((1000, 0.05), (50, 0.05), (20, 0.05))
    training_time: float = 100.0
    n_runs: int = 4
    n_records: int = 51
    threshold: float = MAIN_THRESHOLD

    def check(self) -> None:
        """Refuse what makes no sense for a start."""
        self.require_at_least(start=0, training_set=0, n_runs=2)
        check_request(self.dataset, self.train_per_class, self.test_per_class, self.training_set)
        check_distinct("settings", self.settings)
        check_thresholds((self.threshold,))
        for batch_size, learning_rate in self.settings:
            check_batch_size(batch_size, self.n_train)
            check_training(learning_rate, self.training_time, self.n_records)
        for rate in {rate for _, rate in self.settings}:
            require(
                (self.n_train, rate) in self.settings,
                f"settings must hold gradient descent, ({self.n_train}, {rate:g}), against which "
                f"the others of learning rate {rate:g} are held",
            )

    @property
    def order_seed(self) -> int:
        """Of the batch orders: others for each start and training set."""
        key = np.random.SeedSequence([self.seed, self.start, self.training_set])
        return int(key.generate_state(1)[0])

    @property
    def work(self) -> float:
        """Steps."""
        return sum(self.training_time / rate for _, rate in self.settings)


def starts(spec: StartsSpec) -> xr.Dataset:
    """What noise does from one start on one training set.

    Returns:
        Dimensions setting, run, record, pair (of runs). `train_loss` and `flatness` over (setting,
        run, record); `freezing_time` [η · step] and `full_accuracy` over (setting, run);
        `similarity` and `wall` over (setting, pair). NaN where a run is not finite or never froze,
        and for all but the first run of gradient descent and its pairs.
    """
    problem = load_problem(
        spec.dataset,
        train_per_class=spec.train_per_class,
        test_per_class=spec.test_per_class,
        training_set=spec.training_set,
        seed=spec.start,
        device=spec.device,
    )
    found = xr.concat([_of_setting(problem, spec, setting) for setting in spec.settings], "setting")
    for name, text in DESCRIPTIONS.items():
        found[name].attrs["long_name"] = text
    sizes, rates = zip(*spec.settings, strict=True)
    coords = {"batch_size": ("setting", list(sizes)), "learning_rate": ("setting", list(rates))}
    attributes = {"dataset": spec.dataset, "n_train": spec.n_train, "threshold": spec.threshold}
    return found.assign_coords(coords).assign_attrs(attributes)


def _of_setting(problem: Problem, spec: StartsSpec, setting: Setting) -> xr.Dataset:
    """All runs of one setting; those that gradient descent does not have are NaN."""
    batch_size, learning_rate = setting
    single = batch_size == spec.n_train
    runs = train_ensemble(
        problem,
        n_runs=1 if single else spec.n_runs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        training_time=spec.training_time,
        n_records=spec.n_records,
        flatness_every=1,
        thresholds=(spec.threshold,),
        seed=spec.order_seed,
    )
    end = evaluate(runs.networks, problem.full_test)
    kept = runs.records[["train_loss", "flatness"]].drop_vars("step").drop_attrs()
    found = kept.assign(
        freezing_time=("run", runs.freezing_time(spec.threshold)),
        full_accuracy=("run", end.accuracy.cpu().numpy()),
    )
    every = found.pad(run=(0, spec.n_runs - len(runs)))
    return every.assign(_between(runs, end.misclassified.cpu().numpy(), spec.n_runs))


def _between(
    runs: Ensemble, wrong: np.ndarray, n_runs: int
) -> dict[str, tuple[str, Sequence[float] | np.ndarray]]:
    """Likeness and wall of each two runs."""
    n_pairs = n_runs * (n_runs - 1) // 2
    if len(runs) == 1:
        unknown = np.full(n_pairs, np.nan)
        return {"similarity": ("pair", unknown), "wall": ("pair", unknown)}
    alike = similarity_matrix(wrong)[np.triu_indices(n_runs, 1)]
    rises = walls(runs.networks, runs.problem.train)
    return {"similarity": ("pair", alike), "wall": ("pair", rises)}
