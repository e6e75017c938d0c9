import { card, chart, clamp, h, listen, s, saver, slider } from "./base.js";

const MU = 3;
const SIGMA = [0.125, 2.8284271247461903]; // 2 to the powers -3 and 1.5
const STEPS = 20; // positions of the width's slider for each doubling
const WIDEST = 30;
const NARROWEST = -60;
const FRAME = 6;
const POINTS = 160;
const PANELS = 4000;
const SCALES = [0.5, 1, 2, 4, 6, 8, 12, 16, 24];

const density = (z, mean, sd) => Math.exp(-0.5 * ((z - mean) / sd) ** 2) / (sd * Math.sqrt(2 * Math.PI));

/** q log(q / p) at z. */
const integrand = (z, mu, sigma) => density(z, mu, sigma) * (0.5 * z * z - 0.5 * ((z - mu) / sigma) ** 2 - Math.log(sigma));

/** What the cloud pays for its place, for its width, and together, in nats. */
function prices(mu, sigma) {
  const place = 0.5 * mu * mu;
  const width = 0.5 * (sigma * sigma - 1) - Math.log(sigma);
  return { place, width, kl: place + width };
}

/** Where q = p, in units of t = (z - mu) / sigma. */
function crossings(mu, sigma) {
  const [a, b, c] = [0.5 * (sigma * sigma - 1), mu * sigma, 0.5 * mu * mu - Math.log(sigma)];
  if (a === 0) return b === 0 ? [] : [-c / b];
  const half = -0.5 * (b + Math.sign(b || 1) * Math.sqrt(Math.max(b * b - 4 * a * c, 0)));
  return [half / a, c / half].sort((one, other) => one - other);
}

let known = {};

/** The areas above and below zero over the whole line: Simpson's rule between the crossings, far into the tails. */
function areas(mu, sigma) {
  if (known.mu === mu && known.sigma === sigma) return known;
  const cuts = [-12, ...crossings(mu, sigma).filter((t) => Math.abs(t) < 12), 12];
  const f = (t) => sigma * integrand(mu + sigma * t, mu, sigma);
  let [above, below] = [0, 0];
  for (let piece = 1; piece < cuts.length; piece += 1) {
    const [low, high] = [cuts[piece - 1], cuts[piece]];
    const step = (high - low) / PANELS;
    let total = f(low) + f(high);
    for (let k = 1; k < PANELS; k += 1) total += (k % 2 ? 4 : 2) * f(low + k * step);
    const area = (total * step) / 3;
    if (area > 0) above += area; else below -= area;
  }
  return (known = { mu, sigma, above, below });
}

const shown = (value) => value.toFixed(value < 9.9995 ? 3 : 2);
const small = (value) => (value > 0 && value < 0.0005 ? "less than 0.001" : shown(value));
const width = (sigma) => String(Number(sigma.toFixed(3)));

/** The sentence: where the cloud is, which term pays, and the two areas. True at every setting. */
function sentence(mu, sigma) {
  const { place, width: widthPrice, kl } = prices(mu, sigma);
  if (kl === 0) return "The cloud is the prior itself: q and p are the same at every z, and nothing is paid.";
  const where = mu === 0 ? "The cloud sits where the prior sits" : `The cloud sits ${Math.abs(mu).toFixed(2)} to the ${mu > 0 ? "right" : "left"} of the prior`;
  const wide = sigma === 1 ? "is as wide" : `is ${sigma < 1 ? "narrower" : "wider"}`;
  const payer = place >= widthPrice ? "place" : "width";
  const share = Math.round((100 * Math.max(place, widthPrice)) / kl);
  const part = Math.min(place, widthPrice) === 0 ? "All" : share === 100 ? "Nearly all" : `${share}%`;
  const { above, below } = areas(mu, sigma);
  return `${where} and ${wide}. ${part} of the price is for its ${payer}. The solid area above zero is ${small(above)}, the hatched one below is ${small(below)}: what remains is the KL.`;
}

const topOf = (value) => SCALES.find((scale) => scale >= value) ?? SCALES[SCALES.length - 1];

/** Gives the chart a vertical scale of the moment, with a tick at both ends and at zero. */
function rescale(c, low, high) {
  c.y = (value) => c.bottom - ((value - low) / (high - low)) * (c.bottom - c.top);
  for (const value of new Set([low, 0, high])) {
    c.layer.append(
      s("line", { class: value === 0 ? "ae-axis" : "ae-grid", x1: c.left, x2: c.right, y1: c.y(value), y2: c.y(value) }),
      s("text", { class: "ae-tick", x: c.left - 0.5 * c.em, y: c.y(value) + 0.28 * c.em, "text-anchor": "end", text: String(value).replace("-", "−") }),
    );
  }
}

