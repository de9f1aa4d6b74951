/**
 * The live version with five valleys: a section through the row with walkers in it, and below it the share of each valley beside the final one that
 * the balance of hops gives. `live-view.js` opens it.
 */
globalThis.ExplorerRowView = (() => {
  "use strict";

  const { aboveFloor, advance, floors, row, summary, swarm, valleyAt } = ExplorerRow;
  const { barrier } = ExplorerPhysics;
  const { pace } = ExplorerRun;
  const { axis, fit, mixed, onAxis, roundTicks, scale, scattered, stamp, trace } = ExplorerView;
  const { widths: WIDTHS, startY: START_Y, duration: DURATION, noises: NOISES, shares: SHARES } = ExplorerStored.row;
  const BELOW = 0.34; // share of the picture for the shares, below the floors
  const FULL = 0.75; // the share at which a bar is as high as it can be
  const N_POINTS = 361;

  /** A colour for each valley: the flatter, the more that of the flat one. */
  function hues(colours) {
    const ranks = [...WIDTHS].sort((a, b) => a - b);
    return WIDTHS.map((width) => mixed(colours.sharp, colours.flat, ranks.indexOf(width) / (ranks.length - 1)));
  }

  /** Frame and scales on a canvas of this size. */
  function places(width, height, land, y) {
    const frame = { left: 60, top: 8, right: width - 8, bottom: height - 42 }, floor = frame.bottom - BELOW * (frame.bottom - frame.top);
    const half = Math.max(0.25, 1.25 * -floors(land, y)[0]), top = Math.max(0.1, 1.5 * barrier(land, y));
    return { frame, floor, half, top, toX: scale([-half, half], [frame.left, frame.right]), toL: scale([0, top], [floor, frame.top]) };
  }

  function ground(context, colours, land, y, { frame, half, toX, toL }) {
    const xs = Array.from({ length: N_POINTS }, (_, i) => half * ((2 * i) / (N_POINTS - 1) - 1)), shades = hues(colours);
    context.lineWidth = 2;
    WIDTHS.forEach((_, valley) => {
      context.strokeStyle = shades[valley];
      const slope = xs.filter((x) => valleyAt(land, x, y) === valley).map((x) => [toX(x), toL(aboveFloor(land, x, y))]);
      trace(context, slope.filter(([, at]) => at >= frame.top)); // the walls leave the frame at its upper edge
    });
  }

  /** The share of each valley as a bar below its floor, and the final one by theory as a line across. */
  function bars(context, colours, land, y, shares, expected, { frame, floor, toX }) {
    const room = frame.bottom - floor - 14, shades = hues(colours), bottoms = floors(land, y);
    const wide = 0.35 * (toX(bottoms[1]) - toX(bottoms[0])), high = (share) => Math.min(room, (share * room) / FULL);
    context.lineWidth = 2;
    bottoms.forEach((x, valley) => {
      context.fillStyle = shades[valley];
      context.fillRect(toX(x) - wide, frame.bottom - high(shares[valley]), 2 * wide, high(shares[valley]));
      context.strokeStyle = colours.text;
      trace(context, [[toX(x) - 1.25 * wide, frame.bottom - high(expected[valley])], [toX(x) + 1.25 * wide, frame.bottom - high(expected[valley])]]);
    });
  }

  function discs(context, colours, walkers, ratio, y, { toX, toL }) {
    const stamps = hues(colours).map((colour) => stamp(colour, ratio, 3));
    for (let k = 0; k < walkers.x.length; k++) {
      if (!walkers.alive[k]) continue;
      const image = stamps[valleyAt(walkers.land, walkers.x[k], walkers.y[k])], size = image.width / ratio;
      const at = toL(aboveFloor(walkers.land, walkers.x[k], y)) - 4 - 7 * (1 + scattered(k));
      context.drawImage(image, toX(walkers.x[k]) - size / 2, at - size / 2, size, size);
    }
  }

  /** The picture on a canvas, and what is said above it. */
  function rowPicture(canvas) {
    function draw(walkers, colours, { shares, meanY }, expected) {
      const { context, width, height, ratio } = fit(canvas), where = places(width, height, walkers.land, meanY), { frame, half, top, toX, toL } = where;
      context.clearRect(0, 0, width, height);
      ground(context, colours, walkers.land, meanY, where);
      bars(context, colours, walkers.land, meanY, shares, expected, where);
      discs(context, colours, walkers, ratio, meanY, where);
      axis(context, colours, frame, { along: "x", ticks: roundTicks(-half, half, 4), place: toX, label: "x, across the valleys", format: onAxis });
      axis(context, colours, frame, { along: "y", ticks: roundTicks(0, top, 4), place: toL, label: "loss above the floors" });
    }
    return { draw };
  }

  /** A swarm in the row, as `live-view.js` wants one: begin, advance, draw, and whether it has come to its end. */
  function rowRun(setting, n, budget, canvas) {
    const walkers = swarm({ ...setting, startY: START_Y }, row(WIDTHS), n), picture = rowPicture(canvas);
    const noise = setting.learningRate * setting.noiseStrength, expected = SHARES[NOISES.findIndex((each) => Math.abs(each / noise - 1) < 1e-6)];
    const clock = { swarm: walkers }, time = () => walkers.step * setting.learningRate;
    return {
      finished: () => time() >= DURATION,
      advance: () => {
        const end = walkers.step + Math.ceil(pace(clock, 1) / setting.learningRate), stop = performance.now() + budget;
        while (walkers.step < end && performance.now() < stop) advance(walkers, Math.min(10, end - walkers.step));
      },
      draw: (colours) => {
        const found = summary(walkers), flattest = WIDTHS.indexOf(Math.max(...WIDTHS));
        picture.draw(walkers, colours, found, expected);
        return `Now at y = ${found.meanY.toFixed(1)}: ${found.shares[flattest].toFixed(2)} in the flattest valley, in theory ${expected[flattest].toFixed(2)} at the end`;
      },
    };
  }

  return { rowRun };
})();
