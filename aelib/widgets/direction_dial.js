import { card, chart, choices, clamp, followPointer, h, listen, onWidth, readFloat64, s, saver, slider } from "./base.js";

const CURVE_STEPS = 120;
const THROUGH = { mean: "the mean", origin: "the origin" };
const turn = (angle) => ((angle % 180) + 180) % 180;

/** The mean outer product of the points about a centre, and what follows from it for any line through the centre. */
function spread(points, centre) {
  let [xx, xy, yy] = [0, 0, 0];
  for (const [x, y] of points) {
    const [a, b] = [x - centre[0], y - centre[1]];
    xx += a * a; xy += a * b; yy += b * b;
  }
  [xx, xy, yy] = [xx, xy, yy].map((sum) => sum / points.length);
  const total = xx + yy;
  const kept = (angle) => {
    const [c, t] = [Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180)];
    return xx * c * c + 2 * xy * c * t + yy * t * t;
  };
  const bestAngle = turn((Math.atan2(2 * xy, xx - yy) * 90) / Math.PI);
  return { centre, total, kept, error: (angle) => total - kept(angle), bestAngle, best: (total - Math.hypot(xx - yy, 2 * xy)) / 2 };
}

function readDial(model) {
  const numbers = readFloat64(model.get("points"));
  const points = Array.from({ length: numbers.length / 2 }, (_, n) => [numbers[2 * n], numbers[2 * n + 1]]);
  const mean = [0, 1].map((axis) => points.reduce((sum, point) => sum + point[axis], 0) / points.length);
  return { points, about: { mean: spread(points, mean), origin: spread(points, [0, 0]) } };
}

const degrees = (angle) => `${Number(angle.toFixed(1))}°`;
const shown = (value) => value.toFixed(3);
const times = (ratio) => `${ratio.toFixed(ratio < 9.995 ? 2 : 1)}×`;

/** The sentence: how far from the smallest error, and where to turn. True at every position. */
function sentence(angle, now, best) {
  const short = turn(now.bestAngle - angle + 90) - 90;
  const through = now.centre === best.centre ? "the mean" : "the origin";
  const side = short > 0 ? "anticlockwise" : "clockwise";
  const away = Math.abs(short);
  const share = Math.round((100 * now.kept(angle)) / now.total);
  const where =
    away <= 0.25 ? `This is the best direction for a line through ${through}, to the half degree: it leaves ${shown(now.error(angle))}.`
    : away >= 89.75 ? `This is the worst direction for a line through ${through}, at a right angle to the best: it leaves ${shown(now.error(angle))}.`
    : `This line leaves ${shown(now.error(angle))}; the best direction through ${through} is ${degrees(away)} further ${side}.`;
  if (through === "the mean") return `${where} It keeps ${share}% of the variance, and what it does not keep is the error.`;
  return `${where} The best line through the mean leaves ${shown(best.best)}: data that are not centred are read along another line.`;
}

