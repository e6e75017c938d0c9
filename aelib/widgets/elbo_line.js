import { card, chart, choices, clamp, h, listen, onWidth, s, saver, slider } from "./base.js";

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
  const evidence = top + Math.log(joint.reduce((sum, value) => sum + Math.exp(value - top), 0) * STEP);
  const posterior = joint.map((value) => value - evidence);
  return { decoder, place, likelihood, evidence, posterior, hill: curveOf(posterior) };
}

/** The five figures of one q, each a sum of its own over the grid. */
function measures({ likelihood, evidence, posterior }, mean, width) {
  const now = { evidence, elbo: 0, gap: 0, fit: 0, price: 0 };
  // further than nine widths away q is below 1e-17 of its peak
  const [first, last] = [-1, 1].map((side) => Math.round(100 * clamp(mean + 9 * side * width, -14, 14)) + 1400);
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

const minus = (text) => text.replace("-", "−");
const nats = (value) => minus((Math.abs(value) < 0.0005 ? 0 : value).toFixed(Math.abs(value) < 99.9995 ? 3 : 1));
/** A gap, which is never negative; a small one keeps its digits, and only a closed one is 0. */
const small = (gap) => (gap < 1e-7 ? "0" : gap < 0.00095 ? gap.toFixed(6) : nats(gap));

function tail({ decoder, place }, { gap }, least) {
  const shape = { side: "is a little bent", inside: "leans to one side", mouth: "has two humps" }[place];
  if (decoder === "straight") {
    return gap < 1e-7 ? "q is the posterior, a Gaussian, and nothing is left." : "This posterior is a Gaussian, so some q closes the gap.";
  }
  if (gap - least < 0.0015 + 0.01 * least) return `That is about as near as a Gaussian comes: the posterior ${shape}, and ${small(least)} nats stay.`;
  return `The posterior ${shape}: even the best Gaussian leaves ${small(least)} nats.`;
}

function sentence(reading, here, now, least) {
  const first = reading === "gap"
    ? `The evidence is ${nats(now.evidence)} nats whatever q is; the ELBO of this q is ${nats(now.elbo)}, lower by ${small(now.gap)}.`
    : `Expected log-likelihood ${nats(now.fit)}, minus ${nats(now.price)} of KL to the prior, is the ELBO, ${nats(now.elbo)}; to the evidence it lacks ${small(now.gap)}.`;
  return `${first} ${tail(here, now, least)}`;
}

function render({ model, el }) {
  const save = saver(model);
  const { section, body, say } = card(el, {
    title: "Move q, and close the gap",
    lead: "One code z, two pixels x, everything exact on a grid. Drag the tip of the green bell, or use the sliders.",
  });
  let here = world(model.get("decoder"), model.get("place"));
  let now = measures(here, model.get("mean"), model.get("width"));
  const least = () => model.get("best")[`${here.decoder} ${here.place}`][2];
  const put = (changes) => {
    Object.entries(changes).forEach(([name, value]) => model.set(name, value));
    save();
  };
  const rounded = (value, low, high) => Math.round(100 * clamp(value, low, high)) / 100;
  const dial = (label, name, low, high) => slider({
    label, min: low, max: high, step: 0.01, value: model.get(name), big: false,
    show: (value) => ({ number: minus(value.toFixed(2)), unit: "" }),
    input: (value) => put({ [name]: rounded(value, low, high) }),
  });
  const [mean, width] = [dial("Mean μ of q", "mean", -3, 3), dial("Width σ of q", "width", 0.05, 1.5)];
  const pick = (label, name, options) => choices({ label, options, value: model.get(name), change: (value) => put({ [name]: value }) });
  const decoder = pick("Decoder", "decoder", [{ value: "straight", label: "straight" }, { value: "bent", label: "bent" }]);
  const place = pick("x lies", "place", Object.entries(WORDS).map(([value, label]) => ({ value, label })));
  const reading = pick("Read the ELBO as", "reading", [{ value: "gap", label: "evidence minus gap" }, { value: "parts", label: "fit minus price" }]);

  const number = h("span", { class: "ae-big" });
  const note = h("span", { class: "ae-unit" });
  const gauge = h("div", { class: "ae-gauge ae-tone-error" }, number, note);
  const bell = (mu, sigma) => Array.from(GRID.subarray(1040, 1761), (z) => [z, Math.exp(logNormal(z, mu, sigma))]);
  const densities = chart({
    label: "prior, posterior and q", height: 17,
    x: { domain: [-3.6, 3.6], ticks: [-3, -2, -1, 0, 1, 2, 3].map((tick) => [tick, minus(String(tick))]), title: "code z" },
    y: { domain: [0, TALLEST], ticks: [[0, "0"], [1, "1"], [2, "2"]], title: "density" },
    move: (c) => {
      const [mu, sigma] = [model.get("mean"), model.get("width")];
      const tip = Math.min(peak(sigma), TALLEST);
      c.line(PRIOR_CURVE, "ae-pca ae-thin");
      c.line(here.hill, "ae-posterior");
      c.line(bell(mu, sigma), "ae-latent");
      c.text(-1.5, 0.14, "prior", "ae-text-pca", "end", -0.2, -0.3);
      const [z, height] = here.hill.reduce((most, point) => (point[1] > most[1] ? point : most));
      const side = z < -1.5 ? 1 : z > 1.5 || mu > z ? -1 : 1;
      c.text(z, Math.min(height, TALLEST - 0.2) * 0.72, "posterior", "ae-text-input", side > 0 ? "start" : "end", 1.1 * side);
      c.dot(mu, tip, "ae-tip", 0.62);
      c.text(mu, tip, "q", "ae-text-latent", side > 0 ? "end" : "start", -1 * side, 0.3);
    },
    drag: (z, height) => put({ mean: rounded(z, -3, 3), width: rounded(1 / (Math.max(height, 0.01) * Math.sqrt(2 * Math.PI)), 0.14, 1.5) }),
    describe: () => `Densities over the code: the prior, the posterior, and q with mean ${minus(model.get("mean").toFixed(2))} and width ${model.get("width").toFixed(2)}.`,
  });
  const line = chart({
    label: "number line", height: 9.5, left: 0.6, right: 0.6,
    x: { domain: [LOW, HIGH], ticks: [-16, -12, -8, -4, 0, 4].map((tick) => [tick, minus(String(tick))]), title: "nats" },
    y: { domain: [0, 1], ticks: [[0, ""]], title: "" },
    move: (c) => (model.get("reading") === "gap" ? drawGap(c, now) : drawParts(c, now)),
    describe: () => `A number line: evidence ${nats(now.evidence)}, ELBO ${nats(now.elbo)}, gap ${small(now.gap)} nats.`,
  });
  const picture = plane();
  body.append(
    h("div", { class: "ae-switches" }, decoder.root, place.root, reading.root), mean.root, width.root,
    h("div", { class: "ae-views" }, picture.root, densities.root), gauge, line.root,
  );

  const draw = () => {
    const [mu, sigma] = [model.get("mean"), model.get("width")];
    if (here.decoder !== model.get("decoder") || here.place !== model.get("place")) here = world(model.get("decoder"), model.get("place"));
    now = measures(here, mu, sigma);
    mean.set(mu);
    width.set(sigma);
    decoder.set(here.decoder);
    place.set(here.place);
    reading.set(model.get("reading"));
    number.textContent = small(now.gap);
    note.textContent = `nats of gap, KL(q ‖ posterior); the smallest a Gaussian can leave here: ${small(least())}`;
    Object.assign(section.dataset, { ...now, mean: mu, width: sigma, decoder: here.decoder, place: here.place, reading: model.get("reading"), least: least() });
    picture.update(here, mu, sigma);
    densities.update();
    line.update();
    say(sentence(model.get("reading"), here, now, least()));
  };
  draw();
  const deaf = listen(model, ["mean", "width", "decoder", "place", "reading"], draw);
  return () => [deaf, densities.dispose, line.dispose, picture.dispose].forEach((stop) => stop());
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
  c.line([[low, 0.5], [high, 0.5]], "ae-error ae-band");
  mark(c, now, 0.5);
  label(c, now.evidence, 0.5, `evidence ${nats(now.evidence)}`, "ae-text-input", -1.1);
  label(c, now.elbo, 0.5, `${now.elbo < LOW ? "◀ " : ""}ELBO ${nats(now.elbo)}`, "ae-text-latent", 1.6);
}

/** Two bars: from 0 to the fit, and from there down by the price, which ends at the ELBO. */
function drawParts(c, now) {
  c.rule(0, "ae-zero");
  c.line([[0, 0.8], [onLine(now.fit), 0.8]], "ae-recon ae-band");
  c.line([[onLine(now.fit), 0.42], [onLine(now.elbo), 0.42]], "ae-pca ae-band");
  label(c, now.fit, 0.8, `${now.fit < LOW ? "◀ " : ""}fit ${nats(now.fit)}`, "ae-text-recon", -0.6);
  mark(c, now, 0.42);
  const sum = c.right - c.left < 30 * c.em ? "" : `minus price ${nats(now.price)} = `;
  label(c, now.elbo, 0.42, `${now.elbo < LOW ? "◀ " : ""}${sum}ELBO ${nats(now.elbo)}`, "ae-text-latent", 1.5);
}

function mark(c, now, height) {
  const [x, y, r] = [c.x(onLine(now.evidence)), c.y(height), 0.72 * c.em];
  c.layer.append(s("path", { class: "ae-evidence", d: `M${x - r} ${y}L${x} ${y - r}L${x + r} ${y}L${x} ${y + r}Z` }));
  c.dot(onLine(now.elbo), height, "ae-dot-latent", 0.42);
}

/** The data's plane: the decoder's curve, x as a cross, and in green where the codes of q within two widths land. */
function plane() {
  const svg = s("svg", { class: "ae-data-plane", role: "img" });
  const root = h("div", { class: "ae-data-room" }, svg);
  let [side, last] = [0, null];
  const place = ([x, y]) => `${(side * (0.5 + x / 1.3)).toFixed(1)},${(side * (0.5 - y / 1.3)).toFixed(1)}`;
  const curve = (decode, low, high, name) =>
    s("polyline", { class: name, points: Array.from({ length: 61 }, (_, n) => place(decode(low + (n / 60) * (high - low)))).join(" ") });
  const paint = () => {
    if (!side || !last) return;
    const [here, mu, sigma] = last;
    const [x, y] = place(PLACES[here.place]).split(",").map(Number);
    const r = 6;
    svg.replaceChildren(
      curve(DECODE[here.decoder], -2.4, 2.4, "ae-decoded"),
      curve(DECODE[here.decoder], mu - 2 * sigma, mu + 2 * sigma, "ae-reached"),
      s("path", { class: "ae-cross", d: `M${x - r} ${y - r}l${2 * r} ${2 * r}M${x - r} ${y + r}l${2 * r} ${-2 * r}` }),
      s("text", { class: "ae-label", x: x + 10, y: y + 5, text: "x" }),
    );
    svg.setAttribute("aria-label", `The plane of two pixels: the ${here.decoder} decoder's curve, x ${WORDS[here.place]} as a cross, and on the curve the part that codes of q within two widths reach.`);
  };
  const dispose = onWidth(root, (width) => {
    side = width > 260 ? 180 : width;
    Object.entries({ width: side, height: side, viewBox: `0 0 ${side} ${side}` }).forEach(([name, value]) => svg.setAttribute(name, value));
    paint();
  });
  return { root, dispose, update: (...state) => { last = state; paint(); } };
}

export default { render };