const even = Array.from({ length: POINTS + 1 }, (_, k) => FRAME * ((2 * k) / POINTS - 1));

/** Where the curves are drawn: at even places, and closer together under the cloud. */
function samples(mu, sigma) {
  const under = Array.from({ length: 121 }, (_, k) => mu + sigma * (k / 15 - 4)).filter((z) => Math.abs(z) <= FRAME);
  return [...even, ...under].sort((one, other) => one - other);
}

const xAxis = (title) => ({ domain: [-FRAME, FRAME], ticks: [-6, -4, -2, 0, 2, 4, 6].map((tick) => [tick, String(tick).replace("-", "−")]), title });

function render({ model, el }) {
  const save = saver(model);
  const state = () => [model.get("mu"), model.get("sigma")];
  const octave = () => Math.round(STEPS * Math.log2(model.get("sigma")));
  const move = (mu) => { model.set("mu", clamp(Math.round(20 * mu) / 20, -MU, MU)); save(); };
  const stretch = (step) => { model.set("sigma", clamp(2 ** (Math.round(step) / STEPS), ...SIGMA)); save(); };
  const { section, body, say } = card(el, {
    title: "What a cloud pays",
    lead: "A cloud q = N(μ, σ²) against the prior p = N(0, 1). Drag its top sideways, pull a ring to change its width. Areas are over the whole line, also beyond the frame.",
  });
  const place = slider({
    label: "Mean μ", min: -20 * MU, max: 20 * MU, value: 20 * state()[0], big: false,
    show: (value) => ({ number: (value / 20).toFixed(2).replace("-", "−"), unit: "", spoken: (value / 20).toFixed(2) }),
    input: (value) => move(value / 20),
  });
  const spread = slider({
    label: "Width σ", min: NARROWEST, max: WIDEST, value: octave(), big: false,
    show: (step) => ({ number: width(2 ** (step / STEPS)), unit: "σ² = " + width(2 ** ((2 * step) / STEPS)), spoken: width(2 ** (step / STEPS)) }),
    input: stretch,
  });
  const [nats, bits] = [0, 1].map(() => h("span", { class: "ae-big" }));
  const gauge = h("p", { class: "ae-kl-gauge ae-tone-error" },
    h("span", { class: "ae-kl-what", text: "KL(q ‖ p)" }),
    ...[[nats, "nats"], [bits, "bits"]].map(([number, unit]) => h("span", { class: "ae-kl-pair" }, number, h("span", { class: "ae-unit", text: unit }))));
  const bar = (name, formula) => {
    const [filled, number] = [h("span", { class: "ae-kl-filled" }), h("span", { class: "ae-kl-number" })];
    const root = h("div", { class: "ae-kl-bar" },
      h("span", { class: "ae-kl-name" }, h("b", { text: name }), h("span", { class: "ae-kl-formula", text: formula })),
      h("span", { class: "ae-kl-track", "aria-hidden": "true" }, filled), number);
    return { root, set: (value, top) => { filled.style.width = `${(100 * value) / top}%`; number.textContent = shown(value); } };
  };
  const placeBar = bar("place", "½ μ²");
  const widthBar = bar("width", "½ (σ² − 1 − log σ²)");
  const barNote = h("p", { class: "ae-note" });

  const grips = () => {
    const [mu, sigma] = state();
    const sides = [mu - sigma, mu + sigma].filter((z) => Math.abs(z) <= FRAME).map((z) => ({ z, what: "width" }));
    return [{ z: mu, what: "place" }, ...sides];
  };
  let held = "place";
  const follow = (z) => {
    if (held === "place") move(z);
    else stretch(STEPS * Math.log2(Math.max(Math.abs(z - state()[0]), 1e-3)));
  };
  const bells = chart({
    label: "densities", height: 13.5, x: xAxis("z"), y: { domain: [0, 1], ticks: [], title: "density" },
    move: (c) => {
      const [mu, sigma] = state();
      rescale(c, 0, topOf(1.05 * Math.max(density(0, 0, 1), density(mu, mu, sigma))));
      c.line(even.map((z) => [z, density(z, 0, 1)]), "ae-kl-prior");
      c.line(samples(mu, sigma).map((z) => [z, density(z, mu, sigma)]), "ae-latent");
      const left = mu > 0;
      c.text(left ? -1.35 : 1.35, density(1.35, 0, 1), "prior p", "ae-text-input", left ? "end" : "start", left ? -0.4 : 0.4, -0.3);
      const beside = sigma < 0.9 ? [left ? "start" : "end", left ? 0.9 : -0.9, 0.3] : ["middle", 0, -0.8];
      c.text(mu, density(mu, mu, sigma), "cloud q", "ae-text-latent", ...beside);
      for (const { z, what } of grips()) c.dot(z, density(z, mu, sigma), what === "place" ? "ae-dot-latent" : "ae-kl-ring", what === "place" ? 0.5 : 0.42);
    },
    drag: follow,
    describe: () => `The prior, a bell at 0 with width 1, and the cloud, a bell at ${state()[0].toFixed(2)} with width ${width(state()[1])}.`,
  });
  bells.svg.addEventListener("pointerdown", (event) => {
    const at = event.clientX - bells.svg.getBoundingClientRect().left;
    const [mu, sigma] = state();
    const y = event.clientY - bells.svg.getBoundingClientRect().top;
    const far = ({ z }) => Math.hypot(bells.x(z) - at, bells.y(density(z, mu, sigma)) - y);
    held = grips().reduce((best, grip) => (far(grip) < far(best) ? grip : best)).what;
  }, true);

  const hatch = `ae-kl-hatch-${Math.random().toString(36).slice(2)}`;
  const area = (c, points, name, fill) => {
    const line = points.map(([z, value]) => `${c.x(z).toFixed(2)},${c.y(value).toFixed(2)}`).join(" ");
    c.layer.append(s("polygon", { class: name, fill, points: `${c.x(-FRAME)},${c.y(0)} ${line} ${c.x(FRAME)},${c.y(0)}` }));
  };
  const signed = chart({
    label: "q log(q / p)", height: 14, x: xAxis("z"), y: { domain: [0, 1], ticks: [], title: "q log(q / p)" },
    move: (c) => {
      const [mu, sigma] = state();
      const points = samples(mu, sigma).map((z) => [z, integrand(z, mu, sigma)]);
      const high = topOf(Math.max(...points.map(([, value]) => value)) * 1.05);
      const low = -topOf(Math.max(-Math.min(...points.map(([, value]) => value)) * 1.05, high / 4));
      c.layer.append(s("defs", {}, s("pattern", { id: hatch, width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
        s("line", { class: "ae-kl-stroke", x1: 0, x2: 0, y1: 0, y2: 6 }))));
      rescale(c, low, high);
      area(c, points.map(([z, value]) => [z, Math.max(value, 0)]), "ae-kl-above", null);
      area(c, points.map(([z, value]) => [z, Math.min(value, 0)]), "ae-kl-below", `url(#${hatch})`);
      const [edge, anchor] = mu > 0 ? [-FRAME, "start"] : [FRAME, "end"]; // where the area is not
      c.text(edge, high, "+ counts for the KL", "ae-text-error", anchor, 0, 1.1);
      c.text(edge, low, "− counts against it", "ae-text-pca", anchor, 0, -0.5);
    },
    describe: () => {
      const { above, below } = areas(...state());
      return `The integrand q log(q / p): an area of ${shown(above)} above zero and a hatched one of ${shown(below)} below.`;
    },
  });
  body.append(place.root, spread.root, h("div", { class: "ae-kl-stage" },
    h("div", { class: "ae-kl-plots" }, bells.root, signed.root),
    h("div", { class: "ae-kl-side" }, gauge, h("p", { class: "ae-kl-head", text: "Which term pays?" }), placeBar.root, widthBar.root, barNote)));

  const draw = () => {
    const [mu, sigma] = state();
    const { place: placePrice, width: widthPrice, kl } = prices(mu, sigma);
    place.set(Math.round(20 * mu));
    spread.set(octave());
    place.number.textContent = mu.toFixed(2).replace("-", "−"); // Python may set a place between two positions
    [spread.number.textContent, spread.unit.textContent] = [width(sigma), `σ² = ${width(sigma * sigma)}`];
    nats.textContent = shown(kl);
    bits.textContent = shown(kl / Math.LN2);
    const top = topOf(1.05 * Math.max(placePrice, widthPrice));
    placeBar.set(placePrice, top);
    widthBar.set(widthPrice, top);
    barNote.textContent = `in nats; a full bar is ${top}`;
    const { above, below } = areas(mu, sigma);
    Object.assign(section.dataset, { mu, sigma, place: placePrice, width: widthPrice, kl, above, below });
    bells.update();
    signed.update();
    say(sentence(mu, sigma));
  };
  draw();
  const deaf = listen(model, ["mu", "sigma"], draw);
  return () => [deaf, bells.dispose, signed.dispose].forEach((stop) => stop());
}

export default { render };
