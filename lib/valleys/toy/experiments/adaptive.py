"""The choice between two valleys by a walk that divides by the size of its gradient."""

from dataclasses import dataclass, field

import numpy as np
import xarray as xr
from scipy.special import logit

from valleys.results.spec import require
from valleys.toy.exact.adaptive import p_flat_adaptive, p_flat_remembered
from valleys.toy.exact.transition_operator import stationary_density
from valleys.toy.experiments.specs import FLOATS, Spec
from valleys.toy.landscapes.two_valley import TwoValley
from valleys.toy.simulation.adaptive import adaptive_share
from valleys.toy.simulation.langevin import check_settings
from valleys.toy.theory.adaptive import log_odds, rate_of


@dataclass(frozen=True)
class AdaptiveSpec(Spec):
    """Heights of the ridge over the noise, and memories at one of them.

    Attributes:
        exponents: E of the sharp valley.
        memories: of v, in steps.
        exponent: E at which memories are compared.
        momentum: β₁ of the walkers that have one.
        noise_strength: σ.
        y: where.
        n_runs: walkers.
        n_steps: of each.
        seed: of their kicks.
        landscape: the two valleys.
    """

    exponents: FLOATS = (1.0, 1.5, 2.0, 2.5, 3.0)
    memories: FLOATS = (1.0, 10.0, 100.0, 1000.0)
    exponent: float = 2.0
    momentum: float = 0.9
    noise_strength: float = 1.0
    y: float = 10.0
    n_runs: int = 256
    n_steps: int = 20_000
    seed: int = 0
    landscape: TwoValley = field(default_factory=TwoValley)

    def check(self) -> None:
        """Refuse what cannot be computed."""
        settings = {"start_y": self.y, "n_runs": self.n_runs, "n_steps": self.n_steps}
        rates = [self.rate(each) for each in (*self.exponents, self.exponent)]
        check_settings(self.landscape, rates, [self.noise_strength], seed=self.seed, **settings)
        require(self.n_runs >= 2, f"n_runs must be 2 or more, got {self.n_runs}")
        require(len(self.exponents) >= 2, "exponents must hold two values or more")
        require(min(self.memories) >= 1, f"memories must be 1 or more, got {self.memories}")
        longest = max(self.memories)
        require(
            self.n_steps >= 4 * longest,
            f"n_steps must be four times the longest memory, {longest:g}, or more, so that v "
            f"settles; got {self.n_steps}",
        )

    def rate(self, exponent: float) -> float:
        """η at which E of the sharp valley is so much."""
        require(exponent > 0, f"exponents must be above 0, got {exponent}")
        return float(rate_of(self.landscape, self.y, exponent, self.noise_strength))

    def plain_rate(self, exponent: float) -> float:
        """η of plain stochastic gradient descent with the same E of the sharp valley,
        ΔL/(ησH).
        """
        curve = 2 / float(self.landscape.flatness(self.y)[1])
        height = float(self.landscape.barrier(self.y))
        return height / (exponent * self.noise_strength * curve)


def adaptive(spec: AdaptiveSpec) -> xr.Dataset:
    """Log odds of the flat valley by theory, by operators and by walkers.

    Returns:
        Over exponent: `theory` for small steps, `operator` for a memory that knows the valley at
        once, `with_pull` with the slope in v, `remembered` for one that is long against every stay,
        `plain` of Eq. 13 at the same E of the sharp valley; `walk` over memory, and
        `walk_momentum` with β₁, at the one exponent, with `…_error`; `at_once`, `always` and
        `with_slope`, the operators there, and `learning_rate` over exponent.
    """
    place = spec.landscape, spec.noise_strength, spec.y
    rates = [spec.rate(each) for each in spec.exponents]
    plain = [stationary_density(place[0], spec.plain_rate(e), *place[1:]) for e in spec.exponents]
    every = zip(*(_operators(spec, rate) for rate in rates), strict=True)
    found: dict[str, tuple] = {
        "theory": ("exponent", log_odds(spec.landscape, spec.y, rates, spec.noise_strength)),
        "plain": ("exponent", [logit(each.p_flat) for each in plain]),
        "learning_rate": ("exponent", rates),
    }
    for name, values in zip(("operator", "with_pull", "remembered"), every, strict=True):
        found[name] = "exponent", list(values)
    here = _operators(spec, spec.rate(spec.exponent))
    for name, value in zip(("at_once", "with_slope", "always"), here, strict=True):
        found[name] = (), value
    coords = {"exponent": list(spec.exponents), "memory": list(spec.memories)}
    return xr.Dataset(found | _walks(spec), coords, {"exponent": spec.exponent})


def _operators(spec: AdaptiveSpec, rate: float) -> tuple[float, float, float]:
    """Log odds of a memory that knows the valley at once, with the slope in v, and of a long
    one.
    """
    setting = spec.landscape, rate, spec.noise_strength, spec.y
    return (
        logit(p_flat_adaptive(*setting)),
        logit(p_flat_adaptive(*setting, pull=True)),
        logit(p_flat_remembered(*setting)),
    )


def _walks(spec: AdaptiveSpec) -> dict[str, tuple]:
    """Walkers at one exponent, without and with momentum."""
    found, seeds = {}, np.random.SeedSequence(spec.seed).spawn(2)
    cases = {"walk": 0.0, "walk_momentum": spec.momentum}
    for (name, momentum), seed in zip(cases.items(), seeds, strict=True):
        share, error = adaptive_share(
            spec.landscape,
            spec.rate(spec.exponent),
            spec.noise_strength,
            spec.y,
            spec.memories,
            momentum=momentum,
            n_runs=spec.n_runs,
            n_steps=spec.n_steps,
            seed=seed,
        )
        found[name] = "memory", logit(share)
        found[f"{name}_error"] = "memory", error / (share * (1 - share))
    return found
