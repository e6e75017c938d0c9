import {
  button,
  chart,
  choices,
  fixed,
  gauge,
  h,
  interactive,
  pictureRow,
  rateCurve,
  slider,
  sum,
} from "./base.js";

const FACE = (model) => ({
  traits: ["index", "chosen_set", "asked"],
  lead:
    `${model.get("betas").length} first stages that differ in the weight β of the KL alone, ` +
    `and four distributions of their codes; the mixture has ${model.get("n_gaussians")} Gaussians.`,
});
const FIGURES = ["sigma", "scale", "rate", "error"];
const GAUGES = ["closeness", "coverage", "confidence"];
const WAYS = [
  { key: "prior", name: "N(0, I)", tone: "error", words: "the prior N(0, I)" },
  { key: "gaussian", name: "Gaussian", tone: "input", words: "one Gaussian" },
  { key: "mixture", name: "Mixture", tone: "latent", words: "the mixture" },
  { key: "diffusion", name: "Diffusion", tone: "recon", words: "latent diffusion (told the digit)" },
];
const RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/** 10⁻⁶ for small powers of ten, else the number. */
const short = (beta) => {
  const power = -Math.log10(beta);
  const whole = Math.round(power);
  return whole > 2 && Math.abs(power - whole) < 1e-9 ? `10⁻${RAISED[whole]}` : String(beta);
};
const tidy = (value) => String(Number(value.toPrecision(2)));

/** Each β with its figures and gauges. */
const readModels = ({ figures, gauges, hits }, betas) =>
  betas.map((beta, i) => ({
    beta,
    ...Object.fromEntries(FIGURES.map((name, k) => [name, figures.at(i, k)])),
    ways: Object.fromEntries(
      WAYS.map(({ key }, w) => [
        key,
        Object.fromEntries(GAUGES.map((name, k) => [name, gauges.at(i, w, k)])),
      ]),
    ),
    digits: hits.row(i),
  }));

const hitsOf = ({ digits }, asked) => (asked < 0 ? sum(digits) / digits.length : digits[asked]);

/** What is shown, in words; true at every setting. */
function sentence(one, asked) {
  const close = WAYS.map(({ key, words }) => `${words} ${fixed(one.ways[key].closeness, 2)}`);
  const read = `${Math.round(100 * hitsOf(one, asked))}%`;
  const hit =
    asked < 0
      ? `Asked for each digit in turn, latent diffusion is read as asked in ${read} of its drawings.`
      : `Asked for a ${asked}, latent diffusion is read as a ${asked} in ${read} of its drawings.`;
  return (
    `At β = ${short(one.beta)} the codes have a mean σ of ${tidy(one.sigma)}, and the scale factor is ` +
    `${fixed(one.scale, 2)}. Closeness of drawings: ${close.join(", ")}. ${hit}`
  );
}

export default interactive(FACE, ({ model, state, set, data, body, say, keep }) => {
  const { originals, copies, drawings, digits } = data;
  const [, , sets, count, rows, columns] = drawings.shape;
  const all = readModels(data, model.get("betas"));
  const now = () => all[Math.min(state().index, all.length - 1)];
  const choose = (index) => set({ index });
  const beta = slider({
    label: "Weight β of the KL",
    min: 0,
    max: all.length - 1,
    value: state().index,
    tone: "plain",
    input: choose,
    show: (i) => ({ number: short(all[i].beta), unit: "", spoken: `beta ${all[i].beta}` }),
  });
  const ask = choices({
    label: "Ask for",
    value: state().asked,
    options: [
      { value: -1, label: "each", spoken: "each digit in turn" },
      ...Array.from({ length: 10 }, (_, digit) => ({ value: digit, label: String(digit) })),
    ],
    change: (value) => set({ asked: Number(value) }),
  });
  const other = button("Other drawings", () => set({ chosen_set: (state().chosen_set + 1) % sets }));
  const row = (name, tone, label) =>
    keep(pictureRow({ name, tone, label, count, rows, columns, widest: 40 }));
  const input = row("Input", "input", "ten held-out digits");
  const copied = row("Copies", "recon", "their copies");
  const drawn = WAYS.map(({ name, tone, words }) => row(name, tone, `ten drawings from ${words}`));
  const sigma = gauge({ tone: "latent", unit: "mean σ of a code number" });
  const factor = gauge({ tone: "recon", unit: "scale factor, 1 / standard deviation" });
  const bits = gauge({ tone: "error", unit: "bits per image: the rate" });
  const plot = keep(
    rateCurve(all, {
      now,
      choose,
      height: 11,
      name: short,
      describe: () =>
        "Error per pixel against rate in bits, a point for each β; " +
        `β = ${short(now().beta)} lies at ${fixed(now().rate, 1)} bits and ${fixed(now().error, 4)}.`,
    }),
  );
  const head = h("p", { class: "ae-note", text: "beside each name: closeness · coverage · confidence" });
  const pictures = [input, copied, ...drawn].flatMap(({ nodes }) => nodes);
  const left = h("div", {}, h("div", { class: "ae-picture-rows" }, ...pictures), head);
  const right = h("div", {}, sigma.root, factor.root, bits.root, plot.root);
  body.append(
    beta.root,
    h("div", { class: "ae-gen-ask" }, ask.root, other),
    h("div", { class: "ae-two" }, left, right),
  );
  input.paint(originals.at());

  return ({ chosen_set: chosenSet, asked: digit }) => {
    const one = now();
    const i = all.indexOf(one);
    beta.set(i);
    ask.set(digit);
    copied.paint(copies.at(i), "recon");
    const shown = WAYS.map(({ key }, w) =>
      key === "diffusion" && digit >= 0 ? digits.at(i, digit) : drawings.at(i, w, chosenSet),
    );
    WAYS.forEach(({ key, tone }, w) => {
      drawn[w].paint(shown[w], tone);
      drawn[w].say(GAUGES.map((name) => fixed(one.ways[key][name], 2)).join(" · "));
    });
    sigma.set(tidy(one.sigma));
    factor.set(fixed(one.scale, 2));
    bits.set(fixed(one.rate, 1));
    plot.update();
    say(sentence(one, digit));
    const flat = WAYS.flatMap(({ key }) => GAUGES.map((name) => [`${key}_${name}`, one.ways[key][name]]));
    return {
      beta: one.beta,
      ...Object.fromEntries(FIGURES.map((name) => [name, one[name]])),
      ...Object.fromEntries(flat),
      hits: hitsOf(one, digit),
      asked: digit,
      ink: inkOf(shown.at(-1), count * rows * columns),
    };
  };
});

const inkOf = (amount, size) => sum(Array.from({ length: size }, (_, index) => amount(index)));
