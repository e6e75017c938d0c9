import { chart, choices, fixed, h, interactive, nearestIndex, put, slider, strip, sum } from "./base.js";

const [SHOWN, ROWS, PLACES] = [8, 5, 7];
const NAMES = ["rate", "error", "active", "informative", "robust", "representative", "distance", "coverage"];
const UNDEFINED = -1;
const TONES = { PCA: "pca", "k-means": "input" };
const FACE = (model) => {
  const count = model.get("sizes").length * model.get("betas").length;
  return {
    traits: ["latent_dim", "beta"],
    lead: `${count} trained VAEs, judged on held-out digits. Use the controls, or drag the point.`,
  };
};

/** Each model with its figures, in the order of Python's arrays. */
const readModels = ({ figures, prices }, sizes, betas) =>
  sizes.flatMap((size, i) =>
    betas.map((beta, j) => {
      const n = i * betas.length + j;
      const row = figures.row(n).map((value) => (value === UNDEFINED ? NaN : value));
      const found = Object.fromEntries(NAMES.map((name, k) => [name, row[k]]));
      const latents = prices
        .row(n)
        .slice(0, size)
        .map((nats) => nats / Math.LN2);
      return { n, size, beta, ...found, bits: found.rate / Math.LN2, latents };
    }),
  );

const fraction = (beta) => (beta < 1 ? `1/${Math.round(1 / beta)}` : String(beta));
const tidy = (value) => String(Number(value.toPrecision(3)));

function latentWords({ size, active }) {
  const idle = size - active;
  if (active === 0)
    return "No latent is active: the code tells next to nothing about the image, and all copies are alike";
  if (idle === 0) return "All latents are active";
  const moving = `${active} of ${size} latents ${active === 1 ? "is" : "are"} active`;
  return `${moving}, ${idle} hardly move${idle === 1 ? "s" : ""} with the image`;
}

/** What is shown, in words; true at every setting. */
const sentence = (now) =>
  `With β = ${fraction(now.beta)} and K = ${now.size}, a held-out image costs ${now.bits.toFixed(1)} bits ` +
  `on average, and its copies, from drawn codes, are off by ${now.error.toFixed(4)} a pixel. ` +
  `${latentWords(now)}. Random codes decode to pictures ${now.distance.toFixed(2)} times as far from the ` +
  `training digits as real ones, and these cover ${now.coverage.toFixed(2)} of what real ones cover.`;

export default interactive(FACE, ({ model, state, set, data, body, say, keep }) => {
  const [sizes, betas, noiseVar] = ["sizes", "betas", "noise_var"].map((name) => model.get(name));
  const all = readModels(data, sizes, betas);
  const now = () => all.find(({ size, beta }) => size === state().latent_dim && beta === state().beta);
  const weight = slider({
    label: "Weight β of the KL",
    min: 0,
    max: betas.length - 1,
    value: nearestIndex(betas, state().beta),
    show: (at) => {
      const words = fraction(betas[at]);
      return { number: words, unit: `βσₓ² = ${tidy(betas[at] * noiseVar)}`, spoken: words };
    },
    input: (at) => set({ beta: betas[at] }),
  });
  const size = choices({
    label: "Code numbers K",
    value: state().latent_dim,
    options: sizes.map((value) => ({ value, label: String(value) })),
    change: (value) => set({ latent_dim: value }),
  });
  const [bits, error] = [0, 1].map(() => h("span", { class: "ae-big" }));
  const headline = (tone, number, unit) =>
    h("p", { class: `ae-rd-pair ae-tone-${tone}` }, number, h("span", { class: "ae-unit", text: unit }));
  const dashes = h("p", { class: "ae-note" });
  const scores = ["informative", "disentangled", "robust", "representative"].map(score);
  const choose = (one) => set({ latent_dim: one.size, beta: one.beta });
  const plot = keep(tradeOff({ all, sizes, curves: model.get("curves"), now, choose }));
  const pictures = keep(pictureRows(data));
  const numbers = [headline("latent", bits, "bits per image"), headline("error", error, "error per pixel")];
  const left = h(
    "div",
    { class: "ae-rd-side" },
    h("div", { class: "ae-rd-pairs" }, ...numbers),
    plot.root,
    h("div", { class: "ae-rd-scores" }, ...scores.map(({ root }) => root)),
    dashes,
  );
  body.append(
    h("div", { class: "ae-rd-controls" }, weight.root, size.root),
    h("div", { class: "ae-two" }, left, pictures.root),
  );
  const totals = all.map(({ n }) => sum(Array.from(data.pictures.part(n))));

  return () => {
    const one = now();
    weight.set(betas.indexOf(one.beta));
    size.set(one.size);
    put(bits, { text: one.bits.toFixed(1) });
    put(error, { text: one.error.toFixed(4) });
    scores.forEach((each) => each.set(one[each.name]));
    const still = one.active ? "" : "; a code that never moves has no robustness";
    put(dashes, { text: `— the digits’ factors are not known${still}` });
    plot.update();
    pictures.paint(one);
    say(sentence(one));
    const { n, size: latentDim, latents, ...figures } = one;
    return { latentDim, ...figures, latents: latents.join(" "), total: totals[n] };
  };
});

