"""The paper's question, asked of any network: what more noise does to it."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import xarray as xr

from valleys.nets import folders
from valleys.nets.datasets import N_CLASSES, check_request
from valleys.nets.engine.convolutional import small_network
from valleys.nets.engine.problem import Problem, by_channel, make_problem
from valleys.nets.experiments.ensemble import Ensemble, train_ensemble
from valleys.nets.experiments.specs import (
    MAIN_THRESHOLD,
    Spec,
    Trained,
    check_batch_size,
    check_thresholds,
    check_training,
)
from valleys.nets.measures.curvature import curvature
from valleys.nets.measures.lanczos import top_eigenpairs
from valleys.nets.measures.walls import walls
from valleys.results.grid import Part
from valleys.results.progress import Advance, progress
from valleys.results.spec import check_distinct, require, settle_fields, settled

MEASURED = ("train_loss", "test_accuracy", "flatness")  # along training


@dataclass(frozen=True)
class Settings:
    """How the networks are trained and looked at.

    Attributes:
        batch_sizes: two or more, of which the smallest has most noise; they are put in falling
            order.
        learning_rate: as the others, what `ask` takes.
        training_time: as in `ask`.
        n_runs: as in `ask`.
        n_records: as in `ask`.
        threshold: as in `ask`.
        seed: as in `ask`.
    """

    batch_sizes: tuple[int, ...]
    learning_rate: float
    training_time: float
    n_runs: int
    n_records: int
    threshold: float
    seed: int

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        check_distinct("batch_sizes", self.batch_sizes)
        require(len(self.batch_sizes) >= 2, "batch_sizes must hold two or more, to be compared")
        require(self.n_runs >= 2, f"n_runs must be 2 or more, to be compared, got {self.n_runs}")
        require(self.seed >= 0, f"seed must be 0 or more, got {self.seed}")
        check_training(self.learning_rate, self.training_time, self.n_records)
        check_thresholds((self.threshold,))
        object.__setattr__(self, "batch_sizes", tuple(sorted(self.batch_sizes, reverse=True)))

    def check_fits(self, n_train: int) -> None:
        """Refuse batches that a training set does not fill."""
        for batch_size in self.batch_sizes:
            check_batch_size(batch_size, n_train)


@dataclass(frozen=True)
class OwnNetworkSpec(Trained, Spec):
    """A small convolutional network on images of any kind, asked with several amounts of noise.

    Attributes:
        dataset: digits, mnist or cifar10, or `folder:PATH`.
        train_per_class: training images per class.
        test_per_class: images per class of the small test set.
        seed: of the first start and of its batch orders; the others take the next ones.
        device: a torch device.
        image_side: pixels to which both sides of the images of a folder are scaled; 0 to take them
            as they are.
        channels: widths of the convolutions.
        batch_sizes: two or more values of B.
        learning_rate: η.
        training_time: ηt at the end.
        n_starts: networks from which runs part.
        n_runs: runs of each batch size from each start.
        n_records: equally spaced records, the first at step 0.
        threshold: L_c, the training loss at which a run counts as frozen.
        fingerprint: of the images of a folder, which is found if empty; a folder that has changed
            makes another result.
    """

    train_per_class: int = 30
    image_side: int = 0
    channels: tuple[int, ...] = (8, 16)
    batch_sizes: tuple[int, ...] = (10, 50, 300)
    learning_rate: float = 0.1
    training_time: float = 50.0
    n_starts: int = 3
    n_runs: int = 4
    n_records: int = 21
    threshold: float = MAIN_THRESHOLD
    fingerprint: str = ""

    def __post_init__(self) -> None:
        """Settle the types, look at the folder of images, and refuse what makes no sense.

        Raises:
            ValueError: a value of the wrong kind or outside its range.
            valleys.nets.datasets.DataError: there is no such folder of images.
        """
        settle_fields(self)
        if not self.is_folder:
            check_request(self.dataset, self.train_per_class, self.test_per_class)
            require(self.image_side == 0, "image_side is for images of a folder; leave it at 0")
            require(not self.fingerprint, "fingerprint is for images of a folder; leave it empty")
        elif not self.fingerprint:
            found = folders.fingerprint(folders.path_of(self.dataset))
            object.__setattr__(self, "fingerprint", found)
        self.check()

    def check(self) -> None:
        """Refuse what makes no sense for a network of one's own."""
        self.require_at_least(n_starts=1, image_side=0, train_per_class=1, test_per_class=1)
        widths = len(self.channels) >= 1 and min(self.channels) >= 1
        require(widths, f"channels must be one width or more, such as (8, 16), got {self.channels}")
        self.settings.check_fits(self.n_train)

    @property
    def is_folder(self) -> bool:
        """Whether the images are in a folder of one's own."""
        return folders.named(self.dataset)

    @property
    def n_train(self) -> int:
        """Size of the training set."""
        own = len(folders.class_names(folders.path_of(self.dataset))) if self.is_folder else 0
        return (own or N_CLASSES) * self.train_per_class

    @property
    def settings(self) -> Settings:
        """How the networks are trained."""
        names = [entry.name for entry in dataclasses.fields(Settings)]
        return Settings(**{name: getattr(self, name) for name in names})


