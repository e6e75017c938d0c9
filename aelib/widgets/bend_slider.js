import { chart, choices, fixed, gauge, h, interactive, nearestIndex, pictureRow, slider } from "./base.js";

const SPLITS = ["train", "held out"];
const NAMES = [
  "the training digits, to which PCA was fitted",
  "held-out digits, which none of the three has seen",
];
const FACE = {
  traits: ["latent_dim", "split"],
  lead:
    "A linear and a nonlinear autoencoder send the same digits through K numbers. " +
    "The scale of errors is logarithmic.",
};
const TICKS = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1];
const numbersOf = (k) => (k === 1 ? "1 number" : `${k} numbers`);

/** The sentence: the linear one against PCA, the nonlinear one against PCA. True at every position. */
function sentence(latentDim, split, [pca, linear, bent]) {
  const gap = linear / pca - 1;
  const beside = `is ${fixed(100 * Math.abs(gap), 2)}% ${gap > 0 ? "above" : "below"} PCA`;
  const on = Math.abs(gap) < 0.0005 ? "agrees with PCA to better than a thousandth" : beside;
  const share = fixed(100 * Math.abs(bent / pca - 1), 0);
  return (
    `With ${numbersOf(latentDim)}, on ${NAMES[split]}: the linear autoencoder’s error ${on}; ` +
    `the nonlinear one’s is ${share}% ${bent < pca ? "below" : "above"} it, ` +
    `${fixed(bent, 4)} against ${fixed(pca, 4)} per pixel.`
  );
}

export default interactive(FACE, ({ model, state, set, data, body, say, keep }) => {
  const { images, frames, errors } = data;
  const ks = model.get("ks");
  const [, count, rows, columns] = images.shape;
  const at = ({ latent_dim, split }) => [nearestIndex(ks, latent_dim), SPLITS.indexOf(split)];
  const shown = (k, split) => [0, 1, 2].map((method) => errors.at(method, split, k));
  const choose = (index) => set({ latent_dim: ks[index] });
  const size = slider({
    label: "Code size K",
    min: 0,
    max: ks.length - 1,
    value: 0,
    big: false,
    input: choose,
    show: (k) => ({ number: ks[k], unit: `of ${rows * columns}`, spoken: numbersOf(ks[k]) }),
  });
  const which = choices({
    label: "Errors on",
    value: state().split,
    change: (split) => set({ split }),
    options: [
      { value: "train", label: "training digits" },
      { value: "held out", label: "held-out digits" },
    ],
  });
  const row = (name, tone, label) => keep(pictureRow({ name, tone, label, count, rows, columns }));
  const input = row("Input", "input", "digits");
  const copies = [
    row("Linear", "recon", "the linear autoencoder’s copies"),
    row("Nonlinear", "recon", "the nonlinear autoencoder’s copies"),
  ];
  const big = gauge({ unit: "PCA’s error, for the nonlinear one" });
  const [least, most] = [Math.min(...errors.values), Math.max(...errors.values)];
  const kTicks = [1, 2, 4, 8, 16, 32, 64].filter((k) => ks.includes(k)).map((k) => [k, k]);
  const yTicks = TICKS.filter((tick) => tick > least && tick < most).map((tick) => [tick, String(tick)]);
  const curve = keep(
    chart({
      label: "error against the size of the code",
      height: 17,
      left: 3.4,
      x: { domain: [ks[0], ks.at(-1)], log: true, ticks: kTicks, title: "numbers in the code, K" },
      y: { domain: [least / 1.15, most * 1.1], log: true, ticks: yTicks, title: "error per pixel" },
      move: (c) => {
        const [k, split] = at(state());
        const points = (method) => ks.map((latentDim, index) => [latentDim, errors.at(method, split, index)]);
        c.rule(ks[k], "ae-rule");
        c.line(points(0), "ae-pca ae-bend-dashed");
        points(1).forEach(([x, y]) => c.dot(x, y, "ae-bend-ring", 0.36));
        c.line(points(2), "ae-recon");
        c.dot(ks[k], errors.at(2, split, k), "ae-dot-recon", 0.42);
        c.text(ks[1], errors.at(0, split, 1), "PCA, linear ○", "ae-text-pca", "start", 0.7, -0.4);
        c.text(ks[1], errors.at(2, split, 1), "nonlinear", "ae-text-recon", "end", 0.2, 1.5);
      },
      drag: (value) => choose(nearestIndex(ks.map(Math.log), Math.log(value))),
      describe: () => {
        const [k, split] = at(state());
        return sentence(ks[k], split, shown(k, split));
      },
    }),
  );
  const pictures = h(
    "div",
    { class: "ae-picture-rows" },
    ...[input, ...copies].flatMap(({ nodes }) => nodes),
  );
  const left = h("div", { class: "ae-bend-left" }, pictures, which.root);
  body.append(size.root, h("div", { class: "ae-two" }, left, h("div", {}, big.root, curve.root)));

  return (now) => {
    const [k, split] = at(now);
    const [pca, linear, nonlinear] = shown(k, split);
    size.set(k);
    which.set(SPLITS[split]);
    input.paint(images.at(split));
    copies.forEach((copy, method) => {
      copy.paint(frames.at(split, method, k));
      copy.say(`error ${fixed([linear, nonlinear][method], 4)}`);
    });
    const ratio = nonlinear / pca;
    big.set(`${fixed(ratio, ratio < 9.995 ? 2 : 1)}×`);
    curve.update();
    say(sentence(ks[k], split, [pca, linear, nonlinear]));
    return { latentDim: ks[k], split: SPLITS[split], ratio, pca, linear, nonlinear };
  };
});
