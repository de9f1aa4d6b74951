/**
 * A small live version of the explorer inside a figure of a chapter: one or two side views, a button, and two or three controls. `live.js` opens it.
 */
globalThis.ExplorerLive = (() => {
  "use strict";

  const { barrier, floors, summary } = ExplorerPhysics;
  const { stationaryShare, temperature } = ExplorerTheory;
  const { begin, compute, finished, pace, timeOf } = ExplorerRun;
  const { palette } = ExplorerView;

  const N_WALKERS = 200;
  const RATE = 0.01; // learning rate η of all
  const GAMMA = 1.515;
  const BUDGET = 6; // milliseconds that a picture of one panel may compute
  const HELD_PACE = 0.3; // time η·step that passes in a picture where y is held
  const SETTLED = 3; // time from which walkers whose y is held are counted
  const STRENGTHS = [0.01, 0.015, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3];
  const NOISES = [1e-4, 2e-4, 3e-4, 5e-4, 7e-4, 1e-3, 1.5e-3, 2e-3, 3e-3, 5e-3, 7e-3, 0.01];
  const YS = [0.5, 1, 2, 3, 4, 5, 7, 10, 15, 20, 30, 40];

  const SLIDERS = {
    strength: { label: "Noise strength σ", values: STRENGTHS },
    noise: { label: "Effective noise", values: NOISES },
    y: { label: "Place y", values: YS },
  };
  const CHOICE = { label: "Noise", values: { curvature: "follows curvature", uniform: "uniform", none: "none" } };

  /** What each kind shows: values at the start, of which sliders and the choice follow, and its panels, each a setting of physics.js by these values. */
  const KINDS = {
    swarm: {
      values: { strength: 0.1, kind: "curvature" },
      panels: [({ strength, kind }) => ({ noiseStrength: strength, noise: kind, startY: 0.2 })],
    },
    held: {
      values: { noise: 2e-3, y: 5 },
      panels: [({ noise, y }) => ({ noiseStrength: noise / RATE, startY: y, held: true })],
    },
    race: {
      values: { noise: 1e-3 },
      panels: [
        ({ noise }) => ({ noiseStrength: noise / RATE, startY: 3, held: true }),
        ({ noise }) => ({ noiseStrength: noise / RATE, startY: 0.2 }),
      ],
    },
    row: {
      values: { noise: 1e-3 },
      panels: [({ noise }) => ({ noiseStrength: noise / RATE })],
      runOf: (...all) => ExplorerRowView.rowRun(...all),
    },
  };

  function made(tag, attributes = {}, ...children) {
    const element = Object.assign(document.createElement(tag), attributes);
    element.append(...children);
    return element;
  }

  /** The next larger number of a scale in small steps: a picture that zooms by them does not tremble. */
  function stepped(value) {
    return 1.06 ** Math.ceil(Math.log(value) / Math.log(1.06));
  }

  /** The picture at `y` under a noise: as wide as walkers spread around both floors, as high as they climb, or a little higher than the ridge. */
  function windowAt(land, y, noise) {
    const half = stepped(1.2 * floors(land, y)[0] + 3.2 * Math.sqrt(noise));
    return { half, top: stepped(Math.max(1.5 * barrier(land, y), 5 * temperature(land, y, noise), 0.02)) };
  }

  /** A swarm between two valleys: what passes in one picture, and what is drawn and said of it. */
  function pairRun(setting, n, budget, canvas) {
    const run = begin(setting, n), side = ExplorerSide.sideView(canvas), { land } = run.swarm, { held = false, startY, noiseStrength } = setting;
    let sum = 0, times = 0;
    if (held) run.last = Infinity;

    function advance() {
      compute(run, Math.ceil((held ? HELD_PACE : pace(run, 1)) / RATE), budget);
      if (held && timeOf(run) > SETTLED) [sum, times] = [sum + summary(run.swarm).pFlat, times + 1];
    }

    function draw(colours) {
      const { pFlat, meanY } = summary(run.swarm);
      side.draw(run.swarm, colours, { y: meanY, ...windowAt(land, meanY, RATE * noiseStrength) });
      if (!held) return `Now at y = ${meanY.toFixed(1)}: flat share ${pFlat.toFixed(2)}`;
      const share = stationaryShare(land, startY, RATE * noiseStrength);
      return `Held at y = ${startY}: flat share ${(times ? sum / times : pFlat).toFixed(2)}, in theory ${share.toFixed(2)}`;
    }

    return { advance, draw, finished: () => finished(run) };
  }

  /** One picture with a line of text above it, and a swarm that begins anew when it is told to. */
  function panel(root, settingOf, runOf) {
    const text = made("p", { className: "explorer-live-text" }), canvas = made("canvas");
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", "A section through the valleys with walkers in it. What is to be read from it stands in the line above.");
    root.append(made("div", { className: "explorer-panel" }, text, made("div", { className: "explorer-canvas" }, canvas)));
    let run = null;
    return {
      start: (values) => (run = runOf({ learningRate: RATE, gamma: GAMMA, seed: 1, ...settingOf(values) }, N_WALKERS, BUDGET, canvas)),
      advance: () => run.advance(),
      draw: (colours) => (text.textContent = run.draw(colours)),
      finished: () => run.finished(),
    };
  }

  /** A slider over the values that may be chosen, with its name and its value. */
  function slider(name, values, change) {
    const { label, values: all } = SLIDERS[name], output = made("b");
    const input = made("input", { type: "range", min: 0, max: all.length - 1, step: 1, value: all.indexOf(values[name]) });
    const show = () => {
      output.textContent = String(all[input.value]);
      input.setAttribute("aria-valuetext", output.textContent);
    };
    input.addEventListener("input", () => (show(), change({ [name]: all[input.value] })));
    show();
    return made("label", {}, made("span", { className: "explorer-heading" }, label, output), input);
  }

  function choice(values, change) {
    const options = Object.entries(CHOICE.values).map(([value, textContent]) => made("option", { value, textContent }));
    const select = made("select", {}, ...options);
    select.addEventListener("change", () => change({ kind: select.value }));
    return made("label", { className: "explorer-choice" }, CHOICE.label, select);
  }

  /** Put a live version of `place.dataset.explorer` into a figure, in the place of its picture. */
  function open(place, figure) {
    const kind = KINDS[place.dataset.explorer], calm = matchMedia("(prefers-reduced-motion: reduce)");
    const pictures = made("div", { className: "explorer-live-panels" }), controls = made("div", { className: "explorer-live-controls" });
    const panels = kind.panels.map((settingOf) => panel(pictures, settingOf, kind.runOf ?? pairRun));
    let values = { ...kind.values }, colours = palette(place), playing = false, inSight = true, asked = 0;

    function draw() {
      if (place.clientWidth) panels.forEach((each) => each.draw(colours));
    }

    function start() {
      panels.forEach((each) => each.start(values));
      draw();
    }

    function frame() {
      panels.forEach((each) => each.finished() || each.advance());
      draw();
      if (panels.every((each) => each.finished())) play(false);
      else asked = requestAnimationFrame(frame);
    }

    function play(next) {
      playing = next;
      main.textContent = playing ? "Pause" : "Play";
      place.dataset.mode = playing ? "playing" : "paused";
      cancelAnimationFrame(asked);
      if (playing && inSight) asked = requestAnimationFrame(frame);
    }

    function change(some) {
      values = { ...values, ...some };
      start();
    }

    const main = made("button", { type: "button", className: "explorer-main", onclick: () => {
      if (!playing && panels.every((each) => each.finished())) start();
      play(!playing);
    } });
    const again = made("button", { type: "button", textContent: "Again", onclick: () => (start(), play(!calm.matches)) });
    const sliders = Object.keys(values).filter((name) => name in SLIDERS).map((name) => slider(name, values, change));
    controls.append(made("div", { className: "explorer-row" }, main, again), ...sliders, ...("kind" in values ? [choice(values, change)] : []));
    place.className = "explorer explorer-live";
    place.append(pictures, controls);
    place.hidden = false;
    figure.querySelectorAll("img, svg").forEach((still) => (still.hidden = true));
    figure.prepend(place);
    colours = palette(place);
    start();
    play(!calm.matches);
    new ResizeObserver(draw).observe(place);
    new MutationObserver(() => ((colours = palette(place)), draw())).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    new IntersectionObserver(([{ isIntersecting }]) => ((inSight = isIntersecting), play(playing))).observe(place);
  }

  return { open };
})();
