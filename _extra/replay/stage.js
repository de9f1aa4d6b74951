/**
 * What the films of the chapters share: pieces of a page, a canvas with axes, and a player with a button, a slider and keys. A film plays numbers that
 * stand in its page, as the chapter found them; nothing is computed here but what is shown.
 */
globalThis.Replay = (() => {
  "use strict";

  const COLOURS = ["ink", "muted", "line", "ground", "wall"]; // as replay.css names them, for each theme
  const CLEAR = 0.28; // luminance of a colour that stands out on dark ground, more than five to one
  const LONGEST_FRAME = 0.1; // seconds: after a pause of the browser a film goes on where it was

  /** Show each film of a name on this page. */
  function open(name, show) {
    for (const root of document.querySelectorAll(`.replay[data-film="${name}"]`)) {
      show(root, JSON.parse(root.querySelector("script[type='application/json']").textContent));
      root.dataset.mode = "still";
    }
  }

  /** A new element with attributes and what it holds. */
  function element(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    Object.entries(attributes).forEach(([name, value]) => made.setAttribute(name, value));
    made.append(...children);
    return made;
  }

  /** A picture with a heading, which says to listeners what is drawn. */
  function panel(name, heading, told) {
    const canvas = element("canvas", { role: "img", "aria-label": told });
    const head = heading ? [element("p", { class: "replay-heading" }, heading)] : [];
    return { canvas, whole: element("div", { class: `replay-panel replay-${name}` }, ...head, element("div", { class: "replay-canvas" }, canvas)) };
  }

  /** A list of numbers with names; `say(name, text)` changes one. */
  function numbers(names) {
    const places = Object.fromEntries(Object.keys(names).map((name) => [name, element("dd", { "data-part": name })]));
    const rows = Object.entries(names).map(([name, words]) => element("div", {}, element("dt", {}, words), places[name]));
    const say = (name, text) => places[name].textContent === text || (places[name].textContent = text);
    return { list: element("dl", { class: "replay-numbers" }, ...rows), say };
  }

  /** Names of what is drawn, each with a sample: a line, a dashed line or a square of a colour. */
  function keys(entries) {
    return element("p", { class: "replay-keys" }, ...entries.map(([kind, colour, words]) => {
      return element("span", { class: `replay-key replay-key-${kind}`, style: `--replay-key: ${colour}` }, words);
    }));
  }

  /** A canvas as large as its place on the page, at the sharpness of the screen, empty. */
  function fit(canvas) {
    const ratio = Math.min(globalThis.devicePixelRatio || 1, 2), width = canvas.clientWidth, height = canvas.clientHeight;
    const [wide, tall] = [width, height].map((size) => Math.round(size * ratio));
    if (canvas.width !== wide || canvas.height !== tall) Object.assign(canvas, { width: wide, height: tall });
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    context.lineJoin = context.lineCap = "round";
    return { context, width, height };
  }

  /** Colours and font of the theme in force. */
  function palette(root) {
    const style = getComputedStyle(root);
    const colours = Object.fromEntries(COLOURS.map((name) => [name, style.getPropertyValue(`--replay-${name}`).trim()]));
    return { ...colours, font: `12px ${style.fontFamily}` };
  }

  /** The luminance of a colour such as #0072b2, 0 to 1. */
  function luminance(colour) {
    const parts = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16) / 255);
    const [r, g, b] = parts.map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  }

  /** A colour, lightened on dark ground until it stands out there. */
  function legible(colour, ground) {
    if (luminance(ground) > 0.2) return colour;
    let seen = colour;
    for (let white = 0; white < 1 && luminance(seen) < CLEAR; white += 0.05) {
      const parts = [1, 3, 5].map((at) => Math.round((1 - white) * parseInt(colour.slice(at, at + 2), 16) + white * 255));
      seen = `#${parts.map((part) => part.toString(16).padStart(2, "0")).join("")}`;
    }
    return seen;
  }

  /** A straight or logarithmic scale from values to pixels. */
  function scale([low, high], [from, to], logarithmic = false) {
    const place = logarithmic ? Math.log : (value) => value, span = place(high) - place(low) || 1;
    return (value) => from + ((place(value) - place(low)) / span) * (to - from);
  }

  /** The least and the greatest of many numbers, of which some may be missing. */
  function range(values) {
    const known = values.flat(Infinity).filter((value) => value !== null);
    return [Math.min(...known), Math.max(...known)];
  }

  /** Round numbers between two values, about n of them. */
  function roundTicks([low, high], n) {
    const rough = (high - low) / n || 1, power = 10 ** Math.floor(Math.log10(rough));
    const step = power * [1, 2, 5, 10].find((each) => each * power >= rough * 0.999);
    const first = Math.ceil(low / step - 1e-9), count = Math.floor(high / step + 1e-9) - first + 1;
    return Array.from({ length: count }, (_, i) => Number(((first + i) * step).toPrecision(6)));
  }

  /** Powers of ten between two values. */
  function decades([low, high]) {
    const first = Math.ceil(Math.log10(low)), last = Math.floor(Math.log10(high));
    return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => Number(`1e${first + i}`));
  }

  /** Tick labels and light lines along one side of a frame. */
  function axis(context, colours, frame, { along, ticks, place, label = "" }) {
    const isX = along === "x";
    Object.assign(context, { font: colours.font, fillStyle: colours.muted, strokeStyle: colours.line, lineWidth: 1 });
    Object.assign(context, { textAlign: isX ? "center" : "right", textBaseline: isX ? "top" : "middle" });
    for (const tick of ticks) {
      const at = place(tick);
      line(context, isX ? [[at, frame.bottom], [at, frame.bottom + 4]] : [[frame.left, at], [frame.right, at]]);
      if (isX) context.fillText(tick, at, frame.bottom + 7);
      else context.fillText(tick, frame.left - 7, at);
    }
    if (label) context.fillText(label, (frame.left + frame.right) / 2, frame.bottom + 22);
  }

  /** A line through points; a point without a number is passed over. */
  function line(context, points) {
    context.beginPath();
    points.filter((point) => point.every(Number.isFinite)).forEach(([x, y]) => context.lineTo(x, y));
    context.stroke();
  }

  function dot(context, [x, y], radius, fill, rim) {
    if (!Number.isFinite(y)) return;
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    Object.assign(context, { fillStyle: fill, strokeStyle: rim, lineWidth: 1 });
    context.fill();
    context.stroke();
  }

  /** Points of values against places on a scale; a missing value has no point. */
  function pointsOf(values, toX, toY) {
    return values.map((value, i) => [toX(i), value === null ? NaN : toY(value)]);
  }

  /** A number with so many significant digits, without a power of ten where it is not tiny. */
  function digits(value, n) {
    return value === null ? "not measured" : String(Number(value.toPrecision(n)));
  }

  /**
   * Controls that move a film through its moments, 0 to `last`: a button, a slider, the arrow keys and the space bar. Nothing moves before a reader
   * asks. `draw(moment, isPlaying)` shows a moment, between two while it plays; `tell(moment)` says it in words; `rest(isStopped)` is called when
   * the film comes to rest, stopped by the reader or at its end.
   */
  function player(root, { last, start = 0, seconds, words, slides, draw, tell, rest = () => {} }) {
    const button = element("button", { type: "button" }, words.play);
    const slider = element("input", { type: "range", min: 0, max: last, step: 1, value: start, "aria-label": slides });
    const status = element("p", { class: "replay-listen", role: "status" });
    let moment = start, before = 0, asked = 0;

    function show() {
      const whole = Math.floor(moment);
      if (Number(slider.value) !== whole) slider.value = whole;
      slider.setAttribute("aria-valuetext", tell(whole));
      if (root.clientWidth) draw(moment, asked > 0); // nothing to draw on before the page is laid out
    }

    function frame(now) {
      const passed = Math.min(Math.max((now - before) / 1000, 0), LONGEST_FRAME); // a busy browser may stamp a frame before the press that asked for it
      moment = Math.min(last, moment + (passed * last) / seconds);
      before = now;
      if (moment >= last) return come("still");
      asked = requestAnimationFrame(frame);
      show();
    }

    /** Begin to play, or come to rest. */
    function come(mode) {
      cancelAnimationFrame(asked);
      root.dataset.mode = mode;
      button.textContent = mode === "playing" ? words.pause : words.play;
      before = performance.now();
      asked = mode === "playing" ? requestAnimationFrame(frame) : 0;
      if (mode === "playing" && moment >= last) moment = 0;
      if (mode === "still") (moment = Math.floor(moment)), (status.textContent = tell(moment)), rest(moment < last);
      show();
    }

    function put(value) {
      if (asked) come("still");
      moment = Math.min(last, Math.max(0, value));
      rest(false);
      show();
    }

    function key(event) {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (event.target === slider && event.key === " ") toggle();
      else if (event.target === button && step) put(Math.floor(moment) + step);
      else return;
      event.preventDefault();
    }

    const toggle = () => come(asked ? "still" : "playing");
    button.addEventListener("click", toggle);
    slider.addEventListener("input", () => put(Number(slider.value)));
    root.addEventListener("keydown", key);
    new ResizeObserver(show).observe(root);
    new MutationObserver(show).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    return { controls: element("div", { class: "replay-controls" }, button, slider, status), show };
  }

  return { open, element, panel, numbers, keys, fit, palette, legible, scale, range, roundTicks, decades, axis, line, dot, pointsOf, digits, player };
})();
