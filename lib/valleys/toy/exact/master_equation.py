"""The process of Eqs. 13-15 without sampling: the probability density of x, carried from step to
step on a grid.

At given y, one step takes x to a Gaussian around x − η ∂x L, with the variance of the kick at x:
exact at any learning rate η. The integral over x uses Gauss-Legendre panels with a border on the
ridge, where both mean and variance jump, so that it converges fast. y follows its mean over the
density. Noise along the Hessian spreads y by about 0.1 over a whole run, and more than that is
refused.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numba as nb
import numpy as np
import xarray as xr

from valleys.compiling import CAN_KEEP
from valleys.toy.landscapes.two_valley import TwoValley
from valleys.toy.simulation.fixed_y import along_x
from valleys.toy.simulation.langevin import START_X, check_settings, in_threads, on_map
from valleys.toy.simulation.reference import covariance
from valleys.toy.theory.freezing import drift_speed

FOLLOWED = ("hessian", "hessian_squared")  # kinds of noise under which y stays close to its mean
NODES_PER_PANEL = 8
PANEL_KICKS = 3.5  # width of a panel in standard deviations of the smallest kick
# standard deviations, of a kick and of the stationary state, beyond which the density is taken as
# zero
TAIL = 7.0
LARGEST_GRID = 20_000
NEGLIGIBLE = 1e-16  # probability of a node below which nothing is carried on from it
OF_THE_END = (  # what is known of each cell of a map
    "p_flat",
    "mass",
    "freezing_time",
    "freezing_time_spread",
    "freezing_y",
    "freezing_y_spread",
)
COMPILE = {"error_model": "numpy", "nogil": True, "cache": CAN_KEEP, "fastmath": True}


def evolve(
    landscape: TwoValley,
    learning_rate: float,
    noise_strength: float,
    n_steps: int = 20_000,
    start_y: float = 5.0,
    noise: str = "hessian",
    accuracy: float = 1.0,
) -> xr.Dataset:
    """P_flat, crossings and the last crossing as they evolve, from the start of `phase_diagram`
    (half at x = −0.01, half at x = +0.01).

    Dim step, spaced more widely as time goes on, with time = learning_rate · step: p_flat; mean_y;
    mass, the total probability, which strays from 1 by the numerical error; to_flat and to_sharp,
    crossings of the ridge per step; frozen, the probability that no crossing comes after this step.
    Dims (step, x): density, at nodes x of quadrature weight `weight`. Without dims: freezing_time
    [steps], the mean of the last step with a crossing (1 if none); freezing_y, the mean of y there;
    and the standard deviation of both between runs, `…_spread` (that of freezing_y leaves out how y
    differs between runs at one step). accuracy multiplies the resolution in x and in y. Raises
    ValueError for a setting out of range, for noise that is not in FOLLOWED, and for a step too
    small for LARGEST_GRID nodes.

    Example:
        >>> from valleys.toy import TwoValley, evolve
        >>> run = evolve(TwoValley(), learning_rate=0.1, noise_strength=0.1, n_steps=1000)
        >>> float(run.p_flat[-1].round(2))
        0.68
        >>> float(run.mass[-1].round(6))
        1.0
    """
    rates, strengths = [learning_rate], [noise_strength]
    check_settings(landscape, rates, strengths, start_y=start_y, n_steps=n_steps, noise=noise)
    check_noise(noise)
    if not accuracy > 0:
        raise ValueError(f"accuracy is {accuracy!r}; it must be a positive number, such as 1")
    process = Process(landscape, float(learning_rate), float(noise_strength), noise, accuracy)
    grid = process.grid(start_y, n_steps)
    history = forward(process, grid, n_steps, start_y)
    frozen = _backward(process, grid, history)
    return _dataset(history, frozen, grid, learning_rate)


def phase_diagram(
    landscape: TwoValley,
    learning_rates: Sequence[float],
    noise_strengths: Sequence[float],
    n_steps: int = 20_000,
    start_y: float = 5.0,
    noise: str = "hessian",
) -> xr.Dataset:
    """The end of `evolve` over (learning_rate, noise_strength): the map of Figs. 5C and 5D without
    sampling.

    p_flat, freezing_time [steps], freezing_y, both also as `…_spread`, and mass.

    Raises ValueError as `evolve` does.
    """

    def end(cell: tuple[float, float]) -> dict[str, float]:
        run = evolve(landscape, *cell, n_steps, start_y, noise).isel(step=-1)
        return {name: float(run[name]) for name in OF_THE_END}

    cells = product(learning_rates, noise_strengths)
    return on_map(learning_rates, noise_strengths, in_threads(end, cells))


def check_noise(noise: str) -> None:
    """Refuse noise under which y strays far from its mean (ValueError)."""
    if noise not in FOLLOWED:
        raise ValueError(
            f"noise {noise!r} spreads y too far to follow its mean; choose one of "
            f"{', '.join(FOLLOWED)}, or simulate"
        )


@dataclass(frozen=True)
class Grid:
    """Nodes of the quadrature, in ascending order, and where the flat side begins."""

    x: np.ndarray  # (n_nodes,)
    weight: np.ndarray  # (n_nodes,)
    first_flat: int


@dataclass(frozen=True)
class History:
    """The density at the border of every stretch of steps over which one kernel is used."""

    steps: np.ndarray  # (n_borders,)
    ys: np.ndarray  # (n_borders,) mean of y
    kernel_ys: np.ndarray  # (n_borders − 1,) y of the kernel of each stretch
    densities: np.ndarray  # (n_borders, n_nodes)
    # (n_borders − 1, 2) to the flat and to the sharp side, per step, at the start of each stretch
    crossings: np.ndarray


@dataclass(frozen=True)
class Process:
    """One setting of Eq. 13 and how finely it is resolved."""

    landscape: TwoValley
    learning_rate: float
    noise_strength: float
    noise: str
    accuracy: float

    def moments(self, x: np.ndarray, y: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Mean and standard deviation of the next x, and mean change of y, from each x."""
        gradient = self.landscape.gradient(x, y)
        variance = covariance(self.landscape, x, y, self.noise_strength, self.noise)[..., 0, 0]
        return (
            x - self.learning_rate * gradient[..., 0],
            self.learning_rate * np.sqrt(variance),
            -self.learning_rate * gradient[..., 1],
        )

    def grid(self, start_y: float, n_steps: int) -> Grid:
        """Panels that resolve the smallest kick of the run and reach TAIL standard deviations
        beyond both bottoms.
        """
        y = np.linspace(max(start_y, 1e-6), start_y + self._longest_way(n_steps), 50)
        setting = self.landscape, self.learning_rate, self.noise_strength
        lines = [along_x(*setting, each, self.noise, 1) for each in y]
        panel = PANEL_KICKS * min(min(line.kicks) for line in lines) / self.accuracy
        left, right = min(line.edges[0] for line in lines), max(line.edges[1] for line in lines)
        return _panels(TAIL / 5 * left, TAIL / 5 * right, panel)  # edges: at 5

    def _longest_way(self, n_steps: int) -> float:
        """More than y can travel: half as much again as at the highest speed on the floor of a
        valley.
        """
        fastest = drift_speed(self.landscape, np.linspace(0, 10 * self.landscape.y_f, 500)).max()
        return 1.5 * fastest * self.learning_rate * n_steps

    def stretch(self, step: int, y: float, speed: float, last: int) -> int:
        """Steps over which one kernel will do: y moves by 0.4 % of itself, and the time from the
        start or to the end changes by 5 %.
        """
        by_y = 0.004 * (abs(y) + 1) / max(abs(speed), 1e-12)
        return max(1, int(min(by_y, step / 20, (last - step) / 20) / self.accuracy))

    def kernel(self, grid: Grid, y: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Densities of the next x on the nodes around its mean, (n_nodes, band), the first node
        of each band, and the mean change of y.
        """
        mean, kick, along_y = self.moments(grid.x, y)
        first = np.searchsorted(grid.x, mean - TAIL * kick)
        last = np.searchsorted(grid.x, mean + TAIL * kick)
        return _gaussians(grid.x, mean, kick, first, last), first, along_y


def _panels(left: float, right: float, width: float) -> Grid:
    sides = []
    for end in (left, right):
        n_panels = int(np.ceil(abs(end) / width))
        if n_panels * NODES_PER_PANEL > LARGEST_GRID // 2:
            raise ValueError(
                f"the step is too small for a grid of {LARGEST_GRID} nodes; raise the "
                "learning rate or the noise strength"
            )
        nodes, weights = np.polynomial.legendre.leggauss(NODES_PER_PANEL)
        borders = np.linspace(min(end, 0), max(end, 0), n_panels + 1)
        half = (borders[1] - borders[0]) / 2
        sides.append(
            ((borders[:-1, None] + half + half * nodes).ravel(), np.tile(half * weights, n_panels))
        )
    (x_sharp, w_sharp), (x_flat, w_flat) = sides
    return Grid(np.concatenate([x_sharp, x_flat]), np.concatenate([w_sharp, w_flat]), x_sharp.size)


def forward(process: Process, grid: Grid, n_steps: int, start_y: float) -> History:
    """The density from the first step to the last."""
    density, speed = _after_one_step(process, grid, start_y)
    step, y = 1, start_y + speed
    steps, ys, kernel_ys, densities, crossings = [step], [y], [], [density], []
    while step < n_steps:
        length = process.stretch(step, y, speed, n_steps)
        kernel_ys.append(y + speed * length / 2)
        kernel, first, along_y = process.kernel(grid, kernel_ys[-1])
        at_nodes = density * grid.weight
        crossings.append(_crossings(kernel, first, at_nodes, grid.weight, grid.first_flat))
        density, travelled = carry(kernel, first, density, grid.weight, along_y, length)
        step, y, speed = step + length, y + travelled, travelled / length
        steps.append(step)
        ys.append(y)
        densities.append(density)
    borders = np.array(steps), np.array(ys), np.array(kernel_ys), np.array(densities)
    return History(*borders, np.array(crossings).reshape(-1, 2))


def _after_one_step(process: Process, grid: Grid, start_y: float) -> tuple[np.ndarray, float]:
    """The density of x, and how far the mean of y has moved."""
    mean, kick, along_y = process.moments(np.array([-START_X, START_X]), start_y)
    gaussians = np.exp(-(((grid.x[:, None] - mean) / kick) ** 2) / 2)
    return gaussians @ (1 / kick) / np.sqrt(8 * np.pi), along_y.mean()


def _backward(process: Process, grid: Grid, history: History) -> np.ndarray:
    """Probability that no crossing comes after each border, (n_borders,)."""
    stays = np.ones_like(grid.x)
    frozen = [1.0]
    for place in range(history.kernel_ys.size - 1, -1, -1):
        kernel, first, _ = process.kernel(grid, history.kernel_ys[place])
        length = int(history.steps[place + 1] - history.steps[place])
        visited = history.densities[place : place + 2].max(axis=0) * grid.weight > NEGLIGIBLE
        stays = stay(kernel, first, stays, grid.weight, grid.first_flat, visited, length)
        density = history.densities[place] * grid.weight
        frozen.append(float(density @ stays / density.sum()))
    return np.array(frozen[::-1])


def _dataset(history: History, frozen: np.ndarray, grid: Grid, learning_rate: float) -> xr.Dataset:
    mass = history.densities @ grid.weight
    flat = history.densities[:, grid.first_flat :] @ grid.weight[grid.first_flat :]
    crossings = (
        np.concatenate([history.crossings, history.crossings[-1:]])
        if history.crossings.size
        else np.zeros((1, 2))
    )
    along_step = {
        "p_flat": flat / mass,
        "mean_y": history.ys,
        "mass": mass,
        "frozen": frozen,
        "to_flat": crossings[:, 0],
        "to_sharp": crossings[:, 1],
    }
    variables = {name: ("step", values) for name, values in along_step.items()}
    variables |= {"density": (("step", "x"), history.densities)}
    for name, values in (("freezing_time", history.steps), ("freezing_y", history.ys)):
        mean, spread = _at_last_crossing(values, history.steps, frozen)
        variables |= {name: ((), mean), f"{name}_spread": ((), spread)}
    times = {"step": history.steps, "time": ("step", learning_rate * history.steps)}
    return xr.Dataset(variables, times | {"x": grid.x, "weight": ("x", grid.weight)})


def _at_last_crossing(
    values: np.ndarray, steps: np.ndarray, frozen: np.ndarray
) -> tuple[float, float]:
    """Mean and standard deviation of a quantity at the last crossing; in a stretch, its mean
    over the steps after the first border.
    """
    half_way = values[1:] - np.diff(values) * (1 - 1 / np.diff(steps)) / 2
    places, weights = np.append(values[0], half_way), np.diff(frozen, prepend=0.0)
    mean = float(weights @ places)
    return mean, math.sqrt(max(float(weights @ (places - mean) ** 2), 0.0))


@nb.njit(**COMPILE)
def _gaussians(x, mean, kick, first, last):
    band = 0
    for j in range(x.size):
        band = max(band, last[j] - first[j])
    kernel = np.zeros((x.size, band))
    for j in range(x.size):
        height = 1.0 / (kick[j] * np.sqrt(2.0 * np.pi))
        for i in range(first[j], last[j]):
            z = (x[i] - mean[j]) / kick[j]
            kernel[j, i - first[j]] = height * np.exp(-0.5 * z * z)
    return kernel


@nb.njit(**COMPILE)
def carry(kernel, first, density, weight, along_y, n_steps):
    """The density n_steps later, and how far the mean of y has travelled."""
    n_nodes, band = kernel.shape
    travelled = 0.0
    for _ in range(n_steps):
        following = np.zeros(n_nodes)
        for j in range(n_nodes):
            probability = density[j] * weight[j]
            if probability < NEGLIGIBLE:
                continue
            travelled += probability * along_y[j]
            begin = first[j]
            for i in range(min(band, n_nodes - begin)):
                following[begin + i] += kernel[j, i] * probability
        density = following
    return density, travelled


@nb.njit(**COMPILE)
def stay(kernel, first, stays, weight, first_flat, visited, n_steps):
    """Probability, from each node that is visited, of no crossing during n_steps more steps and
    after them.
    """
    n_nodes, band = kernel.shape
    for _ in range(n_steps):
        following = weight * stays
        earlier = np.zeros(n_nodes)
        for j in np.flatnonzero(visited):
            begin = first[j] if j < first_flat else max(first[j], first_flat)
            end = min(first[j] + band, first_flat if j < first_flat else n_nodes)
            total = 0.0
            for i in range(begin, end):
                total += kernel[j, i - first[j]] * following[i]
            earlier[j] = total
        stays = earlier
    return stays


@nb.njit(**COMPILE)
def _crossings(kernel, first, probability, weight, first_flat):
    """Probability of crossing to the flat side, and to the sharp side, in the next step."""
    n_nodes, band = kernel.shape
    to_flat, to_sharp = 0.0, 0.0
    for j in range(n_nodes):
        for i in range(first[j], min(first[j] + band, n_nodes)):
            moved = kernel[j, i - first[j]] * weight[i] * probability[j]
            if j < first_flat and i >= first_flat:
                to_flat += moved
            elif j >= first_flat and i < first_flat:
                to_sharp += moved
    return to_flat, to_sharp
