/**
 * Settings of the explorer as an address, #eta=0.01&sigma=0.1&gamma=1.515&start=5&seed=1&noise=curvature, so that a run can be handed on. Pure
 * functions, no page. What is not always there is added where it was chosen: `schedule`, the noise at each knot; `walker`, who is followed; `speed`.
 */
globalThis.ExplorerAddress = (() => {
  "use strict";

  const { NOISES } = ExplorerPhysics;
  const { read: readSchedule } = ExplorerSchedule;
  const STARTS = [0.2, 1, 5];
  const USUAL = { eta: 0.01, sigma: 0.1, gamma: 1.515, start: 5, seed: 1, noise: NOISES[0], schedule: null, walker: 0, speed: 1 };
  const LIMITS = { eta: [0.005, 0.4], sigma: [0.002, 1], gamma: [1, 2], seed: [0, 2 ** 31 - 1] };
  const CHOICES = { start: STARTS, walker: [0, 1, 2, 3, 4, 5, 6, 7, 8], speed: [0.2, 1, 4] };
  const OPTIONAL = ["schedule", "walker", "speed"]; // named in an address only where they are not as usual

  /** The value of a setting that a text stands for, or undefined. */
  function valueOf(name, text) {
    if (name === "noise") return NOISES.includes(text) ? text : undefined;
    if (name === "schedule") return text === "none" ? null : readSchedule(text) ?? undefined;
    const value = text.trim() ? Number(text) : NaN;
    if (!Number.isFinite(value)) return undefined;
    if (name in CHOICES) return CHOICES[name].includes(value) ? value : undefined;
    const [low, high] = LIMITS[name] ?? [];
    if (low === undefined) return undefined;
    return Math.min(high, Math.max(low, name === "seed" ? Math.floor(value) : value));
  }

  /**
   * Settings of an address. What is missing or cannot be read stays as it was, but for a schedule that is not named; what is too large or too small
   * is cut.
   * @param {string} address with or without # @param {object} before settings
   * @returns {{settings: object, refused: string[]}} refused are the parts that were not taken as they stand, such as "sigma=7"
   */
  function read(address, before) {
    const settings = { ...before, schedule: USUAL.schedule }, refused = [];
    for (const [name, text] of new URLSearchParams(address.replace(/^#/, ""))) {
      const value = valueOf(name, text);
      if (value !== undefined) settings[name] = value;
      if (value === undefined || (typeof value === "number" && value !== Number(text))) refused.push(`${name}=${text}`);
    }
    return { settings, refused };
  }

  /** The address of settings. */
  function write(settings) {
    const kept = Object.keys(USUAL).filter((name) => !OPTIONAL.includes(name) || settings[name] !== USUAL[name]);
    return "#" + kept.map((name) => `${name}=${settings[name]}`).join("&");
  }

  return { USUAL, LIMITS, STARTS, read, write };
})();
