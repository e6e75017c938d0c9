import {
  chart,
  clamp,
  fixed,
  forward,
  h,
  interactive,
  pictureRow,
  plane,
  readLayers,
  slider,
} from "./base.js";

const FACE = {
  traits: ["sigma", "across", "up"],
  lead:
    "Held-out digits under noise, with three denoisers; " +
    "and the exact denoiser of points in the plane. Drag the ring.",
};
const LOG2_SIGMA = [-4.25, 0.5];
const CURVE_STEP = 0.25;
const REACH = 1.8;
const FLOW_STEPS = 40;
const FLOW_END = 0.02;
const GRID = 13;
const ERRORS = [0.003, 0.1];
const KINDS = [
  { key: "table", name: "Table", tone: "latent", words: "the table" },
  { key: "linear", name: "Linear", tone: "pca", words: "the linear denoiser" },
  { key: "network", name: "Network", tone: "recon", words: "the network" },
];

/** log Σ exp taken apart: the weights of E[x|y] for the rows of a table, `size` numbers each. */
function average(y, table, size, sigma, halves) {
  const count = halves.length;
  const weights = new Float64Array(count);
  let top = -Infinity;
  for (let n = 0; n < count; n += 1) {
    let product = -halves[n];
    for (let d = 0; d < size; d += 1) product += y[d] * table[n * size + d];
    weights[n] = product / sigma ** 2;
    top = Math.max(top, weights[n]);
  }
  const mean = new Float64Array(size);
  let total = 0;
  for (let n = 0; n < count; n += 1) {
    const weight = Math.exp(weights[n] - top);
    total += weight;
    if (weight > 0) for (let d = 0; d < size; d += 1) mean[d] += weight * table[n * size + d];
  }
  return mean.map((value) => value / total);
}

/** ½‖x‖² of each row. */
const halfSquares = (table, size) =>
  Float64Array.from({ length: table.length / size }, (_, n) => {
    let total = 0;
    for (let d = 0; d < size; d += 1) total += table[n * size + d] ** 2;
    return total / 2;
  });

/** The three denoisers of one noisy digit, by name: y and σ to the denoised. */
function denoisers(model, { train, values, axes, mean, weights }) {
  const [size, scale, variance] = [mean.shape[0], model.get("scale"), model.get("variance")];
  const table = Float64Array.from(train.values, (level) => level / scale);
  const halves = halfSquares(table, size);
  const layers = readLayers(weights.values, model.get("layers"));
  const [middle, lambda, turn] = [mean.values, values.values, axes.values];
  const linear = (y, sigma) => {
    const out = Float64Array.from(middle);
    for (let k = 0; k < size; k += 1) {
      let code = 0;
      for (let d = 0; d < size; d += 1) code += (y[d] - middle[d]) * turn[k * size + d];
      code *= lambda[k] / (lambda[k] + sigma ** 2);
      for (let d = 0; d < size; d += 1) out[d] += code * turn[k * size + d];
    }
    return out;
  };
  const network = (y, sigma) => {
    const input = new Float32Array(size + 1);
    for (let d = 0; d < size; d += 1) input[d] = (y[d] - middle[d]) / Math.sqrt(variance + sigma ** 2);
    input[size] = Math.log(sigma);
    return Float64Array.from(forward(layers, input), (value, d) => value + middle[d]);
  };
  return { table: (y, sigma) => average(y, table, size, sigma, halves), linear, network };
}

/** The plane: E[x|y] of its points, and the way of a point from noise σ to none. */
function planeOf({ points }) {
  const halves = halfSquares(points.values, 2);
  const mean = (y, sigma) => average(y, points.values, 2, sigma, halves);
  const flow = (start, sigma) => {
    const levels = Array.from(
      { length: FLOW_STEPS },
      (_, n) => sigma * (FLOW_END / sigma) ** (n / (FLOW_STEPS - 1)),
    );
    const way = [start];
    levels.forEach((level, n) => {
      const [x, y] = way[n];
      const [a, b] = mean([x, y], level);
      const left = (levels[n + 1] ?? 0) / level;
      way.push([a + left * (x - a), b + left * (y - b)]);
    });
    return way;
  };
  const list = Array.from({ length: points.shape[0] }, (_, n) => points.row(n));
  return { list, mean, flow };
}

const sigmaOf = (log2) => 2 ** log2;
const shown = (value) => Number(value.toPrecision(3)).toString();

