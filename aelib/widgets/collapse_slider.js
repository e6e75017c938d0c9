import { chart, choices, clamp, fixed, gauge, h, interactive, pictureRow, put, slider, sum } from "./base.js";

const FACE = {
  traits: ["noise_var", "beta", "latent_dim", "learned"],
  lead: "The best linear VAE of the digits at each setting, in closed form: nothing is trained here.",
};
const LOG2_NOISE = [-6.5, 1];
const LOG2_BETA = [-1, 4];
const SHOWN = 20;
const MOST = 16;
const LOG_2_PI = Math.log(2 * Math.PI);
const EDGES = [0.005, 4];
const HIGHS = [-50, 50];

/** Four significant digits, written out. */
const digits = (value) => (value >= 1000 ? value.toFixed(0) : Number(value.toPrecision(4)).toString());
const nats = (value) => fixed(value, 2);
const snap = (log2, [low, high], step) => 2 ** clamp(Math.round(log2 / step) * step, low, high);

/**
 * What is known before any setting: codes of the images along each axis, and what is left over from each K
 * on.
 */
function prepared({ values, axes, mean, images }) {
  const [count, size] = images.shape;
  const codes = Float64Array.from({ length: count * MOST }, (_, at) => {
    const [n, k] = [Math.floor(at / MOST), at % MOST];
    let code = 0;
    for (let d = 0; d < size; d += 1) code += (images.at(n, d) - mean.at(d)) * axes.at(k, d);
    return code;
  });
  const left = Array.from({ length: MOST + 1 }, (_, k) => sum(values.values.slice(k)));
  const flat = { axes: axes.values, mean: mean.values, images: images.values };
  return { values: values.values, ...flat, size, count, codes, left };
}

/** The noise at which it equals the expected squared error for each number: the least over the used count. */
const settled = ({ values, left }, latentDim, beta) =>
  Math.min(
    ...left
      .slice(0, latentDim + 1)
      .map((rest, k) => (beta * k < values.length ? rest / (values.length - beta * k) : Infinity)),
  );

/** The best linear VAE for a noise that is held, in closed form. */
function optimum({ values, left }, latentDim, noiseVar, beta) {
  const level = beta * noiseVar;
  const kl = [];
  let [error, used, price] = [left[latentDim], 0, 0];
  for (let k = 0; k < latentDim; k += 1) {
    const above = values[k] > level;
    kl.push(above ? 0.5 * Math.log(values[k] / level) : 0);
    used += above;
    price += kl[k];
    error += Math.min(values[k], level);
  }
  const fit = -0.5 * (values.length * (LOG_2_PI + Math.log(noiseVar)) + error / noiseVar);
  return { noiseVar, level, kl, used, elbo: fit - price, objective: fit - beta * price };
}

/** The decoded means: along each used direction the image comes back times 1 − βσₓ²/λ. */
function copiesOf({ values, axes, mean, size, count, codes }, { level, used }) {
  const copies = new Float64Array(count * size);
  for (let n = 0; n < count; n += 1) {
    copies.set(mean, n * size);
    for (let k = 0; k < used; k += 1) {
      const code = (1 - level / values[k]) * codes[n * MOST + k];
      for (let d = 0; d < size; d += 1) copies[n * size + d] += code * axes[k * size + d];
    }
  }
  return copies;
}

function usedWords({ values }, latentDim, { level, used, kl }) {
  if (used === 0)
    return (
      `No latent is used: even the largest eigenvalue, ${digits(values[0])}, is not above it. ` +
      "Each cloud is the prior, and each copy the mean digit."
    );
  const [value, price] = [digits(values[used - 1]), `${nats(kl[used - 1])} nats`];
  const weakest =
    used === 1
      ? `its eigenvalue is ${value} and its KL ${price}`
      : `the weakest of them has eigenvalue ${value} and a KL of ${price}`;
  if (used === latentDim)
    return `${latentDim === 1 ? "The one latent is used" : `All ${latentDim} latents are used`}: ${weakest}.`;
  const first = digits(values[used]);
  const rest =
    latentDim - used === 1
      ? `number ${latentDim}, at ${first}, is off`
      : `the other ${latentDim - used} are off, the first of them at ${first}`;
  return `${used} of ${latentDim} latents ${used === 1 ? "is" : "are"} used: ${weakest}; ${rest}.`;
}

function sentence(data, { latentDim, beta, learned }, now) {
  const factor = Number(beta.toPrecision(3));
  const why =
    beta === 1
      ? `the mean of the ${data.values.length - latentDim} eigenvalues that are left over`
      : "where it equals the expected squared error per pixel";
  const threshold = `β = ${factor} the threshold βσₓ² is ${digits(now.level)}.`;
  const first = learned
    ? `σₓ² is learned and settles at ${digits(now.noiseVar)}, ${why}; with ${threshold}`
    : `σₓ² is held at ${digits(now.noiseVar)}, and with ${threshold}`;
  return `${first} ${usedWords(data, latentDim, now)}`;
}

