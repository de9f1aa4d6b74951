"""Theory of the two-valley model at fixed y: diffusion, densities, effective potential, escape
rates, valley weights (Eqs. 17-23, A4-A28).

Rates are per unit of time η·step. Functions broadcast over y and the effective noise Δ_S = ησ.
The paper's formulas and the exact results stand side by side under names of their own: `…_kramers`
and `…_asymptotic` are the paper's, `…_printed` follows from its Eq. 16, and `…_exact` solves the
small-η limit of Eq. 13, which is an Itô equation.
"""

from collections.abc import Callable

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike
from scipy.integrate import quad
from scipy.special import dawsn, erf, erfcx, log_ndtr, logsumexp

from valleys.toy.landscapes.two_valley import TwoValley

SQRT_PI = np.sqrt(np.pi)
Pair = tuple[np.ndarray, np.ndarray]
CALCULI = ("ito", "printed")
# −ζ(½)/√(2π): mean overshoot of a Gaussian walk over a far barrier (Chernoff 1965, Siegmund 1979)
OVERSHOOT = 0.5825971579390106
LARGEST_Z = 26.0  # beyond this, exp(z²) leaves the range of a float64 and a mean time is infinite


def effective_noise(learning_rate: ArrayLike, noise_strength: ArrayLike) -> np.ndarray:
    """Δ_S = ησ (below Eq. 17)."""
    return positive(learning_rate, "learning rate") * positive(noise_strength, "noise strength")


