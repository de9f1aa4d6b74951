"""What a setting of the two-valley model will do, from theory, before it is simulated: one
verdict per way to go wrong.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.integrate import solve_ivp

from valleys.toy.landscapes.two_valley import TwoValley
from valleys.toy.simulation import reference
from valleys.toy.simulation.langevin import check_settings
from valleys.toy.theory.at_fixed_y import bottom_to_bottom, noise_diffusion
from valleys.toy.theory.freezing import Y_SEARCH, drift_speed, relaxation_times

SLOWEST_CLOCK = 0.1  # τ_x/τ_y below this: x relaxes ten times before y moves by one unit
HIGH_BARRIER = 5.0  # barrier over noise from which Eq. A25 is within 16 % of Eq. 21
UNSTABLE = 2.0  # η·2/f at which a step overshoots the bottom by more than it started with
# η·2/f below this: the step widens a valley, whose variance is Δ_S/(1 − η/f), by at most 5 %
SMALL_STEP = 0.1
# share of the start that may survive, e⁻²: two hops are expected, and P_flat moves by at most 0.07
FORGOTTEN = 0.135
# hops per run in as many steps again: fewer than one run in ten would still change valley
LAST_HOPS = 0.1
# γ from which runs that freeze at HIGH_BARRIER end flat in 0.07 more than half, three errors of 400
# runs
CONTRAST = 1.05
# rise of barrier over noise along the run: from HIGH_BARRIER on it lowers the rates by e⁻⁵
GROWTH = 2.0
Setting = tuple[TwoValley, float, str]  # landscape, effective noise and kind of noise
N_PATH = 121  # points along the drift, for each of two durations


@dataclass(frozen=True)
class Check:
    """One question put to a setting: what its number is and must be, the number, whether all is
    well, and what follows.
    """

    name: str
    needs: str
    value: float
    holds: bool
    sentence: str


@dataclass(frozen=True)
class Diagnosis:
    """The numbers of a setting, and one verdict for each thing that can go wrong; `str` gives a
    table.
    """

    clock_ratio: float  # largest τ_x/τ_y along the run
    start_barrier: float  # ΔL/D of the sharp valley at the start
    kramers_y: float  # y from which that ratio exceeds HIGH_BARRIER, ∞ if never
    step_ratio: float  # largest η·2/f along the run
    memory: float  # exp(−∫(k⁺ + k⁻) dt) of the run
    hops_after: float  # hops per run expected in as many steps again
    growth: float  # end over start of ΔL/D
    swing: float  # η/½(f1 + f2) at the start
    reach: float  # spread of the kicks along y over the distance to the edge of the landscape
    end_y: float  # where the drift leads, without noise along y
    p_flat: float  # P_flat at the end, from the balance of Eq. A26
    verdicts: tuple[Check, ...]

    @property
    def holds(self) -> bool:
        """All is well."""
        return all(verdict.holds for verdict in self.verdicts)

    def __getitem__(self, name: str) -> Check:
        """The verdict of that name; KeyError, with the names that exist, if there is none."""
        found = {verdict.name: verdict for verdict in self.verdicts}
        if name not in found:
            raise KeyError(f"no verdict {name!r}; choose one of {', '.join(found)}")
        return found[name]

    def __str__(self) -> str:
        """One line a verdict: name, number, yes or NO, sentence."""
        rows = [
            f"{v.name:<20} {v.value:>9.3g}  {'yes' if v.holds else 'NO ':<3}  {v.sentence}"
            for v in self.verdicts
        ]
        return "\n".join(
            [*rows, f"Expected: y = {self.end_y:.3g} and P_flat = {self.p_flat:.3f} at the end."]
        )


def diagnose(
    landscape: TwoValley,
    learning_rate: float,
    noise_strength: float,
    *,
    start_y: float = 5.0,
    n_steps: int = 20_000,
    noise: str = "hessian",
) -> Diagnosis:
    """What runs of `phase_diagram` with these settings will do, from the rates and the drift of
    theory, in well under a second.

    The theory is that of small steps, and mean y follows the floor of a valley; where it ends, a
    verdict says so. Raises ValueError for any setting out of range, and for a start_y below 0,
    where theory has no valleys to speak of.

    Example:
        >>> from valleys.toy import TwoValley, diagnose
        >>> diagnosis = diagnose(TwoValley(), learning_rate=0.01, noise_strength=1.0)
        >>> diagnosis.holds
        False
        >>> print(diagnosis["stable step"].sentence)
        a step leads towards the bottom
    """
    check_settings(
        landscape,
        [learning_rate],
        [noise_strength],
        start_y=start_y,
        n_steps=n_steps,
        noise=noise,
    )
    if start_y < 0:
        raise ValueError(
            f"start_y is {start_y!r}; a diagnosis begins at 0 or above, where the "
            "valleys have opened"
        )
    setting = (landscape, learning_rate * noise_strength, noise)
    time, y = drift_path(landscape, start_y, learning_rate * n_steps)
    numbers = (
        _on_the_way(setting, learning_rate, y[:N_PATH])
        | _hopping(setting, learning_rate, time, y)
        | {
            "swing": learning_rate / swing_limit(landscape, start_y),
            "reach": _reach(setting, learning_rate, noise_strength, start_y, n_steps),
        }
    )
    return Diagnosis(**numbers, verdicts=_verdicts(landscape.flatness_ratio, numbers))


def _on_the_way(setting: Setting, learning_rate: float, y: np.ndarray) -> dict[str, float]:
    """Clocks, barriers and steps along the y of a run."""
    landscape = setting[0]
    clocks = relaxation_times(landscape, y)[0] * drift_speed(landscape, y)
    start, end = barrier_over_noise(*setting, y[[0, -1]])[1]
    return {
        "clock_ratio": float(clocks.max()),
        "start_barrier": float(start),
        "kramers_y": _kramers_y(setting),
        "step_ratio": float(learning_rate * 2 / landscape.flatness(y)[1].min()),
        "growth": float(end / start) if start > 0 else np.inf,
        "end_y": float(y[-1]),
    }


def side_by_side(diagnoses: Mapping[str, Diagnosis]) -> pd.DataFrame:
    """A table of verdicts: a row for each question, with what its number must be, and a column for
    each setting, "yes" or "NO" with the number.

    Example:
        >>> from valleys.toy import TwoValley, diagnose, side_by_side
        >>> settings = {"weak": 0.1, "strong": 1.0}
        >>> table = side_by_side(
        ...     {name: diagnose(TwoValley(), 0.01, noise) for name, noise in settings.items()}
        ... )
        >>> list(table.columns)
        ['asks for', 'weak', 'strong']
    """
    columns = {
        name: {v.name: f"{'yes' if v.holds else 'NO'} ({_short(v.value)})" for v in found.verdicts}
        for name, found in diagnoses.items()
    }
    needs = {
        verdict.name: verdict.needs for found in diagnoses.values() for verdict in found.verdicts
    }
    return pd.DataFrame({"asks for": needs} | columns)


def _short(value: float) -> str:
    return f"{value:.0f}" if 100 <= value < 1e6 else ("< 0.001" if value < 1e-3 else f"{value:.2g}")


def barrier_over_noise(
    landscape: TwoValley, effective_noise: float, noise: str, y: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """ΔL/D of the (flat, sharp) valley, for any kind of noise; 0 at y = 0, where no barrier
    stands.
    """
    flat, sharp = noise_diffusion(landscape, y, effective_noise, noise)
    barrier = landscape.barrier(y)
    return barrier / flat, barrier / sharp


def swing_limit(landscape: TwoValley, y: float) -> float:
    """½(f1 + f2) at y: wide swings across both valleys grow if the learning rate is larger, as
    (η·2/f1 − 1)(η·2/f2 − 1) > 1.

    Swings carry a run to larger y if y_b > y_f, where the limit is higher; beyond the limit of y →
    ∞ nothing stops them.
    """
    return float(sum(landscape.flatness(y)) / 2)


def drift_path(
    landscape: TwoValley, start_y: float, duration: float
) -> tuple[np.ndarray, np.ndarray]:
    """Times and y on the floor of a valley, over the run and as long again, with N_PATH points
    each; dense where the run begins.
    """
    first = duration * np.linspace(0, 1, N_PATH) ** 2
    times = np.concatenate([first, duration + duration * np.linspace(0, 1, N_PATH)[1:]])
    path = solve_ivp(
        lambda _, y: drift_speed(landscape, y),
        (0, times[-1]),
        [start_y],
        t_eval=times,
        rtol=1e-8,
        atol=1e-10,
        method="LSODA",
    )
    return times, path.y[0]


def _hopping(
    setting: Setting, learning_rate: float, time: np.ndarray, y: np.ndarray
) -> dict[str, float]:
    """Memory of the start, hops per run in a second run of the same length, P_flat at the end of
    the first (Eq. A26 with exact rates).
    """
    middle = (y[1:] + y[:-1]) / 2
    # at most one hop a step
    flat_rate, sharp_rate = (
        np.minimum(rate, 1 / learning_rate) for rate in _rates(setting, middle)
    )
    lengths = np.diff(time)
    kept = np.exp(-(flat_rate + sharp_rate) * lengths)
    target = sharp_rate / np.maximum(flat_rate + sharp_rate, np.finfo(float).tiny)
    p_flat = np.empty(y.size)
    p_flat[0] = 0.5
    for i in range(middle.size):
        p_flat[i + 1] = target[i] + (p_flat[i] - target[i]) * kept[i]
    share = (p_flat[1:] + p_flat[:-1]) / 2
    hops = (flat_rate * share + sharp_rate * (1 - share)) * lengths
    return {
        "memory": float(np.prod(kept[: N_PATH - 1])),
        "hops_after": float(hops[N_PATH - 1 :].sum()),
        "p_flat": float(p_flat[N_PATH - 1]),
    }


def _rates(setting: Setting, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Escapes per time from the (flat, sharp) valley, bottom to bottom."""
    (flat, sharp), (flat_z, sharp_z) = (
        setting[0].flatness(y),
        map(np.sqrt, barrier_over_noise(*setting, y)),
    )
    with np.errstate(divide="ignore"):
        return 1 / bottom_to_bottom(flat, flat_z, sharp, sharp_z), 1 / bottom_to_bottom(
            sharp, sharp_z, flat, flat_z
        )