export default interactive(FACE, ({ model, state, set, data: sent, body, say, keep }) => {
  const data = prepared(sent);
  let now;
  const hold = (noiseVar) => set({ noise_var: snap(Math.log2(noiseVar), LOG2_NOISE, 0.05), learned: false });
  const { noise, weight, size, mode } = controls(state(), { hold, set }, () => now);
  const spectrum = keep(spectrumOf(data, () => now, hold));
  const prices = keep(priceBars(() => now));
  const objective = keep(hill(data, () => now, hold));
  const [rows, columns] = model.get("image_shape");
  const picture = (name, tone, label) =>
    keep(pictureRow({ name, tone, label, count: data.count, rows, columns }));
  const input = picture("Input", "input", "digits");
  const copy = picture("Copy", "recon", "their copies");
  const used = gauge({ tone: "latent" });
  const bound = h("p", { class: "ae-unit" });
  const pictures = h("div", { class: "ae-picture-rows" }, ...input.nodes, ...copy.nodes);
  body.append(
    h("div", { class: "ae-controls" }, noise.root, mode.root, weight.root, size.root),
    h(
      "div",
      { class: "ae-two" },
      h("div", { class: "ae-side" }, spectrum.root, prices.root),
      h("div", { class: "ae-side ae-sideways" }, used.root, pictures, bound, objective.root),
    ),
  );
  input.paint((index) => data.images[index]);

  return ({ noise_var: noiseVar, beta, latent_dim: latentDim, learned }) => {
    const at = learned ? settled(data, latentDim, beta) : noiseVar;
    now = { ...optimum(data, latentDim, at, beta), latentDim, beta, learned };
    noise.set(clamp(Math.log2(now.noiseVar), ...LOG2_NOISE));
    noise.input.disabled = learned;
    weight.set(Math.log2(beta));
    size.set(latentDim);
    mode.set(learned ? "learned" : "held");
    const copies = copiesOf(data, now);
    copy.paint((index) => copies[index], "recon");
    used.set(now.used, `of ${latentDim} latents in use`);
    const weighted = beta === 1 ? "" : `; with weight β on the KL ${nats(now.objective)}`;
    put(bound, { text: `ELBO ${nats(now.elbo)} nats${weighted}` });
    [spectrum, prices, objective].forEach((one) => one.update());
    say(sentence(data, now, now));
    const copyError = sum(Array.from(copies, (value, d) => (value - data.images[d]) ** 2)) / copies.length;
    return { ...now, copyError, kl: now.kl.join(" ") };
  };
});

function controls(start, { hold, set }, now) {
  const plain = { big: false, tone: "plain" };
  const noise = slider({
    ...plain,
    label: "Noise σₓ²",
    min: LOG2_NOISE[0],
    max: LOG2_NOISE[1],
    step: 0.05,
    value: Math.log2(start.noise_var),
    show: (log2) => {
      const value = digits(now()?.noiseVar ?? 2 ** log2);
      return { number: value, unit: "", spoken: `noise variance ${value}` };
    },
    input: (log2) => hold(2 ** log2),
  });
  const weight = slider({
    ...plain,
    label: "Weight β",
    min: LOG2_BETA[0],
    max: LOG2_BETA[1],
    step: 0.25,
    value: Math.log2(start.beta),
    show: (log2) => ({ number: Number((now()?.beta ?? 2 ** log2).toPrecision(3)), unit: "on the KL" }),
    input: (log2) => set({ beta: snap(log2, LOG2_BETA, 0.25) }),
  });
  const size = slider({
    label: "Latents K",
    min: 1,
    max: MOST,
    value: start.latent_dim,
    big: false,
    show: (k) => ({ number: k, unit: "" }),
    input: (k) => set({ latent_dim: k }),
  });
  const mode = choices({
    label: "σₓ² is",
    hideLabel: true,
    value: start.learned ? "learned" : "held",
    options: [
      { value: "held", label: "σₓ² held fixed" },
      { value: "learned", label: "σₓ² learned" },
    ],
    change: (value) => set({ learned: value === "learned" }),
  });
  return { noise, weight, size, mode };
}

const directions = (title) => ({
  domain: [0.3, SHOWN + 0.7],
  ticks: [1, 4, 8, 12, 16, 20].map((k) => [k, k]),
  title,
});

