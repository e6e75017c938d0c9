import { chart, choices, clamp, fixed, gauge, h, interactive, plane, slider, sum } from "./base.js";

const NOISE_VAR = 0.0075;
const STEP = 0.01;
const GRID = Float64Array.from({ length: 2801 }, (_, n) => (n - 1400) / 100);
const LOG_ROOT = 0.5 * Math.log(2 * Math.PI);
const DECODE = {
  straight: (z) => [0.3 * z, 0.15 * z],
  bent: (z) => [0.4 * Math.sin(1.2 * z), 0.4 * Math.cos(1.2 * z)],
};
const PLACES = { side: [0.4, 0.2], inside: [0.04, -0.04], mouth: [0, -0.4] };
const WORDS = { side: "at the side", inside: "inside", mouth: "in the mouth" };
const [LOW, HIGH] = [-18, 4];
const TALLEST = 2.8;

const logNormal = (z, mean, width) => -0.5 * ((z - mean) / width) ** 2 - Math.log(width) - LOG_ROOT;
const PRIOR = GRID.map((z) => logNormal(z, 0, 1));
const peak = (width) => 1 / (width * Math.sqrt(2 * Math.PI));

/** A log-density on the grid as the points of a curve, over the part that is drawn. */
const curveOf = (log) => Array.from(GRID.subarray(1040, 1761), (z, n) => [z, Math.exp(log[n + 1040])]);
const PRIOR_CURVE = curveOf(PRIOR);

/** What does not depend on q: log p(x|z) on the grid, the evidence, the log-posterior. */
function world(decoder, place) {
  const [a, b] = PLACES[place];
  const likelihood = GRID.map((z) => {
    const [c, d] = DECODE[decoder](z);
    return -((c - a) ** 2 + (d - b) ** 2) / (2 * NOISE_VAR) - Math.log(2 * Math.PI * NOISE_VAR);
  });
  const joint = likelihood.map((value, n) => value + PRIOR[n]);
  const top = joint.reduce((most, value) => Math.max(most, value), -Infinity);
  const evidence = top + Math.log(sum(joint.map((value) => Math.exp(value - top))) * STEP);
  const posterior = joint.map((value) => value - evidence);
  return { decoder, place, likelihood, evidence, posterior, hill: curveOf(posterior) };
}

/** The five figures of one q, each a sum of its own over the grid. */
function measures({ likelihood, evidence, posterior }, mean, width) {
  const now = { evidence, elbo: 0, gap: 0, fit: 0, price: 0 };
  // further than nine widths away q is below 1e-17 of its peak
  const [first, last] = [-1, 1].map(
    (side) => Math.round(100 * clamp(mean + 9 * side * width, -14, 14)) + 1400,
  );
  for (let n = first; n <= last; n += 1) {
    const logQ = logNormal(GRID[n], mean, width);
    const weight = Math.exp(logQ) * STEP;
    now.elbo += weight * (likelihood[n] + PRIOR[n] - logQ);
    now.gap += weight * (logQ - posterior[n]);
    now.fit += weight * likelihood[n];
    now.price += weight * (logQ - PRIOR[n]);
  }
  return now;
}

const nats = (value) => fixed(value, Math.abs(value) < 99.9995 ? 3 : 1);
/** A gap, which is never negative; a small one keeps its digits, and only a closed one is 0. */
const small = (gap) => (gap < 1e-7 ? "0" : gap < 0.00095 ? gap.toFixed(6) : nats(gap));

function tail({ decoder, place }, { gap }, least) {
  const shape = { side: "is a little bent", inside: "leans to one side", mouth: "has two humps" }[place];
  if (decoder === "straight") {
    return gap < 1e-7
      ? "q is the posterior, a Gaussian, and nothing is left."
      : "This posterior is a Gaussian, so some q closes the gap.";
  }
  if (gap - least < 0.0015 + 0.01 * least) {
    const stays = `the posterior ${shape}, and ${small(least)} nats stay`;
    return `That is about as near as a Gaussian comes: ${stays}.`;
  }
  return `The posterior ${shape}: even the best Gaussian leaves ${small(least)} nats.`;
}

function sentence(reading, here, now, least) {
  const [elbo, gap] = [nats(now.elbo), small(now.gap)];
  const byGap =
    `The evidence is ${nats(now.evidence)} nats whatever q is; ` +
    `the ELBO of this q is ${elbo}, lower by ${gap}.`;
  const byParts =
    `Expected log-likelihood ${nats(now.fit)}, minus ${nats(now.price)} of KL to the prior, ` +
    `is the ELBO, ${elbo}; to the evidence it lacks ${gap}.`;
  return `${reading === "gap" ? byGap : byParts} ${tail(here, now, least)}`;
}

