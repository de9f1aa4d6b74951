"""Draw `_static/explorer.svg`, the picture of the explorer for readers without scripts (about
ten seconds).
"""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from valleys.book import figures
from valleys.book.figures.drawing.style import FLAT, HALO, NEUTRAL, ON_LIGHT, SHARP, THEORY
from valleys.paths import book_root
from valleys.toy import TwoValley
from valleys.toy.experiments.two_valley import with_contrast
from valleys.toy.simulation import langevin
from valleys.toy.theory import freezing
from valleys.toy.theory.diagnosis import drift_path

LEARNING_RATE, NOISE_STRENGTH, START_Y, DURATION, N_RUNS = 0.01, 0.1, 5.0, 1000.0, 400
LANDSCAPE = with_contrast(TwoValley(), 1.515)
MOMENTS = (1.0, 100.0, 400.0, 1000.0)  # times at which the walkers are shown
# contours of the loss above the floors, as in the explorer
LEVELS = (0.01, 0.03, 0.08, 0.16, 0.3, 0.5, 0.8, 1.2)


def ground(grid: xr.Dataset, axes: Axes) -> None:
    """The landscape from above: tinted by valley, with contours and the two floors."""
    above = grid.loss - grid.floor_loss
    tint = np.sign(grid.x) * np.exp(-above / 0.09)
    stops = [(0, "#f0c4a6"), (0.5, "#eef0f2"), (1, "#a6cbe2")]
    axes.pcolormesh(
        grid.x,
        grid.y,
        tint.transpose("y", "x"),
        cmap=LinearSegmentedColormap.from_list("sides", stops),
        vmin=-1,
        vmax=1,
        shading="gouraud",
        rasterized=True,
    )
    lines = {"levels": LEVELS, "colors": NEUTRAL, "linewidths": 0.5, "alpha": 0.6}
    axes.contour(grid.x, grid.y, above.transpose("y", "x"), **lines)
    axes.plot(grid.flat_x, grid.y, color=FLAT, linestyle="--", linewidth=1)
    axes.plot(grid.sharp_x, grid.y, color=SHARP, linestyle="--", linewidth=1)


def walkers(runs: xr.Dataset, axes: Axes) -> None:
    """The walkers on the landscape at a few moments, y downwards, each a little above or below
    its y.
    """
    ground(LANDSCAPE.on_grid(np.linspace(-0.9, 0.9, 181), np.linspace(0, 30, 121)), axes)
    n_runs = runs.sizes["run"]
    band = np.linspace(-0.6, 0.6, n_runs)[np.random.default_rng(0).permutation(n_runs)]
    points = {"s": 7, "alpha": 0.35, "linewidths": 0, "rasterized": True}
    words = {"va": "center", "fontsize": 9, "color": ON_LIGHT}
    for time in MOMENTS:
        now = runs.sel(step=round(time / LEARNING_RATE))
        axes.scatter(now.x, now.y + band, color=np.where(now.x >= 0, FLAT, SHARP), **points)
        axes.annotate(f"time {time:g}", (-0.87, float(now.y.mean())), **words)
    axes.set(ylim=(30, 0), title="walkers on the landscape")
    axes.set(xlabel="x, across the valleys", ylabel="y, progress of training (downwards)")


def share(runs: xr.Dataset, axes: Axes) -> None:
    """Flat share against time, with the two predictions of the explorer."""
    runs = runs.isel(step=slice(1, None))
    n_flat, n = (runs.x > 0).sum("run"), runs.sizes["run"]
    error = [langevin.fraction_error(int(count), n) for count in n_flat]
    fraction = n_flat / n
    axes.fill_between(
        runs.time, fraction - error, fraction + error, color=FLAT, alpha=0.25, linewidth=0
    )
    axes.plot(runs.time, fraction, color=FLAT, label="walkers, ± one standard error")
    time, y = drift_path(LANDSCAPE, START_Y, DURATION)
    effective_noise = LEARNING_RATE * NOISE_STRENGTH
    shares = freezing.p_flat_balance(LANDSCAPE, effective_noise, y)
    axes.plot(time[1:], shares[1:], color=THEORY, linestyle="--", label="balance equation, Eq. A26")
    closed = float(freezing.p_flat_transient(LANDSCAPE, effective_noise))
    axes.axhline(closed, color=THEORY, linestyle=":", label="closed formula, Eq. 26, ε = 0.1")
    axes.set(xscale="log", xlim=(0.1, DURATION), ylim=(0.25, 1.02))
    axes.set(xlabel="time η·step", title="flat share")
    axes.legend(loc="lower right")


def draw() -> Figure:
    """Simulate and draw; every record of a run is ten steps after the one before."""
    runs = langevin.trajectories(
        LANDSCAPE,
        LEARNING_RATE,
        NOISE_STRENGTH,
        N_RUNS,
        round(DURATION / LEARNING_RATE),
        START_Y,
        record_every=10,
        seed=1,
    )
    kept = np.unique(np.round(np.geomspace(1, runs.sizes["step"] - 1, 160)).astype(int))
    figure = Figure(figsize=(9.0, 4.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    walkers(runs, left)
    share(runs.isel(step=[0, *kept]), right)
    return figure


def main() -> None:
    """Write the figure."""
    figures.use_style()
    # the README lies on pages of any colour; the site darkens the ground with the rest
    ground = {"facecolor": HALO, "transparent": False}
    draw().savefig(book_root() / "_static" / "explorer.svg", metadata={"Date": None}, **ground)


if __name__ == "__main__":
    main()