/** The eigenvalues in falling order, and the threshold that can be dragged. */
function spectrumOf(data, now, hold) {
  return chart({
    label: "eigenvalues and threshold",
    height: 13.4,
    left: 3.2,
    x: directions(""),
    y: {
      domain: EDGES,
      log: true,
      ticks: [0.005, 0.02, 0.1, 0.5, 2].map((tick) => [tick, tick]),
      title: "eigenvalue λ",
      note: "stem: twice the KL",
    },
    move: (c) => drawSpectrum(c, data, now()),
    drag: (_, value) => hold(value / now().beta),
    describe: () =>
      `Eigenvalues in falling order and the threshold ${digits(now().level)}; ` +
      `${now().used} of ${now().kl.length} latents lie above it.`,
  });
}

function drawSpectrum(c, { values }, { latentDim, level, used }) {
  const at = clamp(level, ...EDGES);
  for (let k = 0; k < used; k += 1) {
    const x = c.x(k + 1);
    c.shape("line", { class: "ae-stem", x1: x, x2: x, y1: c.y(at), y2: c.y(values[k]) });
  }
  c.shape("line", { class: "ae-level", x1: c.left, x2: c.right, y1: c.y(at), y2: c.y(at) });
  for (let k = 0; k < SHOWN; k += 1) {
    const kind = k >= latentDim ? "ae-beyond" : k < used ? "ae-on" : "ae-off";
    c.dot(k + 1, values[k], kind, k >= latentDim ? 0.24 : 0.36);
  }
  c.dot(SHOWN + 0.1, at, "ae-grip", 0.5);
  const words = level > EDGES[1] ? `βσₓ² = ${digits(level)}, above the picture` : `βσₓ² = ${digits(level)}`;
  const rightIsFree = level > values[11];
  const below = at > (rightIsFree ? 1 : 0.012);
  const [place, anchor] = rightIsFree ? [SHOWN - 0.8, "end"] : [0.6, "start"];
  c.text(place, at, words, "ae-text-input", anchor, 0, below ? 1.2 : -0.5);
  if (latentDim === SHOWN) return;
  const under = level < values[SHOWN - 1] ? -2.2 : 1.6;
  const rest = `not among the first ${latentDim}`;
  c.text(SHOWN + 0.4, values[SHOWN - 1], rest, "ae-text-pca ae-quiet", "end", 0, under);
}

/** One bar a latent. */
function priceBars(now) {
  return chart({
    label: "KL of each latent",
    height: 8.6,
    left: 3.2,
    x: directions("direction, in order of eigenvalue"),
    y: { domain: [0, 3], ticks: [0, 1, 2, 3].map((tick) => [tick, tick]), title: "KL of each latent, nats" },
    move: (c) => {
      const { kl, used } = now();
      const width = 0.62 * (c.x(2) - c.x(1));
      kl.forEach((price, k) => {
        const height = Math.max(c.y(0) - c.y(price), price > 0 ? 1 : 0);
        c.shape("rect", { class: "ae-bar", x: c.x(k + 1) - width / 2, y: c.y(0) - height, width, height });
      });
      if (used < kl.length) c.text((used + 1 + kl.length) / 2, 0, "off", "ae-quiet", "middle", 0, -0.3);
    },
    describe: () => `KL of each latent in nats: ${now().kl.map(nats).join(", ")}.`,
  });
}

/** The best objective for each noise; the curve is made anew when K or β changes. */
function hill(data, now, hold) {
  const grid = Array.from({ length: 76 }, (_, n) => 2 ** (LOG2_NOISE[0] + n / 10));
  let known = { key: "" };
  const climb = () => {
    const { latentDim, beta } = now();
    const key = `${latentDim} ${beta}`;
    if (known.key === key) return known;
    const top = settled(data, latentDim, beta);
    const points = grid.map((v) => [v, optimum(data, latentDim, v, beta).objective]);
    known = { key, points, top, high: optimum(data, latentDim, top, beta).objective };
    return known;
  };
  return chart({
    label: "best objective against the noise",
    height: 9.8,
    left: 3.2,
    x: {
      domain: LOG2_NOISE.map((power) => 2 ** power),
      log: true,
      ticks: [0.02, 0.1, 0.5, 2].map((tick) => [tick, tick]),
      title: "σₓ²",
    },
    y: {
      domain: HIGHS,
      ticks: [-40, -20, 0, 20, 40].map((tick) => [tick, fixed(tick, 0)]),
      title: "E log p(x|z) − β·KL at its best, nats",
    },
    move: (c) => {
      const { points, top, high } = climb();
      c.line(points, "ae-recon");
      c.dot(top, clamp(high, ...HIGHS), "ae-best", 0.4);
      c.text(top, clamp(high, ...HIGHS), "learned", "ae-text-recon", "start", 0.6, -0.5);
      c.dot(now().noiseVar, clamp(now().objective, ...HIGHS), "ae-dot-recon", 0.42);
    },
    drag: (value) => hold(value),
    describe: () =>
      `The best objective for each noise, a single hill with its top at ${digits(climb().top)}; ` +
      `here ${nats(now().objective)} nats.`,
  });
}
