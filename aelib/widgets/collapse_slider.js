import { card, chart, choices, clamp, h, listen, readFloat64, s, saver, slider, strip } from "./base.js";

const LOG2_NOISE = [-6.5, 1];
const LOG2_BETA = [-1, 4];
const SHOWN = 20;
const MOST = 16;
const LOG_2_PI = Math.log(2 * Math.PI);
const EDGES = [0.005, 4];
const HIGHS = [-50, 50];

const minus = (text) => text.replace("-", "−");
/** Four significant digits, written out. */
const digits = (value) => (value >= 1000 ? value.toFixed(0) : Number(value.toPrecision(4)).toString());
const nats = (value) => minus(value.toFixed(2));
const snap = (log2, [low, high], step) => 2 ** clamp(Math.round(log2 / step) * step, low, high);

function readData(model) {
  const values = readFloat64(model.get("values"));
  const axes = readFloat64(model.get("axes"));
  const mean = readFloat64(model.get("mean"));
  const images = readFloat64(model.get("images"));
  const size = mean.length;
  const count = images.length / size;
  const codes = Float64Array.from({ length: count * MOST }, (_, at) => {
    const [n, k] = [Math.floor(at / MOST), at % MOST];
    let code = 0;
    for (let d = 0; d < size; d += 1) code += (images[n * size + d] - mean[d]) * axes[k * size + d];
    return code;
  });
  const left = Array.from({ length: MOST + 1 }, (_, k) => values.slice(k).reduce((sum, value) => sum + value, 0));
  return { values, axes, mean, images, size, count, codes, left };
}

/** The noise at which it equals the expected squared error for each number: the smallest over the used count. */
const settled = ({ values, left }, latentDim, beta) =>
  Math.min(...left.slice(0, latentDim + 1).map((sum, k) => (beta * k < values.length ? sum / (values.length - beta * k) : Infinity)));

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
  if (used === 0) return `No latent is used: even the largest eigenvalue, ${digits(values[0])}, is not above it. Each cloud is the prior, and each copy the mean digit.`;
  const weakest = `${used === 1 ? "its" : "the weakest of them has"} eigenvalue ${used === 1 ? "is " : ""}${digits(values[used - 1])} and ${used === 1 ? "its KL" : "a KL of"} ${nats(kl[used - 1])} nats`;
  if (used === latentDim) return `${latentDim === 1 ? "The one latent is used" : `All ${latentDim} latents are used`}: ${weakest}.`;
  const rest = latentDim - used === 1 ? `number ${latentDim}, at ${digits(values[used])}, is off` : `the other ${latentDim - used} are off, the first of them at ${digits(values[used])}`;
  return `${used} of ${latentDim} latents ${used === 1 ? "is" : "are"} used: ${weakest}; ${rest}.`;
}

function sentence(data, { latentDim, beta, learned }, now) {
  const factor = Number(beta.toPrecision(3));
  const why = beta === 1 ? `the mean of the ${data.values.length - latentDim} eigenvalues that are left over` : "where it equals the expected squared error per pixel";
  const first = learned
    ? `σₓ² is learned and settles at ${digits(now.noiseVar)}, ${why}; with β = ${factor} the threshold βσₓ² is ${digits(now.level)}.`
    : `σₓ² is held at ${digits(now.noiseVar)}, and with β = ${factor} the threshold βσₓ² is ${digits(now.level)}.`;
  return `${first} ${usedWords(data, latentDim, now)}`;
}

