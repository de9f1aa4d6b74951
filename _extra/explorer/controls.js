/**
 * The explorer on its page: settings, buttons, the clock, and the numbers beside the drawings. The page works without it and shows a still figure.
 *
 * Settings live in the address, #eta=0.01&sigma=0.1&gamma=1.515&start=5&seed=1&noise=curvature, so that a run can be handed on.
 */
(() => {
  "use strict";

  const { NOISES, advance, barrier, landscape, summary, swarm } = ExplorerPhysics;
  const { predictions, warnings } = ExplorerTheory;
  const { T_RANGE, drawCrossings, drawShare, landscapeView, palette } = ExplorerView;

  const N_WALKERS = 400;
  const DURATION = T_RANGE[1]; // η·step
  const FRAME_BUDGET = 9; // milliseconds a frame may compute, of the 16.7 it has
  const QUIET_BUDGET = 24; // where nothing is left to happen, time may run less smoothly
  const CHUNK = 20; // steps between two looks at the clock
  const N_RECORDS = 240;
  const STAIN_EVERY = 2.5; // time between two dots of a trail
  const USUAL = { high: 40, half: 1 }; // of the picture: what is seen beyond has to be said
  const QUIET = 2; // walkers count as frozen once no one has crossed for as long again as it took to the last crossing
  const DASHES = { balance: [7, 4], transient: [1.6, 4], boltzmann: [1.6, 4] };
  const WORDS = {
    curvature: "",
    uniform: "The other theories are for noise that follows curvature.",
    none: "No theory is drawn: without noise the gradient alone decides.",
  };
  const ALL_WELL = {
    curvature: "The step is small, and the noise neither too weak nor too strong: theory should hold here.",
    uniform: "The step is small. The Boltzmann weight holds for as long as walkers hop often.",
    none: "The step is small: each walker rolls down on the side where it was put.",
  };
  const RATES = [0.005, 0.006, 0.008, 0.01, 0.012, 0.015, 0.02, 0.025, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.12, 0.15, 0.2, 0.25, 0.3, 0.4];
  const STRENGTHS = [
    0.002, 0.003, 0.004, 0.005, 0.006, 0.008, 0.01, 0.012, 0.015, 0.02, 0.025, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.12, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5,
    0.6, 0.8, 1,
  ];
  const START = { eta: 0.01, sigma: 0.1, gamma: 1.515, start: 5, seed: 1, noise: NOISES[0] };
  const LIMITS = { eta: [0.005, 0.4], sigma: [0.002, 1], gamma: [1, 2], start: [0.2, 5], seed: [0, 2 ** 31 - 1] };

  const root = document.getElementById("explorer");
  const part = (name) => root.querySelector(`[data-part="${name}"]`);
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const view = landscapeView(part("landscape")), side = ExplorerSide.sideView(part("side"));

  let settings = { ...START }; // as in the address
  let run = null; // the walkers, what theory says about them, and the records so far
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
    if (NOISES.includes(given.get("noise"))) after.noise = given.get("noise");
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

  /** The switch between kinds of noise. */
  function choices() {
    return root.querySelectorAll("[name=explorer-noise]");
  }

  /** The settings on the controls. */
  function show() {
    const places = { eta: nearest(RATES, settings.eta), sigma: nearest(STRENGTHS, settings.sigma), gamma: settings.gamma };
    for (const [name, place] of Object.entries(places)) {
      part(name).value = place;
      part(name).setAttribute("aria-valuetext", String(settings[name]));
      part(`${name}-value`).textContent = String(settings[name]);
    }
    for (const choice of choices()) choice.checked = choice.value === settings.noise;
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

  /** The settings by the names of the model. */
  function model() {
    const { eta, sigma, gamma, start, seed, noise } = settings;
    return { learningRate: eta, noiseStrength: sigma, gamma, startY: start, seed, noise };
  }

  /** Walkers at the start, and the predictions for them. */
  function begin() {
    const setting = model(), land = landscape(settings.gamma);
    const times = Array.from({ length: N_RECORDS }, (_, i) => T_RANGE[0] / 10 * (DURATION / (T_RANGE[0] / 10)) ** (i / (N_RECORDS - 1)));
    const due = [...new Set(times.map((time) => Math.max(1, Math.round(time / settings.eta))))];
    const records = { times: [], shares: [], errors: [] };
    const expected = predictions(setting, land, times);
    run = { swarm: swarm(setting, N_WALKERS), times, expected, due, records, stained: STAIN_EVERY, last: due[due.length - 1] };
    owed = 0;
    view.clear();
    side.clear();
    remark(setting, land);
    tell();
    paint();
    announce();
  }

  /** Time of the last crossing of all, or NaN if no walker has crossed. */
  function lastOfAll() {
    const step = run.swarm.lastCrossing.reduce((latest, each) => Math.max(latest, each), 0);
    return run.swarm.crossings ? step * settings.eta : NaN;
  }

  /** Whether no walker has crossed for long. */
  function quiet() {
    const last = lastOfAll();
    return run.swarm.step * settings.eta > QUIET * (Number.isFinite(last) ? last : 10);
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
      view.stain(run.swarm, colours); // by the clock of the walkers, so that the trail does not depend on the pace
    }
    return run.swarm.step - from;
  }

  function record() {
    const { pFlat, pFlatError } = summary(run.swarm);
    run.records.times.push(run.swarm.step * settings.eta);
    run.records.shares.push(pFlat);
    run.records.errors.push(pFlatError);
  }

  /** Time that passes in a frame: slowly at first, when most happens, then faster, and fastest when nothing is left to happen. */
  function pace() {
    const time = run.swarm.step * settings.eta;
    return Math.min((time + 0.7) / 100, quiet() ? Infinity : 2.5) * Number(part("speed").value);
  }

  function frame() {
    if (mode !== "playing") return;
    owed += pace() / settings.eta;
    const made = compute(Math.floor(owed), quiet() ? QUIET_BUDGET : FRAME_BUDGET);
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
    const shown = view.shown(run.swarm);
    side.draw(run.swarm, colours, { y: found.meanY, half: shown.half, leapt });
    say("lost", lost(found, shown));
    const lines = Object.entries(run.expected).map(([name, shares]) => ({ times: run.times, shares, dash: DASHES[name] }));
    drawShare(part("share"), colours, { history: run.records, predictions: lines, time });
    drawCrossings(part("crossings"), colours, { swarm: run.swarm, mean: found.freezingTime, time });
  }

  function withError(value, error, digits) {
    return Number.isFinite(value) && Number.isFinite(error) ? `${value.toFixed(digits)} ± ${error.toFixed(digits)}` : "none";
  }

  /** Which part of the landscape the picture shows, where that is not the usual one, and what became of walkers that it does not show. */
  function lost(found, { half, high, nOutside }) {
    const sentences = [];
    const far = high > USUAL.high || half > USUAL.half;
    if (far) sentences.push(`Zoomed out to y = ${high.toFixed(0)} and |x| = ${half.toFixed(1)}, to keep the walkers in view.`);
    if (nOutside) sentences.push(`${nOutside} of ${N_WALKERS} walkers are outside of the picture.`);
    if (found.diverged) sentences.push(`${Math.round(found.diverged * N_WALKERS)} of ${N_WALKERS} walkers left the landscape and count no more.`);
    return sentences.join(" ") || "The picture zooms out as the walkers move down.";
  }

  /** Whether the swarm still hops, in words. */
  function hopping() {
    const last = lastOfAll();
    if (run.swarm.step === 0) return "at the start";
    if (!quiet()) return Number.isFinite(last) ? "still hopping" : "no one has crossed";
    return Number.isFinite(last) ? `no crossing since time ${plain(last)}` : "no one has crossed";
  }

  function say(name, text) {
    if (part(name).textContent !== text) part(name).textContent = text;
  }

  /** The numbers beside the drawings; they change silently, because a reader's voice could not keep up. */
  function numbers() {
    const found = summary(run.swarm), digits = found.freezingTime < 10 ? 2 : 1;
    const texts = {
      "p-flat": withError(found.pFlat, found.pFlatError, 3),
      "freezing-time": withError(found.freezingTime, found.freezingTimeError, digits),
      noise: settings.noise === "none" ? "0" : String(Number((settings.eta * settings.sigma).toPrecision(3))),
      time: (run.swarm.step * settings.eta).toFixed(run.swarm.step * settings.eta < 10 ? 2 : 0),
      steps: run.swarm.step.toLocaleString("en-GB"),
      y: found.meanY.toFixed(1),
      hops: found.hops.toFixed(found.hops < 10 ? 2 : 0),
      ridge: barrier(run.swarm.land, found.meanY).toFixed(2),
      frozen: hopping(),
    };
    for (const [name, text] of Object.entries(texts)) say(name, text);
    part("bar").style.setProperty("--explorer-share", found.pFlat);
    return found;
  }

  /** Which theory applies: its lines have their key and their number at the end, the others none. */
  function tell() {
    for (const place of root.querySelectorAll("[data-theory]")) place.hidden = !(place.dataset.theory in run.expected);
    for (const [name, shares] of Object.entries(run.expected)) say(name, shares[shares.length - 1].toFixed(3));
    say("theory-word", WORDS[settings.noise]);
    part("sigma").disabled = settings.noise === "none";
  }

  /** What is to be said of the setting: warnings, or a word of comfort. */
  function remark(setting, land) {
    const found = warnings(setting, land, DURATION), sentences = found.length ? found : [ALL_WELL[settings.noise]], list = part("warnings");
    list.classList.toggle("explorer-well", found.length === 0);
    if (list.textContent === sentences.join("")) return;
    list.replaceChildren(...sentences.map((sentence) => Object.assign(document.createElement("li"), { textContent: sentence })));
  }

  /** Three digits, and no power of ten, which no voice reads well. */
  function plain(value) {
    return value < 100 ? String(Number(value.toPrecision(3))) : value.toFixed(0);
  }

  /** One sentence for those who listen, when something begins or ends. */
  function announce() {
    const found = summary(run.swarm), time = plain(run.swarm.step * settings.eta);
    const result = `flat share ${found.pFlat.toFixed(2)}, mean freezing time ${plain(found.freezingTime)}`;
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
    for (const choice of choices()) choice.addEventListener("change", () => apply({ noise: choice.value }));
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
