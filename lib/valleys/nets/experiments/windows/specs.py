"""What a study of noise in windows of training can be asked for."""

import struct
from dataclasses import dataclass

import numpy as np

from valleys.nets.datasets import check_request
from valleys.nets.experiments.specs import (
    MAIN_THRESHOLD,
    SettingSpec,
    check_batch_size,
    check_levels,
)
from valleys.results.spec import check_distinct, require

Window = tuple[float, float]  # from and to, in units of the freezing time without noise


@dataclass(frozen=True)
class WindowsSpec(SettingSpec):
    """Runs from one start that see noise in one window of training alone, held against their twin,
    gradient descent from the same start.

    Attributes:
        start: seed of the start; `seed` is of the batch orders alone.
        training_set: which images; each number is a set of its own.
        batch_size: B in a window.
        windows: pairs (from, to) in units of the twin's freezing time.
        shams: further windows, with so many images in a batch that there is hardly any noise.
        sham_batch_size: B there.
        n_runs: runs of each window.
        n_sham_runs: runs of each sham.
        n_paths: of so many of them the path of low loss and the batch sharpness are found.
        threshold: L_c of the freezing time.
        levels: losses in falling order at which gradient descent after the window is looked at.
        relaxing_time: ηt of gradient descent after the window, before the wall is measured that
            there is by then.
        n_looks: equally spaced moments of a window at which the loss is looked at, both ends
            included.
        band_steps: steps of the elastic band.
        band_rate: learning rate of these steps.
        longest: ηt at which gradient descent gives up.
    """

    batch_size: int = 10
    learning_rate: float = 0.1
    start: int = 0
    training_set: int = 0
    windows: tuple[Window, ...] = ((0.0, 1.0), (1.0, 2.0))
    shams: tuple[Window, ...] = ((0.0, 1.0),)
    sham_batch_size: int = 500
    n_runs: int = 4
    n_sham_runs: int = 2
    n_paths: int = 1
    threshold: float = MAIN_THRESHOLD
    levels: tuple[float, ...] = (0.03, 0.02, 0.014)
    relaxing_time: float = 2.0
    n_looks: int = 101
    band_steps: int = 100
    band_rate: float = 0.02
    longest: float = 200.0

    def check(self) -> None:
        """Refuse what makes no sense for windows."""
        super().check()
        self.require_noise()
        self.require_at_least(start=0, training_set=0, n_runs=2, n_looks=3, band_steps=0)
        check_request(self.dataset, self.train_per_class, self.test_per_class, self.training_set)
        check_batch_size(self.sham_batch_size, self.n_train)
        check_distinct("windows", self.windows)
        for window in (*self.windows, *self.shams):
            require(
                0 <= window[0] < window[1],
                f"a window is a pair (from, to) with 0 <= from < to, got {window}",
            )
        self.require_between("n_paths", 1, self.n_runs, "1 and n_runs")
        self.require_between("n_sham_runs", 1, self.n_runs, "1 and n_runs")
        self.require_positive("relaxing_time", "longest", "band_rate")
        check_levels((self.threshold, *self.levels))

    @property
    def every(self) -> tuple[tuple[Window, int, int], ...]:
        """All windows with batch size and number of runs, the shams last."""
        own = tuple((window, self.batch_size, self.n_runs) for window in self.windows)
        shams = tuple((sham, self.sham_batch_size, self.n_sham_runs) for sham in self.shams)
        return (*own, *shams)

    @property
    def relaxing_steps(self) -> int:
        """Updates of the short gradient descent after a window."""
        return max(1, round(self.relaxing_time / self.learning_rate))

    @property
    def work(self) -> float:
        """Steps of gradient descent, which cost most, about."""
        return len(self.every) * self.n_runs / self.learning_rate

    def orders(self, batch_size: int, begin: float, count: int) -> list[np.random.Generator]:
        """Streams of batch orders of the runs of a window, named by where it begins: a longer
        window begins as a shorter one.
        """
        opens = struct.unpack(">Q", struct.pack(">d", begin))[0]
        key = (self.start, self.training_set, batch_size, opens)
        return [
            np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(*key, run)))
            for run in range(count)
        ]


def steps_of(window: Window, frozen: int) -> tuple[int, int]:
    """The steps at which a window begins and ends, of which it has one at least, if gradient
    descent freezes at this step.
    """
    begin = round(window[0] * frozen)
    return begin, max(begin + 1, round(window[1] * frozen))


def look_steps(length: int, count: int) -> np.ndarray:
    """Equally spaced steps from 0 to the length of a window, int64, (count,); neighbours may be
    one.
    """
    return np.linspace(0, length, count).round().astype(np.int64)
