"""The limit of small steps without rates: the Fokker-Planck equation of Eq. 13 along x, under noise
that follows a schedule, while y follows its mean.

In ξ = x/√s, s = (y/(y + y_b))², both bottoms stand still, and that they part is a weak pull towards
ξ = 0: ∂t p = ∂ξ[p V' + ∂ξ(D p)] with V' = (2/f)(ξ − c) + ξ d ln√s/dt and D = 2Δ_S/(f s), an Itô
equation, in which D p is continuous on the ridge. Finite volumes with exponential fluxes, exact for
a stationary state (Scharfetter and Gummel 1969), and the L-stable method of two stages in time
(Alexander 1977).
"""

from dataclasses import dataclass

import numpy as np
import xarray as xr
from scipy.linalg import solve_banded

from valleys.results.spec import require
from valleys.toy.landscapes.two_valley import TwoValley
from valleys.toy.simulation.langevin import START_X
from valleys.toy.theory.freezing import drift_speed
from valleys.toy.theory.schedules import opening

STAGE = 1 - 0.5**0.5  # of the method of two stages
REACH = 8.0  # widths √θ beyond both bottoms at which the grid ends
CORE = 0.5  # of x2: up to there cells are about equally wide, further out they grow


def relax_along(
    landscape: TwoValley,
    times: np.ndarray,
    noise: np.ndarray,
    start_y: float = 1.0,
    start_x: float = START_X,
    n_cells: int = 1200,
    n_parts: int = 2,
) -> xr.Dataset:
    """P_flat and mean y in the limit of small steps, from the start of `evolve`.

    Args:
        landscape: of two valleys.
        times: borders of pieces (n + 1,), rising from 0.
        noise: Δ_S of each piece (n,), above 0.
        start_y: of all walkers, above 0.
        start_x: of one half of them, and with the other sign of the other half.
        n_cells: of the grid, half of them on each side.
        n_parts: steps to a piece.

    Returns:
        Dim time: p_flat, mean_y and mass, which strays from 1 by the numerical error.

    Raises:
        ValueError: noise that is not positive, or not one for each piece.

    Example:
        >>> import numpy as np
        >>> from valleys.toy import TwoValley
        >>> from valleys.toy.exact.small_steps import relax_along
        >>> run = relax_along(TwoValley(), np.linspace(0, 50, 201), np.full(200, 4e-4))
        >>> float(run.p_flat[-1].round(3))
        0.784
    """
    require(noise.shape == (times.size - 1,), "give one noise for each piece between two times")
    require(bool((noise > 0).all()), "the noise must be above 0 to carry a density")
    cells = Cells.of(landscape, float(noise.max() / opening(landscape, start_y)), n_cells)
    y, p = start_y, cells.start(start_x / float(opening(landscape, start_y)) ** 0.5)
    rows = [(0.5, y, 1.0)]
    for length, strength in zip(np.diff(times) / n_parts, noise, strict=True):
        for _ in range(n_parts):
            p, y = cells.step(p, y, float(strength), float(length))
        mass = p * cells.widths
        rows.append((mass[cells.centres > 0].sum() / mass.sum(), y, mass.sum()))
    values = zip(("p_flat", "mean_y", "mass"), np.array(rows).T, strict=True)
    return xr.Dataset({name: ("time", each) for name, each in values}, {"time": times})


@dataclass(frozen=True)
class Cells:
    """Cells of ξ with a border on the ridge."""

    landscape: TwoValley
    centres: np.ndarray  # (n,)
    widths: np.ndarray  # (n,)

    @classmethod
    def of(cls, landscape: TwoValley, theta: float, n_cells: int) -> "Cells":
        """As far as walkers come at the largest θ."""
        core = CORE * landscape.x2
        reach = np.arcsinh((landscape.x1 + REACH * theta**0.5) / core)
        borders = core * np.sinh(np.linspace(-reach, reach, 2 * (n_cells // 2) + 1))
        return cls(landscape, (borders[1:] + borders[:-1]) / 2, np.diff(borders))

    def start(self, place: float) -> np.ndarray:
        """Half of the walkers at each of ± place, as a density."""
        p = np.zeros(self.centres.size)
        for each in (-place, place):
            p[int(np.abs(self.centres - each).argmin())] += 0.5
        return p / self.widths

    def step(
        self, p: np.ndarray, y: float, noise: float, length: float
    ) -> tuple[np.ndarray, float]:
        """Density and mean y after a time, with all that depends on y taken halfway."""
        halfway = y + self._speed(p, y) * length / 2
        operator = self._operator(halfway, noise)
        system = -STAGE * length * operator
        system[1] += 1
        first = solve_banded((1, 1), system, _times(operator, p))
        second = solve_banded((1, 1), system, _times(operator, p + (1 - STAGE) * length * first))
        after = p + length * ((1 - STAGE) * first + STAGE * second)
        return after, y + self._speed((p + after) / 2, halfway) * length

    def _speed(self, p: np.ndarray, y: float) -> float:
        """−⟨∂y L⟩ over the density."""
        x = self.centres * float(opening(self.landscape, y)) ** 0.5
        return -float((p * self.widths) @ self.landscape.gradient(x, y)[:, 1])

    def _operator(self, y: float, noise: float) -> np.ndarray:
        """∂t p = A p, as the three diagonals that `solve_banded` takes, (3, n)."""
        scale, right = self.landscape, self.centres > 0
        flat, sharp = (float(each) for each in scale.flatness(y))
        theta = noise / float(opening(scale, y))
        f, bottom = np.where(right, flat, sharp), np.where(right, scale.x1, -scale.x2)
        parting = float(drift_speed(scale, y)) * scale.y_b / (y * (y + scale.y_b))
        pull = (self.centres - bottom) ** 2 - bottom**2 + f * parting / 2 * self.centres**2
        rise = np.diff(pull / (2 * theta))
        spacing, diffusion = np.diff(self.centres), 2 * theta / f
        onward = _bernoulli(rise) / spacing * diffusion[:-1]  # of what lies before each border
        back = _bernoulli(-rise) / spacing * diffusion[1:]
        operator = np.zeros((3, f.size))
        operator[0, 1:], operator[2, :-1] = back / self.widths[:-1], onward / self.widths[1:]
        operator[1, :-1] -= onward / self.widths[:-1]
        operator[1, 1:] -= back / self.widths[1:]
        return operator


def _bernoulli(x: np.ndarray) -> np.ndarray:
    """x/(eˣ − 1), which is 1 at 0."""
    small = np.abs(x) < 1e-10
    safe = np.where(small, 1.0, np.minimum(x, 700.0))
    return np.where(small, 1 - x / 2, safe / np.expm1(safe))


def _times(operator: np.ndarray, p: np.ndarray) -> np.ndarray:
    found = operator[1] * p
    found[:-1] += operator[0, 1:] * p[1:]
    found[1:] += operator[2, :-1] * p[:-1]
    return found