function sentence({ sigma, errors, noisy, flow, list, at }) {
  const best = KINDS.reduce((one, other) => (errors[other.key] < errors[one.key] ? other : one));
  const rest = KINDS.filter(({ key }) => key !== best.key);
  const others = rest.map(({ key, words }) => `${words} ${errors[key].toFixed(4)}`).join(" and ");
  const end = flow.at(-1);
  const near = Math.min(...list.map(([x, y]) => Math.hypot(x - end[0], y - end[1])));
  const moved = Math.hypot(end[0] - at[0], end[1] - at[1]);
  const where = near < 0.02 ? "ends on one of the points" : `ends ${shown(near)} away from the nearest point`;
  return (
    `At σ = ${shown(sigma)} these noisy digits have an error of ${noisy.toFixed(4)} a pixel. ` +
    `Of the three, ${best.words} leaves the least, ${errors[best.key].toFixed(4)}; ${others}. ` +
    `In the plane the flow moves the ring by ${fixed(moved, 2)} and ${where}.`
  );
}

export default interactive(FACE, ({ model, state, set, data, body, say, keep }) => {
  const [clean, ways, flat] = [cleanDigits(model, data), denoisers(model, data), planeOf(data)];
  const [count, size] = data.noise.shape;
  let now;
  const range = slider({
    label: "Noise σ",
    min: LOG2_SIGMA[0],
    max: LOG2_SIGMA[1],
    step: 0.05,
    value: Math.log2(state().sigma),
    tone: "error",
    big: false,
    show: (log2) => ({ number: shown(sigmaOf(log2)), unit: "of full ink" }),
    input: (log2) => set({ sigma: sigmaOf(log2) }),
  });
  const rounded = (value) => clamp(Math.round(value * 20) / 20, -REACH, REACH);
  const [across, up] = [
    ["Across", "across"],
    ["Up", "up"],
  ].map(([label, name]) => place(label, state()[name], (value) => set({ [name]: rounded(value) })));
  const rows = pictures(count, keep);
  const curves = keep(
    errorCurves(
      data.curves,
      () => now,
      (sigma) => set({ sigma }),
    ),
  );
  const field = keep(
    fieldOf(
      flat,
      () => now,
      (a, b) => set({ across: rounded(a), up: rounded(b) }),
    ),
  );
  body.append(
    range.root,
    h(
      "div",
      { class: "ae-two" },
      h(
        "div",
        {},
        h("div", { class: "ae-picture-rows" }, ...Object.values(rows).flatMap(({ nodes }) => nodes)),
        curves.root,
      ),
      h("div", {}, field.root, across.root, up.root),
    ),
  );
  rows.clean.paint((index) => clean[index]);

  return ({ sigma, across: a, up: b }) => {
    range.set(Math.log2(sigma));
    across.set(a);
    up.set(b);
    const noise = data.noise.values;
    const y = clean.map((value, d) => value + sigma * noise[d]);
    const error = (x) => x.reduce((total, value, d) => total + (value - clean[d]) ** 2, 0) / x.length;
    const noisy = error(y);
    rows.noisy.paint((index) => y[index]);
    rows.noisy.say(noisy.toFixed(4));
    const errors = {};
    for (const { key, tone } of KINDS) {
      const x = new Float64Array(count * size);
      for (let n = 0; n < count; n += 1)
        x.set(ways[key](y.subarray(n * size, (n + 1) * size), sigma), n * size);
      errors[key] = error(x);
      rows[key].paint((index) => x[index], tone === "pca" ? "input" : tone);
      rows[key].say(errors[key].toFixed(4));
    }
    const at = [a, b];
    const [mean, flow] = [flat.mean(at, sigma), flat.flow(at, sigma)];
    now = { sigma, errors, noisy, at, mean, flow, list: flat.list };
    curves.update();
    field.update();
    say(sentence(now));
    const [[averageX, averageY], [endX, endY]] = [mean, flow.at(-1)];
    return { sigma, across: a, up: b, noisy, ...errors, averageX, averageY, endX, endY };
  };
});

const cleanDigits = (model, { images }) => {
  const scale = model.get("scale");
  return Float64Array.from(images.values, (level) => level / scale);
};

const place = (label, value, input) =>
  slider({
    label,
    min: -REACH,
    max: REACH,
    step: 0.05,
    value,
    big: false,
    show: (number) => ({ number: fixed(number, 2) }),
    input,
  });

/** The rows of digits: clean, noisy, and one for each denoiser. */
function pictures(count, keep) {
  const row = (name, tone, label) => keep(pictureRow({ name, tone, label, count, widest: 44 }));
  const rows = { clean: row("Clean", "input", "clean digits"), noisy: row("Noisy", "error", "noisy digits") };
  for (const { key, name, tone, words } of KINDS) rows[key] = row(name, tone, `denoised by ${words}`);
  return rows;
}