function render({ model, el }) {
  const data = readData(model);
  const save = saver(model);
  const { section, body, say } = card(el, {
    title: "Slide the noise, and latents switch off",
    lead: "The best linear VAE of the digits at each setting, in closed form: nothing is trained here.",
  });
  const put = (changes) => {
    Object.entries(changes).forEach(([name, value]) => model.set(name, value));
    save();
  };
  const state = () => ({ latentDim: model.get("latent_dim"), beta: model.get("beta"), learned: model.get("learned") });
  const solve = () => {
    const { latentDim, beta, learned } = state();
    return optimum(data, latentDim, learned ? settled(data, latentDim, beta) : model.get("noise_var"), beta);
  };
  let now = solve();
  const hold = (noiseVar) => put({ noise_var: snap(Math.log2(noiseVar), LOG2_NOISE, 0.05), learned: false });

  const noise = slider({
    label: "Noise σₓ²", min: LOG2_NOISE[0], max: LOG2_NOISE[1], step: 0.05, value: Math.log2(now.noiseVar), big: false, tone: "plain",
    show: () => ({ number: digits(now.noiseVar), unit: "", spoken: `noise variance ${digits(now.noiseVar)}` }),
    input: (log2) => hold(2 ** log2),
  });
  const weight = slider({
    label: "Weight β", min: LOG2_BETA[0], max: LOG2_BETA[1], step: 0.25, value: Math.log2(model.get("beta")), big: false, tone: "plain",
    show: () => ({ number: Number(model.get("beta").toPrecision(3)), unit: "on the KL" }),
    input: (log2) => put({ beta: snap(log2, LOG2_BETA, 0.25) }),
  });
  const size = slider({
    label: "Latents K", min: 1, max: MOST, value: model.get("latent_dim"), big: false,
    show: (k) => ({ number: k, unit: "" }), input: (k) => put({ latent_dim: k }),
  });
  const mode = choices({
    label: "σₓ² is", hideLabel: true, value: model.get("learned") ? "learned" : "held",
    options: [{ value: "held", label: "σₓ² held fixed" }, { value: "learned", label: "σₓ² learned" }],
    change: (value) => put({ learned: value === "learned" }),
  });

  const x = { domain: [0.3, SHOWN + 0.7], ticks: [1, 4, 8, 12, 16, 20].map((k) => [k, k]), title: "direction, in order of eigenvalue" };
  const spectrum = chart({
    label: "eigenvalues and threshold", height: 18, left: 3.2, x,
    y: { domain: EDGES, log: true, ticks: [0.005, 0.02, 0.1, 0.5, 2].map((tick) => [tick, String(tick)]), title: "eigenvalue λ", note: "stem: twice the KL" },
    move: (c) => drawSpectrum(c, data, state(), now),
    drag: (_, value) => hold(value / model.get("beta")),
    describe: () => `Eigenvalues in falling order and the threshold ${digits(now.level)}; ${now.used} of ${now.kl.length} latents lie above it.`,
  });
  const prices = chart({
    label: "KL of each latent", height: 10, left: 3.2, x,
    y: { domain: [0, 3], ticks: [[0, "0"], [1, "1"], [2, "2"], [3, "3"]], title: "KL of each latent, nats" },
    move: (c) => drawPrices(c, now),
    describe: () => `KL of each latent in nats: ${now.kl.map(nats).join(", ")}.`,
  });
  const grid = Array.from({ length: 76 }, (_, n) => 2 ** (LOG2_NOISE[0] + n / 10));
  let hill = { key: "" };
  const climb = () => {
    const { latentDim, beta } = state();
    const key = `${latentDim} ${beta}`;
    if (hill.key !== key) hill = { key, points: grid.map((v) => [v, optimum(data, latentDim, v, beta).objective]), top: settled(data, latentDim, beta) };
    return hill;
  };
  const objective = chart({
    label: "best objective against the noise", height: 13, left: 3.2,
    x: { domain: LOG2_NOISE.map((power) => 2 ** power), log: true, ticks: [0.02, 0.1, 0.5, 2].map((tick) => [tick, tick]), title: "σₓ²" },
    y: { domain: HIGHS, ticks: [-40, -20, 0, 20, 40].map((tick) => [tick, minus(String(tick))]), title: "E log p(x|z) − β·KL at its best, nats" },
    move: (c) => {
      const { points, top } = climb();
      const { latentDim, beta } = state();
      const high = optimum(data, latentDim, top, beta).objective;
      c.line(points, "ae-recon");
      c.dot(top, clamp(high, ...HIGHS), "ae-best", 0.4);
      c.text(top, clamp(high, ...HIGHS), "learned", "ae-text-recon", "start", 0.6, -0.5);
      c.dot(now.noiseVar, clamp(now.objective, ...HIGHS), "ae-dot-recon", 0.42);
    },
    drag: (value) => hold(value),
    describe: () => `The best objective for each noise, a single hill with its top at ${digits(climb().top)}; here ${nats(now.objective)} nats.`,
  });
  const [rows, columns] = model.get("image_shape");
  const picture = (label) => strip({ label, count: data.count, rows, columns });
  const [input, copy] = [picture("digits"), picture("their copies")];
  const number = h("span", { class: "ae-big" });
  const note = h("span", { class: "ae-unit" });
  const bound = h("p", { class: "ae-unit" });
  body.append(
    noise.root, weight.root, size.root, mode.root,
    h("div", { class: "ae-views" },
      h("div", { class: "ae-side" }, spectrum.root, prices.root),
      h("div", { class: "ae-side ae-sideways" },
        h("div", { class: "ae-gauge ae-tone-latent" }, number, note),
        h("div", { class: "ae-rows" }, h("span", { text: "Input" }), input.root, h("span", { class: "ae-recon-name", text: "Copy" }), copy.root),
        bound, objective.root)),
  );

  const draw = () => {
    const here = state();
    now = solve();
    noise.set(clamp(Math.log2(now.noiseVar), ...LOG2_NOISE));
    noise.input.disabled = here.learned;
    weight.set(Math.log2(here.beta));
    size.set(here.latentDim);
    mode.set(here.learned ? "learned" : "held");
    const copies = copiesOf(data, now);
    input.paint((index) => data.images[index]);
    copy.paint((index) => copies[index], "recon");
    number.textContent = now.used;
    note.textContent = `of ${here.latentDim} latents in use`;
    bound.textContent = `ELBO ${nats(now.elbo)} nats${here.beta === 1 ? "" : `; with weight β on the KL ${nats(now.objective)}`}`;
    const copyError = copies.reduce((sum, value, index) => sum + (value - data.images[index]) ** 2, 0) / copies.length;
    const { kl, ...figures } = now;
    Object.assign(section.dataset, figures, here, { copyError, kl: kl.join(" ") });
    [spectrum, prices, objective].forEach((one) => one.update());
    say(sentence(data, here, now));
  };
  draw();
  const deaf = listen(model, ["noise_var", "beta", "latent_dim", "learned"], draw);
  return () => [deaf, ...[spectrum, prices, objective, input, copy].map((one) => one.dispose)].forEach((stop) => stop());
}

