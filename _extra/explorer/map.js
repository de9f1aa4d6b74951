/**
 * The small map of the explorer: the flat share for many learning rates and noise strengths, as chapter 4 has it without dice, with a mark where the
 * explorer is. A click goes to a place; for those who use the keyboard the two sliders do.
 */
globalThis.ExplorerMap = (() => {
  "use strict";

  const { rates: RATES, strengths: STRENGTHS, shares: SHARES } = ExplorerStored.map;
  const { axis, fit, mixed, scale, trace } = ExplorerView;

  /** Borders of cells around values that are evenly spread on a logarithmic scale. */
  function span(values) {
    const half = Math.sqrt(values[1] / values[0]);
    return [values[0] / half, values[values.length - 1] * half];
  }

  const X_RANGE = span(STRENGTHS), Y_RANGE = span(RATES);

  /** Frame and scales: noise strength to the right, learning rate upwards, both logarithmic. */
  function places(width, height) {
    const frame = { left: 68, top: 6, right: width - 12, bottom: height - 42 };
    return { frame, toX: scale(X_RANGE, [frame.left, frame.right], true), toY: scale(Y_RANGE, [frame.bottom, frame.top], true) };
  }

  /** The share as a colour: that of the flat valley at one, that of the sharp one at zero, the ground's at one half. */
  function shade(share, colours) {
    return mixed(colours.ground, share >= 0.5 ? colours.flat : colours.sharp, Math.min(1, 2 * Math.abs(share - 0.5)));
  }

  function cells(context, colours, { frame, toX, toY }) {
    const wide = (frame.right - frame.left) / STRENGTHS.length, high = (frame.bottom - frame.top) / RATES.length;
    SHARES.forEach((row, i) =>
      row.forEach((share, j) => {
        context.fillStyle = shade(share, colours);
        context.fillRect(toX(STRENGTHS[j]) - wide / 2, toY(RATES[i]) - high / 2, wide + 0.5, high + 0.5);
      }),
    );
  }

  /** A ring where the explorer is, at the border where that is outside of the map. */
  function mark(context, colours, { eta, sigma }, { toX, toY }) {
    const within = ([low, high], value) => Math.min(high, Math.max(low, value)), [x, y] = [toX(within(X_RANGE, sigma)), toY(within(Y_RANGE, eta))];
    for (const [colour, width] of [[colours.ground, 5], [colours.text, 2.5]]) {
      context.strokeStyle = colour;
      context.lineWidth = width;
      context.beginPath();
      context.arc(x, y, 6, 0, 2 * Math.PI);
      context.stroke();
    }
  }

  /** Draw the map on a canvas, with a mark at the learning rate and noise strength of a setting if there is one. */
  function drawMap(canvas, colours, setting) {
    const { context, width, height } = fit(canvas), where = places(width, height), { frame } = where;
    context.clearRect(0, 0, width, height);
    cells(context, colours, where);
    context.lineWidth = 1;
    context.strokeStyle = colours.line;
    trace(context, [[frame.left, frame.top], [frame.right, frame.top], [frame.right, frame.bottom], [frame.left, frame.bottom], [frame.left, frame.top]]);
    axis(context, colours, frame, { along: "x", ticks: [0.01, 0.1, 1], place: where.toX, label: "noise strength σ" });
    axis(context, colours, frame, { along: "y", ticks: [0.001, 0.01, 0.1], place: where.toY, label: "learning rate η" });
    if (setting) mark(context, colours, setting, where);
  }

  /** Learning rate and noise strength under the pointer. */
  function under(canvas, event) {
    const { frame } = places(canvas.clientWidth, canvas.clientHeight), { left, top } = canvas.getBoundingClientRect();
    const at = ([low, high], part) => low * (high / low) ** Math.min(1, Math.max(0, part));
    return {
      sigma: at(X_RANGE, (event.clientX - left - frame.left) / (frame.right - frame.left)),
      eta: at(Y_RANGE, (frame.bottom - (event.clientY - top)) / (frame.bottom - frame.top)),
    };
  }

  return { drawMap, under };
})();
