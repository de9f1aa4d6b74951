/**
 * The explorer on its page: settings, buttons, the clock, and the numbers beside the drawings. The page works without it and shows a still figure.
 * Settings live in the address (address.js), so that a run can be handed on.
 */
(() => {
  "use strict";

  const { barrier, landscape, summary } = ExplorerPhysics;
  const { predictions, warnings } = ExplorerTheory;
  const { TIMES, along, course, isScored, noiseAt, ridgeNoise, rounded, score, shape } = ExplorerSchedule;
  const { DURATION, TIMES: RECORDED, compute, finished, lastOfAll, pace, quiet, timeOf, wayOf } = ExplorerRun;
  const { landscapeView, palette } = ExplorerView;
  const { drawCrossings, drawShare } = ExplorerCharts;
  const { drawMap, under } = ExplorerMap;
  const { USUAL, read, write } = ExplorerAddress;

  const N_WALKERS = 400;
  const FRAME_BUDGET = 9; // milliseconds a frame may compute, of the 16.7 it has
  const QUIET_BUDGET = 24; // where nothing is left to happen, time may run less smoothly
  const WINDOW = { high: 40, half: 1 }; // of the picture: what is seen beyond has to be said
  const DASHES = { balance: [7, 4], transient: [1.6, 4], boltzmann: [1.6, 4] };
  const WORDS = {
    curvature: "",
    uniform: "The other theories are for noise that follows curvature.",
    none: "No theory is drawn: without noise the gradient alone decides.",
  };
  const DRAWN = "The step is small: walkers should end near the score.";
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

  const root = document.getElementById("explorer");
  const part = (name) => root.querySelector(`[data-part="${name}"]`);
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const view = landscapeView(part("landscape")), side = ExplorerSide.sideView(part("side"));
  const chart = ExplorerKnots.knotChart(part("schedule"), part("knots"), (schedule) => apply({ schedule }), roll);

  let settings = { ...USUAL }; // as in the address
  let run = null; // the walkers, what theory says about them, and the records so far
  let colours = null; // of the theme in force
  let mode = "paused"; // "playing", "paused" or "computing"
  let owed = 0; // steps that the clock asks for and that have not been made
  let frameAsked = 0, rushAsked = 0, addressAsked = 0; // what the browser has been asked to call, one of each at most

  // ---- settings ----

  /** Put the settings into the address, once they have come to rest: browsers refuse many changes in a row. */
  function remember() {
    clearTimeout(addressAsked);
    addressAsked = setTimeout(() => history.replaceState(null, "", write(settings)), 200);
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
    for (const name of ["start", "walker", "speed"]) part(name).value = String(settings[name]);
    part("shape").value = settings.schedule ? "drawn" : "level";
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
    const { eta, sigma, gamma, start, seed, noise, schedule } = settings;
    const setting = { learningRate: eta, noiseStrength: sigma, gamma, startY: start, seed, noise };
    return schedule ? { ...setting, noiseAt: (time) => noiseAt(schedule, time) } : setting;
  }

  /** Predictions at these times; those of a schedule are from the rates that score it, where there are such. */
  function expectations(setting, land, times) {
    if (!setting.noiseAt || !isScored(setting)) return predictions(setting, land, times);
    return { balance: along(course(land, setting.startY, setting.noiseAt), times) };
  }

  /** Walkers at the start, and the predictions for them. */
  function begin() {
    const setting = model(), land = landscape(settings.gamma);
    run = { ...ExplorerRun.begin(setting, N_WALKERS), expected: expectations(setting, land, RECORDED), ridge: ridgeNoise(land, setting.startY) };
    owed = 0;
    view.clear();
    side.clear();
    remark(setting, land);
    tell();
    rate(setting, land);
    paint();
    announce();
  }

  /** Steps of the run; the trail is drawn as it goes. */
  function go(n, milliseconds) {
    return compute(run, n, milliseconds, () => view.stain(run.swarm, colours));
  }

  function frame() {
    if (mode !== "playing") return;
    owed += pace(run, settings.speed) / settings.eta;
    const made = go(Math.floor(owed), quiet(run) ? QUIET_BUDGET : FRAME_BUDGET);
    owed = made < Math.floor(owed) ? 0 : owed - made; // a slow machine lags behind, and does not run after the clock
    paint();
    if (finished(run)) become("paused");
    else frameAsked = requestAnimationFrame(frame);
  }

  /** Everything that is left, without a moving picture; the page stays at hand between two pieces. */
  function rush() {
    if (mode !== "computing") return;
    go(Infinity, 40);
    numbers();
    if (finished(run)) become("paused");
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
    const time = timeOf(run), found = numbers(), walker = settings.walker ? settings.walker - 1 : null;
    const path = walker === null ? null : wayOf(run, walker);
    view.draw(run.swarm, colours, leapt, path && { walker, path });
    const shown = view.shown(run.swarm);
    side.draw(run.swarm, colours, { y: found.meanY, half: shown.half, leapt, walker });
    say("lost", lost(found, shown));
    const lines = Object.entries(run.expected).map(([name, shares]) => ({ times: RECORDED, shares, dash: DASHES[name] }));
    drawShare(part("share"), colours, { history: run.records, predictions: lines, time, sides: path && path.map(([x]) => x) });
    chart.draw(colours, { schedule: settings.schedule ?? TIMES.map(level), ridge: run.ridge, time });
    drawMap(part("map"), colours, settings.schedule ? null : settings);
    drawCrossings(part("crossings"), colours, { swarm: run.swarm, mean: found.freezingTime, time });
  }

  function withError(value, error, digits) {
    return Number.isFinite(value) && Number.isFinite(error) ? `${value.toFixed(digits)} ± ${error.toFixed(digits)}` : "none";
  }

  /** Which part of the landscape the picture shows, where that is not the usual one, and what became of walkers that it does not show. */
  function lost(found, { half, high, nOutside }) {
    const sentences = [];
    const far = high > WINDOW.high || half > WINDOW.half;
    if (far) sentences.push(`Zoomed out to y = ${high.toFixed(0)} and |x| = ${half.toFixed(1)}, to keep the walkers in view.`);
    if (nOutside) sentences.push(`${nOutside} of ${N_WALKERS} walkers are outside of the picture.`);
    if (found.diverged) sentences.push(`${Math.round(found.diverged * N_WALKERS)} of ${N_WALKERS} walkers left the landscape and count no more.`);
    return sentences.join(" ") || "The picture zooms out as the walkers move down.";
  }

  /** Whether the swarm still hops, in words. */
  function hopping() {
    const last = lastOfAll(run);
    if (run.swarm.step === 0) return "at the start";
    if (!quiet(run)) return Number.isFinite(last) ? "still hopping" : "no one has crossed";
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
      noise: settings.noise === "none" ? "0" : String(Number((settings.eta * run.swarm.strength).toPrecision(3))),
      time: timeOf(run).toFixed(timeOf(run) < 10 ? 2 : 0),
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
    part("sigma").disabled = settings.noise === "none" || settings.schedule !== null;
    if (settings.schedule) say("sigma-value", "as drawn");
  }

  /** Effective noise where it does not change. */
  function level() {
    return rounded(settings.eta * settings.sigma);
  }

  /** What theory for small steps gives the schedule, beside the best constant noise and the best schedule. */
  function rate(setting, land) {
    part("score").hidden = !isScored(setting);
    say("unscored", isScored(setting) ? "" : "Scores are for γ = 1.515 and noise that follows curvature.");
    if (!isScored(setting)) return;
    const found = score(setting, land, setting.noiseAt ?? (() => settings.eta * settings.sigma));
    for (const [name, share] of Object.entries(found)) say(`score-${name}`, share.toFixed(3));
  }

  /** What is to be said of the setting: warnings, or a word of comfort. */
  function remark(setting, land) {
    const found = warnings(setting, land, DURATION), well = setting.noiseAt && isScored(setting) ? DRAWN : ALL_WELL[settings.noise];
    const sentences = found.length ? found : [well], list = part("warnings");
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
    const found = summary(run.swarm), time = plain(timeOf(run));
    const result = `flat share ${found.pFlat.toFixed(2)}, mean freezing time ${plain(found.freezingTime)}`;
    const sentence = {
      playing: "Rolling.",
      computing: "Computing to the end.",
      paused: run.swarm.step === 0 ? "At the start." : `${finished(run) ? "Finished" : "Paused"} at time ${time}: ${result}.`,
    }[mode];
    if (part("status").textContent !== sentence) part("status").textContent = sentence;
  }

  // ---- the page ----

  /** Take the settings of an address; what it asks for in vain is said in one line. */
  function follow(address, options) {
    const { settings: wanted, refused } = read(address, settings);
    apply(wanted, options);
    say("notice", refused.length ? `Out of range or unreadable in the link, and not taken as it stands: ${refused.join(", ")}.` : "");
  }

  /** Let the walkers roll, where motion is welcome. */
  function roll() {
    if (!calm.matches) become("playing");
  }

  function choose(text) {
    follow(text);
    roll();
  }

  /** Put a link to this run where other programs find it. */
  async function copy() {
    history.replaceState(null, "", write(settings));
    try {
      await navigator.clipboard.writeText(location.href);
      say("notice", "Copied: the link holds every setting, the schedule and the seed.");
    } catch {
      say("notice", "This browser does not let a page copy: the link is the address of this page.");
    }
  }

  const actions = {
    play: () => {
      if (mode !== "paused") return become("paused");
      if (finished(run)) begin();
      become("playing");
    },
    step: () => {
      become("paused");
      go(1, Infinity);
      paint();
      announce();
    },
    end: () => {
      if (finished(run)) begin();
      become("computing");
    },
    again: () => {
      become("paused");
      begin();
    },
    reseed: () => apply({ seed: Math.floor(Math.random() * 10000) }),
    copy,
  };

  /** Settings that change what is shown, and leave the run as it is. */
  function watch(change) {
    settings = { ...settings, ...change };
    remember();
    paint();
  }

  /** A schedule by its name; "level" has none, and "drawn" begins with what there is. */
  function shaped(name) {
    const drawn = { level: null, drawn: settings.schedule ?? TIMES.map(level) };
    apply({ schedule: name in drawn ? drawn[name] : shape(name, settings.start) });
    roll();
  }

  /** Go to a place of the map, as near as the sliders come. */
  function visit({ eta, sigma }) {
    const [rate, strength] = [[RATES, eta], [STRENGTHS, sigma]].map(([values, value]) => values[nearest(values, value)]);
    apply({ eta: rate, sigma: strength, schedule: null });
  }

  function listen() {
    for (const [name, action] of Object.entries(actions)) part(name).addEventListener("click", action);
    part("eta").addEventListener("input", () => apply({ eta: RATES[part("eta").value] }));
    part("sigma").addEventListener("input", () => apply({ sigma: STRENGTHS[part("sigma").value] }));
    part("gamma").addEventListener("input", () => apply({ gamma: Number(part("gamma").value) }));
    part("start").addEventListener("change", () => apply({ start: Number(part("start").value) }));
    part("shape").addEventListener("change", () => shaped(part("shape").value));
    for (const name of ["walker", "speed"]) part(name).addEventListener("change", () => watch({ [name]: Number(part(name).value) }));
    part("map").addEventListener("click", (event) => visit(under(part("map"), event)));
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
    addEventListener("hashchange", () => location.hash.includes("=") && follow(location.hash, { keep: false }));
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
    follow(location.hash.includes("=") ? location.hash : "", { keep: false });
    listen();
    roll();
  }

  // The style sheet stands in the body of the page, and may come after the scripts.
  const sheet = document.querySelector('link[href$="explorer.css"]');
  if (sheet.sheet) open();
  else sheet.addEventListener("load", open);
})();