@settled
def ask(
    problems: Problem | Sequence[Problem],
    *,
    batch_sizes: Sequence[int] = (),
    learning_rate: float = 0.05,
    training_time: float = 50.0,
    n_runs: int = 4,
    n_records: int = 11,
    threshold: float = MAIN_THRESHOLD,
    seed: int = 0,
    progress: bool = True,
) -> xr.Dataset:
    """Train networks with little and with much noise, and write down what the paper asks about.

    Args:
        problems: one, or one for each start and training set, over which intervals then go.
        batch_sizes: two or more; the whole training set and ten images if empty.
        learning_rate: η.
        training_time: η · step at the end.
        n_runs: runs of each batch size from each start.
        n_records: equally spaced looks at loss and flatness.
        threshold: L_c, the training loss at which a run counts as frozen.
        seed: of the batch orders of the first start; the others take the next ones.
        progress: whether a bar is shown.

    Returns:
        Dimensions start, batch_size (falling: noise grows), run, record, pair. `train_loss`,
        `test_accuracy` and `flatness` over (start, batch_size, run, record); `freezing_time` [η ·
        step] and `sharpness` (largest eigenvalue in all parameters at the end, in units of 2/η,
        above which a step of gradient descent climbs) over (start, batch_size, run); `wall` (rise
        of the training loss between two ends) over (start, batch_size, pair). NaN where a run is
        not finite or never froze. On a line between networks that keep running means, these are
        interpolated as well.

    Raises:
        ValueError: nothing to compare, or a value out of its range.

    Example:
        >>> from valleys.nets import ask, load_problem
        >>> problem = load_problem("digits", train_per_class=10)
        >>> found = ask(problem, learning_rate=0.1, training_time=20, n_runs=2, progress=False)
        >>> found.flatness.dims
        ('start', 'batch_size', 'run', 'record')
    """
    every = list(problems) if isinstance(problems, Sequence) else [problems]
    require(len(every) > 0, "problems must hold one or more")
    known = all(isinstance(problem, Problem) for problem in every)
    require(known, "problems must come from load_problem or make_problem")
    sizes = tuple(batch_sizes or {len(every[0].train), 10})
    rest = (learning_rate, training_time, n_runs, n_records, threshold, seed)
    return _compared(every, Settings(sizes, *rest), hidden=not progress)


def own_network(spec: OwnNetworkSpec) -> xr.Dataset:
    """What `ask` finds for a small convolutional network, from several starts.

    Raises:
        ValueError: the images of the folder are not those of the fingerprint.
        valleys.nets.datasets.DataError: image files are missing or broken.
    """
    problems = [_problem(spec, start) for start in range(spec.n_starts)]
    found = _compared(problems, spec.settings, hidden=None)
    size = sum(part[0].numel() for part in problems[0].start.parameters.values())
    return found.assign_attrs(dataset=spec.dataset, n_parameters=size)