def diffusion(
    landscape: TwoValley, y: ArrayLike, effective_noise: ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    """D11± = 2Δ_S/f1,2 along x, in the (flat, sharp) valley (Eqs. 17 and A9)."""
    noise = positive(effective_noise, "effective noise")
    flat, sharp = landscape.flatness(open_y(y))
    return 2 * noise / flat, 2 * noise / sharp


def noise_diffusion(
    landscape: TwoValley, y: ArrayLike, effective_noise: ArrayLike, noise: str
) -> tuple[np.ndarray, np.ndarray]:
    """D along x of the (flat, sharp) valley for each kind of noise: Δ_S·2/f, Δ_S·(2/f)², or
    Δ_S·2/√(f1 f2) in both.
    """
    strength = positive(effective_noise, "effective noise")
    flat, sharp = (2 / flatness for flatness in landscape.flatness(open_y(y)))
    spreads = {
        "hessian": (flat, sharp),
        "hessian_squared": (flat**2, sharp**2),
        "isotropic": (np.sqrt(flat * sharp), np.sqrt(flat * sharp)),
    }
    if noise not in spreads:
        raise ValueError(f"unknown noise {noise!r}; choose one of {', '.join(spreads)}")
    flat_spread, sharp_spread = spreads[noise]
    return strength * flat_spread, strength * sharp_spread


def effective_temperature(
    landscape: TwoValley, y: ArrayLike, effective_noise: ArrayLike
) -> np.ndarray:
    """T_eff = √(D11⁺ D11⁻) (Eq. A15).

    Example:
        >>> from valleys.toy import TwoValley, effective_temperature
        >>> effective_temperature(TwoValley(), [5.0, 50.0], 0.01).round(4)
        array([0.0754, 0.0502])
    """
    flat, sharp = diffusion(landscape, y, effective_noise)
    return np.sqrt(flat * sharp)


def reduced_barriers(
    landscape: TwoValley, y: ArrayLike, effective_noise: ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    """z± = √(ΔL f1,2/(2Δ_S)) of the (flat, sharp) valley: the root of barrier over diffusion,
    the argument of erfi in Eq. 21.
    """
    noise = positive(effective_noise, "effective noise")
    flat, sharp = landscape.valley_positions(open_y(y))
    return flat / np.sqrt(2 * noise), -sharp / np.sqrt(2 * noise)


def conditional_density(
    landscape: TwoValley,
    x: ArrayLike,
    y: ArrayLike,
    effective_noise: ArrayLike,
    calculus: str = "printed",
) -> np.ndarray:
    """P_ss(x|y), normalised over both valleys.

    "printed": exp((L0 − L)/D11±), continuous on the ridge (Eqs. 18 and A12). "ito": the same
    divided by D11±, so that D·P is continuous.

    Example:
        >>> import numpy as np
        >>> from valleys.toy import TwoValley, conditional_density
        >>> x = np.linspace(-1, 1, 2001)
        >>> density = conditional_density(TwoValley(), x, 20.0, 0.02)
        >>> float(np.trapezoid(density, x).round(3))
        1.0
    """
    check_calculus(calculus)
    flat_diffusion, sharp_diffusion = diffusion(landscape, y, effective_noise)
    local = np.where(np.asarray(x) < 0, sharp_diffusion, flat_diffusion)
    exponent = (landscape.drift_loss(y) - landscape.loss(x, y)) / local
    flat_z, sharp_z = reduced_barriers(landscape, y, effective_noise)
    # the largest exponent, taken out so that nothing overflows
    top = np.maximum(flat_z, sharp_z) ** 2
    # ∫ over one valley is width·e^{z²}(1 + erf z)
    width = np.sqrt(2 * positive(effective_noise, "effective noise")) * SQRT_PI / 2
    masses = [width * np.exp(z**2 - top) * (1 + erf(z)) for z in (flat_z, sharp_z)]
    if calculus == "printed":
        return np.exp(exponent - top) / (masses[0] + masses[1])
    return (
        np.exp(exponent - top) / local / (masses[0] / flat_diffusion + masses[1] / sharp_diffusion)
    )


def mean_position(
    landscape: TwoValley,
    y: ArrayLike,
    effective_noise: ArrayLike,
    force: float = 0.0,
    noise: str = "hessian",
) -> np.ndarray:
    """⟨x⟩ at fixed y in the loss L − force·x: P ∝ e^{−(L − force·x)/D}/D, two Gaussians of the Itô
    process, each cut off at the ridge.

    The limit of small steps to which simulations at fixed y are held; no chapter shows it, only its
    slope (`fluctuation_and_response`).
    """
    shares, means, _, _ = _cut_gaussians(landscape, y, effective_noise, force, noise)
    return (shares * means).sum(axis=0)


def fluctuation_and_response(
    landscape: TwoValley, y: ArrayLike, effective_noise: ArrayLike, noise: str = "hessian"
) -> tuple[np.ndarray, np.ndarray]:
    """Var x and d⟨x⟩/d force = ⟨x·x/D⟩ − ⟨x⟩⟨x/D⟩ at fixed y, for the Itô process.

    Their ratio is D if D is the same on both sides, as in equilibrium; and D of its own for the
    steps on one side alone.
    """
    shares, means, squares, diffusions = _cut_gaussians(landscape, y, effective_noise, 0.0, noise)
    mean = (shares * means).sum(axis=0)
    variance = (shares * squares).sum(axis=0) - mean**2
    return variance, (shares * squares / diffusions).sum(axis=0) - mean * (
        shares * means / diffusions
    ).sum(axis=0)


def _cut_gaussians(
    landscape: TwoValley, y: ArrayLike, effective_noise: ArrayLike, force: float, noise: str
) -> tuple[np.ndarray, ...]:
    """Share, mean, mean square and D of both sides, (flat, sharp) on the first axis."""
    diffusions = np.array(noise_diffusion(landscape, y, effective_noise, noise))
    sides = np.array([1.0, -1.0]).reshape(2, *[1] * (diffusions.ndim - 1))
    flatness, bottoms = (
        np.array(np.broadcast_arrays(*pair, diffusions[0])[:2])
        for pair in (landscape.flatness(y), landscape.valley_positions(y))
    )
    widths = np.sqrt(diffusions * flatness / 2)
    # of the bottom, in widths from the ridge
    place = sides * (bottoms + force * flatness / 2) / widths
    mean = place + np.sqrt(2 / np.pi) / erfcx(-place / np.sqrt(2))  # the cut raises it
    weight = np.log(widths / diffusions) + place**2 / 2 + log_ndtr(place)
    shares = np.exp(weight - logsumexp(weight, axis=0))
    return shares, sides * widths * mean, widths**2 * (1 + place * mean), diffusions


def effective_loss(landscape: TwoValley, x: ArrayLike, y: ArrayLike) -> np.ndarray:
    """L_eff± = γ^{±½} L + (1 − γ^{±½}) L0 (Eqs. 19 and A17).

    Example:
        >>> from valleys.toy import TwoValley, effective_loss
        >>> landscape = TwoValley()
        >>> flat, sharp = landscape.valley_positions(20.0)
        >>> float(landscape.loss(flat, 20.0).round(3)), float(landscape.loss(sharp, 20.0).round(3))
        (1.569, 1.569)
        >>> [float(effective_loss(landscape, x, 20.0).round(3)) for x in (flat, sharp)]
        [1.511, 1.616]
    """
    return landscape.loss(x, y) + sgd_correction(landscape, x, y)


def sgd_correction(landscape: TwoValley, x: ArrayLike, y: ArrayLike) -> np.ndarray:
    """L_SGD± = (γ^{±½} − 1)(L − L0), what the noise adds to the loss (Eqs. 20 and A18)."""
    weight = np.where(
        np.asarray(x) < 0, landscape.flatness_ratio**-0.5, landscape.flatness_ratio**0.5
    )
    return (weight - 1) * (landscape.loss(x, y) - landscape.drift_loss(y))


def rates_kramers(
    landscape: TwoValley, y: ArrayLike, effective_noise: ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    """k⁺ and k⁻, escape rates of the (flat, sharp) valley (Eq. 21): [π/2 f erfi z]⁻¹, written as
    e^{−z²}/(√π f dawsn z).

    Infinite at y = 0, where no barrier stands; 0 where e^{−z²} underflows.

    Example:
        >>> from valleys.toy import TwoValley, rates_kramers
        >>> flat, sharp = rates_kramers(TwoValley(), 20.0, 0.02)
        >>> float(flat.round(5)), float(sharp.round(5))
        (0.26624, 0.79645)
    """
    with np.errstate(divide="ignore"):
        return _in_both(
            lambda f, z: np.exp(-(z**2)) / (SQRT_PI * f * dawsn(z)), landscape, y, effective_noise
        )


def rates_asymptotic(
    landscape: TwoValley, y: ArrayLike, effective_noise: ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    """k⁺ and k⁻ for Δ_S ≪ ΔL f: √(2ΔL/(πΔ_S f)) e^{−ΔL f/(2Δ_S)} (Eq. A25).

    The paper's step from Eq. A24 to its theory of freezing; tests hold `rates_kramers` to it.
    """
    return _in_both(
        lambda f, z: 2 * z / (SQRT_PI * f) * np.exp(-(z**2)), landscape, y, effective_noise
    )


def times_to_ridge(
    landscape: TwoValley, y: ArrayLike, effective_noise: ArrayLike, learning_rate: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Mean times from the bottom of the (flat, sharp) valley to the ridge, by the double integral
    of Eqs. A20 and A19.

    With a learning rate, a walk in steps passes the ridge as if it stood OVERSHOOT kicks of √(2ηD)
    further away: the first order in √η, good where the pull of one step, 2ηΔL/x1,2*, is small
    against a kick.
    """
    return _in_both(
        lambda f, z: f * _ridge_integral(z + OVERSHOOT * np.sqrt(2 * learning_rate / f)),
        landscape,
        y,
        effective_noise,
    )


def times_to_ridge_closed(
    landscape: TwoValley, y: ArrayLike, effective_noise: ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    """The same times as in Eq. A24, π/2 f erfi z: the inner integral taken over the whole valley.

    The paper's approximation of `times_to_ridge`, one over `rates_kramers`; no chapter shows it,
    tests say how good it is.
    """
    flat_rate, sharp_rate = rates_kramers(landscape, y, effective_noise)
    with np.errstate(divide="ignore"):
        return 1 / flat_rate, 1 / sharp_rate


def escape_times_exact(
    landscape: TwoValley, y: ArrayLike, effective_noise: ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    """Mean times of the Itô process from the bottom of the (flat, sharp) valley to the other
    bottom.

    For large barriers they are (1 + z/z') times Eq. A24, with z' of the other valley: reaching the
    ridge is not yet crossing it.

    Example:
        >>> from valleys.toy import TwoValley, escape_times_exact
        >>> flat, sharp = escape_times_exact(TwoValley(), 20.0, 0.02)
        >>> float(flat.round(1)), float(sharp.round(1))
        (8.1, 2.3)
    """
    (flat, flat_z), (sharp, sharp_z) = _valleys(landscape, y, effective_noise)
    return bottom_to_bottom(flat, flat_z, sharp, sharp_z), bottom_to_bottom(
        sharp, sharp_z, flat, flat_z
    )


def rates_by_valley(
    landscape: TwoValley, y: ArrayLike, effective_noise: float, learning_rate: float = 0.0
) -> xr.Dataset:
    """Dims (valley, y), valley being "sharp" and "flat": what theory says on the rates at which
    runs leave the bottom of a valley.

    `kramers` (Eq. 21); `ridge` and `ridge_in_steps`, one over the mean time to the ridge without
    and with the learning rate (`times_to_ridge`); `exact`, one over the mean time to the other
    bottom (`escape_times_exact`).
    """
    times = {
        "ridge": times_to_ridge(landscape, y, effective_noise),
        "ridge_in_steps": times_to_ridge(landscape, y, effective_noise, learning_rate),
        "exact": escape_times_exact(landscape, y, effective_noise),
    }
    pairs = {"kramers": rates_kramers(landscape, y, effective_noise)} | {
        name: [1 / time for time in pair] for name, pair in times.items()
    }
    return xr.Dataset(
        {name: (("valley", "y"), np.array(pair)[::-1]) for name, pair in pairs.items()},
        {"valley": ["sharp", "flat"], "y": y},
    )


def kramers_limit(landscape: TwoValley, y: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """½(x1,2 y/(y + y_b))² of the (flat, sharp) valley: Kramers' rates hold for Δ_S far below it
    (Eq. A21).

    For whoever chooses a noise of their own; no chapter shows it, tests hold the verdicts of
    `valleys.toy.theory.diagnosis` to it.
    """
    flat, sharp = landscape.valley_positions(open_y(y))
    return flat**2 / 2, sharp**2 / 2


def p_flat_kramers(landscape: TwoValley, y: ArrayLike, effective_noise: ArrayLike) -> np.ndarray:
    """P_flat = k⁻/(k⁻ + k⁺) with the rates of Eq. 21 (Eqs. 22 and A27, second line)."""
    flat_z, sharp_z = reduced_barriers(landscape, y, effective_noise)
    ratio = (
        landscape.flatness_ratio**-1.5
        * np.exp(sharp_z**2 - flat_z**2)
        * _dawsn_slope(sharp_z)
        / _dawsn_slope(flat_z)
    )
    return 1 / (1 + ratio)


def p_flat_asymptotic(landscape: TwoValley, y: ArrayLike, effective_noise: ArrayLike) -> np.ndarray:
    """[1 + γ^{−½} exp(ΔL(f2 − f1)/(2Δ_S))]⁻¹ (Eqs. 22 and A27, last line).

    From `rates_asymptotic`; the form that the paper carries on to Eq. 24.
    """
    flat_z, sharp_z = reduced_barriers(landscape, y, effective_noise)
    return 1 / (1 + landscape.flatness_ratio**-0.5 * np.exp(sharp_z**2 - flat_z**2))


def p_flat_exact(landscape: TwoValley, y: ArrayLike, effective_noise: ArrayLike) -> np.ndarray:
    """Weight of x > 0 in the zero-flux solution of the Itô equation, ∂t P = ∂x(P ∂x L) + ∂x²(D P),
    at fixed y.

    P_flat/P_sharp = γ r, with r = e^{z₊² − z₋²}(1 + erf z₊)/(1 + erf z₋); D·P is continuous on the
    ridge.

    Example:
        >>> from valleys.toy import TwoValley, p_flat_exact
        >>> p_flat_exact(TwoValley(), [1.0, 10.0, 100.0], 0.02).round(3)
        array([0.609, 0.691, 0.974])
    """
    return _weight(landscape.flatness_ratio, landscape, y, effective_noise)


def p_flat_printed(landscape: TwoValley, y: ArrayLike, effective_noise: ArrayLike) -> np.ndarray:
    """Weight of x > 0 in the zero-flux solution of Eq. 16 as printed, ∂x(P ∂x L + D ∂x P):
    P_flat/P_sharp = r, P continuous on the ridge.
    """
    return _weight(1.0, landscape, y, effective_noise)


def p_flat_equilibrium(landscape: TwoValley) -> float:
    """γ/(1 + γ), the paper's value for isotropic noise (Eqs. 23 and A28).

    Example:
        >>> from valleys.toy import TwoValley, p_flat_equilibrium
        >>> round(p_flat_equilibrium(TwoValley()), 3)
        0.602
    """
    return landscape.flatness_ratio / (1 + landscape.flatness_ratio)


def p_flat_boltzmann(landscape: TwoValley) -> float:
    """√γ/(1 + √γ), the Boltzmann weight for isotropic noise at fixed y: equal depths, and widths
    in the ratio √γ.
    """
    root = landscape.flatness_ratio**0.5
    return root / (1 + root)


def _weight(
    prefactor: float, landscape: TwoValley, y: ArrayLike, effective_noise: ArrayLike
) -> np.ndarray:
    flat_z, sharp_z = reduced_barriers(landscape, y, effective_noise)
    return 1 / (
        1 + np.exp(sharp_z**2 - flat_z**2) * (1 + erf(sharp_z)) / (1 + erf(flat_z)) / prefactor
    )


def _valleys(landscape: TwoValley, y: ArrayLike, effective_noise: ArrayLike) -> tuple[Pair, Pair]:
    """(f, z) of the flat valley and of the sharp one."""
    flat, sharp = landscape.flatness(open_y(y))
    flat_z, sharp_z = reduced_barriers(landscape, y, effective_noise)
    return (flat, flat_z), (sharp, sharp_z)


def _in_both(
    formula: Callable[[np.ndarray, np.ndarray], np.ndarray],
    landscape: TwoValley,
    y: ArrayLike,
    effective_noise: ArrayLike,
) -> Pair:
    """A formula of f and z for the (flat, sharp) valley."""
    flat, sharp = _valleys(landscape, y, effective_noise)
    return formula(*flat), formula(*sharp)


def _dawsn_slope(z: ArrayLike) -> np.ndarray:
    """dawsn(z)/z, which is 1 at z = 0."""
    z = np.asarray(z)
    safe = np.where(z == 0, 1.0, z)
    return np.where(z == 0, 1.0, dawsn(safe) / safe)


@np.vectorize
def _ridge_integral(z: float) -> float:
    """√π/2 ∫₀^z e^{s²}(1 + erf s) ds, with e^{s²}(1 + erf s) = erfcx(−s)."""
    if z > LARGEST_Z:
        return np.inf
    return SQRT_PI / 2 * quad(lambda s: erfcx(-s), 0, z, epsabs=0, epsrel=1e-10, limit=200)[0]


@np.vectorize
def _descent_integral(z: float) -> float:
    """√π/2 ∫₀^z e^{s²}(erf z − erf s) ds."""
    return (
        SQRT_PI
        / 2
        * quad(
            lambda s: erfcx(s) - erfcx(z) * np.exp(s * s - z * z),
            0,
            z,
            epsabs=0,
            epsrel=1e-10,
            limit=200,
        )[0]
    )


@np.vectorize
def bottom_to_bottom(f: float, z: float, other_f: float, other_z: float) -> float:
    """Mean time of the Itô process from the bottom of a valley (f, z = √(ΔL/D)) to the other
    bottom, for any D that is constant on each side.

    Climb to the ridge, returns from beyond the ridge, descent to the other bottom: the three terms
    of the mean first passage time.
    """
    if z > LARGEST_Z:
        return np.inf
    returns = np.sqrt(f * other_f) * z * SQRT_PI / 2 * erfcx(-z) * _dawsn_slope(other_z)
    return f * _ridge_integral(z) + returns + other_f * _descent_integral(other_z)


def check_calculus(calculus: str) -> None:
    """Refuse a calculus that no density has (ValueError)."""
    if calculus not in CALCULI:
        raise ValueError(f"unknown calculus {calculus!r}; choose one of {', '.join(CALCULI)}")


def positive(values: ArrayLike, name: str) -> np.ndarray:
    """The values as an array; ValueError unless all are positive and finite."""
    values = np.asarray(values, dtype=float)
    if not np.all((values > 0) & np.isfinite(values)):
        raise ValueError(
            f"the {name} must be positive and finite; got {values.min():g} as the smallest value"
        )
    return values


def open_y(y: ArrayLike) -> np.ndarray:
    """y as an array; ValueError where no second valley has opened."""
    y = np.asarray(y, dtype=float)
    if not np.all(y >= 0):
        raise ValueError(
            "y must not be negative, because the two valleys exist for y ≥ 0; got "
            f"{y.min():g} as the smallest value"
        )
    return y
