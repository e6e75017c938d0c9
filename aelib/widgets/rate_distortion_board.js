import { card, chart, choices, h, listen, nearestIndex, readFloat64, readUint8, saver, slider, strip } from "./base.js";

const [SHOWN, ROWS, PLACES, PIXELS] = [8, 5, 7, 64];
const NAMES = ["rate", "error", "active", "informative", "robust", "representative", "distance", "coverage"];
const PICTURES = 2 * SHOWN + ROWS * PLACES;

function readBoard(model) {
  const [sizes, betas] = [model.get("sizes"), model.get("betas")];
  const [table, prices] = [readFloat64(model.get("figures")), readFloat64(model.get("prices"))];
  const [pictures, originals] = [readUint8(model.get("pictures")), readUint8(model.get("originals"))];
  const most = sizes[sizes.length - 1];
  const all = sizes.flatMap((size, i) => betas.map((beta, j) => {
    const n = i * betas.length + j;
    const found = Object.fromEntries(NAMES.map((name, k) => [name, table[n * NAMES.length + k]]));
    const latents = Array.from(prices.subarray(n * most, n * most + size), (nats) => nats / Math.LN2);
    const images = pictures.subarray(n * PICTURES * PIXELS, (n + 1) * PICTURES * PIXELS);
    return { size, beta, ...found, bits: found.rate / Math.LN2, latents, images };
  }));
  return { sizes, betas, all, originals, curves: model.get("curves"), noise: model.get("noise_var") };
}

const fraction = (beta) => (beta < 1 ? `1/${Math.round(1 / beta)}` : String(beta));
const tidy = (value) => String(Number(value.toPrecision(3)));

/** What is shown, in words; true at every setting. */
function sentence(now) {
  const start = `With β = ${fraction(now.beta)} and K = ${now.size}, a held-out image costs ${now.bits.toFixed(1)} bits on average`;
  const copy = `and its copies, from drawn codes, are off by ${now.error.toFixed(4)} a pixel`;
  const idle = now.size - now.active;
  const moving = now.active === 0
    ? "No latent is active: the code tells next to nothing about the image, and all copies are alike"
    : idle === 0 ? "All latents are active" : `${now.active} of ${now.size} latents ${now.active === 1 ? "is" : "are"} active, ${idle} hardly move${idle === 1 ? "s" : ""} with the image`;
  return `${start}, ${copy}. ${moving}. Random codes decode to pictures ${now.distance.toFixed(2)} times as far from the training digits as real ones, and these cover ${now.coverage.toFixed(2)} of what real ones cover.`;
}