/** A score between 0 and 1 as a bar; a dash where there is none. */
function score(name) {
  const [filled, number] = [h("span", { class: "ae-rd-filled" }), h("span", { class: "ae-rd-number" })];
  const track = h("span", { class: "ae-rd-track", "aria-hidden": "true" }, filled);
  const root = h("div", { class: "ae-rd-gauge" }, h("span", { text: name }), track, number);
  const setTo = (value) => {
    const known = Number.isFinite(value);
    filled.style.width = known ? `${100 * Math.max(0, value)}%` : "0";
    put(number, { text: known ? fixed(value, 2) : "—" });
  };
  return { name, root, set: setTo };
}

/** All models on the plane of bits and error, with the curves of other methods. */
function tradeOff({ all, sizes, curves, now, choose }) {
  const point = ({ bits, error }) => [bits, error];
  const line = (size) => all.filter((one) => one.size === size);
  const [wide, high] = [50, 0.08];
  const draw = (c) => {
    for (const [name, points] of Object.entries(curves)) {
      const tone = TONES[name] ?? "recon";
      c.line(points, `ae-${tone} ae-thin`);
      for (const [a, b] of points) if (a <= wide && b <= high) c.dot(a, b, `ae-rd-mark-${tone}`, 0.17);
    }
    const legend = [
      ["VAEs: mean KL, a price", "latent"],
      ["a line for each K: β falls to the right", "latent"],
      ["autoencoder: files", "recon"],
      ["PCA: files", "pca"],
      ["k-means: files", "input"],
    ];
    legend.forEach(([words, tone], n) =>
      c.text(wide, high, words, `ae-text-${tone}`, "end", 0, 0.7 + 1.15 * n),
    );
    for (const size of sizes) {
      c.line(line(size).map(point), "ae-latent ae-rd-faint");
      for (const one of line(size)) c.dot(...point(one), "ae-rd-mark-latent", 0.17);
    }
  };
  const me = chart({
    label: "bits against error",
    height: 14.4,
    left: 3,
    holdable: true,
    x: {
      domain: [0, wide],
      ticks: [0, 10, 20, 30, 40, 50].map((tick) => [tick, tick]),
      title: "bits per image",
    },
    y: {
      domain: [0, high],
      ticks: [0, 0.02, 0.04, 0.06, 0.08].map((tick) => [tick, tick.toFixed(2)]),
      title: "held-out error per pixel",
    },
    draw,
    move: (c) => {
      c.line(line(now().size).map(point), "ae-latent");
      c.dot(...point(now()), "ae-dot-latent", 0.55);
      const beside = now().bits < 6 ? ["start", 0.9, -0.2] : ["end", -0.4, 1.5];
      c.text(...point(now()), `K = ${now().size}`, "ae-text-latent", ...beside);
      c.hold(...point(now()));
    },
    drag: (a, b) => {
      const far = (one) => Math.hypot(me.x(one.bits) - me.x(a), me.y(one.error) - me.y(b));
      choose(all.reduce((best, one) => (far(one) < far(best) ? one : best)));
    },
    describe: () =>
      "Bits per image against error per pixel: " +
      `the chosen VAE lies at ${now().bits.toFixed(1)} bits and ${now().error.toFixed(4)}.`,
  });
  return me;
}

/** Digits, copies and drawings of a model, and walks along its dearest latents. */
function pictureRows({ originals, pictures }) {
  const row = (words, label, count) => {
    const drawn = strip({ label, count, widest: 62 });
    const name = h("span", { class: "ae-note", text: words });
    return { ...drawn, name, line: h("div", { class: "ae-rd-row" }, name, drawn.root) };
  };
  const real = row("held out", "eight held-out digits", SHOWN);
  const copies = row("copies", "their copies", SHOWN);
  const random = row("random codes", "eight decoded codes from the prior", SHOWN);
  const walk = (_, k) => row("", `walk along latent number ${k + 1} by its price`, PLACES);
  const walks = Array.from({ length: ROWS }, walk);
  const head = "A 3, one code number moved from −3 to 3; the dearest first";
  const block = (...parts) => h("div", { class: "ae-rd-block" }, ...parts);
  const lines = (rows) => rows.map(({ line }) => line);
  const root = h(
    "div",
    { class: "ae-rd-pictures" },
    block(...lines([real, copies, random])),
    block(h("p", { class: "ae-rd-head", text: head }), ...lines(walks)),
  );
  real.paint(originals.at());
  const paint = ({ n, size, latents }) => {
    copies.paint(pictures.at(n, 0), "recon");
    random.paint(pictures.at(n, SHOWN), "recon");
    walks.forEach((one, k) => {
      one.line.style.visibility = k < size ? "" : "hidden";
      put(one.name, { text: k < size ? `${latents[k].toFixed(2)} bits` : "" });
      if (k < size) one.paint(pictures.at(n, 2 * SHOWN + PLACES * k), "recon");
    });
  };
  const dispose = () => [real, copies, random, ...walks].forEach((one) => one.dispose());
  return { root, paint, dispose };
}
