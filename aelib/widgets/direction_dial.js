import { chart, choices, clamp, gauge, h, interactive, plane, put, slider, sum } from "./base.js";

const FACE = {
  traits: ["angle", "through"],
  lead: "Each point is copied by the nearest point of the green line. Orange threads: what is lost.",
};
const CURVE_STEPS = 120;
const THROUGH = { mean: "the mean", origin: "the origin" };
const turn = (angle) => ((angle % 180) + 180) % 180;
const radians = (angle) => (angle * Math.PI) / 180;

/** The mean outer product of the points about a centre, and what follows for any line through it. */
function spread(points, centre) {
  const around = points.map(([x, y]) => [x - centre[0], y - centre[1]]);
  const mean = (product) => sum(around.map(product)) / points.length;
  const [xx, xy, yy] = [mean(([a]) => a * a), mean(([a, b]) => a * b), mean(([, b]) => b * b)];
  const total = xx + yy;
  const kept = (angle) => {
    const [c, t] = [Math.cos(radians(angle)), Math.sin(radians(angle))];
    return xx * c * c + 2 * xy * c * t + yy * t * t;
  };
  const bestAngle = turn((Math.atan2(2 * xy, xx - yy) * 90) / Math.PI);
  const best = (total - Math.hypot(xx - yy, 2 * xy)) / 2;
  return { centre, total, kept, error: (angle) => total - kept(angle), bestAngle, best };
}

const degrees = (angle) => `${Number(angle.toFixed(1))}°`;
const shown = (value) => value.toFixed(3);
const times = (ratio) => `${ratio.toFixed(ratio < 9.995 ? 2 : 1)}×`;

/** The sentence: how far from the smallest error, and where to turn. True at every position. */
function sentence(angle, now, best) {
  const short = turn(now.bestAngle - angle + 90) - 90;
  const through = now.centre === best.centre ? "the mean" : "the origin";
  const side = short > 0 ? "anticlockwise" : "clockwise";
  const [away, left] = [Math.abs(short), shown(now.error(angle))];
  const share = Math.round((100 * now.kept(angle)) / now.total);
  const [line, further] = [`a line through ${through}`, `${degrees(away)} further ${side}`];
  const where =
    away <= 0.25
      ? `This is the best direction for ${line}, to the half degree: it leaves ${left}.`
      : away >= 89.75
        ? `This is the worst direction for ${line}, at a right angle to the best: it leaves ${left}.`
        : `This line leaves ${left}; the best direction through ${through} is ${further}.`;
  if (through === "the mean")
    return `${where} It keeps ${share}% of the variance, and what it does not keep is the error.`;
  const other = "data that are not centred are read along another line";
  return `${where} The best line through the mean leaves ${shown(best.best)}: ${other}.`;
}

export default interactive(FACE, ({ state, set, data, body, say, keep }) => {
  const points = Array.from({ length: data.points.shape[0] }, (_, n) => data.points.row(n));
  const mean = [0, 1].map((axis) => sum(points.map((point) => point[axis])) / points.length);
  const about = { mean: spread(points, mean), origin: spread(points, [0, 0]) };
  const now = () => ({ ...about[state().through], angle: state().angle, through: THROUGH[state().through] });
  const choose = (angle) => set({ angle: Math.round(2 * turn(angle)) / 2 });
  const dial = slider({
    label: "Direction",
    min: 0,
    max: 180,
    step: 0.5,
    value: state().angle,
    big: false,
    show: (angle) => ({ number: degrees(angle), unit: "from the horizontal" }),
    input: (angle) => set({ angle }),
  });
  const through = choices({
    label: "The line goes through",
    value: state().through,
    options: Object.entries(THROUGH).map(([value, label]) => ({ value, label })),
    change: (value) => set({ through: value }),
  });
  const error = gauge({ tone: "error" });
  const shares = keptAndLost();
  const cloud = keep(cloudOf(points, choose, now));
  const curve = keep(errorCurve(about, choose, now));
  const side = h("div", { class: "ae-dial-side" }, error.root, curve.root, shares.root, through.root);
  body.append(dial.root, h("div", { class: "ae-dial" }, cloud.root, side));
  let drawn = null;

  return ({ angle, through: name }) => {
    const here = about[name];
    const [lost, kept] = [here.error(angle), here.kept(angle)];
    const ratio = lost / about.mean.best;
    dial.set(angle);
    through.set(name);
    error.set(times(ratio), `the smallest error: ${shown(lost)} against ${shown(about.mean.best)}`);
    shares.set(kept, lost);
    cloud.update();
    if (drawn === name) curve.update();
    else curve.redraw();
    drawn = name;
    say(sentence(angle, here, about.mean));
    const { total, best, bestAngle } = here;
    return { angle, through: name, error: lost, kept, total, best, bestAngle, ratio };
  };
});