const FACE = {
  traits: ["mean", "width", "decoder", "place", "reading"],
  lead:
    "One code z, two pixels x, everything exact on a grid. " +
    "Drag the tip of the green bell, or use the sliders.",
};
const rounded = (value, low, high) => Math.round(100 * clamp(value, low, high)) / 100;

export default interactive(FACE, ({ model, state, set, body, say, keep }) => {
  let [here, now] = [null, null];
  const look = ({ mean, width, decoder, place }) => {
    if (here?.decoder !== decoder || here.place !== place) here = world(decoder, place);
    now = measures(here, mean, width);
  };
  look(state());
  const least = () => model.get("best")[`${here.decoder} ${here.place}`][2];
  const dial = (label, name, low, high) =>
    slider({
      label,
      min: low,
      max: high,
      step: 0.01,
      value: state()[name],
      big: false,
      show: (value) => ({ number: fixed(value, 2), unit: "" }),
      input: (value) => set({ [name]: rounded(value, low, high) }),
    });
  const [mean, width] = [dial("Mean μ of q", "mean", -3, 3), dial("Width σ of q", "width", 0.05, 1.5)];
  const pick = (label, name, options) =>
    choices({ label, options, value: state()[name], change: (value) => set({ [name]: value }) });
  const decoder = pick("Decoder", "decoder", [
    { value: "straight", label: "straight" },
    { value: "bent", label: "bent" },
  ]);
  const place = pick(
    "x lies",
    "place",
    Object.entries(WORDS).map(([value, label]) => ({ value, label })),
  );
  const reading = pick("Read the ELBO as", "reading", [
    { value: "gap", label: "evidence minus gap" },
    { value: "parts", label: "fit minus price" },
  ]);
  const gap = gauge({ tone: "error" });
  const densities = keep(densityChart(() => [state(), here], set));
  const line = keep(
    chart({
      label: "number line",
      height: 7.2,
      left: 0.6,
      right: 0.6,
      x: { domain: [LOW, HIGH], ticks: [-16, -12, -8, -4, 0, 4].map(tick), title: "nats" },
      y: { domain: [0, 1], ticks: [[0, ""]], title: "" },
      move: (c) => (state().reading === "gap" ? drawGap(c, now) : drawParts(c, now)),
      describe: () =>
        `A number line: evidence ${nats(now.evidence)}, ELBO ${nats(now.elbo)}, gap ${small(now.gap)} nats.`,
    }),
  );
  const picture = keep(dataPlane(() => [state(), here]));
  body.append(
    h("div", { class: "ae-switches" }, decoder.root, place.root, reading.root),
    h("div", { class: "ae-dials" }, mean.root, width.root),
    h("div", { class: "ae-views" }, picture.root, densities.root, gap.root, line.root),
  );

  return (state) => {
    look(state);
    mean.set(state.mean);
    width.set(state.width);
    decoder.set(here.decoder);
    place.set(here.place);
    reading.set(state.reading);
    const words = `nats of gap, KL(q ‖ posterior); the smallest a Gaussian can leave here: ${small(least())}`;
    gap.set(small(now.gap), words);
    for (const part of [picture, densities, line]) part.update();
    say(sentence(state.reading, here, now, least()));
    return { ...now, ...state, least: least() };
  };
});

const tick = (value) => [value, fixed(value, 0)];

/** Prior, posterior and q over the code; the tip of q can be dragged. */
function densityChart(now, set) {
  return chart({
    label: "prior, posterior and q",
    height: 13,
    holdable: true,
    x: { domain: [-3.6, 3.6], ticks: [-3, -2, -1, 0, 1, 2, 3].map(tick), title: "code z" },
    y: { domain: [0, TALLEST], ticks: [0, 1, 2].map(tick), title: "density" },
    move: (c) => {
      const [{ mean, width }, { hill }] = now();
      const tip = Math.min(peak(width), TALLEST);
      c.line(PRIOR_CURVE, "ae-pca ae-thin");
      c.line(hill, "ae-posterior");
      c.line(bell(mean, width), "ae-latent");
      c.text(-1.5, 0.14, "prior", "ae-text-pca", "end", -0.2, -0.3);
      const [z, height] = hill.reduce((most, point) => (point[1] > most[1] ? point : most));
      const side = z < -1.5 ? 1 : z > 1.5 || mean > z ? -1 : 1;
      const [near, far] = side > 0 ? ["start", "end"] : ["end", "start"];
      c.text(z, Math.min(height, TALLEST - 0.2) * 0.72, "posterior", "ae-text-input", near, 1.1 * side);
      c.dot(mean, tip, "ae-tip", 0.62);
      c.text(mean, tip, "q", "ae-text-latent", far, -1 * side, 0.3);
      c.hold(mean, tip);
    },
    drag: (z, height) => {
      const width = 1 / (Math.max(height, 0.01) * Math.sqrt(2 * Math.PI));
      set({ mean: rounded(z, -3, 3), width: rounded(width, 0.14, 1.5) });
    },
    describe: () => {
      const [{ mean, width }] = now();
      const q = `q with mean ${fixed(mean, 2)} and width ${fixed(width, 2)}`;
      return `Densities over the code: the prior, the posterior, and ${q}.`;
    },
  });
}

