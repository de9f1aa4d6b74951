/**
 * What theory predicts for a setting of the explorer: the balance equation (Eq. A26), Eq. 26, the Boltzmann
 * weight, and where none of them holds. Pure functions, no page.
 *
 * It repeats functions of the Python package, lib/valleys/toy/theory (at_fixed_y.py, freezing.py, diagnosis.py); tests/site/test_explorer_model.py compares the two.
 * Equation numbers are the paper's. Times are η·step.
 */
globalThis.ExplorerTheory = (() => {
  "use strict";

  const { aboveFloor, barrier, flatness, floors } = ExplorerPhysics;
  const ROOT_PI = Math.sqrt(Math.PI);
  const LARGEST_Z = 26; // beyond this, exp(z²) leaves the range of a number and a mean time is infinite
  const EPSILON = 0.1; // the paper's ε
  const FORGOTTEN = 0.135; // share of the start that may survive
  const LAST_HOPS = 0.1; // hops a walker may make in as long a time again
  const SMALL_STEP = 0.1; // η·curvature below which theory for small steps applies

  /** Nodes and weights of the Gauss-Legendre rule on [−1, 1]; Newton's method on the roots of the Legendre polynomial. */
  function gaussLegendre(n) {
    return Array.from({ length: n }, (_, i) => {
      let x = Math.cos((Math.PI * (i + 0.75)) / (n + 0.5)), slope = 1;
      for (let round = 0; round < 50; round++) {
        let [before, value] = [1, x];
        for (let k = 2; k <= n; k++) [before, value] = [value, ((2 * k - 1) * x * value - (k - 1) * before) / k];
        slope = (n * (x * value - before)) / (x * x - 1);
        x -= value / slope;
      }
      return { x, weight: 2 / ((1 - x * x) * slope * slope) };
    });
  }

  /** Nodes and weights for ∫₀^∞ e^{−t²} g(t) dt with g that may vary fast near 0: panels that widen from 0 to 6.5, where e^{−t²} is 4e−19. */
  const HALF_LINE = (() => {
    const borders = [0, 0.02, 0.1, 0.4, 1, 2, 3.5, 6.5], rule = gaussLegendre(16);
    return borders.slice(1).flatMap((right, i) => {
      const half = (right - borders[i]) / 2;
      return rule.map(({ x, weight }) => ({ t: borders[i] + half * (1 + x), weight: half * weight * Math.exp(-((borders[i] + half * (1 + x)) ** 2)) }));
    });
  })();

  /** ∫₀^∞ e^{−t²} g(t) dt. */
  function halfLine(g) {
    return HALF_LINE.reduce((sum, { t, weight }) => sum + weight * g(t), 0);
  }

  /** e^{z²} erfc z for z ≥ 0, as 2/√π ∫₀^∞ e^{−t² − 2zt} dt. */
  function erfcx(z) {
    return (2 / ROOT_PI) * halfLine((t) => Math.exp(-2 * z * t));
  }

  /** ∫₀^z e^{s²} erfc s ds for z ≥ 0: the integral over s is done inside that over t. */
  function erfcxIntegral(z) {
    return (2 / ROOT_PI) * halfLine((t) => -Math.expm1(-2 * z * t) / (2 * t));
  }

  /** Dawson's integral e^{−z²} ∫₀^z e^{s²} ds for z ≥ 0, by Rybicki's sum over odd n (step 0.2: exact to rounding). */
  function dawson(z) {
    if (z < 0.2) return z * (1 - ((2 * z * z) / 3) * (1 - ((2 * z * z) / 5) * (1 - ((2 * z * z) / 7) * (1 - ((2 * z * z) / 9) * (1 - (2 * z * z) / 11)))));
    const h = 0.2, nearest = 2 * Math.round(z / (2 * h)), rest = z - nearest * h;
    let sum = 0;
    for (let n = -31; n <= 31; n += 2) sum += Math.exp(-((rest - n * h) ** 2)) / (n + nearest);
    return sum / ROOT_PI;
  }

  /** Mean time of the Itô process from the bottom of a valley (f, z = √(ΔL/D)) to the other bottom: climb, returns, descent (`bottom_to_bottom`). */
  function bottomToBottom(f, z, otherF, otherZ) {
    if (z > LARGEST_Z) return Infinity;
    const growth = Math.exp(z * z), below = erfcxIntegral(z);
    const climb = (ROOT_PI / 2) * (2 * growth * dawson(z) - below); // e^{s²}(1 + erf s) = 2e^{s²} − erfcx s
    const slope = otherZ === 0 ? 1 : dawson(otherZ) / otherZ;
    const returns = Math.sqrt(f * otherF) * z * (ROOT_PI / 2) * (2 * growth - erfcx(z)) * slope;
    const descent = (ROOT_PI / 2) * (erfcxIntegral(otherZ) - erfcx(otherZ) * dawson(otherZ));
    return f * climb + returns + otherF * descent;
  }

  /** Rates k⁺ and k⁻ at which walkers leave the flat and the sharp valley for the other bottom, for small steps and effective noise Δ_S = ησ. */
  function rates(land, y, effectiveNoise) {
    const [flat, sharp] = flatness(land, y);
    const [flatZ, sharpZ] = [flat, sharp].map((f) => Math.sqrt((barrier(land, y) * f) / (2 * effectiveNoise)));
    return [1 / bottomToBottom(flat, flatZ, sharp, sharpZ), 1 / bottomToBottom(sharp, sharpZ, flat, flatZ)];
  }

  /** dy/dt down the floor of either valley (Eq. A8). */
  function driftSpeed(land, y) {
    return (land.Ld / land.yd) * Math.exp(-y / land.yd) + (2 * land.x0 ** 2 * land.yf * y) / (land.f0 * (y + land.yf) ** 3);
  }

  /** y on the floor of a valley at increasing times, from startY at time 0, by the classical Runge-Kutta rule. */
  function driftPath(land, startY, times) {
    let y = startY, time = 0;
    return times.map((end) => {
      const n = Math.max(1, Math.ceil((end - time) / 5)), h = (end - time) / n;
      for (let i = 0; i < n; i++) {
        const k1 = driftSpeed(land, y), k2 = driftSpeed(land, y + (h / 2) * k1);
        const k3 = driftSpeed(land, y + (h / 2) * k2), k4 = driftSpeed(land, y + h * k3);
        y += (h / 6) * (k1 + 2 * k2 + 2 * k3 + k4);
      }
      time = end;
      return y;
    });
  }

  /**
   * T_eff = √(D⁺D⁻) (Eq. A15) at a fixed y, for noise that follows curvature and for the uniform one, which has the same product.
   */
  function temperature(land, y, effectiveNoise) {
    const [flat, sharp] = flatness(land, y);
    return (2 * effectiveNoise) / Math.sqrt(flat * sharp);
  }

  /**
   * The effective potential at a fixed y, −T_eff ln P up to a constant: the loss of Eq. 19, γ^{±½}L + (1 − γ^{±½})L0, less T_eff ln γ on the flat
   * side, the step that Eq. 13 makes on the ridge (chapter 5). Counted from the valley floors, as the loss is; for uniform noise it is the loss.
   */
  function felt(land, x, y, effectiveNoise, noise = "curvature") {
    const above = aboveFloor(land, x, y);
    if (noise === "uniform") return above;
    const top = barrier(land, y), side = x < 0 ? -0.5 : 0.5;
    const step = x < 0 ? 0 : temperature(land, y, effectiveNoise) * Math.log(land.gamma);
    return top + land.gamma ** side * (above - top) - step;
  }

  /** Share of the flat side at a fixed y for small steps: the integral of e^{−felt/T_eff} over it, over that of both sides. */
  function stationaryShare(land, y, effectiveNoise, noise = "curvature") {
    const t = temperature(land, y, effectiveNoise), n = 2000;
    const [right, left] = [0, 1].map((side) => {
      const reach = 8 * Math.sqrt(effectiveNoise), far = Math.abs(floors(land, y)[side]) + reach, sign = side ? -1 : 1;
      return (far / n) * Array.from({ length: n }, (_, i) => Math.exp((barrier(land, y) - felt(land, (sign * far * (i + 0.5)) / n, y, effectiveNoise, noise)) / t)).reduce((sum, each) => sum + each);
    });
    return right / (right + left);
  }

  /** P_flat along increasing y of dP/dt = k⁻(1 − P) − k⁺P with y on the move (Eq. A26), from one half; each interval has the rates of its middle, and its own noise if `effectiveNoise` has many. */
  function balance(land, effectiveNoise, ys) {
    const shares = [0.5], noises = Array.isArray(effectiveNoise) ? effectiveNoise : ys.slice(1).fill(effectiveNoise);
    for (let i = 1; i < ys.length; i++) {
      const middle = (ys[i] + ys[i - 1]) / 2;
      const [leaveFlat, leaveSharp] = rates(land, middle, noises[i - 1]);
      const kept = Math.exp((-(leaveFlat + leaveSharp) * (ys[i] - ys[i - 1])) / driftSpeed(land, middle));
      const target = leaveSharp / Math.max(leaveFlat + leaveSharp, Number.MIN_VALUE);
      shares.push(target + (shares[i - 1] - target) * kept);
    }
    return shares;
  }

  /** Φ, the upper bound of the speed at which the balance shifts (Eq. A33). */
  function freezingConstant(land) {
    const drift = land.Ld / land.yd + (8 * land.x0 ** 2) / (27 * land.f0 * land.yf);
    return ((2 * (land.x1 ** 2 - land.x2 ** 2)) / (27 * land.yb)) * drift;
  }

  /** P_flat by Eq. 26, [1 + γ^{−½}(√Δ_S/(εΦ))^{1−γ}]⁻¹; below √Δ_S = εΦ its value there. */
  function transient(land, effectiveNoise, epsilon = EPSILON) {
    const threshold = epsilon * freezingConstant(land);
    const ratio = threshold > 0 ? Math.max(Math.sqrt(effectiveNoise) / threshold, 1) : 1; // to the power 0 if γ = 1
    return 1 / (1 + land.gamma ** -0.5 * ratio ** (1 - land.gamma));
  }

  /** Whether Eq. 25 still has a freezing point, Δ_S ln(Δ_S/(ε²Φ²)) < x2². */
  function hasFreezingPoint(land, effectiveNoise, epsilon = EPSILON) {
    const threshold = (epsilon * freezingConstant(land)) ** 2;
    return effectiveNoise * Math.log(Math.max(effectiveNoise / threshold, 1)) < land.x2 ** 2;
  }

  /**
   * What will become of a setting, in the numbers of `valleys.toy.theory.diagnosis`.
   * @returns {{stepRatio: number, flatStepRatio: number, memory: number, hopsAfter: number, swing: number}} η·2/f2 and η·2/f1 at the start,
   *   share of the start that survives, hops a walker makes in as long a time again, and η over the limit ½(f1 + f2) of wide swings.
   */
  function diagnose(setting, land, duration) {
    const { learningRate, startY } = setting, noise = learningRate * setting.noiseStrength;
    const [flat, sharp] = flatness(land, startY);
    const nPath = 121, first = Array.from({ length: nPath }, (_, i) => duration * (i / (nPath - 1)) ** 2);
    const times = [...first, ...Array.from({ length: nPath - 1 }, (_, i) => duration * (1 + (i + 1) / (nPath - 1)))];
    const ys = driftPath(land, startY, times);
    let share = 0.5, memory = 1, hopsAfter = 0;
    for (let i = 1; i < ys.length; i++) {
      const [leaveFlat, leaveSharp] = rates(land, (ys[i] + ys[i - 1]) / 2, noise).map((rate) => Math.min(rate, 1 / learningRate));
      const length = times[i] - times[i - 1], kept = Math.exp(-(leaveFlat + leaveSharp) * length);
      const target = leaveSharp / Math.max(leaveFlat + leaveSharp, Number.MIN_VALUE), before = share;
      share = target + (share - target) * kept;
      if (i < nPath) memory *= kept;
      else hopsAfter += ((leaveFlat - leaveSharp) * ((share + before) / 2) + leaveSharp) * length;
    }
    return { stepRatio: (2 * learningRate) / sharp, flatStepRatio: (2 * learningRate) / flat, memory, hopsAfter, swing: (2 * learningRate) / (flat + sharp) };
  }

  /** √γ/(1 + √γ), the weight of the flat valley under uniform noise at a fixed y: equal depths, and widths in the ratio √γ. */
  function boltzmann(land) {
    const root = Math.sqrt(land.gamma);
    return root / (1 + root);
  }

  /**
   * What theory says of the flat share at these times, by name: `balance` and `transient` for noise that follows curvature, `boltzmann` for
   * uniform noise, nothing without noise. A theory that does not apply is left out.
   */
  function predictions(setting, land, times) {
    const { learningRate, noiseStrength, noiseAt, startY, noise = "curvature" } = setting, effective = learningRate * noiseStrength;
    const constant = (share) => times.map(() => share);
    if (noise !== "curvature") return noise === "uniform" ? { boltzmann: constant(boltzmann(land)) } : {};
    const borders = [0, ...times], ys = driftPath(land, startY, borders);
    if (noiseAt) return { balance: balance(land, times.map((time, i) => noiseAt((time + borders[i]) / 2)), ys).slice(1) };
    return { balance: balance(land, effective, ys).slice(1), transient: constant(transient(land, effective)) };
  }

  /** What is to be said of long steps, which does not depend on the noise. */
  function stepWarnings({ stepRatio, swing }) {
    const ratio = stepRatio.toPrecision(2);
    if (swing >= 1) return ["Steps are so long that swings across both valleys grow, and carry walkers far along y or off the landscape."];
    if (stepRatio >= 2) return [`η × curvature is ${ratio} in the sharp valley at the start, above 2: no walker comes to rest there.`];
    if (stepRatio < SMALL_STEP) return [];
    return [`The step is not small: η × curvature is ${ratio} in the sharp valley at the start, and theory is for small steps.`];
  }

  /** What is to be said of the noise, where it follows curvature: `found` is from `diagnose`. */
  function noiseWarnings(found, land, noise) {
    const rules = [
      [
        found.memory >= FORGOTTEN && found.stepRatio < 2,
        "The noise is too weak for the ridge at the start: walkers stay where they are put, which the closed formula does not know.",
      ],
      [found.hopsAfter >= LAST_HOPS, "The noise is too strong: walkers still hop when time is up, so nothing is final."],
      [land.gamma > 1 && !hasFreezingPoint(land, noise), "Eq. 25 finds no freezing point at this noise, so the closed formula stands on nothing."],
    ];
    return rules.filter(([holds]) => holds).map(([, sentence]) => sentence);
  }

  /** The warnings of a setting, a sentence each; none if its predictions may be trusted as far as they go. */
  function warnings(setting, land, duration) {
    const found = diagnose(setting, land, duration), { noise = "curvature" } = setting;
    const ofNoise = noise === "curvature" && !setting.noiseAt ? noiseWarnings(found, land, setting.learningRate * setting.noiseStrength) : [];
    const equal = land.gamma === 1 && noise !== "none" ? ["Both valleys are equally flat: every prediction is one half."] : [];
    return [...stepWarnings(found), ...ofNoise, ...equal];
  }

  return {
    EPSILON, erfcx, erfcxIntegral, dawson, rates, driftSpeed, driftPath, balance, freezingConstant, transient, boltzmann, predictions,
    hasFreezingPoint, temperature, felt, stationaryShare, diagnose, warnings,
  };
})();
