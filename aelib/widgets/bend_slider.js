import { card, chart, choices, h, listen, nearestIndex, readFloat64, readUint8, saver, slider, strip } from "./base.js";

const SPLITS = ["train", "held out"];
const NAMES = { train: "the training digits, to which PCA was fitted", "held out": "held-out digits, which none of the three has seen" };

function readBends(model) {
  const ks = model.get("ks");
  const [rows, columns] = model.get("image_shape");
  const images = readUint8(model.get("images"));
  const frames = readUint8(model.get("frames"));
  const errors = readFloat64(model.get("errors"));
  const shown = images.length / 2;
  const part = (bytes, start) => (index) => bytes[start + index] / 255;
  return {
    ks, rows, columns, count: shown / (rows * columns),
    input: (split) => part(images, split * shown),
    copies: (split, method, k) => part(frames, ((split * 2 + method) * ks.length + k) * shown),
    error: (method, split, k) => errors[(method * 2 + split) * ks.length + k],
  };
}

const fixed = (value) => value.toFixed(4);
const numbersOf = (k) => (k === 1 ? "1 number" : `${k} numbers`);
const times = (ratio) => `${ratio.toFixed(ratio < 9.995 ? 2 : 1)}×`;

/** The sentence: the linear one against PCA, the nonlinear one against PCA. True at every position. */
function sentence(data, k, split) {
  const [pca, linear, bent] = [0, 1, 2].map((method) => data.error(method, split, k));
  const gap = linear / pca - 1;
  const on = Math.abs(gap) < 0.0005 ? "agrees with PCA to better than a thousandth" : `is ${(100 * Math.abs(gap)).toFixed(2)}% ${gap > 0 ? "above" : "below"} PCA`;
  const side = bent < pca ? `${(100 * (1 - bent / pca)).toFixed(0)}% below` : `${(100 * (bent / pca - 1)).toFixed(0)}% above`;
  return `With ${numbersOf(data.ks[k])}, on ${NAMES[SPLITS[split]]}: the linear autoencoder’s error ${on}; the nonlinear one’s is ${side} it, ${fixed(bent)} against ${fixed(pca)} per pixel.`;
}

function render({ model, el }) {
  const data = readBends(model);
  const save = saver(model);
  const { section, body, say } = card(el, {
    title: "Without bends, and with",
    lead: "A linear and a nonlinear autoencoder send the same digits through K numbers. The scale of errors is logarithmic.",
  });
  const state = () => [nearestIndex(data.ks, model.get("latent_dim")), SPLITS.indexOf(model.get("split"))];
  const choose = (index) => { model.set("latent_dim", data.ks[index]); save(); };
  const size = slider({
    label: "Code size K", min: 0, max: data.ks.length - 1, value: state()[0], big: false,
    show: (index) => ({ number: data.ks[index], unit: `of ${data.rows * data.columns}`, spoken: numbersOf(data.ks[index]) }),
    input: choose,
  });
  const which = choices({
    label: "Errors on", value: model.get("split"), change: (value) => { model.set("split", value); save(); },
    options: [{ value: "train", label: "training digits" }, { value: "held out", label: "held-out digits" }],
  });
  const row = (name, tone, label) => {
    const pictures = strip({ label, count: data.count, rows: data.rows, columns: data.columns });
    const note = h("span", { class: "ae-bend-note" });
    return { pictures, note, nodes: [h("div", { class: `ae-bend-name ae-bend-${tone}` }, h("span", { text: name }), note), pictures.root] };
  };
  const input = row("Input", "input", "digits");
  const linear = row("Linear", "recon", "the linear autoencoder’s copies");
  const bent = row("Nonlinear", "recon", "the nonlinear autoencoder’s copies");
  const number = h("span", { class: "ae-big" });
  const gauge = h("div", { class: "ae-bend-gauge ae-tone-recon" }, number, h("span", { class: "ae-unit", text: "PCA’s error, for the nonlinear one" }));

  const all = data.ks.flatMap((_, k) => [0, 1, 2].flatMap((method) => [0, 1].map((split) => data.error(method, split, k))));
  const ticks = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1];
  const inside = ticks.filter((tick) => tick > Math.min(...all) && tick < Math.max(...all));
  const curve = chart({
    label: "error against the size of the code", height: 17, left: 3.4,
    x: { domain: [data.ks[0], data.ks[data.ks.length - 1]], log: true, ticks: [1, 2, 4, 8, 16, 32, 64].filter((tick) => data.ks.includes(tick)).map((tick) => [tick, tick]), title: "numbers in the code, K" },
    y: { domain: [Math.min(...all) / 1.15, Math.max(...all) * 1.1], log: true, ticks: inside.map((tick) => [tick, String(tick)]), title: "error per pixel" },
    move: (c) => {
      const [k, split] = state();
      const points = (method) => data.ks.map((latentDim, index) => [latentDim, data.error(method, split, index)]);
      c.rule(data.ks[k], "ae-rule");
      c.line(points(0), "ae-pca ae-bend-dashed");
      points(1).forEach(([x, y]) => c.dot(x, y, "ae-bend-ring", 0.36));
      c.line(points(2), "ae-recon");
      c.dot(data.ks[k], data.error(2, split, k), "ae-dot-recon", 0.42);
      c.text(data.ks[1], data.error(0, split, 1), "PCA, linear ○", "ae-text-pca", "start", 0.7, -0.4);
      c.text(data.ks[1], data.error(2, split, 1), "nonlinear", "ae-text-recon", "end", 0.2, 1.5);
    },
    drag: (value) => choose(nearestIndex(data.ks.map(Math.log), Math.log(value))),
    describe: () => sentence(data, ...state()),
  });
  const rows = h("div", { class: "ae-bend-rows" }, ...[input, linear, bent].flatMap(({ nodes }) => nodes));
  body.append(size.root, h("div", { class: "ae-bend" }, h("div", { class: "ae-bend-left" }, rows, which.root), h("div", {}, gauge, curve.root)));

  const draw = () => {
    const [k, split] = state();
    size.set(k);
    which.set(SPLITS[split]);
    input.pictures.paint(data.input(split));
    linear.pictures.paint(data.copies(split, 0, k));
    bent.pictures.paint(data.copies(split, 1, k));
    linear.note.textContent = `error ${fixed(data.error(1, split, k))}`;
    bent.note.textContent = `error ${fixed(data.error(2, split, k))}`;
    const ratio = data.error(2, split, k) / data.error(0, split, k);
    number.textContent = times(ratio);
    Object.assign(section.dataset, {
      latentDim: data.ks[k], split: SPLITS[split], ratio, pca: data.error(0, split, k), linear: data.error(1, split, k), nonlinear: data.error(2, split, k),
    });
    curve.update();
    say(sentence(data, k, split));
  };
  draw();
  const deaf = listen(model, ["latent_dim", "split"], draw);
  return () => [deaf, curve.dispose, ...[input, linear, bent].map(({ pictures }) => pictures.dispose)].forEach((stop) => stop());
}

export default { render };