function render({ model, el }) {
  const board = readBoard(model);
  const save = saver(model);
  const find = () => board.all.find(({ size, beta }) => size === model.get("latent_dim") && beta === model.get("beta"));
  const go = (size, beta) => { model.set("latent_dim", size); model.set("beta", beta); save(); };
  const { section, body, say } = card(el, {
    title: "What β and K buy",
    lead: `${board.all.length} trained VAEs, judged on held-out digits. Use the controls, or drag the point.`,
  });
  const weight = slider({
    label: "Weight β of the KL", min: 0, max: board.betas.length - 1, value: nearestIndex(board.betas, model.get("beta")),
    show: (at) => ({ number: fraction(board.betas[at]), unit: `βσₓ² = ${tidy(board.betas[at] * board.noise)}`, spoken: fraction(board.betas[at]) }),
    input: (at) => go(model.get("latent_dim"), board.betas[at]),
  });
  const size = choices({
    label: "Code numbers K", value: model.get("latent_dim"),
    options: board.sizes.map((value) => ({ value, label: String(value) })), change: (value) => go(value, model.get("beta")),
  });
  const [bits, error] = [0, 1].map(() => h("span", { class: "ae-big" }));
  const headline = (tone, number, unit) => h("p", { class: `ae-rd-pair ae-tone-${tone}` }, number, h("span", { class: "ae-unit", text: unit }));
  const dashes = h("p", { class: "ae-note ae-rd-dashes" });
  const gauges = ["informative", "disentangled", "robust", "representative"].map(gauge);

  const plot = chart({
    label: "bits against error", height: 21, left: 3.2,
    x: { domain: [0, 50], ticks: [0, 10, 20, 30, 40, 50].map((tick) => [tick, String(tick)]), title: "bits per image" },
    y: { domain: [0, 0.08], ticks: [0, 0.02, 0.04, 0.06, 0.08].map((tick) => [tick, tick.toFixed(2)]), title: "held-out error per pixel" },
    draw: (c) => {
      for (const [name, points] of Object.entries(board.curves)) {
        const tone = name === "PCA" ? "pca" : "recon";
        c.line(points, `ae-${tone} ae-thin`);
        for (const [a, b] of points) if (a <= 50 && b <= 0.08) c.dot(a, b, `ae-rd-mark-${tone}`, 0.17);
      }
      const legend = [["VAEs: mean KL, a price", "latent"], ["autoencoder: files", "recon"], ["PCA: files", "pca"]];
      legend.forEach(([words, tone], n) => c.text(50, 0.08, words, `ae-text-${tone}`, "end", 0, 1.1 + 1.25 * n));
      for (const wanted of board.sizes) {
        const line = board.all.filter((each) => each.size === wanted);
        c.line(line.map((each) => [each.bits, each.error]), "ae-latent ae-rd-faint");
        for (const each of line) c.dot(each.bits, each.error, "ae-rd-mark-latent", 0.17);
        c.text(line[0].bits, line[0].error, `K = ${wanted}`, "ae-text-latent", "middle", 0, 1.25);
      }
    },
    move: (c) => {
      const now = find();
      c.line(board.all.filter((each) => each.size === now.size).map((each) => [each.bits, each.error]), "ae-latent");
      c.dot(now.bits, now.error, "ae-dot-latent", 0.55);
    },
    drag: (a, b) => {
      const far = (each) => Math.hypot(plot.x(each.bits) - plot.x(a), plot.y(each.error) - plot.y(b));
      const nearest = board.all.reduce((best, each) => (far(each) < far(best) ? each : best));
      go(nearest.size, nearest.beta);
    },
    describe: () => `Bits per image against error per pixel: the chosen VAE lies at ${find().bits.toFixed(1)} bits and ${find().error.toFixed(4)}.`,
  });
  const row = (words, label, count) => {
    const drawn = strip({ label, count, widest: 62 });
    const name = h("span", { class: "ae-note", text: words });
    return { drawn, name, root: h("div", { class: "ae-rd-row" }, name, drawn.root) };
  };
  const [real, copies, random] = [row("held out", "eight held-out digits", SHOWN), row("copies", "their copies", SHOWN), row("random codes", "eight decoded codes from the prior", SHOWN)];
  const walks = Array.from({ length: ROWS }, (_, k) => row("", `walk along latent number ${k + 1} by its price`, PLACES));
  const walkTitle = h("p", { class: "ae-rd-head", text: "A 3, one code number moved from −3 to 3; the dearest first" });
  body.append(
    h("div", { class: "ae-rd-controls" }, weight.root, size.root),
    h("div", { class: "ae-rd-stage" }, plot.root,
      h("div", { class: "ae-rd-side" }, headline("latent", bits, "bits per image"), headline("error", error, "error per pixel"), ...gauges.map(({ root }) => root), dashes)),
    h("div", { class: "ae-rd-pictures" },
      h("div", { class: "ae-rd-block" }, real.root, copies.root, random.root),
      h("div", { class: "ae-rd-block" }, walkTitle, ...walks.map(({ root }) => root))));

  const draw = () => {
    const now = find();
    weight.set(board.betas.indexOf(now.beta));
    size.set(now.size);
    bits.textContent = now.bits.toFixed(1);
    error.textContent = now.error.toFixed(4);
    gauges.forEach((each) => each.set(now[each.name]));
    dashes.textContent = `— the digits’ factors are not known${now.active ? "" : "; a code that never moves has no robustness"}`;
    plot.update();
    const ink = (from) => (index) => now.images[from * PIXELS + index] / 255;
    real.drawn.paint((index) => board.originals[index] / 255);
    copies.drawn.paint(ink(0), "recon");
    random.drawn.paint(ink(SHOWN), "recon");
    walks.forEach((walk, k) => {
      walk.root.style.visibility = k < now.size ? "" : "hidden";
      walk.name.textContent = k < now.size ? `${now.latents[k].toFixed(2)} bits` : "";
      walk.drawn.paint(k < now.size ? ink(2 * SHOWN + PLACES * k) : () => 0, "recon");
    });
    const shown = Object.fromEntries(NAMES.map((name) => [name, now[name]]));
    const total = now.images.reduce((sum, value) => sum + value, 0);
    Object.assign(section.dataset, { latentDim: now.size, beta: now.beta, ...shown, bits: now.bits, latents: now.latents.join(" "), total });
    say(sentence(now));
  };
  draw();
  const deaf = listen(model, ["latent_dim", "beta"], draw);
  const strips = [real, copies, random, ...walks].map(({ drawn }) => drawn.dispose);
  return () => [deaf, plot.dispose, ...strips].forEach((stop) => stop());
}

/** One desideratum from 0 to 1 as a bar with its number; a dash where it is not defined. */
function gauge(name) {
  const [filled, number] = [h("span", { class: "ae-rd-filled" }), h("span", { class: "ae-rd-number" })];
  const root = h("div", { class: "ae-rd-gauge" }, h("span", { text: name }), h("span", { class: "ae-rd-track", "aria-hidden": "true" }, filled), number);
  const set = (value) => {
    const known = Number.isFinite(value);
    filled.style.width = known ? `${100 * Math.max(0, value)}%` : "0";
    number.textContent = !known ? "—" : Math.abs(value) < 0.005 ? "0.00" : value.toFixed(2).replace("-", "−");
  };
  return { name, root, set };
}

export default { render };
