import { button, chart, fixed, gauge, h, interactive, pictureRow, rateCurve, slider, sum } from "./base.js";

const FACE = (model) => ({
  traits: ["index", "chosen_set"],
  lead:
    `${model.get("betas").length} VAEs, alike but for the weight β of the KL. ` +
    "All figures are of held-out digits.",
});

/** What is shown of each model. */
const figures = ({ numbers, kl }, betas, noise, least) =>
  betas.map((beta, i) => {
    const bits = kl.row(i).map((nats) => nats / Math.LN2);
    const [error, distance] = numbers.row(i);
    const inUse = kl.row(i).filter((nats) => nats > least).length;
    return { beta, bits, rate: sum(bits), error, distance, inUse, sigma: Math.sqrt(beta * noise) };
  });

/** What is shown, in words; true at every setting. */
function sentence(all, now) {
  const { inUse, bits, distance, beta } = now;
  const latents =
    inUse === 0
      ? `none of the ${bits.length} latents is in use, and every copy is nearly the same picture`
      : `${inUse} of ${bits.length} latents ${inUse === 1 ? "is" : "are"} in use`;
  const nearest = all.reduce((best, one) => (one.distance < best.distance ? one : best));
  const other = `nearest at β = ${nearest.beta}, with ${fixed(nearest.distance, 2)}`;
  const loss = beta === 1 ? "where the loss is the negative ELBO" : `as if σₓ were ${fixed(now.sigma, 2)}`;
  return (
    `At β = ${beta}, ${loss}, a code costs ${fixed(now.rate, 1)} bits and ${latents}. ` +
    `Drawings lie ${fixed(distance, 2)} times as far from the training digits as real digits do: ` +
    `${now === nearest ? "the nearest of all these β" : other}.`
  );
}

export default interactive(FACE, ({ model, state, set, data, body, say, keep }) => {
  const { originals, copies, drawings } = data;
  const [, sets, count, rows, columns] = drawings.shape;
  const all = figures(data, model.get("betas"), model.get("noise_var"), model.get("in_use"));
  const now = () => all[Math.min(state().index, all.length - 1)];
  const choose = (index) => set({ index });
  const beta = slider({
    label: "β",
    min: 0,
    max: all.length - 1,
    value: state().index,
    tone: "plain",
    input: choose,
    show: (i) => ({
      number: all[i].beta,
      unit: `like σₓ = ${fixed(all[i].sigma, 2)}`,
      spoken: `beta ${all[i].beta}`,
    }),
  });
  const row = (name, tone, label) => keep(pictureRow({ name, tone, label, count, rows, columns }));
  const input = row("Input", "input", "ten held-out digits");
  const copied = row("Copies", "recon", "their copies, each from a drawn code");
  const drawn = row("Drawings", "latent", "ten codes of the prior, decoded");
  const other = button("Other codes", () => set({ chosen_set: (state().chosen_set + 1) % sets }));
  const rate = gauge({ tone: "latent", unit: "bits per image: the rate" });
  const error = gauge({ tone: "recon", unit: "error per pixel of copies" });
  const distance = gauge({ tone: "error", unit: "distance of drawings, real digits = 1" });
  const curve = keep(
    rateCurve(all, {
      now,
      choose,
      describe: () => `Error per pixel against rate in bits, a point for each β. ${sentence(all, now())}`,
    }),
  );
  const bars = keep(latentBars(all, now));
  const pictures = [input, copied, drawn].flatMap(({ nodes }) => nodes);
  const left = [
    h("div", { class: "ae-picture-rows" }, ...pictures),
    other,
    rate.root,
    error.root,
    distance.root,
  ];
  body.append(
    beta.root,
    h(
      "div",
      { class: "ae-two" },
      h("div", { class: "ae-beta-left" }, ...left),
      h("div", {}, curve.root, bars.root),
    ),
  );
  input.paint(originals.at());
  const ink = all.map((_, i) => [...Array(sets).keys()].map((one) => inkOf(drawings.part(i, one))));

  return ({ chosen_set: chosenSet }) => {
    const one = now();
    const i = all.indexOf(one);
    beta.set(i);
    copied.paint(copies.at(i), "recon");
    drawn.paint(drawings.at(i, chosenSet), "latent");
    rate.set(fixed(one.rate, 1));
    error.set(fixed(one.error, 4));
    distance.set(fixed(one.distance, 2));
    curve.update();
    bars.update();
    say(sentence(all, one));
    return { ...one, chosenSet, ink: ink[i][chosenSet] };
  };
});

const inkOf = (levels) => sum(Array.from(levels)) / 15;

/** The bits of each latent, the largest first, on one scale for all β. */
function latentBars(all, now) {
  const top = 1.15 * Math.max(...all.flatMap(({ bits }) => bits));
  const ticks = [2, 4, 6, 8, 10, 12].filter((value) => value < top).map((value) => [value, value]);
  return chart({
    label: "KL of each latent",
    height: 11,
    left: 2.6,
    x: { domain: [0.5, all[0].bits.length + 0.5], ticks: [], title: "latents, the largest KL first" },
    y: { domain: [0, top], ticks, title: "KL, bits" },
    move: (c) => {
      const width = 0.7 * (c.x(2) - c.x(1));
      c.shape("line", { class: "ae-axis", x1: c.left, x2: c.right, y1: c.bottom, y2: c.bottom });
      now().bits.forEach((value, k) => {
        const height = Math.max(0, c.bottom - c.y(value));
        c.shape("rect", { class: "ae-beta-bar", x: c.x(k + 1) - width / 2, width, y: c.y(value), height });
      });
    },
    describe: () =>
      `KL of each latent in bits: ${now()
        .bits.map((value) => fixed(value, 2))
        .join(", ")}.`,
  });
}