function drawSpectrum(c, { values }, { latentDim }, { level, used }) {
  const at = clamp(level, ...EDGES);
  for (let k = 0; k < used; k += 1) {
    c.layer.append(s("line", { class: "ae-stem", x1: c.x(k + 1), x2: c.x(k + 1), y1: c.y(at), y2: c.y(values[k]) }));
  }
  c.layer.append(s("line", { class: "ae-level", x1: c.left, x2: c.right, y1: c.y(at), y2: c.y(at) }));
  for (let k = 0; k < SHOWN; k += 1) c.dot(k + 1, values[k], k >= latentDim ? "ae-beyond" : k < used ? "ae-on" : "ae-off", k >= latentDim ? 0.24 : 0.36);
  c.dot(SHOWN + 0.1, at, "ae-grip", 0.5);
  const words = level > EDGES[1] ? `βσₓ² = ${digits(level)}, above the picture` : `βσₓ² = ${digits(level)}`;
  const rightIsFree = level > values[11];
  const below = at > (rightIsFree ? 1 : 0.012);
  c.text(rightIsFree ? SHOWN - 0.8 : 0.6, at, words, "ae-text-input", rightIsFree ? "end" : "start", 0, below ? 1.2 : -0.5);
  if (latentDim < SHOWN) c.text(SHOWN + 0.4, values[SHOWN - 1], `not among the first ${latentDim}`, "ae-text-pca ae-quiet", "end", 0, level < values[SHOWN - 1] ? -2.2 : 1.6);
}

function drawPrices(c, { kl }) {
  kl.forEach((price, k) => {
    const width = 0.62 * (c.x(2) - c.x(1));
    const tall = Math.max(c.y(0) - c.y(price), price > 0 ? 1 : 0);
    c.layer.append(s("rect", { class: "ae-bar", x: c.x(k + 1) - width / 2, y: c.y(0) - tall, width, height: tall }));
  });
  const used = kl.filter((price) => price > 0).length;
  if (used < kl.length) c.text((used + 1 + kl.length) / 2, 0, "off", "ae-quiet", "middle", 0, -0.3);
}

export default { render };
