"""Draw the still pictures of the live versions in chapters, `_static/live_*.svg`, for readers
without scripts (a few seconds).
"""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from valleys.book import figures
from valleys.book.figures.drawing.style import FLAT, HALO, INK, SHARP
from valleys.paths import book_root
from valleys.toy import ManyValleys, TwoValley
from valleys.toy.experiments.two_valley import with_contrast
from valleys.toy.simulation import langevin
from valleys.toy.theory import chain
from valleys.toy.theory.at_fixed_y import conditional_density, effective_temperature, p_flat_exact

RATE, N_RUNS = 0.01, 200  # learning rate, and walkers of a picture
LANDSCAPE = with_contrast(TwoValley(), 1.515)
SIZE = {1: (7.2, 3.0), 2: (7.2, 3.2)}  # inches, by the number of panels
ROW = (0.65, 0.725, 0.8, 0.7625, 0.6875)  # half-widths of five valleys, from left to right


def above_floor(x: np.ndarray, y: float) -> np.ndarray:
    """Loss above the valley floors."""
    floor = float(LANDSCAPE.loss(LANDSCAPE.valley_positions(y)[0], y))
    return np.asarray(LANDSCAPE.loss(x, y)) - floor


def potential(x: np.ndarray, y: float, noise: float) -> np.ndarray:
    """−T_eff ln of the density without flow, on the ridge as high as the loss."""
    temperature = float(effective_temperature(LANDSCAPE, y, noise))
    felt = -temperature * np.log(conditional_density(LANDSCAPE, x, y, noise, "ito"))
    left = int(np.searchsorted(x, 0)) - 1
    return felt - felt[left] + above_floor(x, y)[left]


def section(axes: Axes, y: float, walkers: np.ndarray, noise: float, title: str) -> None:
    """A section through the valleys with walkers a little above the ground."""
    half = 2.4 * float(LANDSCAPE.valley_positions(y)[0])
    x = np.linspace(-half, half, 481)
    loss, top = above_floor(x, y), 1.5 * float(LANDSCAPE.barrier(y))
    for side, colour in ((x <= 0, SHARP), (x >= 0, FLAT)):
        axes.fill_between(x[side], loss[side], -0.5 * top, color=colour, alpha=0.08, linewidth=0)
        axes.plot(x[side], loss[side], color=colour)
        axes.plot(x[side], potential(x, y, noise)[side], color=INK, linestyle="--", linewidth=1)
    lift = top * (0.03 + 0.04 * np.random.default_rng(0).random(walkers.size))
    colours = np.where(walkers >= 0, FLAT, SHARP)
    axes.scatter(
        walkers, above_floor(walkers, y) + lift, s=12, color=colours, alpha=0.35, rasterized=True
    )
    axes.set(xlim=(-half, half), ylim=(-0.5 * top, top), title=title)
    axes.set(xlabel="x, across the valleys", ylabel="loss above the floors")


def held(y: float, noise: float) -> np.ndarray:
    """Walkers that have long been at one y, in the shares that they have on average."""
    x = np.linspace(-0.6, 0.6, 4001)
    weight = np.cumsum(conditional_density(LANDSCAPE, x, y, noise, "ito"))
    return np.interp((np.arange(N_RUNS) + 0.5) / N_RUNS, weight / weight[-1], x)


def free(noise: float, duration: float) -> tuple[float, np.ndarray]:
    """Mean y and the walkers after a time, from y = 0.2."""
    steps, strength = round(duration / RATE), noise / RATE
    walk = (LANDSCAPE, RATE, strength, N_RUNS, steps, 0.2)
    last = langevin.trajectories(*walk, record_every=steps, seed=1).isel(step=-1)
    return float(last.y.mean()), last.x.values


def swarm() -> Figure:
    """Walkers that hop, while the ridge is low (Chapter 4)."""
    figure = Figure(figsize=SIZE[1], layout="constrained")
    y, walkers = free(1e-3, 150.0)
    section(figure.subplots(), y, walkers, 1e-3, f"walkers at y = {y:.1f}")
    return figure


def at_one_y() -> Figure:
    """The effective potential at one y (Chapter 5)."""
    figure, y, noise = Figure(figsize=SIZE[1], layout="constrained"), 5.0, 2e-3
    share = float(p_flat_exact(LANDSCAPE, y, noise))
    title = f"held at y = {y:g}: flat share {share:.2f}"
    section(figure.subplots(), y, held(y, noise), noise, title)
    return figure


def race() -> Figure:
    """Walkers that are held beside those that are free (Chapter 6)."""
    figure, noise = Figure(figsize=SIZE[2], layout="constrained"), 1e-3
    left, right = figure.subplots(1, 2)
    share = float(p_flat_exact(LANDSCAPE, 3.0, noise))
    section(left, 3.0, held(3.0, noise), noise, f"held at y = 3: flat share {share:.2f}")
    y, walkers = free(noise, 400.0)
    title = f"free, at y = {y:.1f}: flat share {np.mean(walkers > 0):.2f}"
    section(right, y, walkers, noise, title)
    return figure


def row() -> Figure:
    """Five valleys in a row, from sharp to flat in colours between the two (Chapter 11)."""
    figure, noise, y = Figure(figsize=SIZE[1], layout="constrained"), 1e-3, 10.0
    axes, grid = figure.subplots(), ManyValleys(ROW).on_grid(np.linspace(-0.95, 0.95, 761), [y])
    shares = chain.balance(ManyValleys(ROW), noise, np.geomspace(1, y, 200))[:, -1]
    blend, ranks = (
        LinearSegmentedColormap.from_list("row", [SHARP, FLAT]),
        np.argsort(ROW).argsort(),
    )
    line = grid.isel(y=0)
    for valley, share in enumerate(shares):
        colour = blend(ranks[valley] / (len(ROW) - 1))
        axes.plot(grid.x, (line.loss - line.loss.min()).where(line.number == valley), color=colour)
        axes.bar(line.floor[valley], share, 0.1, bottom=-0.5, color=colour)
    axes.set(xlabel="x, across the valleys", ylabel="loss above the floors", ylim=(-0.5, 0.5))
    axes.set(title=f"five valleys at y = {y:g}; columns: share of each in theory")
    return figure


def main() -> None:
    """Write them all."""
    figures.use_style()
    ground = {"facecolor": HALO, "transparent": False}
    for name, draw in {"swarm": swarm, "held": at_one_y, "race": race, "row": row}.items():
        path = book_root() / "_static" / f"live_{name}.svg"
        draw().savefig(path, metadata={"Date": None}, **ground)


if __name__ == "__main__":
    main()
