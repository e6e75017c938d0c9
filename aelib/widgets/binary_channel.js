import { chart, clamp, gauge, h, interactive, percent, put, slider } from "./base.js";

const BITS = 1 / Math.LN2;
const plogp = (p) => (p > 0 ? p * Math.log(p) : 0);

/** log 2 minus the entropy of the flip, in nats. */
const information = (flip) => Math.LN2 + plogp(flip) + plogp(1 - flip);

function sentence(flip) {
  const known = (information(flip) * BITS).toFixed(2);
  if (flip === 0) return "Z is a copy of X: it tells the whole bit.";
  if (flip === 1) return "Z is always the opposite of X, so it tells the whole bit as well.";
  if (Math.abs(flip - 0.5) < 1e-9) {
    return "Z is turned over half of the time: whatever z is, x is still a fair coin, and Z tells nothing.";
  }
  const guess = flip < 0.5 ? "guess x = z" : "guess the opposite of z";
  const told = Number(known) === 0 ? "less than 0.01" : known;
  const right = `Who sees z should ${guess}, and is right ${percent(Math.max(flip, 1 - flip))} of the time`;
  return `${right}; on average z tells ${told} of the 1 bit.`;
}

const FACE = { traits: ["flip"], lead: "X is 0 or 1, each half of the time. Z is what arrives." };
const CURVE = Array.from({ length: 101 }, (_, k) => [k / 100, information(k / 100) * BITS]);

export default interactive(FACE, ({ state, set, body, say, keep }) => {
  const noise = slider({
    label: "Flips",
    min: 0,
    max: 100,
    value: Math.round(100 * state().flip),
    tone: "error",
    big: false,
    show: (value) => ({ number: (value / 100).toFixed(2), unit: "", spoken: `${value} percent` }),
    input: (value) => set({ flip: value / 100 }),
  });
  const known = gauge({ tone: "latent", unit: "bits of 1" });
  known.root.prepend(h("span", { class: "ae-what", text: "I(X; Z)" }));
  const cells = [0, 1].map(() => [0, 1].map(() => h("td")));
  const head = ["joint", "z = 0", "z = 1"].map((text) => h("th", { scope: "col", text }));
  const rows = cells.map((row, x) => h("tr", {}, h("th", { scope: "row", text: `x = ${x}` }), ...row));
  const table = h("table", {}, h("thead", {}, h("tr", {}, ...head)), h("tbody", {}, ...rows));
  const told = () => information(state().flip) * BITS;
  const ticks = (values) => values.map((tick) => [tick, tick]);
  const curve = keep(
    chart({
      label: "information against the probability of a flip",
      height: 12,
      x: { domain: [0, 1], ticks: ticks([0, 0.25, 0.5, 0.75, 1]), title: "probability of a flip" },
      y: { domain: [0, 1], ticks: ticks([0, 0.5, 1]), title: "I(X; Z) in bits" },
      draw: (c) => c.line(CURVE, "ae-latent"),
      move: (c) => {
        c.rule(state().flip, "ae-rule");
        c.dot(state().flip, told(), "ae-dot-latent", 0.4);
      },
      drag: (value) => set({ flip: clamp(Math.round(100 * value), 0, 100) / 100 }),
      describe: () =>
        "I in bits against the probability of a flip, a valley with its bottom at one half; " +
        `at ${state().flip} it is ${told().toFixed(3)}.`,
    }),
  );
  body.append(noise.root, h("div", { class: "ae-two" }, h("div", {}, known.root, table), curve.root));

  return ({ flip }) => {
    noise.set(Math.round(100 * flip));
    known.set(told().toFixed(3));
    cells.forEach((row, x) =>
      row.forEach((cell, z) => {
        const p = (x === z ? 1 - flip : flip) / 2;
        put(cell, { text: p.toFixed(3), style: `--ae-share: ${Math.round(120 * p)}%` });
      }),
    );
    curve.update();
    say(sentence(flip));
    return { information: information(flip) };
  };
});
