/**
 * The film of a run of SGD and its branches: at each moment the noise may stop, and gradient descent goes on from there to an end. Three pictures on
 * one axis of steps: training loss and flatness along the run and along the branch, and how alike the end is to that of the last branch.
 */
(() => {
  "use strict";

  const { open, panel, numbers, keys, fit, palette, legible, scale, range, roundTicks, decades, axis, line, dot, pointsOf, digits, player } = Replay;
  const SECONDS = 14; // the noise lasts so long in the film
  const DESCENT = 1.4; // seconds in which a branch runs down after the noise was stopped
  const HEADINGS = ["training loss", "flatness", "similarity of the end to that of the last branch"];
  const TOLD = `Three pictures above one another, against the step: training loss and flatness of the run with noise and of the branch without noise,
    and the similarity of each branch's end to that of the last one. The numbers below tell where the chosen branch ends.`;
  const calm = matchMedia("(prefers-reduced-motion: reduce)");

  function film(root, { steps, stops, colours: printed, frozen, run, branches, likeness }) {
    let colours = printed; // as the theme needs them
    const last = stops.length - 1, end = steps.at(-1);
    const { canvas, whole } = panel("strips", "", TOLD);
    const told = numbers({ stop: "noise stops at step", loss: "training loss at the end", flatness: "flatness at the end", likeness: "similarity to the last branch" });
    const known = [["line", "var(--replay-ink)", "noise on"], ["line", "var(--replay-branch)", "noise off"]];
    const ranges = [
      range([run.train_loss, branches.map((branch) => branch.train_loss)]).map((value, i) => value * [0.8, 1.3][i]),
      padded(range([run.flatness, branches.map((branch) => branch.flatness)])),
      padded([range([likeness])[0], 1]),
    ];
    let grown = 1, asked = 0; // how far the branch has run down, of its way

    function padded([low, high]) {
      const room = 0.06 * (high - low || 1);
      return [low - room, high + room];
    }

    /** Frames and scales of the three pictures on a canvas of this size. */
    function places(width, height) {
      const head = 25, foot = 37, tall = (height - foot) / HEADINGS.length;
      return ranges.map((values, i) => {
        const frame = { left: 56, right: width - 18, top: i * tall + head, bottom: (i + 1) * tall - 3 };
        return { frame, toX: scale([0, end], [frame.left, frame.right]), toY: scale(values, [frame.bottom, frame.top], i === 0) };
      });
    }

    function frames(context, paint, all) {
      all.forEach(({ frame, toY }, i) => {
        axis(context, paint, frame, { along: "y", ticks: i ? roundTicks(ranges[i], 4) : decades(ranges[0]), place: toY });
        Object.assign(context, { textAlign: "left", textBaseline: "alphabetic", fillStyle: paint.ink, font: `600 ${paint.font}` });
        context.fillText(HEADINGS[i], 0, frame.top - 9);
      });
      const { frame, toX } = all.at(-1);
      axis(context, paint, frame, { along: "x", ticks: roundTicks([0, end], 4), place: toX, label: "step" });
    }

    /** A line down through all pictures. */
    function upright(context, all, step, dash) {
      const x = all[0].toX(step);
      context.setLineDash(dash);
      all.forEach(({ frame }) => line(context, [[x, frame.top], [x, frame.bottom]]));
      context.setLineDash([]);
    }

    /** The run with noise up to a step, and faintly what would come. */
    function noisy(context, paint, { toX, toY, frame }, values, step) {
      const points = pointsOf(values, (i) => toX(steps[i]), toY), x = toX(step);
      for (const [from, to, alpha, width] of [[x, frame.right, 0.6, 1.5], [frame.left, x, 1, 2.2]]) {
        context.save();
        context.beginPath();
        context.rect(from - 1, frame.top - 4, to - from + 1, frame.bottom - frame.top + 8);
        context.clip();
        Object.assign(context, { globalAlpha: alpha, strokeStyle: paint.ink, lineWidth: width });
        line(context, points);
        context.restore();
      }
    }

    /** A branch as far as it has grown, and its end. */
    function quiet(context, paint, { toX, toY }, name, k) {
      const { first, [name]: values } = branches[k], points = pointsOf(values, (i) => toX(steps[first + i]), toY);
      const shown = points.slice(0, Math.max(1, Math.ceil(grown * points.length)));
      Object.assign(context, { strokeStyle: colours[k], lineWidth: 2.6 });
      line(context, shown);
      dot(context, shown.filter(([, y]) => Number.isFinite(y)).at(-1) ?? [NaN, NaN], 5, colours[k], paint.ground);
    }

    /** Where earlier branches have ended, at the right edge. */
    function ends(context, { toX, toY }, name, k) {
      Object.assign(context, { lineWidth: 1.5, globalAlpha: 0.75 });
      for (let i = 0; i < k; i++) {
        const value = branches[i][name].at(-1);
        if (value === null) continue;
        context.strokeStyle = colours[i];
        line(context, [[toX(end) - 1, toY(value)], [toX(end) + 7, toY(value)]]);
      }
      context.globalAlpha = 1;
    }

    function alike(context, paint, { toX, toY }, k) {
      likeness.forEach((value, i) => {
        context.globalAlpha = i <= k ? 1 : 0.7;
        dot(context, [toX(stops[i]), toY(value)], i === k ? 6 : 3.4, colours[i], i === k ? paint.ink : paint.ground);
      });
      context.globalAlpha = 1;
    }

    function draw(moment, isPlaying) {
      const { context, width, height } = fit(canvas), paint = palette(root), all = places(width, height), k = Math.floor(moment);
      const next = Math.min(k + 1, last), step = stops[k] + (moment - k) * (stops[next] - stops[k]);
      if (isPlaying) grown = 1;
      colours = printed.map((colour) => legible(colour, paint.ground));
      root.style.setProperty("--replay-branch", colours[k]);
      frames(context, paint, all);
      Object.assign(context, { strokeStyle: paint.muted, lineWidth: 1 });
      if (frozen !== null) upright(context, all, frozen, [5, 4]);
      upright(context, all, step, []);
      ["train_loss", "flatness"].forEach((name, i) => {
        noisy(context, paint, all[i], run[name], step);
        ends(context, all[i], name, k);
        quiet(context, paint, all[i], name, k);
      });
      alike(context, paint, all[2], k);
      say(k);
    }

    function say(k) {
      told.say("stop", `${stops[k]}`);
      told.say("loss", digits(branches[k].train_loss.at(-1), 2));
      told.say("flatness", digits(branches[k].flatness.at(-1), 3));
      told.say("likeness", digits(likeness[k], 2));
    }

    function tell(k) {
      const flat = digits(branches[k].flatness.at(-1), 3);
      return `Noise stops at step ${stops[k]}: flatness ${flat} at the end, similarity ${digits(likeness[k], 2)} to the last branch.`;
    }

    /** After the reader has stopped the noise the branch runs down; where motion is unwanted it is there at once. */
    function rest(isStopped) {
      cancelAnimationFrame(asked);
      grown = isStopped && !calm.matches ? 0 : 1;
      let begun = null;
      const grow = (now) => {
        begun ??= now;
        grown = Math.min(1, (now - begun) / 1000 / DESCENT);
        if (grown < 1) asked = requestAnimationFrame(grow);
        shown.show();
      };
      if (grown < 1) asked = requestAnimationFrame(grow);
    }

    const words = { play: "Play", pause: "Stop the noise now" };
    const shown = player(root, { last, seconds: SECONDS, words, slides: "Stop the noise at step", draw, tell, rest });
    if (frozen !== null) known.push(["dashed", "var(--replay-muted)", "freezing time of the run"]);
    root.append(keys(known), whole, shown.controls, told.list);
    shown.show();
  }

  open("continuation", film);
})();