def _kramers_y(setting: Setting) -> float:
    """The first y at which the barrier of the sharp valley is HIGH_BARRIER times the noise (Eq.
    A21), ∞ if none is found.
    """
    high = np.flatnonzero(barrier_over_noise(*setting, Y_SEARCH)[1] >= HIGH_BARRIER)
    return float(Y_SEARCH[high[0]]) if high.size else np.inf


def _reach(
    setting: Setting, learning_rate: float, noise_strength: float, start_y: float, n_steps: int
) -> float:
    """η √(n Σ_yy)/(y − y_min) for n steps at the start, with Σ_yy the largest within three
    widths beyond a bottom.
    """
    landscape, effective_noise, noise = setting
    bottoms = np.array(landscape.valley_positions(start_y))
    flatness = np.array(landscape.flatness(start_y))
    # a discrete step widens a valley; kept finite where it is unstable
    slack = np.maximum(1 - learning_rate / flatness, SMALL_STEP)
    widths = np.sqrt(
        np.array(noise_diffusion(landscape, start_y, effective_noise, noise)) * flatness / 2 / slack
    )
    x = bottoms + np.array([1, -1]) * widths * np.linspace(0, 3, 13)[:, None]
    variance = reference.covariance(
        landscape, x.ravel(), np.full(x.size, start_y), noise_strength, noise
    )[:, 1, 1].max()
    return float(learning_rate * np.sqrt(n_steps * variance) / (start_y - landscape.y_min))


