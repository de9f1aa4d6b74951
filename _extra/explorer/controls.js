/**
 * The explorer on its page: settings, buttons, the clock, and the numbers beside the drawings. The page works without it and shows a still figure.
 *
 * Settings live in the address, #eta=0.01&sigma=0.1&gamma=1.515&start=5&seed=1, so that a run can be handed on.
 */
(() => {
  "use strict";

  const { advance, landscape, summary, swarm } = ExplorerPhysics;
  const { balance, driftPath, transient, warnings } = ExplorerTheory;
  const { T_RANGE, Y_RANGE, drawCrossings, drawShare, landscapeView, palette } = ExplorerView;

  const N_PARTICLES = 400;
  const DURATION = T_RANGE[1]; // η·step
  const FRAME_BUDGET = 9; // milliseconds a frame may compute, of the 16.7 it has
  const CHUNK = 20; // steps between two looks at the clock
  const N_RECORDS = 240;
  const STAIN_EVERY = 2.5; // time between two dots of a trail
  const RATES = [0.005, 0.006, 0.008, 0.01, 0.012, 0.015, 0.02, 0.025, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.12, 0.15, 0.2, 0.25, 0.3, 0.4];
  const STRENGTHS = [
    0.002, 0.003, 0.004, 0.005, 0.006, 0.008, 0.01, 0.012, 0.015, 0.02, 0.025, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.12, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5,
    0.6, 0.8, 1,
  ];
  const START = { eta: 0.01, sigma: 0.1, gamma: 1.515, start: 5, seed: 1 };
  const LIMITS = { eta: [0.005, 0.4], sigma: [0.002, 1], gamma: [1, 2], start: [0.2, 5], seed: [0, 2 ** 31 - 1] };

  const root = document.getElementById("explorer");
  const part = (name) => root.querySelector(`[data-part="${name}"]`);
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const view = landscapeView(part("landscape"));

  let settings = { ...START }; // as in the address
  let run = null; // the particles, what theory says about them, and the records so far
  let colours = null; // of the theme in force
  let mode = "paused"; // "playing", "paused" or "computing"
  let owed = 0; // steps that the clock asks for and that have not been made
  let frameAsked = 0, rushAsked = 0, addressAsked = 0; // what the browser has been asked to call, one of each at most

  // ---- settings ----

  /** Settings of an address; what is missing or no number stays as it is, and what is too large or too small is cut. */
  function read(address, before) {
    const given = new URLSearchParams(address.replace(/^#/, "")), after = { ...before };
    for (const [name, [low, high]] of Object.entries(LIMITS)) {
      const value = given.get(name) ? Number(given.get(name)) : NaN;
      if (Number.isFinite(value)) after[name] = Math.min(high, Math.max(low, value));
    }
    return { ...after, start: after.start < 2 ? 0.2 : 5, seed: Math.floor(after.seed) };
  }

  function address() {
    return "#" + Object.entries(settings).map(([name, value]) => `${name}=${value}`).join("&");
  }

  /** Put the settings into the address, once they have come to rest: browsers refuse many changes in a row. */
  function remember() {
    clearTimeout(addressAsked);
    addressAsked = setTimeout(() => history.replaceState(null, "", address()), 200);
  }

  function nearest(values, value) {
    const away = values.map((each) => Math.abs(Math.log(each / value)));
    return away.indexOf(Math.min(...away));
  }

  /** The settings on the controls. */
  function show() {
    const places = { eta: nearest(RATES, settings.eta), sigma: nearest(STRENGTHS, settings.sigma), gamma: settings.gamma };
    for (const [name, place] of Object.entries(places)) {
      part(name).value = place;
      part(name).setAttribute("aria-valuetext", String(settings[name]));
      part(`${name}-value`).textContent = String(settings[name]);
    }
    part("start").value = String(settings.start);
    part("seed").textContent = String(settings.seed);
  }

  /** Take new settings and begin again with them; a swarm that was rolling goes on rolling. */
  function apply(change, { keep = true } = {}) {
    settings = { ...settings, ...change };
    if (keep) remember();
    show();
    begin();
  }

  // ---- the run ----

  /** Particles at the start, and the predictions for them. */
  function begin() {
    const setting = { learningRate: settings.eta, noiseStrength: settings.sigma, gamma: settings.gamma, startY: settings.start, seed: settings.seed };
    const land = landscape(settings.gamma), noise = settings.eta * settings.sigma;
    const times = Array.from({ length: N_RECORDS }, (_, i) => T_RANGE[0] / 10 * (DURATION / (T_RANGE[0] / 10)) ** (i / (N_RECORDS - 1)));
    const shares = balance(land, noise, driftPath(land, settings.start, [0, ...times])).slice(1);
    const due = [...new Set(times.map((time) => Math.max(1, Math.round(time / settings.eta))))];
    const records = { times: [], shares: [], errors: [] };
    const expected = { balance: { times, shares }, transient: transient(land, noise) };
    run = { swarm: swarm(setting, N_PARTICLES), ...expected, due, records, stained: STAIN_EVERY, last: due[due.length - 1] };
    owed = 0;
    view.clear();
    warn(warnings(setting, land, DURATION));
    paint();
    announce();
  }

  function finished() {
    return run.swarm.step >= run.last;
  }

  /** Make up to n steps, stopping when the milliseconds are used up; returns how many were made. */
  function compute(n, milliseconds) {
    const from = run.swarm.step, end = Math.min(run.last, from + n), stop = performance.now() + milliseconds;
    while (run.swarm.step < end && performance.now() < stop) {
      advance(run.swarm, Math.min(CHUNK, end - run.swarm.step, run.due[run.records.times.length] - run.swarm.step));
      if (run.swarm.step === run.due[run.records.times.length]) record();
      if (run.swarm.step * settings.eta < run.stained) continue;
      run.stained += STAIN_EVERY;
      view.stain(run.swarm, colours); // by the clock of the particles, so that the trail does not depend on the pace
    }
    return run.swarm.step - from;
  }

  function record() {
    const { pFlat, pFlatError } = summary(run.swarm);
    run.records.times.push(run.swarm.step * settings.eta);
    run.records.shares.push(pFlat);
    run.records.errors.push(pFlatError);
  }

  /** Time that passes in a frame: slowly at first, when most happens, and then faster. */
  function pace() {
    const time = run.swarm.step * settings.eta;
    return Math.min((time + 1) / 90, 2.5) * Number(part("speed").value);
  }

  function frame() {
    if (mode !== "playing") return;
    owed += pace() / settings.eta;
    const made = compute(Math.floor(owed), FRAME_BUDGET);
    owed = made < Math.floor(owed) ? 0 : owed - made; // a slow machine lags behind, and does not run after the clock
    paint();
    if (finished()) become("paused");
    else frameAsked = requestAnimationFrame(frame);
  }

  /** Everything that is left, without a moving picture; the page stays at hand between two pieces. */
  function rush() {
    if (mode !== "computing") return;
    compute(Infinity, 40);
    numbers();
    if (finished()) become("paused");
    else rushAsked = setTimeout(rush, 0);
  }

  function become(next) {
    const was = mode;
    mode = next;
    root.dataset.mode = mode;
    part("play").textContent = mode === "paused" ? "Play" : "Pause";
    announce();
    cancelAnimationFrame(frameAsked);
    clearTimeout(rushAsked);
    if (mode === "playing") frameAsked = requestAnimationFrame(frame);
    if (mode === "computing") rushAsked = setTimeout(rush, 0);
    if (mode === "paused" && was === "computing") paint(true);
  }

  // ---- what is shown ----

  function paint(leapt = false) {
    if (!part("landscape").clientWidth) return; // there is nothing to draw on before the page is laid out
    const time = run.swarm.step * settings.eta, found = numbers();
    view.draw(run.swarm, colours, leapt);
    drawShare(part("share"), colours, { history: run.records, balance: run.balance, transient: run.transient, time });
    drawCrossings(part("crossings"), colours, { swarm: run.swarm, mean: found.freezingTime, time });
  }

  function withError(value, error, digits) {
    return Number.isFinite(value) && Number.isFinite(error) ? `${value.toFixed(digits)} ± ${error.toFixed(digits)}` : "none";
  }

  /** What became of particles that the picture does not show. */
  function lost(found) {
    if (found.diverged) return `${Math.round(found.diverged * N_PARTICLES)} of ${N_PARTICLES} particles left the landscape and count no more.`;
    return run.swarm.y.some((y) => y > Y_RANGE[1]) ? `Some particles are below the picture, at y above ${Y_RANGE[1]}.` : "";
  }

  /** The numbers beside the drawings; they change silently, because a reader's voice could not keep up. */
  function numbers() {
    const found = summary(run.swarm), expected = run.balance.shares[run.balance.shares.length - 1], digits = found.freezingTime < 10 ? 2 : 1;
    const texts = {
      "p-flat": withError(found.pFlat, found.pFlatError, 3),
      "freezing-time": withError(found.freezingTime, found.freezingTimeError, digits),
      balance: expected.toFixed(3),
      transient: run.transient.toFixed(3),
      noise: String(Number((settings.eta * settings.sigma).toPrecision(3))),
      time: (run.swarm.step * settings.eta).toFixed(run.swarm.step * settings.eta < 10 ? 2 : 0),
      steps: run.swarm.step.toLocaleString("en-GB"),
      y: found.meanY.toFixed(1),
      hops: found.hops.toFixed(found.hops < 10 ? 2 : 0),
      lost: lost(found),
    };
    for (const [name, text] of Object.entries(texts)) if (part(name).textContent !== text) part(name).textContent = text;
    return found;
  }

  function warn(sentences) {
    const list = part("warnings"), items = sentences.map((sentence) => Object.assign(document.createElement("li"), { textContent: sentence }));
    if (list.textContent !== sentences.join("")) list.replaceChildren(...items);
    list.hidden = sentences.length === 0;
  }

  /** Three digits, and no power of ten, which no voice reads well. */
  function plain(value) {
    return value < 100 ? String(Number(value.toPrecision(3))) : value.toFixed(0);
  }

  /** One sentence for those who listen, when something begins or ends. */
  function announce() {
    const found = summary(run.swarm), time = plain(run.swarm.step * settings.eta);
    const result = `flat fraction ${found.pFlat.toFixed(2)}, mean freezing time ${plain(found.freezingTime)}`;
    const sentence = {
      playing: "Rolling.",
      computing: "Computing to the end.",
      paused: run.swarm.step === 0 ? "At the start." : `${finished() ? "Finished" : "Paused"} at time ${time}: ${result}.`,
    }[mode];
    if (part("status").textContent !== sentence) part("status").textContent = sentence;
  }

  // ---- the page ----

  function choose(text) {
    apply(read(text, settings));
    if (!calm.matches) become("playing");
  }

  const actions = {
    play: () => {
      if (mode !== "paused") return become("paused");
      if (finished()) begin();
      become("playing");
    },
    step: () => {
      become("paused");
      compute(1, Infinity);
      paint();
      announce();
    },
    end: () => {
      if (finished()) begin();
      become("computing");
    },
    again: () => {
      become("paused");
      begin();
    },
    reseed: () => apply({ seed: Math.floor(Math.random() * 10000) }),
  };

  function listen() {
    for (const [name, action] of Object.entries(actions)) part(name).addEventListener("click", action);
    part("eta").addEventListener("input", () => apply({ eta: RATES[part("eta").value] }));
    part("sigma").addEventListener("input", () => apply({ sigma: STRENGTHS[part("sigma").value] }));
    part("gamma").addEventListener("input", () => apply({ gamma: Number(part("gamma").value) }));
    part("start").addEventListener("change", () => apply({ start: Number(part("start").value) }));
    for (const button of document.querySelectorAll("[data-explorer-settings]")) {
      button.hidden = false;
      button.addEventListener("click", () => {
        choose(button.dataset.explorerSettings);
        if (root.contains(button)) return;
        root.scrollIntoView({ behavior: calm.matches ? "auto" : "smooth" });
        part("play").focus({ preventScroll: true });
      });
    }
    addEventListener("hashchange", () => location.hash.includes("=") && apply(read(location.hash, settings), { keep: false }));
    calm.addEventListener("change", () => calm.matches && become("paused"));
    new ResizeObserver(() => paint()).observe(root);
    new MutationObserver(repaint).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  }

  function repaint() {
    colours = palette(root);
    paint();
  }

  /** Put the explorer in the place of the still figure. */
  function open() {
    for (const [name, values] of [["eta", RATES], ["sigma", STRENGTHS]]) part(name).max = values.length - 1;
    root.hidden = false;
    document.getElementById("explorer-still").hidden = true;
    colours = palette(root);
    settings = read(location.hash, START);
    show();
    begin();
    listen();
    if (!calm.matches) become("playing");
  }

  // The style sheet stands in the body of the page, and may come after the scripts.
  const sheet = document.querySelector('link[href$="explorer.css"]');
  if (sheet.sheet) open();
  else sheet.addEventListener("load", open);
})();
