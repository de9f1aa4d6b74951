/**
 * A run of the explorer: walkers, the clock, and what is kept of them along the way. No page: who calls it draws.
 */
globalThis.ExplorerRun = (() => {
  "use strict";

  const { summary, swarm, advance } = ExplorerPhysics;
  const T_FIRST = 0.01; // of the records, η·step
  const DURATION = 1000;
  const N_RECORDS = 240;
  const CHUNK = 20; // steps between two looks at the clock
  const QUIET = 2; // walkers count as frozen once no one has crossed for as long again as it took to the last crossing
  const STAIN_EVERY = 2.5; // time between two dots of a trail

  /** Times at which a run keeps records, evenly spread on a logarithmic scale. */
  const TIMES = Array.from({ length: N_RECORDS }, (_, i) => T_FIRST * (DURATION / T_FIRST) ** (i / (N_RECORDS - 1)));

  /** Walkers at the start of a setting of physics.js, and empty records. */
  function begin(setting, nWalkers) {
    const due = [...new Set(TIMES.map((time) => Math.max(1, Math.round(time / setting.learningRate))))];
    const records = { times: [], shares: [], errors: [], places: [] };
    return { swarm: swarm(setting, nWalkers), due, records, stained: STAIN_EVERY, last: due[due.length - 1] };
  }

  /** Time η·step that has passed. */
  function timeOf(run) {
    return run.swarm.step * run.swarm.setting.learningRate;
  }

  function record(run) {
    const { swarm, records } = run, { pFlat, pFlatError } = summary(swarm);
    records.times.push(timeOf(run));
    records.shares.push(pFlat);
    records.errors.push(pFlatError);
    records.places.push([swarm.x, swarm.y].map((values) => Float32Array.from(values))); // so that any walker can be followed later
  }

  /**
   * Make up to n steps, stopping when the milliseconds are used up; returns how many were made.
   * @param {() => void} stain is called by the clock of the walkers, so that a trail does not depend on the pace
   */
  function compute(run, n, milliseconds, stain = () => {}) {
    const { swarm, due, records } = run, from = swarm.step, end = Math.min(run.last, from + n), stop = performance.now() + milliseconds;
    while (swarm.step < end && performance.now() < stop) {
      advance(swarm, Math.min(CHUNK, end - swarm.step, due[records.times.length] - swarm.step));
      if (swarm.step === due[records.times.length]) record(run);
      if (timeOf(run) < run.stained) continue;
      run.stained += STAIN_EVERY;
      stain();
    }
    return swarm.step - from;
  }

  function finished(run) {
    return run.swarm.step >= run.last;
  }

  /** Time of the last crossing of all, or NaN if no walker has crossed. */
  function lastOfAll({ swarm }) {
    const step = swarm.lastCrossing.reduce((latest, each) => Math.max(latest, each), 0);
    return swarm.crossings ? step * swarm.setting.learningRate : NaN;
  }

  /** Whether no walker has crossed for long. */
  function quiet(run) {
    const last = lastOfAll(run);
    return timeOf(run) > QUIET * (Number.isFinite(last) ? last : 10);
  }

  /** Time that passes in a frame: slowly at first, when most happens, then faster, and fastest when nothing is left to happen. */
  function pace(run, speed) {
    return Math.min((timeOf(run) + 0.7) / 100, quiet(run) ? Infinity : 2.5) * speed;
  }

  /** Where a walker has been, (x, y) at the times of the records. */
  function wayOf({ records }, walker) {
    return records.places.map(([x, y]) => [x[walker], y[walker]]);
  }

  return { DURATION, TIMES, begin, compute, finished, lastOfAll, pace, quiet, timeOf, wayOf };
})();
