/**
 * The side view of the explorer: the section of the landscape at the y where the swarm is, with the walkers on it, how widely noise kicks them in
 * either valley, where they have been lately, and what potential that makes. It draws with the tools of view.js.
 */
globalThis.ExplorerSide = (() => {
  "use strict";

  const { aboveFloor, barrier, floors, kickSpread } = ExplorerPhysics;
  const { felt, temperature } = ExplorerTheory;
  const { axis, fit, headings, onAxis, ring, roundTicks, scale, scattered, stamp, trace } = ExplorerView;
  const LEAST_TOP = 0.45; // of the loss axis: the ridge is low at the start and grows up to here, and the axis with it from then on
  const N_BINS = 72;
  const FADES = 0.94; // what counts of where walkers were a frame ago
  const FEWEST = 0.02; // of the fullest column: one with less makes no potential that could be read
  const BELOW = 0.36; // share of the picture for kicks and density, below the valley floors

  /** Frame and scales on a canvas of this size; the loss is measured from the valley floors. */
  function places(width, height, half, top) {
    const frame = { left: 62, top: 26, right: width - 8, bottom: height - 42 }, floor = frame.bottom - BELOW * (frame.bottom - frame.top);
    return { frame, floor, toX: scale([-half, half], [frame.left, frame.right]), toL: scale([0, top], [floor, frame.top]) };
  }

  /** The section as solid ground, in the colours of the two valleys. */
  function ground(context, colours, land, y, half, { frame, toX, toL }) {
    const xs = Array.from({ length: 241 }, (_, i) => half * (i / 120 - 1));
    const outline = xs.map((x) => [toX(x), toL(aboveFloor(land, x, y))]);
    context.beginPath();
    [[frame.left, frame.bottom], ...outline, [frame.right, frame.bottom]].forEach(([x, at]) => context.lineTo(x, at));
    context.fillStyle = colours.hill;
    context.fill();
    context.lineWidth = 2;
    for (const [colour, part] of [[colours.sharp, outline.slice(0, 121)], [colours.flat, outline.slice(120)]]) {
      context.strokeStyle = colour;
      trace(context, part);
    }
  }

  /** A bar under either floor, as wide to both sides as kicks spread a walker in one unit of time. */
  function kickBars(context, colours, swarm, y, { floor, toX }) {
    const spreads = kickSpread(swarm.setting, swarm.strength, swarm.land, y), at = floor + 12;
    if (!(Math.max(...spreads) > 0)) return;
    context.lineWidth = 2;
    floors(swarm.land, y).forEach((x, side) => {
      const left = toX(x - spreads[side]), right = toX(x + spreads[side]);
      context.strokeStyle = side === 0 ? colours.flat : colours.sharp;
      trace(context, [[left, at], [right, at]]);
      for (const end of [left, right]) trace(context, [[end, at - 4], [end, at + 4]]);
    });
  }

  /** Where walkers have been lately, as columns from the bottom. */
  function columns(context, colours, density, { frame, floor }) {
    const highest = Math.max(...density), width = (frame.right - frame.left) / N_BINS, room = frame.bottom - floor - 22;
    if (!highest) return;
    density.forEach((amount, i) => {
      context.fillStyle = i < N_BINS / 2 ? colours.sharp : colours.flat;
      context.fillRect(frame.left + i * width, frame.bottom - (room * amount) / highest, width - 0.5, (room * amount) / highest);
    });
  }

  /**
   * The potential that the walkers feel at `y`, over the middles of the columns: `theory`, and `measured`, −T_eff ln of the density, put where it is
   * nearest to theory; NaN in columns that are nearly empty.
   */
  function potential(swarm, y, half, density) {
    const { learningRate, noise = "curvature" } = swarm.setting, noiseNow = learningRate * swarm.strength;
    const xs = Array.from({ length: N_BINS }, (_, i) => half * ((2 * i + 1) / N_BINS - 1));
    const theory = xs.map((x) => felt(swarm.land, x, y, noiseNow, noise)), highest = Math.max(...density);
    const heights = [...density].map((amount) => (amount > FEWEST * highest ? -temperature(swarm.land, y, noiseNow) * Math.log(amount) : NaN));
    let [sum, weight] = [0, 0];
    heights.forEach((height, i) => Number.isFinite(height) && ((sum += density[i] * (theory[i] - height)), (weight += density[i])));
    return { xs, theory, measured: heights.map((height) => height + sum / weight) };
  }

  /** The potential by theory as a dashed line, and as walkers have it as rings. */
  function feeling(context, colours, { xs, theory, measured }, { toX, toL }) {
    context.strokeStyle = context.fillStyle = colours.text;
    context.lineWidth = 1.6;
    context.setLineDash([6, 4]);
    for (const part of [0, 1]) trace(context, xs.map((x, i) => [toX(x), toL(theory[i])]).slice((part * N_BINS) / 2, ((part + 1) * N_BINS) / 2));
    context.setLineDash([]);
    measured.forEach((height, i) => {
      if (!Number.isFinite(height)) return;
      context.beginPath();
      context.arc(toX(xs[i]), toL(height), 2.1, 0, 2 * Math.PI);
      context.fill();
    });
  }

  /** A little above the ground, to be told apart. */
  function place(swarm, k, y, { toX, toL }) {
    return [toX(swarm.x[k]), toL(aboveFloor(swarm.land, swarm.x[k], y)) - 4 - 7 * (1 + scattered(k))];
  }

  function walkers(context, swarm, y, stamps, ratio, where) {
    for (let k = 0; k < swarm.x.length; k++) {
      if (!swarm.alive[k]) continue;
      const image = stamps[swarm.x[k] >= 0 ? 1 : 0], size = image.width / ratio, [x, at] = place(swarm, k, y, where);
      context.drawImage(image, x - size / 2, at - size / 2, size, size);
    }
  }

  /** The side view on a canvas. It remembers where walkers have been lately. */
  function sideView(canvas) {
    let density = new Float64Array(N_BINS), ofHalf = 0, drawnAt = -1, stamps = null, stampKey = "";

    function clear() {
      density = new Float64Array(N_BINS);
      drawnAt = -1;
    }

    /** Count where walkers are now, once for each step that is drawn; after a leap, or in a new window, what was before counts no more. */
    function count(swarm, half, leapt) {
      if (swarm.step === drawnAt && half === ofHalf) return;
      const kept = leapt || half !== ofHalf ? 0 : FADES;
      [drawnAt, ofHalf] = [swarm.step, half];
      density = density.map((amount) => amount * kept);
      for (let k = 0; k < swarm.x.length; k++) {
        const bin = Math.floor(((swarm.x[k] / half + 1) / 2) * N_BINS);
        if (swarm.alive[k] && bin >= 0 && bin < N_BINS) density[bin] += 1;
      }
    }

    function stampsOf(colours, ratio) {
      const key = [colours.sharp, colours.flat, ratio].join();
      if (key !== stampKey) [stampKey, stamps] = [key, [colours.sharp, colours.flat].map((colour) => stamp(colour, ratio, 3))];
      return stamps;
    }

    function axes(context, colours, half, top, { frame, toX, toL }) {
      axis(context, colours, frame, { along: "x", ticks: roundTicks(-half, half, 4), place: toX, label: "x, across the valleys", format: onAxis });
      axis(context, colours, frame, { along: "y", ticks: roundTicks(0, top, 4), place: toL, label: "loss above the floors" });
      headings(context, colours, frame);
    }

    /**
     * Draw the section at `y`, the mean of the swarm, up to |x| = half and, where that is said, up to the loss `top`, with a ring around a walker who
     * is followed.
     */
    function draw(swarm, colours, { y, half, top = Math.max(LEAST_TOP, 1.3 * barrier(swarm.land, y)), leapt = false, walker = null }) {
      const { context, width, height, ratio } = fit(canvas);
      const where = places(width, height, half, top), { frame } = where;
      count(swarm, half, leapt);
      context.clearRect(0, 0, width, height);
      context.save();
      context.beginPath();
      context.rect(frame.left, frame.top, frame.right - frame.left, frame.bottom - frame.top);
      context.clip();
      ground(context, colours, swarm.land, y, half, where);
      columns(context, colours, density, where);
      kickBars(context, colours, swarm, y, where);
      walkers(context, swarm, y, stampsOf(colours, ratio), ratio, where);
      if (y > 0 && swarm.step && swarm.setting.noise !== "none") feeling(context, colours, potential(swarm, y, half, density), where);
      if (walker !== null && swarm.alive[walker]) ring(context, colours, ...place(swarm, walker, y, where));
      context.restore();
      axes(context, colours, half, top, where);
    }

    return { draw, clear };
  }

  return { potential, sideView };
})();