@dataclass(frozen=True)
class _Question:
    """What is asked of the numbers of a setting, and the sentence for either answer."""

    name: str
    needs: str
    number: str
    holds: Callable[[Mapping[str, float]], bool]
    yes: str
    no: str

    def answer(self, numbers: Mapping[str, float]) -> Check:
        """The verdict on these numbers, which the sentences may quote."""
        holds = bool(self.holds(numbers))
        return Check(
            self.name,
            self.needs,
            numbers[self.number],
            holds,
            (self.yes if holds else self.no).format(**numbers),
        )


_RIDGE = (
    "the barrier is {start_barrier:.2g} times the noise at the start, and high enough for Kramers "
    "from y = {kramers_y:.3g}"
)
QUESTIONS = (
    _Question(
        "separate clocks",
        f"time to settle in x, to move in y: ratio < {SLOWEST_CLOCK:g}",
        "clock_ratio",
        lambda n: n["clock_ratio"] < SLOWEST_CLOCK,
        "x settles long before y moves",
        "y moves while x settles: no quasi-steady state",
    ),
    _Question(
        "Kramers' rates hold",
        f"y at which the barrier is {HIGH_BARRIER:g} times the noise: before the end",
        "kramers_y",
        lambda n: n["kramers_y"] < n["end_y"],
        _RIDGE,
        _RIDGE + ", past the end",
    ),
    _Question(
        "stable step",
        f"step × curvature < {UNSTABLE:g}",
        "step_ratio",
        lambda n: n["step_ratio"] < UNSTABLE,
        "a step leads towards the bottom",
        "the sharp valley throws runs out: lower the learning rate",
    ),
    _Question(
        "small step",
        f"step × curvature < {SMALL_STEP:g}",
        "step_ratio",
        lambda n: n["step_ratio"] < SMALL_STEP,
        "theory of continuous time applies",
        "the size of the step has effects of its own",
    ),
    _Question(
        "start forgotten",
        f"share of the start left < {FORGOTTEN:g}",
        "memory",
        lambda n: n["memory"] < FORGOTTEN,
        "runs hop before they freeze",
        "runs freeze where they are put: P_flat remembers its start",
    ),
    _Question(
        "frozen at the end",
        f"hops to come < {LAST_HOPS:g}",
        "hops_after",
        lambda n: n["hops_after"] < LAST_HOPS,
        "the end is final",
        "runs still hop at the end: P_flat is not final",
    ),
    _Question(
        "flatness contrast",
        f"γ ≥ {CONTRAST:g}",
        "gamma",
        lambda n: n["gamma"] >= CONTRAST,
        "the valleys differ",
        "the valleys are equally flat: expect one half",
    ),
    _Question(
        "growing ridge",
        f"growth of barrier over noise ≥ {GROWTH:g}",
        "growth",
        lambda n: n["growth"] >= GROWTH,
        "the ridge outgrows the noise",
        "the ridge hardly grows during the run: nothing freezes on the way",
    ),
    _Question(
        "stays on the map",
        "swing or kick over its limit < 1",
        "edge",
        lambda n: n["edge"] < 1,
        "no run can leave the landscape",
        "wide swings or kicks may throw runs off the landscape",
    ),
)


def _verdicts(gamma: float, numbers: Mapping[str, float]) -> tuple[Check, ...]:
    """One verdict a question."""
    known = {**numbers, "gamma": gamma, "edge": max(numbers["swing"], numbers["reach"])}
    return tuple(question.answer(known) for question in QUESTIONS)
