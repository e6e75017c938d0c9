import { card, chart, clamp, h, listen, percent, saver, slider } from "./base.js";

const BITS = 1 / Math.LN2;
const plogp = (p) => (p > 0 ? p * Math.log(p) : 0);

/** log 2 minus the entropy of the flip, in nats. */
const information = (flip) => Math.LN2 + plogp(flip) + plogp(1 - flip);

function sentence(flip) {
  const known = (information(flip) * BITS).toFixed(2);
  if (flip === 0) return "Z is a copy of X: it tells the whole bit.";
  if (flip === 1) return "Z is always the opposite of X, so it tells the whole bit as well.";
  if (Math.abs(flip - 0.5) < 1e-9) return "Z is turned over half of the time: whatever z is, x is still a fair coin, and Z tells nothing.";
  const guess = flip < 0.5 ? "guess x = z" : "guess the opposite of z";
  return `Who sees z should ${guess}, and is right ${percent(Math.max(flip, 1 - flip))} of the time; on average z tells ${Number(known) === 0 ? "less than 0.01" : known} of the 1 bit.`;
}

function render({ model, el }) {
  const save = saver(model);
  const { section, body, say } = card(el, {
    title: "A coin through a noisy channel",
    lead: "X is 0 or 1, each half of the time. Z is what arrives.",
  });
  const flip = () => model.get("flip");
  const choose = (value) => { model.set("flip", value); save(); };
  const noise = slider({
    label: "Flips", min: 0, max: 100, value: Math.round(100 * flip()), tone: "error", big: false,
    show: (value) => ({ number: (value / 100).toFixed(2), unit: "", spoken: `${value} percent` }),
    input: (value) => choose(value / 100),
  });
  const big = h("span", { class: "ae-big" });
  const cells = [0, 1].map(() => [0, 1].map(() => h("td")));
  const table = h("table", { class: "cb-table" },
    h("thead", {}, h("tr", {}, ...["joint", "z = 0", "z = 1"].map((text) => h("th", { scope: "col", text })))),
    h("tbody", {}, ...cells.map((row, x) => h("tr", {}, h("th", { scope: "row", text: `x = ${x}` }), ...row))));
  const curve = chart({
    label: "information against the probability of a flip", height: 12,
    x: { domain: [0, 1], ticks: [0, 0.25, 0.5, 0.75, 1].map((tick) => [tick, tick]), title: "probability of a flip" },
    y: { domain: [0, 1], ticks: [0, 0.5, 1].map((tick) => [tick, tick]), title: "I(X; Z) in bits" },
    draw: (c) => c.line([...Array(101).keys()].map((k) => [k / 100, information(k / 100) * BITS]), "ae-latent"),
    move: (c) => { c.rule(flip(), "ae-rule"); c.dot(flip(), information(flip()) * BITS, "ae-dot-latent", 0.4); },
    drag: (value) => choose(clamp(Math.round(100 * value), 0, 100) / 100),
    describe: () => `I in bits against the probability of a flip, a valley with its bottom at one half; at ${flip()} it is ${(information(flip()) * BITS).toFixed(3)}.`,
  });
  body.append(noise.root, h("div", { class: "cb-stage" },
    h("div", { class: "cb-left" }, h("p", { class: "cb-head ae-tone-latent" }, h("span", { class: "cb-what", text: "I(X; Z)" }), big, h("span", { class: "ae-unit", text: "bits of 1" })), table),
    curve.root));
  const draw = () => {
    noise.set(Math.round(100 * flip()));
    big.textContent = (information(flip()) * BITS).toFixed(3);
    cells.forEach((row, x) => row.forEach((cell, z) => {
      const p = (x === z ? 1 - flip() : flip()) / 2;
      cell.textContent = p.toFixed(3);
      cell.style.setProperty("--cb-share", `${Math.round(120 * p)}%`);
    }));
    section.dataset.information = information(flip());
    curve.update();
    say(sentence(flip()));
  };
  draw();
  const deaf = listen(model, ["flip"], draw);
  return () => [deaf, curve.dispose].forEach((stop) => stop());
}

export default { render };
