"""Mini-batch noise in a window of training alone, gradient descent before and after it: when does
noise flatten, and does it need a wall for that?
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from torch import Tensor

from valleys.nets.engine.descents import Descent, descend
from valleys.nets.engine.networks import Networks, join
from valleys.nets.engine.passages import Passages
from valleys.nets.engine.plain import train
from valleys.nets.engine.problem import Problem, load_problem
from valleys.nets.engine.stack import flat
from valleys.nets.engine.training import Samples, Visit, evaluate, plan
from valleys.nets.experiments.runs import Branches, Variables
from valleys.nets.experiments.windows.specs import Window, WindowsSpec, look_steps, steps_of
from valleys.nets.measures.curvature import batch_sharpness
from valleys.nets.measures.elastic_band import elastic_band
from valleys.nets.measures.layer_hessian import flatness
from valleys.nets.measures.solutions import rise, similarity_matrix
from valleys.nets.measures.walls import walls_of
from valleys.nets.observers.recorder import second_layer_eigenvalues
from valleys.results.spec import require

MOMENTS = ("begin", "middle", "end")  # of a window, at which the batch sharpness is taken
DESCRIPTIONS = {
    "flatness": "inverse geometric mean of the ten largest eigenvalues of the second layer's "
    "Hessian (Eq. 6), where gradient descent after the window passes the level",
    "accuracy": "fraction of all test images that is right there",
    "wall": "rise of the training loss above the higher end on the line from there to where the "
    "twin passes the level",
    "path_wall": "the same at the lowest level on a path of low loss (elastic band)",
    "straight_wall": "the same on the straight line, at the points at which the band is looked at",
    "distance": "Euclidean distance to the twin at the lowest level, all weights and biases",
    "similarity": "Jaccard similarity to the twin's errors on all test images at the lowest level "
    "(Eq. 4)",
    "passage": "training time at which gradient descent after the window passes the level",
    "freezing_time": "training time of the first step with training loss below L_c (Eq. 7)",
    "early_wall": "rise of the training loss on the line to the twin of the same time, both a "
    "short gradient descent after the window",
    "early_loss": "training loss there",
    "course": "training loss at equally spaced moments of the window",
    "twin_course": "the same of the twin",
    "batch_sharpness": "curvature of a mini-batch's loss along its own gradient",
    "twin_flatness": "flatness of the twin where it passes the level",
    "twin_accuracy": "fraction of all test images that is right there",
    "twin_passage": "training time at which the twin passes the level",
    "twin_freezing_time": "training time of the twin's first step with training loss below L_c",
}


@dataclass(frozen=True)
class Twin:
    """Gradient descent from the start.

    Attributes:
        frozen: first step with a loss below L_c.
        descent: where it passes the levels.
        branches: the network at every step at which a window, or the short descent after it, begins
            or ends.
        losses: training loss at each step that is looked at.
    """

    frozen: int
    descent: Descent
    branches: Branches
    losses: "Losses"


class Losses(dict[int, np.ndarray]):
    """A visit that keeps the training loss of every network, by the step."""

    def __init__(self, samples: Samples) -> None:
        """Nothing is known yet."""
        super().__init__()
        self.samples = samples

    def __call__(self, step: int, networks: Networks) -> None:
        """Look at the loss of this step."""
        self[step] = evaluate(networks, self.samples).loss.cpu().numpy()

    def at(self, steps: Sequence[int]) -> np.ndarray:
        """The losses of these steps, (R, n_steps)."""
        return np.stack([self[step] for step in steps], axis=1)


def windows(spec: WindowsSpec) -> xr.Dataset:
    """What noise in each window does from one start.

    Returns:
        Dimensions window (the shams last), run, level, look, moment. `flatness`, `accuracy`, `wall`
        and `passage` over (window, run, level), NaN at levels that the run had passed by the
        window's end; `path_wall`, `straight_wall` (window, run) and `batch_sharpness` (… moment),
        NaN but for the first `n_paths` runs, as everything is of runs that a sham does not have;
        `distance`, `similarity`, `freezing_time`, `early_wall` and `early_loss` over (window, run);
        `course` (window, run, look). Of the twin `twin_flatness`, `twin_accuracy` and
        `twin_passage` over level, `twin_course` (window, look) and `twin_freezing_time`. Times are
        η · step. Coordinates `opens`, `closes` and `window_batch`.

    Raises:
        ValueError: gradient descent did not freeze within the longest time.
    """
    problem = load_problem(
        spec.dataset,
        train_per_class=spec.train_per_class,
        test_per_class=spec.test_per_class,
        training_set=spec.training_set,
        seed=spec.start,
        device=spec.device,
    )
    twin = _twin(problem, spec)
    every = [_of_window(problem, spec, twin, *each) for each in spec.every]
    found = xr.concat(every, "window").assign(_of_twin(problem, spec, twin))
    for name, text in DESCRIPTIONS.items():
        found[name].attrs["long_name"] = text
    edges, sizes, _ = zip(*spec.every, strict=True)
    coords = {
        "opens": ("window", [window[0] for window in edges]),
        "closes": ("window", [window[1] for window in edges]),
        "window_batch": ("window", list(sizes)),
        "level": list(spec.levels),
        "moment": list(MOMENTS),
    }
    kept = ("dataset", "n_train", "batch_size", "learning_rate", "threshold")
    return found.assign_coords(coords).assign_attrs({name: getattr(spec, name) for name in kept})


def _descend(networks: Networks, problem: Problem, spec: WindowsSpec) -> Descent:
    """Past the threshold and all levels."""
    return descend(
        networks,
        problem.train,
        learning_rate=spec.learning_rate,
        levels=(spec.threshold, *spec.levels),
        piece=spec.relaxing_steps,
        longest=round(spec.longest / spec.learning_rate),
    )


def _twin(problem: Problem, spec: WindowsSpec) -> Twin:
    """Gradient descent, twice: first to find when it freezes, then to leave it where windows begin
    and end.
    """
    descent = _descend(problem.start, problem, spec)
    require(
        bool(np.isfinite(descent.first[0]).all()),
        f"gradient descent from start {spec.start} does not pass all levels {spec.levels} by the "
        f"time {spec.longest:g}; raise longest, the levels or learning_rate {spec.learning_rate:g}",
    )
    frozen, networks = int(descent.first[0, 0]), problem.start.copy()
    edges = [steps_of(window, frozen) for window, _, _ in spec.every]
    stops = {stop for begin, end in edges for stop in (begin, end, end + spec.relaxing_steps)}
    looks = {
        begin + look
        for begin, end in edges
        for look in look_steps(end - begin, spec.n_looks).tolist()
    }
    branches, losses = Branches(), Losses(problem.train)
    _train(
        networks, problem, spec, spec.n_train, max(stops), plan((stops, branches), (looks, losses))
    )
    return Twin(frozen, descent, branches, losses)


def _train(
    networks: Networks,
    problem: Problem,
    spec: WindowsSpec,
    batch_size: int,
    n_steps: int,
    visits: dict[int, Visit],
    *,
    streams: Sequence[np.random.Generator] = (),
    passages: Passages | None = None,
) -> None:
    train(
        networks,
        problem.train,
        learning_rate=spec.learning_rate,
        batch_size=batch_size,
        n_steps=n_steps,
        streams=streams,
        visits=visits,
        passages=passages,
    )


def _of_window(
    problem: Problem, spec: WindowsSpec, twin: Twin, window: Window, batch_size: int, n_runs: int
) -> xr.Dataset:
    """All runs of one window; NaN of those that it does not have."""
    begin, end = steps_of(window, twin.frozen)
    networks = twin.branches[begin].repeat(n_runs)
    losses, sharpness = Losses(problem.train), Sharpness(problem.train, spec, batch_size)
    looks, marks = (look_steps(end - begin, n).tolist() for n in (spec.n_looks, len(MOMENTS)))
    passages, visits = (
        Passages((spec.threshold,)),
        plan((set(looks), losses), (set(marks), sharpness)),
    )
    how = {"streams": spec.orders(batch_size, window[0], n_runs), "passages": passages}
    _train(networks, problem, spec, batch_size, end - begin, visits, **how)
    descent = _descend(networks, problem, spec)
    found = _at_levels(problem, spec, twin, descent) | _at_end(problem, spec, twin, descent)
    found |= _early(problem, descent.early, twin.branches[end + spec.relaxing_steps])
    rate, frozen = spec.learning_rate, _frozen(twin, begin, end, passages, descent)
    found["passage"] = ("run", "level"), rate * (end + descent.first[:, 1:])
    found["freezing_time"] = "run", rate * frozen
    found["course"] = ("run", "look"), losses.at(looks)
    found["twin_course"] = "look", twin.losses.at([begin + look for look in looks])[0]
    found["batch_sharpness"] = ("run", "moment"), _padded(sharpness.at(marks), n_runs)
    return xr.Dataset(found).pad(run=(0, spec.n_runs - n_runs))


class Sharpness(dict[int, np.ndarray]):
    """A visit that keeps the batch sharpness of the first runs, by the step."""

    def __init__(self, samples: Samples, spec: WindowsSpec, batch_size: int) -> None:
        """Nothing is known yet."""
        super().__init__()
        self.samples, self.spec, self.batch_size = samples, spec, batch_size

    def __call__(self, step: int, networks: Networks) -> None:
        """Take it at this step, on batches that are the same in every window."""
        stream = np.random.default_rng(np.random.SeedSequence((self.spec.seed, step)))
        first = networks.pick(slice(self.spec.n_paths))
        self[step] = batch_sharpness(first, self.samples, self.batch_size, stream).numpy()

    def at(self, steps: Sequence[int]) -> np.ndarray:
        """Of these runs at these steps, (n_paths, n_steps)."""
        return np.stack([self[step] for step in steps], axis=1)


def _padded(values: np.ndarray, count: int) -> np.ndarray:
    """Rows of the first runs, and NaN for the others."""
    found = np.full((count, *values.shape[1:]), np.nan)
    found[: len(values)] = values
    return found


def _frozen(twin: Twin, begin: int, end: int, passages: Passages, descent: Descent) -> np.ndarray:
    """First step with a loss below L_c, (n_runs,): before the window, in it, or after it."""
    inside, after = begin + passages.first[:, 0], end + descent.first[:, 0]
    own = np.where(np.isfinite(inside), inside, after)
    return np.full_like(own, twin.frozen) if begin >= twin.frozen else own


def _curvatures(networks: Networks, images: Tensor) -> np.ndarray:
    """Flatness of every network, (R,)."""
    eigenvalues = (second_layer_eigenvalues(networks, images, run) for run in range(len(networks)))
    return np.array([flatness(values) for values in eigenvalues])


def _looked_at(networks: Networks, problem: Problem) -> dict[str, np.ndarray]:
    """Flatness and accuracy on all test images, (R,) each."""
    accuracy = evaluate(networks, problem.full_test).accuracy.cpu().numpy()
    images = problem.train.images.double()
    return {"flatness": _curvatures(networks, images), "accuracy": accuracy}


def _at_levels(problem: Problem, spec: WindowsSpec, twin: Twin, descent: Descent) -> Variables:
    """What the runs are where they pass each level, and the wall to the twin there."""
    rows: dict[str, list[np.ndarray]] = {"flatness": [], "accuracy": [], "wall": []}
    for level in range(1, len(spec.levels) + 1):
        own, other = descent.copies[level], twin.descent.copies[level]
        found = _looked_at(own, problem) | {"wall": _walls(own, other, problem)}
        for name, values in found.items():
            rows[name].append(np.where(np.isfinite(descent.first[:, level]), values, np.nan))
    return {name: (("run", "level"), np.stack(each, axis=1)) for name, each in rows.items()}


def _walls(networks: Networks, twin: Networks, problem: Problem) -> np.ndarray:
    """Rise on the straight line from every network to the one twin, (R,)."""
    pairs = np.array([(run, len(networks)) for run in range(len(networks))])
    return walls_of(join([networks, twin]), pairs, problem.train)


def _at_end(problem: Problem, spec: WindowsSpec, twin: Twin, descent: Descent) -> Variables:
    """How far from the twin the runs are at the lowest level, and on what path."""
    own, other = descent.copies[-1], twin.descent.copies[-1]
    wrong = evaluate(join([own, other]), problem.full_test).misclassified.cpu().numpy()
    apart = flat(own.parameters) - flat(other.parameters)
    how = {"n_steps": spec.band_steps, "learning_rate": spec.band_rate}
    bands = [
        elastic_band(own.one(run), other, problem.train, **how)
        for run in range(min(spec.n_paths, len(own)))
    ]
    walls = {
        name: _padded(rise(np.stack([getattr(band, kind) for band in bands])), len(own))
        for name, kind in (("path_wall", "losses"), ("straight_wall", "straight"))
    }
    found = walls | {
        "similarity": similarity_matrix(wrong)[:-1, -1],
        "distance": apart.norm(dim=1).cpu().numpy(),
    }
    there = np.isfinite(descent.first[:, -1])
    return {name: ("run", np.where(there, values, np.nan)) for name, values in found.items()}


def _early(problem: Problem, networks: Networks, twin: Networks) -> Variables:
    """The wall that there is a short gradient descent after the window."""
    return {
        "early_wall": ("run", _walls(networks, twin, problem)),
        "early_loss": ("run", evaluate(networks, problem.train).loss.cpu().numpy()),
    }


def _of_twin(problem: Problem, spec: WindowsSpec, twin: Twin) -> Variables:
    """The twin where it passes each level."""
    found = _looked_at(join(twin.descent.copies[1:]), problem)
    own: Variables = {f"twin_{name}": ("level", values) for name, values in found.items()}
    own["twin_passage"] = "level", spec.learning_rate * twin.descent.first[0, 1:]
    own["twin_freezing_time"] = (), spec.learning_rate * twin.frozen
    return own