def own_network_parts(spec: OwnNetworkSpec) -> list[Part]:
    """Each start."""
    starts = range(spec.n_starts)
    return [Part({"start": start}, 1, partial(_start_alone, spec, start)) for start in starts]


def _start_alone(spec: OwnNetworkSpec, start: int) -> xr.Dataset:
    with progress("networks", total=len(spec.batch_sizes), unit="setting") as advance:
        return _of_start(_problem(spec, start), spec.settings, start, advance)


PARTS = {own_network: own_network_parts}


def _problem(spec: OwnNetworkSpec, start: int) -> Problem:
    """The images, and one of the networks before training."""
    if spec.is_folder:
        here = folders.fingerprint(folders.path_of(spec.dataset))
        same = here == spec.fingerprint
        require(same, f"the images of {spec.dataset} have changed; leave the fingerprint empty")
    size = (spec.image_side, spec.image_side) if spec.image_side else None
    data = folders.load_named(spec.dataset, spec.train_per_class, spec.test_per_class, size=size)
    n_classes = int(data.train_labels.max()) + 1
    return make_problem(
        by_channel(data.train_images, data.image_shape),
        data.train_labels,
        by_channel(data.test_images, data.image_shape),
        data.test_labels,
        model=partial(small_network, data.image_shape, n_classes, spec.channels),
        seed=spec.seed + start,
        device=spec.device,
    )


def _compared(
    problems: Sequence[Problem], settings: Settings, *, hidden: bool | None
) -> xr.Dataset:
    """All starts, with a bar that names what is trained."""
    for problem in problems:
        settings.check_fits(len(problem.train))
    total = len(problems) * len(settings.batch_sizes)
    with progress("networks", total=total, unit="setting", hidden=hidden) as advance:
        starts = [
            _of_start(problem, settings, start, advance) for start, problem in enumerate(problems)
        ]
    found = xr.concat(starts, "start")
    found.attrs = {"learning_rate": settings.learning_rate, "threshold": settings.threshold}
    return found.assign_attrs(n_train=len(problems[0].train))


def _of_start(problem: Problem, settings: Settings, start: int, advance: Advance) -> xr.Dataset:
    """All batch sizes from one start."""
    own = dataclasses.replace(settings, seed=settings.seed + start)
    cells = []
    for batch_size in settings.batch_sizes:
        advance(0, f"start {start + 1}, batch size {batch_size}")
        cells.append(_setting(problem, batch_size, own))
        advance()
    coords = {"batch_size": list(settings.batch_sizes), "start": start}
    return xr.concat(cells, "batch_size").assign_coords(coords)


def _setting(problem: Problem, batch_size: int, settings: Settings) -> xr.Dataset:
    """All runs of one batch size from one start; gradient descent is one run."""
    single = batch_size == len(problem.train)
    runs = train_ensemble(
        problem,
        n_runs=1 if single else settings.n_runs,
        batch_size=batch_size,
        learning_rate=settings.learning_rate,
        training_time=settings.training_time,
        n_records=settings.n_records,
        flatness_every=1,
        thresholds=(settings.threshold,),
        seed=settings.seed,
    )
    found = runs.records[list(MEASURED)].assign(
        freezing_time=("run", runs.freezing_time(settings.threshold)),
        sharpness=("run", _sharpness(runs, settings.learning_rate)),
    )
    filled = found.pad(run=(0, settings.n_runs - len(runs)))  # NaN for the copies of a single run
    n_pairs = settings.n_runs * (settings.n_runs - 1) // 2
    rises = np.full(n_pairs, np.nan) if single else walls(runs.networks, problem.train)
    return filled.assign(wall=("pair", rises))


def _sharpness(runs: Ensemble, learning_rate: float) -> np.ndarray:
    """Largest eigenvalue of the Hessian in all parameters over 2/η, (R,)."""
    found = np.full(len(runs), np.nan)
    for index in np.flatnonzero(runs.networks.alive.cpu().numpy()):
        bent = curvature(runs.networks, runs.problem.train, int(index))
        found[index] = top_eigenpairs(bent, 1).values[0] * learning_rate / 2
    return found
