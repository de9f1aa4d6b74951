/**
 * The chart of the explorer in which a schedule of noise is drawn: with the pointer, by dragging anywhere in it, and with the keyboard, knot by
 * knot. It draws with the tools of view.js and knows nothing of walkers.
 */
globalThis.ExplorerKnots = (() => {
  "use strict";

  const { RANGE, TIMES, noiseAt, rounded } = ExplorerSchedule;
  const { T_RANGE, axis, fit, scale, trace } = ExplorerView;
  const TICKS = [1e-5, 1e-4, 1e-3, 1e-2];
  const STEP = 10 ** 0.05, LEAP = 10 ** 0.25; // by which arrows and page keys change a noise
  const LINE_TIMES = Array.from({ length: 161 }, (_, i) => T_RANGE[0] * (T_RANGE[1] / T_RANGE[0]) ** (i / 160));
  const POWERS = { 0.00001: "10⁻⁵", 0.0001: "10⁻⁴", 0.001: "10⁻³", 0.01: "10⁻²" };

  /** Frame and scales on a chart of this size; both scales are logarithmic. */
  function places(width, height) {
    const frame = { left: 62, top: 8, right: width - 18, bottom: height - 42 };
    return { frame, toT: scale(T_RANGE, [frame.left, frame.right], true), toN: scale(RANGE, [frame.bottom, frame.top], true) };
  }

  /** A number between two by its part of the way on a logarithmic scale. */
  function onWay([low, high], part) {
    return low * (high / low) ** Math.min(1, Math.max(0, part));
  }

  /** Knots after the pointer went from one (time, noise) to another: those between, and the one nearest to where it is. */
  function dragged(knots, [fromTime, fromNoise], [time, noise]) {
    const away = TIMES.map((each) => Math.abs(Math.log(each / time))), nearest = away.indexOf(Math.min(...away));
    const [low, high] = [Math.min(fromTime, time), Math.max(fromTime, time)];
    return knots.map((knot, i) => {
      if (i === nearest) return rounded(noise);
      if (!(TIMES[i] > low && TIMES[i] < high)) return knot;
      return rounded(fromNoise * (noise / fromNoise) ** (Math.log(TIMES[i] / fromTime) / Math.log(time / fromTime)));
    });
  }

  /** Noise of a knot after a key, or undefined for a key that changes none. */
  function pressed(key, noise) {
    const factors = { ArrowUp: STEP, ArrowDown: 1 / STEP, PageUp: LEAP, PageDown: 1 / LEAP, Home: 0, End: Infinity };
    return key in factors ? rounded(noise * factors[key]) : undefined;
  }

  /** The handles of the knots, one for each time: sliders for those who use the keyboard, of which the Tab key reaches one. */
  function handles(room) {
    return TIMES.map((time, i) => {
      const handle = document.createElement("span");
      const names = { role: "slider", "aria-orientation": "vertical", "aria-label": `Noise at time ${time}`, "aria-valuemin": RANGE[0], "aria-valuemax": RANGE[1] };
      for (const [name, value] of Object.entries(names)) handle.setAttribute(name, value);
      handle.className = "explorer-knot";
      handle.tabIndex = i ? -1 : 0;
      room.append(handle);
      return handle;
    });
  }

  /**
   * The chart on a canvas, with its handles in `room` right above it.
   * @param {(knots: number[]) => void} change what to do with a schedule as the reader draws it @param {() => void} done and when the pointer is let go
   */
  function knotChart(canvas, room, change, done) {
    const each = handles(room);
    let knots = TIMES.map(() => RANGE[0]), last = null;

    function under(event) {
      const { frame } = places(canvas.clientWidth, canvas.clientHeight), { left, top } = canvas.getBoundingClientRect();
      const across = (event.clientX - left - frame.left) / (frame.right - frame.left), up = (frame.bottom - (event.clientY - top)) / (frame.bottom - frame.top);
      return [onWay(T_RANGE, across), onWay(RANGE, up)];
    }

    function drag(event) {
      const place = under(event);
      change(dragged(knots, last ?? place, place));
      last = place;
    }

    room.addEventListener("pointerdown", (event) => {
      room.setPointerCapture(event.pointerId);
      last = null;
      drag(event);
    });
    room.addEventListener("pointermove", (event) => room.hasPointerCapture(event.pointerId) && drag(event));
    room.addEventListener("pointerup", done);
    room.addEventListener("keydown", (event) => {
      const at = each.indexOf(event.target), noise = pressed(event.key, knots[at]);
      const next = { ArrowLeft: at - 1, ArrowRight: at + 1 }[event.key];
      if (noise === undefined && !each[next]) return;
      event.preventDefault();
      if (noise !== undefined) change(knots.map((knot, i) => (i === at ? noise : knot)));
      else {
        each.forEach((handle, i) => (handle.tabIndex = i === next ? 0 : -1));
        each[next].focus();
      }
    });

    function line(context, noise, { toT, toN }) {
      trace(context, LINE_TIMES.map((time) => [toT(time), toN(Math.min(RANGE[1], Math.max(RANGE[0], noise(time))))]));
    }

    /** Axes, the noise that would equal the ridge as ground, the schedule, and a line at the time reached. */
    function background(context, colours, ridge, time, where) {
      const { frame, toT, toN } = where;
      context.lineWidth = 1;
      context.fillStyle = colours.hill;
      context.beginPath();
      LINE_TIMES.forEach((each) => context.lineTo(toT(each), toN(Math.min(RANGE[1], Math.max(RANGE[0], ridge(each))))));
      context.lineTo(frame.right, frame.bottom);
      context.lineTo(frame.left, frame.bottom);
      context.fill();
      axis(context, colours, frame, { along: "y", ticks: TICKS, place: toN, label: "effective noise", format: (tick) => POWERS[tick] });
      axis(context, colours, frame, { along: "x", ticks: [0.1, 1, 10, 100, 1000], place: toT, label: "time η · step (logarithmic)" });
      if (!(time >= T_RANGE[0] && time < T_RANGE[1])) return;
      context.strokeStyle = colours.muted;
      trace(context, [[toT(time), frame.top], [toT(time), frame.bottom]]);
    }

    /**
     * Draw a schedule.
     * @param {{schedule: number[], ridge: (time: number) => number, time: number}} shown `ridge` is the noise that the ridge of the sharp valley equals
     */
    function draw(colours, { schedule, ridge, time }) {
      const { context, width, height } = fit(canvas), where = places(width, height);
      knots = schedule;
      context.clearRect(0, 0, width, height);
      background(context, colours, ridge, time, where);
      context.lineWidth = 2;
      context.strokeStyle = context.fillStyle = colours.ink;
      line(context, (time) => noiseAt(knots, time), where);
      each.forEach((handle, i) => {
        const [x, y] = [where.toT(TIMES[i]), where.toN(Math.min(RANGE[1], Math.max(RANGE[0], knots[i])))];
        context.beginPath();
        context.arc(x, y, 4, 0, 2 * Math.PI);
        context.fill();
        Object.assign(handle.style, { left: `${x}px`, top: `${y}px` });
        handle.setAttribute("aria-valuenow", knots[i]);
        handle.setAttribute("aria-valuetext", String(Number(knots[i].toPrecision(3))));
      });
    }

    return { draw };
  }

  return { dragged, knotChart, pressed };
})();
