/**
 * The two-valley model of chapter 04, to run in a browser: landscape, noise, and a swarm of walkers. Pure functions and arrays, no page.
 *
 * It is the model of the Python package, lib/valleys/toy (landscapes/two_valley.py, simulation/reference.py, simulation/kernels.py); tests/site/test_explorer_model.py compares the two.
 * Equation numbers are the paper's.
 */
globalThis.ExplorerPhysics = (() => {
  "use strict";

  const START_X = 0.01; // walkers start at x = −START_X and x = +START_X in turn
  const JITTER = 1e-8; // added to the noise variance along every direction
  const X_LIMIT = 1e3; // a walker beyond |x| = X_LIMIT has diverged
  const NOISES = ["curvature", "uniform", "none"]; // "curvature" and "uniform" are "hessian" and "isotropic" of the package

  /** Places in the array that `slopes` fills: the gradient and the Hessian. */
  const GX = 0, GY = 1, HXX = 2, HXY = 3, HYY = 4;

  /**
   * The parameters of Table S1 with x1 = √γ x2, so that γ alone changes.
   * @param {number} gamma flatness ratio f1/f2, at least 1
   */
  function landscape(gamma) {
    const x2 = 0.65;
    return { x1: Math.sqrt(gamma) * x2, x2, x0: 1, f0: 1, yb: 30, yf: 20, yd: 100, Ld: 1, yMin: -20, gamma };
  }

  /** Flatness (f1, f2) of the flat and of the sharp valley: inverse curvatures, 2/f = ∂²L/∂x² (Eq. 10). */
  function flatness(land, y) {
    const common = (land.f0 * (y + land.yf) ** 2) / (land.x0 ** 2 * (y + land.yb) ** 2);
    return [land.x1 ** 2 * common, land.x2 ** 2 * common];
  }

  /** Where the floors of the flat and of the sharp valley lie (Eq. 9). */
  function floors(land, y) {
    const opening = y / (y + land.yb);
    return [land.x1 * opening, -land.x2 * opening];
  }

  /** Height of the ridge x = 0 above both floors (Eq. 11). */
  function barrier(land, y) {
    return ((land.x0 ** 2 / land.f0) * y ** 2) / (y + land.yf) ** 2;
  }

  /** L(x, y), Eqs. 8 and 12. */
  function loss(land, x, y) {
    return land.Ld * Math.exp(-y / land.yd) + land.x0 ** 2 / land.f0 - barrier(land, y) + aboveFloor(land, x, y);
  }

  /** L(x, y) less the loss on the floors at the same y: a parabola around the floor of each side. */
  function aboveFloor(land, x, y) {
    const side = x < 0 ? 1 : 0;
    return (x - floors(land, y)[side]) ** 2 / flatness(land, y)[side];
  }

  /** Gradient and Hessian of L at (x, y) into `out` (GX … HYY); on the ridge those of the flat side. */
  function slopes(land, x, y, out) {
    const side = x >= 0 ? 1 : -1;
    const position = x >= 0 ? land.x1 : land.x2;
    const distance = Math.abs(x);
    const depth = (land.x0 * land.x0) / land.f0;
    const inverse = 1 / (y + land.yf);
    // on each side L − L0 = square q²|x|² − linear q p|x|
    const q = (y + land.yb) * inverse, p = y * inverse;
    const q1 = (land.yf - land.yb) * inverse * inverse, p1 = land.yf * inverse * inverse;
    const q2 = -2 * q1 * inverse, p2 = -2 * p1 * inverse;
    const linear = (2 * depth) / position;
    const square = depth / (position * position);
    const drift = (land.Ld / land.yd) * Math.exp(-y / land.yd);
    out[GX] = side * (2 * square * q * q * distance - linear * q * p);
    out[GY] = (2 * square * q * q1 * distance - linear * (q1 * p + q * p1)) * distance - drift;
    out[HXX] = 2 * square * q * q;
    out[HXY] = side * (4 * square * q * q1 * distance - linear * (q1 * p + q * p1));
    out[HYY] = (2 * square * (q1 * q1 + q * q2) * distance - linear * (q2 * p + 2 * q1 * p1 + q * p2)) * distance + drift / land.yd;
  }

  /**
   * Cholesky factor (l11, l21, l22) of the noise covariance 2σH₊ + JITTER·1 (Eqs. 14 and 15), into `out`.
   * H₊ is the Hessian with its negative eigenvalue, if any, set to zero; the larger one is always positive here.
   */
  function kicks(slope, noiseStrength, out) {
    const xx = slope[HXX], xy = slope[HXY], yy = slope[HYY];
    const largest = 0.5 * (xx + yy + Math.sqrt((xx - yy) * (xx - yy) + 4 * xy * xy));
    const shift = Math.min((xx * yy - xy * xy) / largest, 0);
    const strength = (2 * noiseStrength * largest) / (largest - shift);
    const l11 = Math.sqrt(strength * (xx - shift) + JITTER);
    const l21 = (strength * xy) / l11;
    out[0] = l11;
    out[1] = l21;
    out[2] = Math.sqrt(Math.max(strength * (yy - shift) + JITTER - l21 * l21, 0));
  }

  /**
   * The same for uniform noise: 4σ/√(f₁f₂) + JITTER along x and along y, the geometric mean of the kicks along x in the two valleys at this y.
   */
  function uniformKicks(land, y, noiseStrength, out) {
    const [flat, sharp] = flatness(land, y);
    out[0] = out[2] = Math.sqrt((4 * noiseStrength) / Math.sqrt(flat * sharp) + JITTER);
    out[1] = 0;
  }

  /** Factor of the noise covariance at a place, for any of NOISES, into `out`; `slope` is what `slopes` finds there. */
  function kicksOf(noise, land, y, slope, noiseStrength, out) {
    if (noise === "curvature") kicks(slope, noiseStrength, out);
    else if (noise === "uniform") uniformKicks(land, y, noiseStrength, out);
    else out.fill(0);
  }

  /** How far kicks along x of this strength spread a walker in one unit of time, on the floor of the flat and of the sharp valley: a standard deviation. */
  function kickSpread({ learningRate, noise = "curvature" }, noiseStrength, land, y) {
    const slope = new Float64Array(5), kick = new Float64Array(3);
    return floors(land, y).map((x) => {
      slopes(land, x, y, slope);
      kicksOf(noise, land, y, slope, noiseStrength, kick);
      return Math.sqrt(learningRate) * kick[0]; // 1/η steps, each of η times the kick
    });
  }

  /**
   * Independent standard normals, a stream for each seed, as a function that fills `out`: the words of sfc32 (Doty-Humphrey's small fast
   * counting generator) in the polar method of Marsaglia, which makes two normals at a time.
   */
  function normals(seed) {
    const state = Int32Array.of(0x9e3779b9, 0x243f6a88, 0xb7e15162 ^ Math.floor(seed / 2 ** 32), seed);
    const word = () => {
      const a = state[0], b = state[1], c = state[2], counter = state[3];
      const sum = (a + b + counter) | 0;
      state[3] = counter + 1;
      state[0] = b ^ (b >>> 9);
      state[1] = c + (c << 3);
      state[2] = ((c << 21) | (c >>> 11)) + sum;
      return sum;
    };
    for (let i = 0; i < 16; i++) word(); // lets close seeds part
    return (out) => {
      for (let i = 0; i < out.length; i += 2) {
        let u, v, square;
        do {
          u = (word() + 0.5) * 2 ** -31;
          v = (word() + 0.5) * 2 ** -31;
          square = u * u + v * v;
        } while (square >= 1);
        const scale = Math.sqrt((-2 * Math.log(square)) / square);
        out[i] = u * scale;
        out[i + 1] = v * scale;
      }
    };
  }

  /**
   * @typedef {object} Swarm walkers of one setting, all at the same step
   * @property {Float64Array} x @property {Float64Array} y
   * @property {Float64Array} lastCrossing step of the last change of side; 1 if there was none
   * @property {Float64Array} crossingY y at that step
   * @property {Uint8Array} alive 0 once a walker has left the landscape
   * @property {number} step steps made @property {number} crossings changes of side of all walkers together
   * @property {number} strength noise strength of the last step, or of the first before there is one
   */

  /**
   * Walkers at the start: half just left of the ridge, half just right of it.
   * @param {{learningRate: number, noiseStrength: number, gamma: number, startY: number, seed: number, noise?: string,
   *   noiseAt?: (time: number) => number, held?: boolean}} setting
   *   noise is one of NOISES, and follows the curvature if nothing is said; noiseAt is the effective noise at a time η·step, in the place of
   *   a noiseStrength that stays; where y is held only x moves
   * @param {number} n how many, an even number
   * @returns {Swarm}
   */
  function swarm(setting, n) {
    const x = Float64Array.from({ length: n }, (_, k) => (k % 2 ? START_X : -START_X));
    const [y, crossingY] = [0, 1].map(() => new Float64Array(n).fill(setting.startY));
    const lastCrossing = new Float64Array(n).fill(1), alive = new Uint8Array(n).fill(1);
    const strength = strengthAt(setting, 0.5);
    return { setting, land: landscape(setting.gamma), fill: normals(setting.seed), x, y, lastCrossing, crossingY, alive, step: 0, crossings: 0, strength };
  }

  /** The noise strength after so many steps, the middle of one being half a step: σ, or Δ_S/η of a schedule. */
  function strengthAt({ learningRate, noiseStrength, noiseAt }, steps) {
    return noiseAt ? noiseAt(learningRate * steps) / learningRate : noiseStrength;
  }

  /** nSteps steps θ ← θ − η(∇L + ξ) of every walker (Eq. 13), one step of all after the other, so that a seed fixes the run however it is cut. */
  function advance(walkers, nSteps) {
    const { x, y, alive, land, fill } = walkers;
    const { learningRate, noise = "curvature", held = false } = walkers.setting;
    const slope = new Float64Array(5), kick = new Float64Array(3), normal = new Float64Array(2 * x.length);
    for (const last = walkers.step + nSteps; walkers.step < last; ) {
      walkers.step += 1;
      const noiseStrength = (walkers.strength = strengthAt(walkers.setting, walkers.step - 0.5));
      fill(normal);
      for (let k = 0; k < x.length; k++) {
        if (!alive[k]) continue;
        const first = normal[2 * k], second = normal[2 * k + 1];
        slopes(land, x[k], y[k], slope);
        kicksOf(noise, land, y[k], slope, noiseStrength, kick);
        const newX = x[k] - learningRate * (slope[GX] + kick[0] * first);
        const newY = y[k] - learningRate * (slope[GY] + kick[1] * first + kick[2] * second);
        move(walkers, k, newX, held ? y[k] : newY);
      }
    }
  }

  /** Put walker k at its new place, and keep the books of divergence and crossings. */
  function move(walkers, k, newX, newY) {
    if (!(newY > walkers.land.yMin && Math.abs(newX) < X_LIMIT)) {
      walkers.alive[k] = 0;
      return;
    }
    const crossed = newX >= 0 !== walkers.x[k] >= 0;
    walkers.x[k] = newX;
    walkers.y[k] = newY;
    if (crossed) {
      walkers.crossings += 1;
      walkers.lastCrossing[k] = walkers.step;
    }
    if (crossed || walkers.step === 1) walkers.crossingY[k] = newY;
  }

  /** Standard error of a fraction: the posterior standard deviation under a flat prior, above 0 at 0 and at n hits. */
  function fractionError(nHits, n) {
    const share = (nHits + 1) / (n + 2);
    return Math.sqrt((share * (1 - share)) / (n + 3));
  }

  /**
   * Standard error of the flat share. As many walkers start on either side, so chance comes in by hops alone: the walkers of each side
   * have an error of their own, which is 0 as long as none of them has crossed.
   * @param {Swarm} walkers @param {number[][]} started the walkers that started on each side
   */
  function shareError(walkers, started) {
    const variances = started.map((group, side) => {
      if (group.every((k) => walkers.lastCrossing[k] === 1 && walkers.x[k] >= 0 === (side === 1))) return 0;
      return (group.length * fractionError(group.filter((k) => walkers.x[k] > 0).length, group.length)) ** 2; // of the number of flat ones
    });
    return Math.sqrt(variances[0] + variances[1]) / (started[0].length + started[1].length);
  }

  /** Flat share, mean freezing time η·t_freeze with standard errors, mean y, crossings a walker, and the share that diverged. */
  function summary(walkers) {
    const living = [...walkers.alive.keys()].filter((k) => walkers.alive[k]);
    const n = living.length, nFlat = living.filter((k) => walkers.x[k] > 0).length;
    const started = [0, 1].map((side) => living.filter((k) => k % 2 === side)); // as `swarm` places them
    const mean = (values) => living.reduce((sum, k) => sum + values[k], 0) / n;
    const time = mean(walkers.lastCrossing);
    const squares = living.reduce((sum, k) => sum + (walkers.lastCrossing[k] - time) ** 2, 0);
    const rate = walkers.setting.learningRate, chance = walkers.setting.noise === "none" ? 0 : 1; // without noise all is certain
    return {
      pFlat: nFlat / n,
      pFlatError: chance * shareError(walkers, started),
      freezingTime: rate * time,
      freezingTimeError: chance * rate * Math.sqrt(squares / (n - 1) / n),
      meanY: mean(walkers.y),
      hops: walkers.crossings / walkers.x.length,
      diverged: 1 - n / walkers.x.length,
    };
  }

  return {
    START_X, NOISES, landscape, flatness, floors, barrier, loss, aboveFloor, slopes, kicksOf, kickSpread, normals,
    swarm, advance, summary, fractionError,
  };
})();
