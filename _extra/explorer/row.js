/**
 * Five valleys in a row, equally deep, as in chapter 11: the landscape and walkers on it. Pure functions and arrays, no page.
 *
 * It is lib/valleys/toy/landscapes/many_valleys.py with the steps of simulation/rows.py at p = 1; tests/site/test_explorer_row.py compares the two.
 */
globalThis.ExplorerRow = (() => {
  "use strict";

  const { barrier, kicksOf, landscape, normals } = ExplorerPhysics;
  const X_LIMIT = 1e3; // a walker beyond |x| = X_LIMIT has left the landscape

  /** A row of valleys with these half-widths from left to right; the outer ridges stand at equal distances from x = 0. */
  function row(widths) {
    const inner = widths.slice(1, -1).reduce((places, width) => [...places, places.at(-1) + 2 * width], [0]);
    const ridges = inner.map((place) => place - inner.at(-1) / 2);
    return { ...landscape(1), widths, ridges, centres: [ridges[0] - widths[0], ...ridges.map((ridge, i) => ridge + widths[i + 1])] };
  }

  /** Number of the valley in which a place lies, 0 for the leftmost. */
  function valleyAt(land, x, y) {
    return land.ridges.filter((ridge) => x * (y + land.yb) >= ridge * Math.max(y, 0)).length;
  }

  /** Where the floors lie, from left to right. */
  function floors(land, y) {
    return land.centres.map((centre) => (centre * Math.max(y, 0)) / (y + land.yb));
  }

  /** L − L0 = a (u² − w² p²) in a valley, u = q x − C p: u, p, q with two derivatives along y, then a and w. */
  function expansion(land, x, y) {
    const valley = valleyAt(land, x, y), wide = land.widths[valley], inverse = 1 / (y + land.yf);
    const centre = y < 0 ? (valley === 0 ? -wide : wide) : land.centres[valley];
    const q = [(y + land.yb) * inverse, (land.yf - land.yb) * inverse ** 2, 2 * (land.yb - land.yf) * inverse ** 3];
    const p = [y * inverse, land.yf * inverse ** 2, -2 * land.yf * inverse ** 3];
    return { u: q.map((each, i) => each * x - centre * p[i]), p, q, a: land.x0 ** 2 / (land.f0 * wide ** 2), wide };
  }

  /** L(x, y) less the loss on the floors at the same y. */
  function aboveFloor(land, x, y) {
    const { u, p, a, wide } = expansion(land, x, y);
    return barrier(land, y) + a * (u[0] ** 2 - (wide * p[0]) ** 2);
  }

  /** Gradient and Hessian of L at (x, y) into `out`, in the order of `slopes` of physics.js. */
  function slopes(land, x, y, out) {
    const { u, p, q, a, wide } = expansion(land, x, y), drift = (land.Ld / land.yd) * Math.exp(-y / land.yd);
    out[0] = 2 * a * u[0] * q[0];
    out[1] = 2 * a * (u[0] * u[1] - wide ** 2 * p[0] * p[1]) - drift;
    out[2] = 2 * a * q[0] ** 2;
    out[3] = 2 * a * (q[1] * u[0] + q[0] * u[1]);
    out[4] = 2 * a * (u[1] ** 2 + u[0] * u[2] - wide ** 2 * (p[1] ** 2 + p[0] * p[2])) + drift / land.yd;
  }

  /** Walkers at the start, as many at the bottom of each valley. */
  function swarm(setting, land, n) {
    const y = new Float64Array(n).fill(setting.startY), x = y.map((_, k) => floors(land, setting.startY)[k % land.widths.length]);
    return { setting, land, fill: normals(setting.seed), x, y, alive: new Uint8Array(n).fill(1), step: 0, crossings: 0, lastCrossing: new Float64Array(n).fill(1) };
  }

  /** nSteps steps θ ← θ − η(∇L + ξ) of every walker (Eq. 13), with noise that follows the curvature. */
  function advance(walkers, nSteps) {
    const { x, y, alive, land, fill } = walkers, { learningRate, noiseStrength } = walkers.setting;
    const slope = new Float64Array(5), kick = new Float64Array(3), normal = new Float64Array(2 * x.length);
    for (const last = walkers.step + nSteps; walkers.step < last; ) {
      walkers.step += 1;
      fill(normal);
      for (let k = 0; k < x.length; k++) {
        if (!alive[k]) continue;
        slopes(land, x[k], y[k], slope);
        kicksOf("curvature", land, y[k], slope, noiseStrength, kick);
        const newX = x[k] - learningRate * (slope[0] + kick[0] * normal[2 * k]);
        const newY = y[k] - learningRate * (slope[1] + kick[1] * normal[2 * k] + kick[2] * normal[2 * k + 1]);
        if (newY > land.yMin && Math.abs(newX) < X_LIMIT) move(walkers, k, newX, newY);
        else alive[k] = 0;
      }
    }
  }

  function move(walkers, k, newX, newY) {
    if (valleyAt(walkers.land, newX, newY) !== valleyAt(walkers.land, walkers.x[k], walkers.y[k])) {
      walkers.crossings += 1;
      walkers.lastCrossing[k] = walkers.step;
    }
    walkers.x[k] = newX;
    walkers.y[k] = newY;
  }

  /** Share of the walkers in each valley, from left to right, and their mean y. */
  function summary({ x, y, alive, land }) {
    const living = [...alive.keys()].filter((k) => alive[k]), counts = land.widths.map(() => 0);
    for (const k of living) counts[valleyAt(land, x[k], y[k])] += 1;
    return { shares: counts.map((count) => count / living.length), meanY: living.reduce((sum, k) => sum + y[k], 0) / living.length };
  }

  return { row, valleyAt, floors, aboveFloor, slopes, swarm, advance, summary };
})();
