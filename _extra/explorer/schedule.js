/**
 * Noise that changes along the way, for the explorer: a schedule as a few knots, what it scores, and the best there is. Pure functions, no page.
 *
 * A schedule is one effective noise Δ_S = ησ for each of TIMES; between them ln Δ_S is a straight line in ln time, before the first it stays.
 * The score is the flat share at the end by the master equation of hops, dP/dt = k⁻(1 − P) − k⁺P (Eq. A26), with the exact rates of chapter 13.
 * It repeats `follow` of lib/valleys/toy/theory/schedules.py on the rates that stored.js has from there; tests/site/test_explorer_schedule.py
 * compares the two.
 */
globalThis.ExplorerSchedule = (() => {
  "use strict";

  const { flatness } = ExplorerPhysics;
  const { driftPath } = ExplorerTheory;
  const { gamma: GAMMA, duration: DURATION, rates: RATES, times: BEST_TIMES, starts: STARTS } = ExplorerStored.schedule;
  const TIMES = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]; // of the knots, η·step
  const RANGE = [1e-5, 0.02]; // of the effective noise; the upper end is that of chapter 13
  const N_PIECES = 1000; // of a way, as many as chapter 13 has

  /** An effective noise within the range, in three digits. */
  function rounded(noise) {
    return Number(Math.min(RANGE[1], Math.max(RANGE[0], noise)).toPrecision(3));
  }

  /** The value at a place among places that rise, as a straight line between logarithms; beyond the ends it stays. */
  function between(places, values, place) {
    const right = places.findIndex((each) => each >= place);
    if (right <= 0) return right === 0 ? values[0] : values[values.length - 1];
    const part = Math.log(place / places[right - 1]) / Math.log(places[right] / places[right - 1]);
    return values[right - 1] * (values[right] / values[right - 1]) ** part;
  }

  /** Effective noise of a schedule at a time. */
  function noiseAt(knots, time) {
    return between(TIMES, knots, time);
  }

  /** A cubic through the four numbers nearest to a place among numbers that stand at 0, 1, 2, … */
  function cubic(values, place) {
    const first = Math.min(Math.max(Math.floor(place) - 1, 0), values.length - 4), at = place - first;
    const [a, b, c, d] = values.slice(first, first + 4);
    return (-a * (at - 1) * (at - 2) * (at - 3)) / 6 + (b * at * (at - 2) * (at - 3)) / 2 - (c * at * (at - 1) * (at - 3)) / 2 + (d * at * (at - 1) * (at - 2)) / 6;
  }

  /** (k⁺ + k⁻) f2 and the stationary share k⁻/(k⁺ + k⁻) at θ = Δ_S ((y + y_b)/y)², on which alone they depend. */
  function exchange(theta) {
    const [low, high] = RATES.thetas, last = RATES.total.length - 1;
    const place = (Math.log(Math.min(high, Math.max(low, theta)) / low) / Math.log(high / low)) * last;
    return [theta < low ? 0 : Math.exp(cubic(RATES.total, place)), 1 / (1 + Math.exp(-cubic(RATES.odds, place)))];
  }

  /** Times at the borders of the pieces of a way, equally long up to time 1 and longer later, and the middles between them. */
  const BORDERS = Array.from({ length: N_PIECES + 1 }, (_, i) => Math.expm1((i / N_PIECES) * Math.log1p(DURATION)));
  const MIDDLES = BORDERS.slice(1).map((time, i) => (time + BORDERS[i]) / 2);

  /**
   * Flat share along the way from startY under a noise, from one half.
   * @param {object} land of physics.js, with the γ of the stored rates @param {(time: number) => number} noise
   * @returns {number[]} at each of BORDERS
   */
  function course(land, startY, noise) {
    const ys = driftPath(land, startY, MIDDLES), shares = [0.5];
    for (let i = 0; i < N_PIECES; i++) {
      const [total, target] = exchange(noise(MIDDLES[i]) * ((ys[i] + land.yb) / ys[i]) ** 2);
      const kept = Math.exp((-total * (BORDERS[i + 1] - BORDERS[i])) / flatness(land, ys[i])[1]);
      shares.push(target + (shares[i] - target) * kept);
    }
    return shares;
  }

  /** The shares of a course at other times, up to DURATION. */
  function along(shares, times) {
    return times.map((time) => {
      const right = Math.max(1, BORDERS.findIndex((each) => each >= time - 1e-9)), left = right - 1;
      return shares[left] + ((shares[right] - shares[left]) * (time - BORDERS[left])) / (BORDERS[right] - BORDERS[left]);
    });
  }

  /** Whether scores are known for a setting: the rates are stored for one γ, the best schedule for the starts that can be chosen. */
  function isScored({ gamma, startY, noise = "curvature" }) {
    return noise === "curvature" && gamma === GAMMA && startY in STARTS;
  }

  /** What a schedule reaches at the end, beside the best constant noise and the best schedule from the same start. */
  function score(setting, land, noise) {
    const { constant, best } = STARTS[setting.startY];
    return { share: course(land, setting.startY, noise).at(-1), constant: constant.share, best: best.share };
  }

  /** Schedules to begin with, by name: constant noise and straight lines in time, each at its best, and the best of all on these knots. */
  function shape(name, startY) {
    const { constant, rising, falling, best } = STARTS[startY];
    const shapes = {
      constant: () => constant.noise,
      rising: (time) => (rising.noise * time) / DURATION,
      falling: (time) => falling.noise * (1 - time / DURATION),
      best: (time) => between(BEST_TIMES, best.noise, time),
    };
    return TIMES.map((time) => rounded(shapes[name](time)));
  }

  /** The noise that the ridge of the sharp valley equals, ΔL f2/2 = ½(x2 y/(y + y_b))², as a function of the time since startY. */
  function ridgeNoise(land, startY) {
    const times = [0, ...TIMES], ys = driftPath(land, startY, times);
    return (time) => {
      const right = Math.max(1, times.findIndex((each) => each >= time)), part = (time - times[right - 1]) / (times[right] - times[right - 1]);
      const y = ys[right - 1] + part * (ys[right] - ys[right - 1]);
      return ((land.x2 * y) / (y + land.yb)) ** 2 / 2;
    };
  }

  /** A schedule of an address, one number for each knot; null where it is none. */
  function read(text) {
    const knots = text.split(",").map((each) => (each.trim() ? Number(each) : NaN));
    return knots.length === TIMES.length && knots.every((each) => each >= RANGE[0] && each <= RANGE[1]) ? knots.map(rounded) : null;
  }

  return { TIMES, RANGE, BORDERS, DURATION, rounded, noiseAt, exchange, course, along, isScored, score, shape, ridgeNoise, read };
})();