/** What is kept and what is lost, as two parts of one bar. */
function keptAndLost() {
  const bars = ["kept", "lost"].map((name) => h("span", { class: `ae-share-${name}` }));
  const words = ["ae-name-latent", "ae-name-error"].map((name) => h("span", { class: name }));
  const bar = h("div", { class: "ae-bar", "aria-hidden": "true" }, ...bars);
  const root = h("div", {}, bar, h("div", { class: "ae-bar-words" }, ...words));
  const setTo = (kept, lost) => {
    [kept, lost].forEach((part, n) => {
      bars[n].style.width = `${(100 * part) / (kept + lost)}%`;
    });
    put(words[0], { text: `kept ${shown(kept)}` });
    put(words[1], { text: `lost ${shown(lost)}` });
  };
  return { root, set: setTo };
}

/** The error of each direction of a line through the present centre. */
function errorCurve(about, choose, now) {
  const top = 1.06 * Math.max(...Object.values(about).map(({ total, best }) => total - best));
  const grid = [0, 0.5, 1, 1.5, 2, 3, 4, 6, 8].filter((tick) => tick <= top);
  const smallest = about.mean.best;
  const samples = Array.from({ length: CURVE_STEPS + 1 }, (_, n) => (180 * n) / CURVE_STEPS);
  return chart({
    label: "error against the direction",
    height: 12.5,
    right: 1.3,
    x: {
      domain: [0, 180],
      ticks: [0, 45, 90, 135, 180].map((tick) => [tick, `${tick}°`]),
      title: "direction of the line",
    },
    y: { domain: [0, top], ticks: grid.map((tick) => [tick, tick]), title: "error: mean squared thread" },
    draw: (c) => {
      c.line(
        samples.map((at) => [at, now().error(at)]),
        "ae-error",
      );
      c.line(
        [
          [0, smallest],
          [180, smallest],
        ],
        "ae-pca ae-thin",
      );
      const free = clamp(turn(about.mean.bestAngle + 90), 30, 150); // where the curve is high
      c.text(free, smallest, "PCA’s error", "ae-text-pca", "middle", 0, -0.35);
      c.dot(now().bestAngle, now().best, "ae-dot-pca", 0.36);
    },
    move: (c) => {
      c.rule(now().angle, "ae-rule");
      c.dot(now().angle, now().error(now().angle), "ae-dot-error", 0.44);
    },
    drag: (angle) => choose(clamp(angle, 0, 179.5)),
    describe: () =>
      `Error against the direction of a line through ${now().through}: ${shown(now().error(now().angle))} ` +
      `at ${degrees(now().angle)}, smallest at ${degrees(now().bestAngle)} with ${shown(now().best)}.`,
  });
}

/** The points in equal units, the line, the copies and the threads; a pointer turns the line. */
function cloudOf(points, choose, now) {
  const axes = [0, 1].map((axis) => [...points.map((point) => point[axis]), 0]);
  const middle = axes.map((values) => (Math.min(...values) + Math.max(...values)) / 2);
  const reach = 1.12 * Math.max(...axes.map((values, axis) => Math.max(...values) - middle[axis]));
  const domain = (axis) => ({ domain: [middle[axis] - reach, middle[axis] + reach] });
  const cross = (c) => {
    c.line(
      [
        [-9 * reach, 0],
        [9 * reach, 0],
      ],
      "ae-grid",
    );
    c.line(
      [
        [0, -9 * reach],
        [0, 9 * reach],
      ],
      "ae-grid",
    );
  };
  const move = (c) => {
    const { centre, angle } = now();
    const along = [Math.cos(radians(angle)), Math.sin(radians(angle))];
    const on = (length) => [centre[0] + length * along[0], centre[1] + length * along[1]];
    const copies = points.map(([x, y]) => on((x - centre[0]) * along[0] + (y - centre[1]) * along[1]));
    c.line([on(-9 * reach), on(9 * reach)], "ae-direction");
    const threads = points.map((point, n) => `M${c.path([point, copies[n]]).replace(" ", "L")}`);
    c.shape("path", { class: "ae-thread", d: threads.join("") });
    const dot = ([a, b], kind, radius) => c.dot(a, b, kind, radius / c.em);
    points.forEach((point) => dot(point, "ae-point", 3.1));
    copies.forEach((copy) => dot(copy, "ae-copy", 3.1));
    dot(centre, "ae-centre", 5);
    [0.72, -0.72].forEach((end) => dot(on(end * reach), "ae-grip", 9));
    c.hold(...on(0.72 * reach));
  };
  const me = plane({
    label: "points and a line",
    x: domain(0),
    y: domain(1),
    largest: 330,
    holdable: true,
    draw: cross,
    move,
    drag: (a, b) => {
      const [dx, dy] = [a - now().centre[0], b - now().centre[1]];
      if (Math.hypot(dx, dy) > 0.02 * reach) choose((Math.atan2(dy, dx) * 180) / Math.PI);
    },
    describe: () =>
      `${points.length} points and a line at ${degrees(now().angle)}; ` +
      `the copies on it are ${shown(now().error(now().angle))} away, as a mean square.`,
  });
  return me;
}