/** Held-out errors against the noise; the rule stands at the present σ. */
function errorCurves(curves, now, hold) {
  const [, count] = curves.shape;
  const levels = Array.from({ length: count }, (_, n) => sigmaOf(LOG2_SIGMA[0] + CURVE_STEP * n));
  const lines = KINDS.map(({ tone }, k) => [tone, levels.map((sigma, n) => [sigma, curves.at(k, n)])]);
  return chart({
    label: "held-out error against the noise",
    height: 10.5,
    left: 3,
    x: {
      domain: LOG2_SIGMA.map(sigmaOf),
      log: true,
      ticks: [0.1, 0.2, 0.5, 1].map((tick) => [tick, tick]),
      title: "noise σ",
    },
    y: {
      domain: ERRORS,
      log: true,
      ticks: [0.003, 0.01, 0.03, 0.1].map((tick) => [tick, tick]),
      title: "error per pixel, all held-out digits",
    },
    draw: (c) => {
      for (const [tone, points] of lines) c.line(points, tone === "pca" ? "ae-pca ae-thin" : `ae-${tone}`);
      c.text(0.06, 0.0215, "table", "ae-text-latent");
      c.text(0.062, 0.0035, "linear", "ae-text-pca", "start", 0.8, 0);
      c.text(0.1, 0.0072, "network", "ae-text-recon", "end", 0, -0.5);
    },
    move: (c) => c.rule(now().sigma, "ae-rule"),
    drag: (sigma) => {
      const log2 = Math.round(Math.log2(sigma) * 20) / 20;
      hold(sigmaOf(clamp(log2, ...LOG2_SIGMA)));
    },
    describe: () => {
      const { errors, sigma } = now();
      const each = KINDS.map(({ key, words }) => `${words} ${errors[key].toFixed(4)}`).join(", ");
      return `Held-out error against the noise; at σ = ${shown(sigma)} the shown digits have: ${each}.`;
    },
  });
}

/** Arrows from a grid to E[x|y], shortened; the points; the ring, its average, and its flow. */
function fieldOf({ list, mean }, now, choose) {
  const ticks = Array.from({ length: GRID }, (_, n) => (REACH * (2 * n + 1)) / GRID - REACH);
  const grid = ticks.flatMap((a) => ticks.map((b) => [a, b]));
  const room = (0.9 * 2 * REACH) / GRID;
  const arrow = (c, [a, b]) => {
    const [p, q] = mean([a, b], now().sigma);
    const [dx, dy] = [p - a, q - b];
    const length = Math.hypot(dx, dy);
    const part = Math.min(0.3, room / (length || 1));
    const [x, y] = [c.x(a + part * dx), c.y(b + part * dy)];
    const angle = Math.atan2(y - c.y(b), x - c.x(a));
    const place = (...both) => both.map((one) => one.toFixed(1)).join(" ");
    const wing = (turn) => place(x - 4 * Math.cos(angle + turn), y - 4 * Math.sin(angle + turn));
    const tip = place(x, y);
    return `M${place(c.x(a), c.y(b))}L${tip}M${wing(0.5)}L${tip}L${wing(-0.5)}`;
  };
  let [drawn, arrows] = [null, ""];
  return plane({
    label: "points in the plane, and where the exact denoiser points",
    reach: REACH,
    largest: 270,
    holdable: true,
    move: (c) => {
      const { sigma, at, mean: average, flow } = now();
      const key = `${sigma} ${c.right}`;
      if (drawn !== key) [drawn, arrows] = [key, grid.map((place) => arrow(c, place)).join("")];
      c.shape("path", { class: "ae-arrows", d: arrows });
      list.forEach(([a, b]) => c.dot(a, b, "ae-point", 4 / c.em));
      c.line([at, Array.from(average)], "ae-recon ae-thin");
      c.line(flow, "ae-latent");
      c.dot(...average, "ae-dot-recon", 5 / c.em);
      c.dot(...flow.at(-1), "ae-dot-latent", 6 / c.em);
      c.dot(...at, "ae-ring", 10 / c.em);
      c.hold(...at);
    },
    drag: choose,
    describe: () => {
      const { at, mean: average, flow } = now();
      const told = ([a, b]) => `${fixed(a, 2)} across and ${fixed(b, 2)} up`;
      const answers = `the average of the points for it, blue, at ${told(average)}`;
      return `The ring at ${told(at)}; ${answers}; its flow, green, ends at ${told(flow.at(-1))}.`;
    },
  });
}