/** The bell of q at even places of the frame, and closer together where it is narrow. */
function bell(mean, width) {
  const even = Array.from({ length: 121 }, (_, n) => -3.6 + 0.06 * n);
  const under = Array.from({ length: 97 }, (_, n) => mean + width * (n / 12 - 4));
  return [...even, ...under].sort((a, b) => a - b).map((z) => [z, Math.exp(logNormal(z, mean, width))]);
}

const onLine = (value) => clamp(value, LOW, HIGH);

/** A label that keeps off the ends of the line. */
function label(c, value, height, words, name, dy) {
  const at = onLine(value);
  const share = (at - LOW) / (HIGH - LOW);
  const anchor = share < 0.25 ? "start" : share > 0.7 ? "end" : "middle";
  c.text(at, height, words, name, anchor, 0, dy);
}

function drawGap(c, now) {
  const [low, high] = [onLine(now.elbo), onLine(now.evidence)];
  c.line(
    [
      [low, 0.5],
      [high, 0.5],
    ],
    "ae-error ae-band",
  );
  mark(c, now, 0.5);
  label(c, now.evidence, 0.5, `evidence ${nats(now.evidence)}`, "ae-text-input", -1.1);
  label(c, now.elbo, 0.5, `${now.elbo < LOW ? "◀ " : ""}ELBO ${nats(now.elbo)}`, "ae-text-latent", 1.6);
}

/** Two bars: from 0 to the fit, and from there down by the price, which ends at the ELBO. */
function drawParts(c, now) {
  c.rule(0, "ae-zero");
  c.line(
    [
      [0, 0.8],
      [onLine(now.fit), 0.8],
    ],
    "ae-recon ae-band",
  );
  c.line(
    [
      [onLine(now.fit), 0.42],
      [onLine(now.elbo), 0.42],
    ],
    "ae-pca ae-band",
  );
  label(c, now.fit, 0.8, `${now.fit < LOW ? "◀ " : ""}fit ${nats(now.fit)}`, "ae-text-recon", -0.6);
  mark(c, now, 0.42);
  const price = c.right - c.left < 30 * c.em ? "" : `minus price ${nats(now.price)} = `;
  label(
    c,
    now.elbo,
    0.42,
    `${now.elbo < LOW ? "◀ " : ""}${price}ELBO ${nats(now.elbo)}`,
    "ae-text-latent",
    1.5,
  );
}

function mark(c, now, height) {
  const [x, y, r] = [c.x(onLine(now.evidence)), c.y(height), 0.72 * c.em];
  c.shape("path", { class: "ae-evidence", d: `M${x - r} ${y}L${x} ${y - r}L${x + r} ${y}L${x} ${y + r}Z` });
  c.dot(onLine(now.elbo), height, "ae-dot-latent", 0.42);
}

/**
 * The data's plane: the decoder's curve, x as a cross, and in green where the codes of q within two widths
 * land.
 */
function dataPlane(now) {
  const curve = (c, decode, low, high, name) => {
    const points = Array.from({ length: 61 }, (_, n) => decode(low + (n / 60) * (high - low)));
    c.shape("polyline", { class: name, points: c.path(points) });
  };
  return plane({
    label: "the plane of two pixels",
    reach: 0.65,
    largest: 168,
    move: (c) => {
      const [{ mean, width }, { decoder, place }] = now();
      const [x, y, r] = [c.x(PLACES[place][0]), c.y(PLACES[place][1]), 6];
      curve(c, DECODE[decoder], -2.4, 2.4, "ae-decoded");
      curve(c, DECODE[decoder], mean - 2 * width, mean + 2 * width, "ae-reached");
      c.shape("path", {
        class: "ae-cross",
        d: `M${x - r} ${y - r}l${2 * r} ${2 * r}M${x - r} ${y + r}l${2 * r} ${-2 * r}`,
      });
      c.shape("text", { class: "ae-label", x: x + 10, y: y + 5, text: "x" });
    },
    describe: () => {
      const [, { decoder, place }] = now();
      return (
        `The plane of two pixels: the ${decoder} decoder's curve, x ${WORDS[place]} as a cross, ` +
        "and on the curve the part that codes of q within two widths reach."
      );
    },
  });
}
