/**
 * The tools with which the explorer draws, and the landscape from above with its walkers. Colours and fonts come from explorer.css, so that both
 * themes are designed in one place.
 */
globalThis.ExplorerView = (() => {
  "use strict";

  const { aboveFloor, barrier, flatness, floors } = ExplorerPhysics;
  const X_HALF = 0.36, Y_DEPTH = 8; // the least that the picture shows: |x| up to here, and y from 0 down to here
  const T_RANGE = [0.1, 1000]; // times η·step, on a logarithmic axis
  const LEVELS = [0.01, 0.03, 0.08, 0.16, 0.3, 0.5, 0.8, 1.2]; // contours of the loss above the floors
  const BAND = 0.04; // of the height of the picture: walkers are drawn up to so much above or below their y, or they would hide one another
  const NARROWS = 1.6; // the picture becomes narrower where it is so much wider than it needs to be
  const GLOW_FADES = 0.9; // from frame to frame
  const KEPT = 0.98; // share of the walkers that the picture keeps in view
  const INK = { x: [-0.9, 0.9], y: [0, 40], width: 700, height: 1600 }; // where trails are kept, so that they need not be drawn anew at every zoom

  /** A canvas as large as its place on the page, at the sharpness of the screen. */
  function fit(canvas) {
    const ratio = Math.min(globalThis.devicePixelRatio || 1, 2);
    const width = Math.round(canvas.clientWidth * ratio), height = Math.round(canvas.clientHeight * ratio);
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    return { context, width: canvas.clientWidth, height: canvas.clientHeight, ratio };
  }

  /** The colours of the theme in force, by the names of explorer.css without the prefix. */
  function palette(element) {
    const style = getComputedStyle(element);
    const names = ["flat", "sharp", "flatText", "sharpText", "ground", "hill", "ink", "muted", "line", "text"];
    const colours = Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--explorer-${name}`).trim()]));
    return { ...colours, font: `12px ${style.fontFamily}` };
  }

  /** A straight or logarithmic scale from values to pixels. */
  function scale([low, high], [from, to], logarithmic = false) {
    const place = logarithmic ? Math.log : (value) => value;
    return (value) => from + ((place(value) - place(low)) / (place(high) - place(low))) * (to - from);
  }

  function rgb(colour) {
    return [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  }

  /** A colour between two. */
  function mixed(from, to, part) {
    const [a, b] = [rgb(from), rgb(to)];
    return `rgb(${a.map((value, i) => Math.round(value + (b[i] - value) * part)).join(",")})`;
  }

  function blank(width, height) {
    return Object.assign(document.createElement("canvas"), { width, height });
  }

  /** Round numbers between two values, about n of them. */
  function roundTicks(low, high, n) {
    const rough = (high - low) / n, power = 10 ** Math.floor(Math.log10(rough));
    const step = power * [1, 2, 5, 10].find((each) => each * power >= rough);
    const first = Math.ceil(low / step - 1e-9), count = Math.floor(high / step + 1e-9) - first + 1;
    return Array.from({ length: count }, (_, i) => Number(((first + i) * step).toPrecision(6)));
  }

  /** A number on an axis, with a true minus sign. */
  function onAxis(value) {
    return String(value).replace("-", "−");
  }

  /** Names an axis: tick marks, tick labels and the label itself, along the bottom or up the left side of a frame. */
  function axis(context, colours, frame, { along, ticks, place, label, format = String }) {
    context.font = colours.font;
    context.fillStyle = colours.muted;
    context.strokeStyle = colours.line;
    const horizontal = along === "x";
    context.textAlign = horizontal ? "center" : "right";
    context.textBaseline = horizontal ? "top" : "middle";
    for (const tick of ticks) {
      const at = place(tick);
      context.beginPath();
      if (horizontal) context.moveTo(at, frame.bottom), context.lineTo(at, frame.bottom + 4);
      else context.moveTo(frame.left - 4, at), context.lineTo(frame.left, at);
      context.stroke();
      if (horizontal) context.fillText(format(tick), at, frame.bottom + 9);
      else context.fillText(format(tick), frame.left - 7, at);
    }
    context.fillStyle = colours.text;
    if (horizontal) {
      context.fillText(label, (frame.left + frame.right) / 2, frame.bottom + 25);
    } else {
      context.save();
      context.translate(12, (frame.top + frame.bottom) / 2);
      context.rotate(-Math.PI / 2);
      context.textAlign = "center";
      context.fillText(label, 0, 0);
      context.restore();
    }
  }

  /** The smallest of low, low·factor, low·factor², … that is not below a value: a picture that zooms by small steps does not tremble. */
  function stepped(low, factor, value) {
    return value <= low ? low : low * factor ** Math.ceil(Math.log(value / low) / Math.log(factor) - 1e-9);
  }

  /** The part of the landscape to show: |x| up to `half`, y from `low` down to `high`. */
  function firstWindow() {
    return { half: X_HALF, low: 0, high: Y_DEPTH };
  }

  /** A window, or one as much deeper and wider as the walkers need; when they come together again it narrows, little by little. */
  function grownWindow(before, swarm) {
    const living = [...swarm.alive.keys()].filter((k) => swarm.alive[k]);
    if (!living.length) return before;
    const quantile = (values, share) => values.sort((a, b) => a - b)[Math.floor(share * (values.length - 1))];
    const needed = stepped(X_HALF, 1.02, 1.5 * quantile(living.map((k) => Math.abs(swarm.x[k])), KEPT));
    const ys = living.map((k) => swarm.y[k]), deep = quantile(ys, KEPT), high = quantile(ys, 1 - KEPT);
    return {
      half: Math.max(needed, before.half * (before.half > NARROWS * needed ? 0.97 : 1)),
      low: high < 0 ? swarm.land.yMin : before.low,
      high: Math.max(before.high, stepped(Y_DEPTH, 1.02, 1.25 * deep)),
    };
  }

  /** Frame and scales of the landscape on a canvas of this size. */
  function landscapePlaces(width, height, { half, low, high }) {
    const frame = { left: 52, top: 26, right: width - 8, bottom: height - 42 };
    return { frame, toX: scale([-half, half], [frame.left, frame.right]), toY: scale([low, high], [frame.top, frame.bottom]) };
  }

  /** The loss above the floors as colour on a coarse grid: each valley in its own colour, strongest on its floor. */
  function heat(land, colours, { half, low, high }) {
    const nx = 120, ny = 90, canvas = blank(nx, ny), context = canvas.getContext("2d"), image = context.createImageData(nx, ny);
    const hill = rgb(colours.hill), tints = [rgb(colours.sharp), rgb(colours.flat)];
    for (let i = 0; i < nx * ny; i++) {
      const x = half * ((2 * ((i % nx) + 0.5)) / nx - 1);
      const y = low + ((Math.floor(i / nx) + 0.5) / ny) * (high - low);
      const deep = Math.exp(-aboveFloor(land, x, y) / 0.09);
      const parted = barrier(land, y) / (barrier(land, y) + 0.02); // where no ridge stands there are no two valleys to colour
      const amount = 0.04 + deep * (0.12 + 0.3 * parted);
      const flat = 1 / (1 + Math.exp(-x / 0.02)); // the colours change over softly on the ridge
      for (let part = 0; part < 3; part++) {
        const tint = tints[0][part] * (1 - flat) + tints[1][part] * flat;
        image.data[4 * i + part] = hill[part] + (tint - hill[part]) * amount;
      }
      image.data[4 * i + 3] = 255;
    }
    context.putImageData(image, 0, 0);
    return canvas;
  }

  /** Contours of the loss above the floors; on each side they are x = floor ± √(level·f), and meet on the ridge where it is as high as the level. */
  function contours(context, land, high, { toX, toY }) {
    const ys = Array.from({ length: 121 }, (_, i) => (i / 120) * high);
    for (const level of LEVELS) {
      const root = Math.sqrt(level), meeting = root < 1 ? (20 * root) / (1 - root) : Infinity; // barrier = level
      for (const [side, sign] of [[0, 1], [1, -1]]) {
        const offset = (y) => Math.sqrt(level * flatness(land, y)[side]) * sign;
        trace(context, ys.map((y) => [toX(floors(land, y)[side] + offset(y)), toY(y)]));
        const inner = [meeting, ...ys.filter((y) => y > meeting)].filter((y) => y <= high);
        trace(context, inner.map((y) => [toX(y === meeting ? 0 : floors(land, y)[side] - offset(y)), toY(y)]));
      }
    }
  }

  function trace(context, points) {
    context.beginPath();
    points.forEach(([x, y], i) => (i ? context.lineTo(x, y) : context.moveTo(x, y)));
    context.stroke();
  }

  /** The landscape without walkers, drawn once for a γ, a size and a theme. */
  function background(land, colours, window, width, height, ratio) {
    const canvas = blank(Math.round(width * ratio), Math.round(height * ratio)), context = canvas.getContext("2d");
    const places = landscapePlaces(width, height, window), { frame, toX, toY } = places;
    context.scale(ratio, ratio);
    context.save();
    context.beginPath();
    context.rect(frame.left, frame.top, frame.right - frame.left, frame.bottom - frame.top);
    context.clip();
    context.imageSmoothingQuality = "high";
    context.drawImage(heat(land, colours, window), frame.left, frame.top, frame.right - frame.left, frame.bottom - frame.top);
    context.strokeStyle = colours.ink;
    context.globalAlpha = 0.22;
    context.lineWidth = 0.8;
    contours(context, land, window.high, places);
    context.globalAlpha = 0.8;
    context.lineWidth = 1.5;
    context.setLineDash([5, 4]);
    for (const [side, colour] of [[0, colours.flat], [1, colours.sharp]]) {
      context.strokeStyle = colour;
      trace(context, Array.from({ length: 61 }, (_, i) => (i / 60) ** 2 * window.high).map((y) => [toX(floors(land, y)[side]), toY(y)]));
    }
    context.restore();
    axis(context, colours, frame, { along: "x", ticks: roundTicks(-window.half, window.half, 4), place: toX, label: "x, across the valleys", format: onAxis });
    const ticks = roundTicks(window.low, window.high, 5);
    axis(context, colours, frame, { along: "y", ticks, place: toY, label: "y, progress of training (downwards)", format: onAxis });
    headings(context, colours, frame);
    return canvas;
  }

  function headings(context, colours, frame) {
    const middle = (frame.left + frame.right) / 2, quarter = (frame.right - frame.left) / 4;
    context.font = `600 ${colours.font}`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    for (const [text, colour, at] of [["sharp valley", colours.sharpText, middle - quarter], ["flat valley", colours.flatText, middle + quarter]]) {
      context.fillStyle = colour;
      context.fillText(text, at, frame.top - 13);
    }
  }

  /** A translucent disc of one colour, drawn once and stamped for each walker: where many lie on one another it is dense. */
  function stamp(colour, ratio, radius) {
    const size = Math.ceil((radius + 2) * 2 * ratio), canvas = blank(size, size), context = canvas.getContext("2d");
    context.scale(ratio, ratio);
    context.beginPath();
    context.arc(radius + 2, radius + 2, radius, 0, 2 * Math.PI);
    context.fillStyle = context.strokeStyle = colour;
    context.globalAlpha = 0.2;
    context.fill();
    context.globalAlpha = 0.45;
    context.lineWidth = 0.7;
    context.stroke();
    return canvas;
  }

  /** A ring around a walker that is to be told from the others. */
  function ring(context, colours, x, y) {
    for (const [colour, width] of [[colours.ground, 4], [colours.text, 2]]) {
      context.strokeStyle = colour;
      context.lineWidth = width;
      context.beginPath();
      context.arc(x, y, 6, 0, 2 * Math.PI);
      context.stroke();
    }
  }

  /** An even scatter of numbers from −1 to 1, one for each k. */
  function scattered(k) {
    return ((k * 0.6180339887) % 1) * 2 - 1;
  }

  /**
   * The landscape from above with its walkers, in a window that grows with them. It remembers between drawings: the background, the window, the
   * ink that walkers leave where they have been, and how brightly each still glows from its last crossing.
   */
  function landscapeView(canvas) {
    const ink = blank(INK.width, INK.height), inkX = scale(INK.x, [0, INK.width]), inkY = scale(INK.y, [0, INK.height]);
    let still = {}, window = firstWindow(), glow = new Float32Array(0), seen = new Float64Array(0);

    /** Forget where walkers have been. */
    function clear() {
      ink.getContext("2d").clearRect(0, 0, INK.width, INK.height);
      window = firstWindow();
      seen = new Float64Array(0);
    }

    function prepare(swarm, colours, leapt) {
      window = grownWindow(leapt ? firstWindow() : window, swarm);
      const { land } = swarm, { context, width, height, ratio } = fit(canvas);
      const key = [land.gamma, width, height, ratio, colours.hill, colours.font, window.half, window.low, window.high].join();
      if (still.key !== key) {
        const stamps = [colours.sharp, colours.flat].map((colour) => stamp(colour, ratio, 3.4));
        still = { key, ratio, image: background(land, colours, window, width, height, ratio), stamps, ...landscapePlaces(width, height, window) };
      }
      return { context, width, height, ratio };
    }

    /** Leave ink at the true place of every walker. */
    function stain(swarm, colours) {
      const context = ink.getContext("2d");
      context.globalAlpha = 0.1;
      for (const [sign, colour] of [[-1, colours.sharp], [1, colours.flat]]) {
        context.fillStyle = colour;
        for (let k = 0; k < swarm.x.length; k++) {
          if (swarm.x[k] >= 0 === sign > 0) context.fillRect(inkX(swarm.x[k]) - 1, inkY(swarm.y[k]) - 1, 2, 2);
        }
      }
    }

    /** Note who has crossed since the last drawing; after a leap in time nobody glows. */
    function light(swarm, leapt) {
      if (leapt || seen.length !== swarm.x.length) {
        seen = swarm.lastCrossing.slice();
        glow = new Float32Array(seen.length);
      }
      for (let k = 0; k < seen.length; k++) {
        glow[k] = swarm.lastCrossing[k] !== seen[k] ? 1 : glow[k] * GLOW_FADES;
        seen[k] = swarm.lastCrossing[k];
      }
    }

    /** A tick on the ridge where each walker made its last crossing so far. */
    function crossings(context, swarm, colours) {
      context.globalAlpha = 0.4;
      for (const [sign, colour] of [[-1, colours.sharp], [1, colours.flat]]) {
        context.fillStyle = colour;
        for (let k = 0; k < swarm.x.length; k++) {
          if (swarm.lastCrossing[k] === 1 || swarm.x[k] >= 0 !== sign > 0) continue;
          context.fillRect(still.toX(0) + (sign > 0 ? 0 : -8), still.toY(swarm.crossingY[k]) - 0.5, 8, 1);
        }
      }
      context.globalAlpha = 1;
    }

    function discs(context, swarm, colours, ratio) {
      for (let k = 0; k < swarm.x.length; k++) {
        if (!swarm.alive[k]) continue;
        const flat = swarm.x[k] >= 0 ? 1 : 0, image = still.stamps[flat];
        const x = still.toX(swarm.x[k]), y = still.toY(swarm.y[k]) + lift(k);
        if (glow[k] > 0.05) {
          context.globalAlpha = glow[k] * 0.45;
          context.fillStyle = flat ? colours.flat : colours.sharp;
          context.beginPath();
          context.arc(x, y, 4 + 4 * glow[k], 0, 2 * Math.PI);
          context.fill();
          context.globalAlpha = 1;
        }
        const size = image.width / ratio;
        context.drawImage(image, x - size / 2, y - size / 2, size, size);
      }
    }

    /** The walker who is followed: its way so far, and a ring around it. */
    function follow(context, swarm, colours, { walker, path }) {
      const here = [swarm.x[walker], swarm.y[walker]], [x, y] = [still.toX(here[0]), still.toY(here[1]) + lift(walker)];
      context.strokeStyle = colours.text;
      context.lineJoin = "round";
      context.lineWidth = 1.2;
      trace(context, [...path, here].map(([x, y]) => [still.toX(x), still.toY(y)]));
      ring(context, colours, x, y);
    }

    /** How far below its place a walker is drawn. */
    function lift(k) {
      return scattered(k) * BAND * (still.frame.bottom - still.frame.top);
    }

    /**
     * Draw the walkers of `swarm` where they are; `leapt` if they have not been watched on their way.
     * @param {?{walker: number, path: number[][]}} followed one of them, and the (x, y) where it has been
     */
    function draw(swarm, colours, leapt, followed = null) {
      const { context, width, height, ratio } = prepare(swarm, colours, leapt), { frame } = still;
      light(swarm, leapt);
      context.clearRect(0, 0, width, height);
      context.drawImage(still.image, 0, 0, width, height);
      context.save();
      context.beginPath();
      context.rect(frame.left, frame.top, frame.right - frame.left, frame.bottom - frame.top);
      context.clip();
      const [left, right] = INK.x.map(still.toX), [top, bottom] = INK.y.map(still.toY);
      context.drawImage(ink, left, top, right - left, bottom - top);
      crossings(context, swarm, colours);
      discs(context, swarm, colours, ratio);
      if (followed && swarm.alive[followed.walker]) follow(context, swarm, colours, followed);
      context.restore();
    }

    /** What the picture shows, and how many walkers are outside of it. */
    function shown(swarm) {
      const outside = (k) => Math.abs(swarm.x[k]) > window.half || swarm.y[k] > window.high || swarm.y[k] < window.low;
      return { ...window, nOutside: [...swarm.alive.keys()].filter((k) => swarm.alive[k] && outside(k)).length };
    }

    return { draw, stain, clear, shown };
  }

  return { T_RANGE, palette, fit, scale, axis, trace, headings, mixed, ring, roundTicks, onAxis, stamp, scattered, landscapeView };
})();
