/**
 * The living landscape of the front page: sections through the two valleys, one behind the other, and walkers that roll towards the reader.
 *
 * The walkers are those of physics.js, the model of chapter 4, at one setting; each round takes another seed. Where motion is unwanted one
 * moment of a run stands still. Nothing moves while the picture is out of sight, or when the reader has paused it.
 */
(() => {
  "use strict";

  const { aboveFloor, advance, floors, swarm } = ExplorerPhysics;
  const SETTING = { learningRate: 0.01, noiseStrength: 0.15, gamma: 1.515, startY: 0.2 };
  const N_WALKERS = 90;
  const FARTHEST_Y = 28, WIDEST_X = 0.95;
  const N_SECTIONS = 30, N_POINTS = 121;
  const LABELS = 28; // pixels below the landscape, for the names of the valleys
  const CEILING = 0.75; // towards which the loss above the floors is bent, so that the walls do not hide what lies behind
  const ROUND = 22, REST = 2.5; // seconds of a round, and at its end
  const T_RANGE = [0.6, 1200]; // times η·step at the first and at the last picture of a round, evenly spread on a logarithmic scale
  const STILL = 0.9; // of a round: the moment that stands where motion is unwanted
  const SPREAD = 0.13; // of the walkers towards and away from the reader, for the eye
  const CHUNK = 400; // steps between two looks at the clock
  const BUDGET = 8; // milliseconds a picture may compute

  const root = document.getElementById("hero");
  const canvas = root.querySelector("canvas"), button = root.querySelector("button");
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  let walkers = null, seed = 1, begun = null, paused = false, inSight = true, asked = 0, places = null;

  /** The colours of the theme in force, as landing.css names them. */
  function palette() {
    const style = getComputedStyle(root);
    return Object.fromEntries(["flat", "sharp", "ground", "far", "rim"].map((name) => [name, style.getPropertyValue(`--hero-${name}`).trim()]));
  }

  /** How near a section at this y is, from 0 at the back to 1 in front: early times get more room, as most happens there. */
  const nearness = (y) => Math.log1p(Math.max(y, 0)) / Math.log1p(FARTHEST_Y);

  /** The y of a section that is so near. */
  const yAt = (near) => Math.expm1(near * Math.log1p(FARTHEST_Y));

  /** Height of the surface above the floors of its section. */
  const height = (land, x, y) => CEILING * (1 - Math.exp(-aboveFloor(land, x, y) / CEILING));

  /** Pixels of a canvas of this size: what lies near is wider, lower and higher. */
  function perspective(width, tall) {
    const scale = (near) => 0.5 + 0.5 * near;
    const half = Math.min(width / 2 - 8, tall * 1.5);
    return {
      x: (x, near) => width / 2 + (x / WIDEST_X) * half * scale(near),
      y: (above, near) => (tall - LABELS) * (0.3 + 0.7 * near) - above * (tall - LABELS) * 0.72 * scale(near),
      size: (near) => 2.4 + 3 * near,
    };
  }

  function fit() {
    const ratio = Math.min(devicePixelRatio || 1, 2), width = canvas.clientWidth, height = canvas.clientHeight;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      Object.assign(canvas, { width: Math.round(width * ratio), height: Math.round(height * ratio) });
    }
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    places = perspective(width, height);
    return { context, width, bottom: height };
  }

  /** One section through the landscape: a line with the colour of each side, and ground below it that hides what lies behind. */
  function section(context, land, near, colours, bottom) {
    const y = yAt(near), xs = Array.from({ length: N_POINTS }, (_, i) => ((2 * i) / (N_POINTS - 1) - 1) * WIDEST_X);
    const points = xs.map((x) => [places.x(x, near), places.y(height(land, x, y), near), x]);
    context.beginPath();
    points.forEach(([x, top]) => context.lineTo(x, top));
    context.lineTo(points.at(-1)[0], bottom);
    context.lineTo(points[0][0], bottom);
    context.fillStyle = colours.ground;
    context.globalAlpha = 0.86;
    context.fill();
    context.globalAlpha = 0.25 + 0.6 * near;
    context.lineWidth = 0.7 + 1.1 * near;
    context.lineJoin = "round";
    for (const [side, colour] of [[-1, colours.sharp], [1, colours.flat]]) {
      context.beginPath();
      points.filter((point) => side * point[2] >= -1e-9).forEach(([x, top]) => context.lineTo(x, top));
      context.strokeStyle = mixed(colours.far, colour, 0.35 + 0.65 * near);
      context.stroke();
    }
    context.globalAlpha = 1;
  }

  /** A colour between two, as what is far fades. */
  function mixed(from, to, part) {
    const [a, b] = [from, to].map((colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16)));
    return `rgb(${a.map((value, i) => Math.round(value + (b[i] - value) * part)).join(",")})`;
  }

  /** How near a walker is drawn: a little before or behind its place, or they would hide one another. */
  const place = (k) => nearness(walkers.y[k]) + SPREAD * (((k * 0.6180339887) % 1) - 0.5);

  function walker(context, land, k, colours) {
    const near = place(k), x = walkers.x[k], size = places.size(near);
    context.beginPath();
    context.arc(places.x(x, near), places.y(height(land, x, yAt(near)), near) - 0.6 * size, size, 0, 2 * Math.PI);
    context.fillStyle = x >= 0 ? colours.flat : colours.sharp;
    context.globalAlpha = 0.8;
    context.fill();
    context.globalAlpha = 1;
    context.lineWidth = 0.8;
    context.strokeStyle = colours.rim;
    context.stroke();
  }

  /** The landscape from back to front, each walker before the section that it has just passed. */
  function draw() {
    const { context, width, bottom } = fit(), colours = palette(), land = walkers.land;
    context.clearRect(0, 0, width, bottom);
    const waiting = [...walkers.alive.keys()].filter((k) => walkers.alive[k]).sort((a, b) => place(a) - place(b));
    for (let i = 0; i < N_SECTIONS; i++) {
      section(context, land, i / (N_SECTIONS - 1), colours, bottom);
      const next = i + 1 < N_SECTIONS ? (i + 1) / (N_SECTIONS - 1) : Infinity;
      while (waiting.length && place(waiting[0]) < next) walker(context, land, waiting.shift(), colours);
    }
    labels(context, land, colours);
  }

  /** The names of the valleys, on their floors in front. */
  function labels(context, land, colours) {
    const [flat, sharp] = floors(land, FARTHEST_Y);
    context.font = `600 13px ${getComputedStyle(root).fontFamily}`;
    context.textAlign = "center";
    context.textBaseline = "top";
    for (const [text, x, colour] of [["sharp valley", sharp, colours.sharp], ["flat valley", flat, colours.flat]]) {
      context.fillStyle = colour;
      context.fillText(text, places.x(x, 1), places.y(0, 1) + 9);
    }
  }

  /** Begin a round with another seed. */
  function begin() {
    walkers = swarm({ ...SETTING, seed: seed++ }, N_WALKERS);
    begun = null;
  }

  /** The step at which a part of the round has passed. */
  const stepAt = (part) => Math.round((T_RANGE[0] * (T_RANGE[1] / T_RANGE[0]) ** Math.min(part, 1)) / SETTING.learningRate);

  /** Compute on to a step, as far as the time of one picture allows; true once it is reached. */
  function catchUp(target, budget) {
    const until = performance.now() + budget;
    while (walkers.step < target && performance.now() < until) advance(walkers, Math.min(CHUNK, target - walkers.step));
    return walkers.step >= target;
  }

  function frame(now) {
    asked = 0;
    begun ??= now;
    const part = (now - begun) / 1000 / ROUND;
    const isThere = catchUp(stepAt(part), BUDGET);
    draw();
    if (part > 1 + REST / ROUND && isThere) begin();
    ask();
  }

  function ask() {
    const moves = inSight && !paused && !document.hidden && !calm.matches;
    if (moves && !asked) asked = requestAnimationFrame(frame);
    if (!moves && asked) asked = void cancelAnimationFrame(asked) ?? 0;
    root.dataset.mode = moves ? "moving" : "still";
    button.hidden = calm.matches;
    button.textContent = paused ? "Play" : "Pause";
  }

  /** Go on where the round was left: the time in which nothing moved does not count. */
  function resume() {
    const part = Math.log((walkers.step * SETTING.learningRate) / T_RANGE[0]) / Math.log(T_RANGE[1] / T_RANGE[0]);
    begun = performance.now() - Math.max(part, 0) * ROUND * 1000;
    ask();
  }

  /** One moment of a run, where motion is unwanted. */
  function standStill() {
    begin();
    catchUp(stepAt(STILL), Infinity);
    draw();
  }

  canvas.hidden = false;
  if (calm.matches) standStill();
  else begin(), catchUp(stepAt(0), Infinity), draw();
  button.addEventListener("click", () => ((paused = !paused), paused ? ask() : resume()));
  document.addEventListener("visibilitychange", resume);
  calm.addEventListener("change", () => (calm.matches ? (ask(), standStill()) : resume()));
  new IntersectionObserver(([entry]) => ((inSight = entry.isIntersecting), resume())).observe(canvas);
  new ResizeObserver(draw).observe(canvas);
  new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  globalThis.Hero = { standStill, moment: (part) => (catchUp(stepAt(part), Infinity), draw()) };
  ask();
})();
