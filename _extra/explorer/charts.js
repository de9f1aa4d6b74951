/**
 * Charts of the explorer over time: the flat share, and when walkers crossed the ridge last. Each is a function of a canvas and of what it shows; it
 * draws with the tools of view.js.
 */
globalThis.ExplorerCharts = (() => {
  "use strict";

  const { T_RANGE, axis, fit, scale, trace } = ExplorerView;
  const BINS_PER_DECADE = 8;
  const RIBBON = 0.12; // of the flat share: room above one for the sides of a walker who is followed

  /** Frame and scales of a chart over time; the numbers up its left side have the room that they need. */
  function chartPlaces(context, colours, width, height, { range, ticks, format }) {
    context.font = colours.font;
    const widest = Math.max(...ticks.map((tick) => context.measureText(format(tick)).width));
    const frame = { left: Math.ceil(widest) + 34, top: 10, right: width - 18, bottom: height - 42 };
    return { frame, toT: scale(T_RANGE, [frame.left, frame.right], true), toV: scale(range, [frame.bottom, frame.top]) };
  }

  /** Axes and grid of a chart over time, and a line at the time reached. */
  function chart(canvas, colours, { range, ticks, label, format, time }) {
    const { context, width, height } = fit(canvas), places = chartPlaces(context, colours, width, height, { range, ticks, format });
    const { frame, toT, toV } = places;
    context.clearRect(0, 0, width, height);
    context.lineWidth = 1;
    context.strokeStyle = colours.line;
    for (const tick of ticks) trace(context, [[frame.left, Math.round(toV(tick)) + 0.5], [frame.right, Math.round(toV(tick)) + 0.5]]);
    axis(context, colours, frame, { along: "y", ticks, place: toV, label, format });
    axis(context, colours, frame, { along: "x", ticks: [0.1, 1, 10, 100, 1000], place: toT, label: "time η · step (logarithmic)" });
    if (time >= T_RANGE[0] && time < T_RANGE[1]) {
      context.strokeStyle = colours.muted;
      trace(context, [[toT(time), frame.top], [toT(time), frame.bottom]]);
    }
    return { context, ...places };
  }

  /**
   * Flat share against time, as measured, with its standard error, and as predictions have it.
   * @param {{times: number[], shares: number[], errors: number[]}} history
   * @param {{times: number[], shares: number[], dash: number[]}[]} predictions a line each
   * @param {?number[]} sides of a walker who is followed, its x at the times of the history: a ribbon along the top
   */
  function drawShare(canvas, colours, { history, predictions, time, sides = null }) {
    const ticks = [0, 0.25, 0.5, 0.75, 1];
    const { context, frame, toT, toV } = chart(canvas, colours, { range: [0, sides ? 1 + RIBBON : 1], ticks, label: "flat share", format: String, time });
    context.save();
    context.beginPath();
    context.rect(frame.left, frame.top - 2, frame.right - frame.left, frame.bottom - frame.top + 4);
    context.clip();
    const { times, shares, errors } = history, upper = times.map((t, i) => [toT(t), toV(shares[i] + errors[i])]);
    context.fillStyle = colours.flat;
    context.globalAlpha = 0.22;
    context.beginPath();
    const lower = times.map((t, i) => [toT(t), toV(shares[i] - errors[i])]).reverse();
    [...upper, ...lower].forEach(([x, y]) => context.lineTo(x, y)); // the first of them moves there
    context.fill();
    context.globalAlpha = 1;
    context.lineWidth = 2;
    context.strokeStyle = colours.flat;
    trace(context, times.map((t, i) => [toT(t), toV(shares[i])]));
    context.strokeStyle = colours.text;
    context.lineWidth = 1.6;
    for (const { times, shares, dash } of predictions) {
      context.setLineDash(dash);
      trace(context, times.map((t, i) => [toT(t), toV(shares[i])]));
    }
    if (sides) ribbon(context, colours, times, sides, [frame.top, toV(1 + RIBBON / 3)], toT);
    context.restore();
  }

  /** On which side a walker was, as a ribbon from each time to the one before. */
  function ribbon(context, colours, times, sides, [top, bottom], toT) {
    sides.forEach((x, i) => {
      const [from, to] = [toT(times[Math.max(0, i - 1)]), toT(times[i])];
      context.fillStyle = x >= 0 ? colours.flat : colours.sharp;
      context.fillRect(from, top, to - from + 0.5, bottom - top);
    });
  }

  /** Counts of walkers by the time of their last crossing, (sharp, flat) in each bin, and of those that have not crossed. */
  function histogram(swarm) {
    const decades = Math.log10(T_RANGE[1] / T_RANGE[0]), bins = Array.from({ length: decades * BINS_PER_DECADE }, () => [0, 0]);
    let never = 0;
    for (let k = 0; k < swarm.x.length; k++) {
      if (!swarm.alive[k]) continue;
      const bin = Math.floor(Math.log10((swarm.setting.learningRate * swarm.lastCrossing[k]) / T_RANGE[0]) * BINS_PER_DECADE);
      if (swarm.lastCrossing[k] === 1) never += 1; // by convention: one that crossed at its first step alone counts here, too
      else bins[Math.max(0, Math.min(bins.length - 1, bin))][swarm.x[k] >= 0 ? 1 : 0] += 1;
    }
    return { bins, never };
  }

  /** Share of the walkers by the time of their last crossing so far, by the side they are on, and the mean as a mark. */
  function drawCrossings(canvas, colours, { swarm, mean, time }) {
    const { bins, never } = histogram(swarm), n = swarm.x.length, highest = Math.max(...bins.map(([sharp, flat]) => (sharp + flat) / n));
    const top = [0.1, 0.2, 0.5, 1].find((each) => highest <= each), ticks = [0, top / 2, top], format = (tick) => `${Math.round(100 * tick)} %`;
    const { context, frame, toT, toV } = chart(canvas, colours, { range: [0, 1.25 * top], ticks, label: "walkers", format, time });
    bins.forEach(([sharp, flat], i) => {
      const [left, right] = [i, i + 1].map((place) => toT(T_RANGE[0] * 10 ** (place / BINS_PER_DECADE)));
      for (const [colour, from, to] of [[colours.flat, 0, flat], [colours.sharp, flat, flat + sharp]]) {
        context.fillStyle = colour;
        context.fillRect(left + 0.75, toV(to / n), right - left - 1.5, toV(from / n) - toV(to / n));
      }
    });
    context.fillStyle = colours.text;
    context.textAlign = "left";
    context.textBaseline = "middle";
    context.fillText(`not crossed: ${Math.round((100 * never) / n)} %`, frame.left + 8, frame.top + 7);
    if (mean >= T_RANGE[0] && mean <= T_RANGE[1]) mark(context, toT(mean), frame.bottom);
  }

  /** A triangle below an axis. */
  function mark(context, x, y) {
    context.beginPath();
    for (const [right, down] of [[0, 1], [-5, 8], [5, 8]]) context.lineTo(x + right, y + down);
    context.fill();
  }

  return { drawCrossings, drawShare, histogram };
})();
