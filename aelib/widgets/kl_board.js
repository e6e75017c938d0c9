import { chart, clamp, fixed, h, interactive, put, s, slider, uid } from "./base.js";

const MU = 3;
const SIGMA = [0.125, 2.8284271247461903]; // 2 to the powers -3 and 1.5
const STEPS = 20; // positions of the width's slider for each doubling
const WIDEST = 30;
const NARROWEST = -60;
const FRAME = 6;
const POINTS = 96;
const SCALES = [0.5, 1, 2, 4, 6, 8, 12, 16, 24];
const FACE = {
  traits: ["mu", "sigma"],
  lead:
    "A cloud q = N(μ, σ²) against the prior p = N(0, 1). Drag its top sideways, or pull a ring to " +
    "change its width. Areas are over the whole line, also beyond the frame.",
};

const density = (z, mean, sd) => Math.exp(-0.5 * ((z - mean) / sd) ** 2) / (sd * Math.sqrt(2 * Math.PI));

/** q log(q / p) at z. */
const integrand = (z, mu, sigma) =>
  density(z, mu, sigma) * (0.5 * z * z - 0.5 * ((z - mu) / sigma) ** 2 - Math.log(sigma));

/** What the cloud pays for its place, for its width, and together, in nats. */
function prices({ mu, sigma }) {
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

const PANEL = 0.25;
const GAUSS = [
  [-0.906179845938664, 0.23692688505618908],
  [-0.5384693101056831, 0.47862867049936647],
  [0, 0.5688888888888889],
  [0.5384693101056831, 0.47862867049936647],
  [0.906179845938664, 0.23692688505618908],
];

/** The integral of f by the rule of Gauss with five places in each panel. */
function integral(f, low, high) {
  const panels = Math.ceil((high - low) / PANEL);
  const half = (high - low) / panels / 2;
  let total = 0;
  for (let n = 0; n < panels; n += 1)
    for (const [place, weight] of GAUSS) total += weight * f(low + half * (2 * n + 1 + place));
  return total * half;
}

/** The areas above and below zero over the whole line: between the crossings, far into the tails. */
function areas({ mu, sigma }) {
  const cuts = [-12, ...crossings(mu, sigma).filter((t) => Math.abs(t) < 12), 12];
  const f = (t) => sigma * integrand(mu + sigma * t, mu, sigma);
  const pieces = cuts.slice(1).map((high, n) => integral(f, cuts[n], high));
  const total = (sign) => pieces.reduce((sum, piece) => sum + Math.max(sign * piece, 0), 0);
  return { above: total(1), below: total(-1) };
}

const shown = (value) => value.toFixed(value < 9.9995 ? 3 : 2);
const small = (value) => (value > 0 && value < 0.0005 ? "less than 0.001" : shown(value));
const width = (sigma) => String(Number(sigma.toFixed(3)));

/** The sentence: where the cloud is, which term pays, and the two areas. True at every setting. */
function sentence({ mu, sigma, place, width: widthPrice, kl, above, below }) {
  if (kl === 0) return "The cloud is the prior itself: q and p are the same at every z, and nothing is paid.";
  const far = `${Math.abs(mu).toFixed(2)} to the ${mu > 0 ? "right" : "left"} of the prior`;
  const where = mu === 0 ? "The cloud sits where the prior sits" : `The cloud sits ${far}`;
  const wide = sigma === 1 ? "is as wide" : `is ${sigma < 1 ? "narrower" : "wider"}`;
  const payer = place >= widthPrice ? "place" : "width";
  const share = Math.round((100 * Math.max(place, widthPrice)) / kl);
  const part = Math.min(place, widthPrice) === 0 ? "All" : share === 100 ? "Nearly all" : `${share}%`;
  return (
    `${where} and ${wide}. ${part} of the price is for its ${payer}. The solid area above zero is ` +
    `${small(above)}, the hatched one below is ${small(below)}: what remains is the KL.`
  );
}

const topOf = (value) => SCALES.find((scale) => scale >= value) ?? SCALES[SCALES.length - 1];

/** Gives the chart a vertical scale of the moment, with a tick at both ends and at zero. */
function rescale(c, low, high) {
  const key = `${low} ${high} ${c.top} ${c.bottom}`;
  // the same function for the same scale: what is drawn in it already need not be worked out again
  if (c.key !== key) c.scaled = (value) => c.bottom - ((value - low) / (high - low)) * (c.bottom - c.top);
  c.key = key;
  c.y = c.scaled;
  for (const value of new Set([low, 0, high])) {
    const y = c.y(value);
    c.shape("line", { class: value === 0 ? "ae-axis" : "ae-grid", x1: c.left, x2: c.right, y1: y, y2: y });
    const place = { x: c.left - 0.5 * c.em, y: y + 0.28 * c.em, "text-anchor": "end" };
    c.shape("text", { class: "ae-tick", ...place, text: String(value).replace("-", "−") });
  }
}

const EVEN = Array.from({ length: POINTS + 1 }, (_, k) => FRAME * ((2 * k) / POINTS - 1));
const PRIOR = EVEN.map((z) => [z, density(z, 0, 1)]);

/** Where the curves are drawn: at even places, and closer together under the cloud. */
function samples({ mu, sigma }) {
  const under = Array.from({ length: 81 }, (_, k) => mu + sigma * (k / 10 - 4)).filter(
    (z) => Math.abs(z) <= FRAME,
  );
  return [...EVEN, ...under].sort((one, other) => one - other);
}

const xAxis = (title) => ({
  domain: [-FRAME, FRAME],
  ticks: [-6, -4, -2, 0, 2, 4, 6].map((tick) => [tick, fixed(tick, 0)]),
  title,
});

export default interactive(FACE, ({ state, set, body, say, keep }) => {
  let [now, places] = [null, []];
  const octave = () => Math.round(STEPS * Math.log2(state().sigma));
  const move = (mu) => set({ mu: clamp(Math.round(20 * mu) / 20, -MU, MU) });
  const stretch = (step) => set({ sigma: clamp(2 ** (Math.round(step) / STEPS), ...SIGMA) });
  const place = slider({
    label: "Mean μ",
    min: -20 * MU,
    max: 20 * MU,
    value: 20 * state().mu,
    big: false,
    show: (value) => ({ number: fixed(value / 20, 2), unit: "", spoken: (value / 20).toFixed(2) }),
    input: (value) => move(value / 20),
  });
  const spread = slider({
    label: "Width σ",
    min: NARROWEST,
    max: WIDEST,
    value: octave(),
    big: false,
    show: (step) => {
      const sigma = 2 ** (step / STEPS);
      return { number: width(sigma), unit: `σ² = ${width(sigma * sigma)}`, spoken: width(sigma) };
    },
    input: stretch,
  });
  const price = priceTag();
  const [placeBar, widthBar] = [bar("place", "½ μ²"), bar("width", "½ (σ² − 1 − log σ²)")];
  const barNote = h("p", { class: "ae-note" });
  const bells = keep(
    densities(
      () => now,
      move,
      (wide) => stretch(STEPS * Math.log2(wide)),
    ),
  );
  const signed = keep(
    signedArea(
      () => now,
      () => places,
    ),
  );
  const head = h("p", { class: "ae-kl-head", text: "Which term pays?" });
  body.append(
    place.root,
    spread.root,
    h(
      "div",
      { class: "ae-kl-stage" },
      h("div", { class: "ae-kl-plots" }, bells.root, signed.root),
      h("div", { class: "ae-kl-side" }, price.root, head, placeBar.root, widthBar.root, barNote),
    ),
  );

  return ({ mu, sigma }) => {
    now = { mu, sigma, ...prices({ mu, sigma }), ...areas({ mu, sigma }) };
    places = samples(now);
    place.set(Math.round(20 * mu));
    spread.set(octave());
    put(place.number, { text: fixed(mu, 2) }); // Python may set a place between two positions
    put(spread.number, { text: width(sigma) });
    put(spread.unit, { text: `σ² = ${width(sigma * sigma)}` });
    price.set(now.kl);
    const top = topOf(1.05 * Math.max(now.place, now.width));
    placeBar.set(now.place, top);
    widthBar.set(now.width, top);
    put(barNote, { text: `in nats; a full bar is ${top}` });
    bells.update();
    signed.update();
    say(sentence(now));
    return now;
  };
});

/** The KL in nats and in bits. */
function priceTag() {
  const [nats, bits] = [0, 1].map(() => h("span", { class: "ae-big" }));
  const pair = (number, unit) =>
    h("span", { class: "ae-kl-pair" }, number, h("span", { class: "ae-unit", text: unit }));
  const what = h("span", { class: "ae-kl-what", text: "KL(q ‖ p)" });
  const root = h("p", { class: "ae-kl-gauge ae-tone-error" }, what, pair(nats, "nats"), pair(bits, "bits"));
  const setTo = (kl) => {
    put(nats, { text: shown(kl) });
    put(bits, { text: shown(kl / Math.LN2) });
  };
  return { root, set: setTo };
}

/** A price with its formula, as a bar. */
function bar(name, formula) {
  const [filled, number] = [h("span", { class: "ae-kl-filled" }), h("span", { class: "ae-kl-number" })];
  const words = h("span", { class: "ae-kl-name" }, h("b", { text: name }), h("span", { text: formula }));
  const track = h("span", { class: "ae-kl-track", "aria-hidden": "true" }, filled);
  const setTo = (value, top) => {
    filled.style.width = `${(100 * value) / top}%`;
    put(number, { text: shown(value) });
  };
  return { root: h("div", { class: "ae-kl-bar" }, words, track, number), set: setTo };
}

/** What can be held on the cloud: its top, and a ring on each side that the frame shows. */
function grips({ mu, sigma }) {
  const sides = [mu - sigma, mu + sigma]
    .filter((z) => Math.abs(z) <= FRAME)
    .map((z) => ({ z, what: "width" }));
  return [{ z: mu, what: "place" }, ...sides];
}

/** The two bell curves; what is held is the grip that was nearest when the pointer came down. */
function densities(now, places, move, widen) {
  let held = "place";
  const at = (z) => density(z, now().mu, now().sigma);
  const me = chart({
    label: "densities",
    height: 10.6,
    left: 2.7,
    x: xAxis("z"),
    y: { domain: [0, 1], ticks: [], title: "density" },
    move: (c) => {
      const { mu, sigma } = now();
      rescale(c, 0, topOf(1.05 * Math.max(density(0, 0, 1), at(mu))));
      c.line(PRIOR, "ae-kl-prior");
      c.line(
        places().map((z) => [z, at(z)]),
        "ae-latent",
      );
      const left = mu > 0;
      const side = left ? "end" : "start";
      c.text(
        left ? -1.35 : 1.35,
        density(1.35, 0, 1),
        "prior p",
        "ae-text-input",
        side,
        left ? -0.4 : 0.4,
        -0.3,
      );
      const beside = sigma < 0.9 ? [left ? "start" : "end", left ? 0.9 : -0.9, 0.3] : ["middle", 0, -0.8];
      c.text(mu, at(mu), "cloud q", "ae-text-latent", ...beside);
      for (const { z, what } of grips(now()))
        c.dot(z, at(z), what === "place" ? "ae-dot-latent" : "ae-kl-ring", what === "place" ? 0.5 : 0.42);
    },
    drag: (z) => (held === "place" ? move(z) : widen(Math.max(Math.abs(z - now().mu), 1e-3))),
    describe: () =>
      "The prior, a bell at 0 with width 1, and the cloud, " +
      `a bell at ${now().mu.toFixed(2)} with width ${width(now().sigma)}.`,
  });
  const hold = (event) => {
    const box = me.svg.getBoundingClientRect();
    const far = ({ z }) =>
      Math.hypot(me.x(z) + box.left - event.clientX, me.y(at(z)) + box.top - event.clientY);
    held = grips(now()).reduce((best, grip) => (far(grip) < far(best) ? grip : best)).what;
  };
  me.svg.addEventListener("pointerdown", hold, true);
  return me;
}

/** q log(q / p) as two areas: what counts for the KL is solid, what counts against it hatched. */
function signedArea(now, places) {
  const hatch = uid("hatch");
  const area = (c, points, attributes) => {
    const foot = c.y(0).toFixed(2);
    c.shape("polygon", { ...attributes, points: `${c.left},${foot} ${c.path(points)} ${c.right},${foot}` });
  };
  const pattern = {
    id: hatch,
    width: 6,
    height: 6,
    patternUnits: "userSpaceOnUse",
    patternTransform: "rotate(45)",
  };
  return chart({
    label: "q log(q / p)",
    height: 11.1,
    left: 2.7,
    x: xAxis("z"),
    y: { domain: [0, 1], ticks: [], title: "q log(q / p)" },
    draw: (c) => {
      const stroke = s("line", { class: "ae-kl-stroke", x1: 0, x2: 0, y1: 0, y2: 6 });
      c.shape("defs", {}, s("pattern", pattern, stroke));
    },
    move: (c) => {
      const { mu, sigma } = now();
      const points = places().map((z) => [z, integrand(z, mu, sigma)]);
      const values = points.map(([, value]) => value);
      const high = topOf(Math.max(...values) * 1.05);
      const low = -topOf(Math.max(-Math.min(...values) * 1.05, high / 3));
      rescale(c, low, high);
      area(
        c,
        points.map(([z, value]) => [z, Math.max(value, 0)]),
        { class: "ae-kl-above" },
      );
      area(
        c,
        points.map(([z, value]) => [z, Math.min(value, 0)]),
        { class: "ae-kl-below", fill: `url(#${hatch})` },
      );
      const [edge, anchor] = mu > 0 ? [-FRAME, "start"] : [FRAME, "end"]; // where the area is not
      c.text(edge, high, "+ counts for the KL", "ae-text-error", anchor, 0, 1.1);
      c.text(edge, low, "− counts against it", "ae-text-pca", anchor, 0, -0.5);
    },
    describe: () =>
      `The integrand q log(q / p): an area of ${shown(now().above)} above zero ` +
      `and a hatched one of ${shown(now().below)} below.`,
  });
}
