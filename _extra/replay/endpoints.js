/**
 * The film of runs from one start: where they are on two principal components, the walls between each two of them, and their training loss. A wall is
 * there while the loss on the straight line more than doubles, as the chapter counts walls at the end.
 */
(() => {
  "use strict";

  const { open, element, panel, numbers, keys, fit, palette, scale, range, roundTicks, decades, axis, line, dot, pointsOf, digits, player } = Replay;
  const SECONDS = 12;
  const CELLS = [
    ["dot", "no rise of the loss on the way"],
    ["small", "a rise, but no wall"],
    ["square", "a wall: the loss more than doubles"],
    ["deep", "a high wall: ten times the loss"],
  ];
  const TOLD = {
    plane: "Runs as dots with trails that leave one point and part. How far apart they are cannot be told in words; the figure above has the numbers.",
    walls: "A square of cells, one for each two runs, that fill as walls rise between them. How many have a wall is among the numbers below.",
    losses: "Training loss of each run against time, on a logarithmic axis. Its mean is among the numbers below.",
  };

  function film(root, { times, rates, colours, places, losses, rises }) {
    const n = rates.length, last = times.length - 1, nPairs = rises.length;
    const plane = panel("plane", "Where the runs are, from the start (+) on", TOLD.plane), walls = panel("walls", "Walls between each two", TOLD.walls);
    const strip = panel("losses", "Training loss", TOLD.losses);
    const told = numbers({ time: "time, learning rate × step", walls: "pairs with a wall between them", loss: "mean training loss" });
    const [xs, ys] = [0, 1].map((part) => range(places.map((run) => run.map((place) => place[part]))));
    const lossRange = range([losses]).map((value, i) => value * [0.8, 1.3][i]);

    /** The place of two runs among the pairs. */
    const pairOf = (i, j) => (i * (2 * n - i - 1)) / 2 + j - i - 1;

    /** How far the loss rises between two runs, in units of the loss at the higher end. */
    const rise = (i, j, k) => rises[pairOf(Math.min(i, j), Math.max(i, j))][k] / Math.max(losses[i][k], losses[j][k]);

    /** How many pairs have a wall between them at a moment. */
    function standing(k) {
      let count = 0;
      for (let i = 0; i < n; i++) for (let j = i + 1; j < n; j++) count += rise(i, j, k) > 1;
      return count;
    }

    /** A place of a run between two records. */
    function between(places, moment) {
      const k = Math.floor(moment), next = places[Math.min(k + 1, last)];
      return places[k].map((value, part) => value + (moment - k) * (next[part] - value));
    }

    /** Runs with their trails, at one scale in both directions. */
    function drawPlane(paint, moment) {
      const { context, width, height } = fit(plane.canvas), room = 14;
      const unit = Math.min((width - 2 * room) / (xs[1] - xs[0] || 1), (height - 2 * room) / (ys[1] - ys[0] || 1));
      const toX = (x) => width / 2 + (x - (xs[0] + xs[1]) / 2) * unit, toY = (y) => height / 2 - (y - (ys[0] + ys[1]) / 2) * unit;
      const now = places.map((run) => between(run, moment)), passed = Math.floor(moment) + 1;
      const onPage = ([x, y]) => [toX(x), toY(y)];
      places.forEach((run, i) => {
        Object.assign(context, { strokeStyle: colours[i], lineWidth: 1.4, globalAlpha: 0.6 });
        line(context, [...run.slice(0, passed), now[i]].map(onPage));
      });
      context.globalAlpha = 1;
      cross(context, paint, onPage(places[0][0]));
      now.forEach((place, i) => dot(context, onPage(place), 5.5, colours[i], paint.ground));
    }

    /** The start of all runs. */
    function cross(context, paint, [x, y]) {
      Object.assign(context, { strokeStyle: paint.ink, lineWidth: 2 });
      line(context, [[x - 6, y], [x + 6, y]]);
      line(context, [[x, y - 6], [x, y + 6]]);
    }

    function drawWalls(paint, k) {
      const { context, width, height } = fit(walls.canvas), foot = 38, side = Math.min(width - 46, height - foot) / n;
      const left = Math.max(44, (width - side * n) / 2), frame = { left, right: left + side * n, top: 0, bottom: side * n };
      context.fillStyle = paint.wall;
      for (let i = 0; i < n; i++) {
        for (let j = 0; j < n; j++) {
          if (i !== j) cell(context, left + i * side, j * side, side, rise(i, j, k));
        }
      }
      context.globalAlpha = 1;
      groups(context, paint, frame, side);
    }

    /** A wall fills its cell and is the darker the higher it is; a rise that is none is a small pale square. */
    function cell(context, x, y, side, height) {
      const part = height > 1 ? 0.92 : 0.4;
      context.globalAlpha = Math.min(1, Math.max(0.08, 0.5 + 0.5 * Math.log10(height || 1e-9)));
      context.fillRect(x + (side * (1 - part)) / 2, y + (side * (1 - part)) / 2, side * part, side * part);
    }

    /** Learning rates beside the square, and lines between them. */
    function groups(context, paint, frame, side) {
      Object.assign(context, { font: paint.font, fillStyle: paint.muted, strokeStyle: paint.line, lineWidth: 1 });
      rates.forEach((rate, i) => {
        if (rate === rates[i - 1]) return;
        const to = rates.lastIndexOf(rate) + 1, middle = (side * (i + to)) / 2;
        for (const at of [i, to]) {
          line(context, [[frame.left + at * side, 0], [frame.left + at * side, frame.bottom]]);
          line(context, [[frame.left, at * side], [frame.right, at * side]]);
        }
        Object.assign(context, { textAlign: "right", textBaseline: "middle" });
        context.fillText(rate, frame.left - 6, middle);
        Object.assign(context, { textAlign: "center", textBaseline: "top" });
        context.fillText(rate, frame.left + middle, frame.bottom + 6);
      });
      context.fillText("learning rate η", (frame.left + frame.right) / 2, frame.bottom + 22);
    }

    function drawLosses(paint, moment) {
      const { context, width, height } = fit(strip.canvas), frame = { left: 56, right: width - 18, top: 6, bottom: height - 40 };
      const toX = scale([0, last], [frame.left, frame.right]), toTime = scale([0, times[last]], [frame.left, frame.right]);
      const toY = scale(lossRange, [frame.bottom, frame.top], true), now = toX(moment);
      axis(context, paint, frame, { along: "y", ticks: decades(lossRange), place: toY });
      axis(context, paint, frame, { along: "x", ticks: roundTicks([0, times[last]], 5), place: toTime, label: "time ηt" });
      losses.forEach((values, i) => {
        Object.assign(context, { strokeStyle: colours[i], lineWidth: 1.4, globalAlpha: 0.25 });
        const points = pointsOf(values, toX, toY);
        line(context, points);
        context.globalAlpha = 0.9;
        line(context, [...points.slice(0, Math.floor(moment) + 1), between(points, moment)]);
      });
      Object.assign(context, { strokeStyle: paint.ink, lineWidth: 1, globalAlpha: 1 });
      line(context, [[now, frame.top], [now, frame.bottom]]);
    }

    function draw(moment) {
      const paint = palette(root), k = Math.floor(moment);
      drawPlane(paint, moment);
      drawWalls(paint, k);
      drawLosses(paint, moment);
      told.say("time", digits(times[k], 3));
      told.say("walls", `${standing(k)} of ${nPairs}`);
      told.say("loss", digits(losses.reduce((sum, values) => sum + values[k], 0) / n, 2));
    }

    const tell = (k) => `Time ${digits(times[k], 3)}: walls between ${standing(k)} of ${nPairs} pairs.`;
    const words = { play: "Play", pause: "Pause" };
    const shown = player(root, { last, start: last, seconds: SECONDS, words, slides: "Time", draw, tell });
    const known = [...new Set(rates)].map((rate) => ["line", colours[rates.indexOf(rate)], `η = ${rate}`]);
    const stage = element("div", { class: "replay-stage" }, plane.whole, walls.whole, strip.whole);
    root.append(keys([...known, ...CELLS.map(([kind, words]) => [kind, "var(--replay-wall)", words])]), stage, shown.controls, told.list);
    shown.show();
  }

  open("endpoints", film);
})();