function render({ model, el }) {
  const data = readDial(model);
  const save = saver(model);
  const { section, body, say } = card(el, {
    title: "Turn the line",
    lead: "Each point is copied by the nearest point of the green line; the orange threads are what is lost.",
  });
  const now = () => data.about[model.get("through")];
  const best = data.about.mean;
  const choose = (angle) => {
    model.set("angle", Math.round(2 * turn(angle)) / 2);
    save();
  };
  const dial = slider({
    label: "Direction", min: 0, max: 180, step: 0.5, value: model.get("angle"), big: false,
    show: (angle) => ({ number: degrees(angle), unit: "from the horizontal", spoken: `${degrees(angle)} from the horizontal` }),
    input: (angle) => { model.set("angle", angle); save(); },
  });
  const through = choices({
    label: "The line goes through", value: model.get("through"),
    options: Object.entries(THROUGH).map(([value, label]) => ({ value, label })),
    change: (value) => { model.set("through", value); save(); },
  });
  const number = h("span", { class: "ae-big" });
  const note = h("span", { class: "ae-unit" });
  const gauge = h("div", { class: "ae-gauge ae-tone-error" }, number, note);
  const [keptBar, lostBar] = ["kept", "lost"].map((name) => h("span", { class: `ae-share ae-share-${name}` }));
  const [keptText, lostText] = ["ae-name-latent", "ae-name-error"].map((name) => h("span", { class: name }));
  const shares = h("div", { class: "ae-shares" },
    h("div", { class: "ae-bar", "aria-hidden": "true" }, keptBar, lostBar), h("div", { class: "ae-bar-words" }, keptText, lostText));

  const cloud = plane({ points: data.points, choose, state: () => [model.get("angle"), now()] });
  const top = 1.06 * Math.max(...Object.values(data.about).map(({ total, best: least }) => total - least));
  const grid = [0, 0.5, 1, 1.5, 2, 3, 4, 6, 8].filter((tick) => tick <= top);
  const curve = chart({
    label: "error against the direction", height: 17, right: 1.3,
    x: { domain: [0, 180], ticks: [0, 45, 90, 135, 180].map((tick) => [tick, `${tick}°`]), title: "direction of the line" },
    y: { domain: [0, top], ticks: grid.map((tick) => [tick, String(tick)]), title: "error: mean squared thread" },
    move: (c) => {
      const { error, bestAngle, best: least } = now();
      const angle = model.get("angle");
      const samples = Array.from({ length: CURVE_STEPS + 1 }, (_, n) => (180 * n) / CURVE_STEPS);
      c.rule(angle, "ae-rule");
      c.line(samples.map((at) => [at, error(at)]), "ae-error");
      c.line([[0, best.best], [180, best.best]], "ae-pca ae-thin");
      c.text(180, best.best, "PCA’s error", "ae-text-pca", "end", 0, -0.35);
      c.dot(bestAngle, least, "ae-dot-pca", 0.36);
      c.dot(angle, error(angle), "ae-dot-error", 0.44);
    },
    drag: (angle) => choose(clamp(angle, 0, 179.5)),
    describe: () => `Error against the direction of a line through ${THROUGH[model.get("through")]}: ${shown(now().error(model.get("angle")))} at ${degrees(model.get("angle"))}, smallest at ${degrees(now().bestAngle)} with ${shown(now().best)}.`,
  });
  body.append(dial.root, h("div", { class: "ae-dial" }, cloud.root, h("div", { class: "ae-dial-side" }, gauge, curve.root, shares, through.root)));

  const draw = () => {
    const [angle, about] = [model.get("angle"), now()];
    const [error, kept] = [about.error(angle), about.kept(angle)];
    dial.set(angle);
    through.set(model.get("through"));
    number.textContent = times(error / best.best);
    note.textContent = `the smallest error: ${shown(error)} against ${shown(best.best)}`;
    keptBar.style.width = `${(100 * kept) / about.total}%`;
    lostBar.style.width = `${(100 * error) / about.total}%`;
    keptText.textContent = `kept ${shown(kept)}`;
    lostText.textContent = `lost ${shown(error)}`;
    Object.assign(section.dataset, {
      angle, through: model.get("through"), error, kept, total: about.total, best: about.best, bestAngle: about.bestAngle, ratio: error / best.best,
    });
    cloud.update();
    curve.update();
    say(sentence(angle, about, best));
  };
  draw();
  const deaf = listen(model, ["angle", "through"], draw);
  return () => [deaf, cloud.dispose, curve.dispose].forEach((stop) => stop());
}

/** The points in a square with equal units, the line, the copies and the threads; a pointer turns the line. */
function plane({ points, choose, state }) {
  const svg = s("svg", { class: "ae-plane", role: "img" });
  const root = h("div", { class: "ae-plane-room" }, svg);
  const [xs, ys] = [0, 1].map((axis) => [...points.map((point) => point[axis]), 0]);
  const middle = [xs, ys].map((values) => (Math.min(...values) + Math.max(...values)) / 2);
  const reach = 1.12 * Math.max(...[xs, ys].map((values, axis) => Math.max(...values) - middle[axis]));
  let side = 0;
  const place = ([x, y]) => [side * (0.5 + (x - middle[0]) / (2 * reach)), side * (0.5 - (y - middle[1]) / (2 * reach))];
  const segment = (from, to, name) => {
    const [[x1, y1], [x2, y2]] = [place(from), place(to)];
    return s("line", { class: name, x1, y1, x2, y2 });
  };
  const dot = (point, name, radius) => {
    const [cx, cy] = place(point);
    return s("circle", { class: name, cx, cy, r: radius });
  };
  const update = () => {
    if (!side) return;
    const [angle, { centre, error }] = state();
    const along = [Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180)];
    const on = (length) => [centre[0] + length * along[0], centre[1] + length * along[1]];
    const copies = points.map(([x, y]) => on((x - centre[0]) * along[0] + (y - centre[1]) * along[1]));
    svg.replaceChildren(
      segment([-9 * reach, 0], [9 * reach, 0], "ae-grid"), segment([0, -9 * reach], [0, 9 * reach], "ae-grid"),
      segment(on(-9 * reach), on(9 * reach), "ae-direction"),
      ...points.map((point, n) => segment(point, copies[n], "ae-thread")),
      ...points.map((point) => dot(point, "ae-point", 3.1)), ...copies.map((copy) => dot(copy, "ae-copy", 3.1)),
      dot(centre, "ae-centre", 5), dot(on(0.72 * reach), "ae-grip", 9), dot(on(-0.72 * reach), "ae-grip", 9),
    );
    svg.setAttribute("aria-label", `${points.length} points and a line at ${degrees(angle)}; the copies on it are ${shown(error(angle))} away, as a mean square.`);
  };
  const resize = (width) => {
    side = Math.min(width, 440);
    Object.entries({ width: side, height: side, viewBox: `0 0 ${side} ${side}` }).forEach(([name, value]) => svg.setAttribute(name, value));
    update();
  };
  followPointer(svg, (x, y) => {
    const [a, b] = place(state()[1].centre);
    if (Math.hypot(x - a, y - b) > 4) choose((Math.atan2(b - y, x - a) * 180) / Math.PI);
  });
  return { root, update, dispose: onWidth(root, resize) };
}

export default { render };
