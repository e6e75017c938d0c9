import { button, card, chart, h, listen, nearestIndex, readFloat64, readUint8, s, saver, slider, strip } from "./base.js";

const SHOWN = 10;
const SETS = 6;
const IN_USE = 0.1;

/** Sixteen grey levels, two pixels in a byte. */
const grey = (bytes, index) => ((index % 2 ? bytes[index >> 1] & 15 : bytes[index >> 1] >> 4) / 15);

function readFamily(model) {
  const [betas, latents, noise] = ["betas", "latent_dim", "noise_var"].map((name) => model.get(name));
  const [rows, columns] = model.get("image_shape");
  const [numbers, pictures, originals] = [readFloat64(model.get("numbers")), readUint8(model.get("pictures")), readUint8(model.get("originals"))];
  const size = rows * columns;
  const each = SHOWN * (1 + SETS) * size;
  const row = (i) => numbers.subarray(i * (3 + latents), (i + 1) * (3 + latents));
  return {
    betas, latents, rows, columns,
    rate: (i) => row(i)[0] / Math.LN2, error: (i) => row(i)[1], distance: (i) => row(i)[2],
    bits: (i) => [...row(i).subarray(3)].map((nats) => nats / Math.LN2),
    inUse: (i) => row(i).subarray(3).filter((nats) => nats > IN_USE).length,
    sigma: (i) => Math.sqrt(betas[i] * noise),
    original: (index) => grey(originals, index),
    copy: (i) => (index) => grey(pictures, i * each + index),
    drawing: (i, set) => (index) => grey(pictures, i * each + (1 + set) * SHOWN * size + index),
  };
}

const shownRate = (value) => (value < 0.05 ? "0.0" : value.toFixed(1));

/** What is shown, in words; true at every setting. */
function sentence(data, i) {
  const used = data.inUse(i);
  const latents = used === 0 ? `none of the ${data.latents} latents is in use, and every copy is nearly the same picture` : `${used} of ${data.latents} latents ${used === 1 ? "is" : "are"} in use`;
  const nearest = data.betas.reduce((best, _, j) => (data.distance(j) < data.distance(best) ? j : best), 0);
  const compare = i === nearest ? "the nearest of all these β" : `nearest at β = ${data.betas[nearest]}, with ${data.distance(nearest).toFixed(2)}`;
  const name = data.betas[i] === 1 ? "At β = 1, where the loss is the negative ELBO," : `At β = ${data.betas[i]}, as if σₓ were ${data.sigma(i).toFixed(2)},`;
  return `${name} a code costs ${shownRate(data.rate(i))} bits and ${latents}. Drawings lie ${data.distance(i).toFixed(2)} times as far from the training digits as real digits do: ${compare}.`;
}

function render({ model, el }) {
  const data = readFamily(model);
  const save = saver(model);
  const last = data.betas.length - 1;
  const state = () => [Math.min(model.get("index"), last), model.get("chosen_set")];
  const choose = (i) => { model.set("index", i); save(); };
  const { section, body, say } = card(el, {
    title: "One knob",
    lead: `${data.betas.length} VAEs, alike but for the weight β of the KL. All figures are of held-out digits.`,
  });
  const beta = slider({
    label: "β", min: 0, max: last, value: state()[0], tone: "plain", input: choose,
    show: (i) => ({ number: data.betas[i], unit: `like σₓ = ${data.sigma(i).toFixed(2)}`, spoken: `beta ${data.betas[i]}` }),
  });
  const row = (name, tone, label) => {
    const drawn = strip({ label, count: SHOWN, rows: data.rows, columns: data.columns });
    return { drawn, nodes: [h("span", { class: `ae-beta-name ae-beta-${tone}`, text: name }), drawn.root] };
  };
  const input = row("Input", "input", "ten held-out digits");
  const copies = row("Copies", "recon", "their copies, each from a drawn code");
  const drawings = row("Drawings", "latent", "ten codes of the prior, decoded");
  const other = button("Other codes", () => { model.set("chosen_set", (state()[1] + 1) % SETS); save(); });
  const gauge = (tone, words) => {
    const number = h("span", { class: "ae-big" });
    return { number, root: h("div", { class: `ae-beta-gauge ae-tone-${tone}` }, number, h("span", { class: "ae-unit", text: words })) };
  };
  const rate = gauge("latent", "bits per image: the rate");
  const error = gauge("recon", "error per pixel of copies");
  const distance = gauge("error", "distance of drawings, real digits = 1");
  const curve = rateCurve({ data, at: () => state()[0], choose });
  const bars = latentBars({ data, at: () => state()[0] });
  body.append(beta.root,
    h("div", { class: "ae-beta-gauges" }, rate.root, error.root, distance.root),
    h("div", { class: "ae-beta-stage" },
      h("div", { class: "ae-beta-left" }, h("div", { class: "ae-beta-rows" }, ...[input, copies, drawings].flatMap(({ nodes }) => nodes)), h("div", {}, other)),
      h("div", { class: "ae-beta-charts" }, curve.root, bars.root)));

  const draw = () => {
    const [i, set] = state();
    beta.set(i);
    input.drawn.paint(data.original);
    copies.drawn.paint(data.copy(i), "recon");
    drawings.drawn.paint(data.drawing(i, set), "latent");
    rate.number.textContent = shownRate(data.rate(i));
    error.number.textContent = data.error(i).toFixed(4);
    distance.number.textContent = data.distance(i).toFixed(2);
    curve.update();
    bars.update();
    Object.assign(section.dataset, {
      beta: data.betas[i], rate: data.rate(i), error: data.error(i), distance: data.distance(i), inUse: data.inUse(i), sigma: data.sigma(i), chosenSet: set,
      ink: Array.from({ length: SHOWN * data.rows * data.columns }, (_, index) => data.drawing(i, set)(index)).reduce((sum, value) => sum + value, 0),
    });
    say(sentence(data, i));
  };
  draw();
  const deaf = listen(model, ["index", "chosen_set"], draw);
  return () => [deaf, curve.dispose, bars.dispose, ...[input, copies, drawings].map(({ drawn }) => drawn.dispose)].forEach((stop) => stop());
}

/** Error against rate, a point for each β. */
function rateCurve({ data, at, choose }) {
  const points = data.betas.map((_, i) => [data.rate(i), data.error(i)]);
  const [right, top] = [Math.max(...points.map(([a]) => a)) * 1.06, Math.max(...points.map(([, b]) => b)) * 1.12];
  const spread = (end, steps) => steps.filter((value) => value <= end);
  const me = chart({
    label: "error against rate", height: 15, left: 2.6,
    x: { domain: [0, right], ticks: spread(right, [0, 10, 20, 30, 40, 60, 80, 100]).map((value) => [value, value]), title: "rate, bits per image" },
    y: { domain: [0, top], ticks: spread(top, [0, 0.02, 0.04, 0.06, 0.08, 0.1]).map((value) => [value, value ? value.toFixed(2).slice(1) : "0"]), title: "error per pixel" },
    draw: (c) => {
      c.line(points, "ae-recon");
      points.forEach(([a, b]) => c.dot(a, b, "ae-dot-recon", 0.25));
      const [low, high] = [points[0], points[points.length - 1]];
      c.text(...low, `β = ${data.betas[0]}`, "ae-text-recon", "end", 0.3, -0.8);
      c.text(...high, `β = ${data.betas[data.betas.length - 1]}`, "ae-text-recon", "start", 0.7, 0.2);
    },
    move: (c) => { c.rule(points[at()][0], "ae-rule"); c.dot(...points[at()], "ae-dot-recon", 0.5); },
    drag: (a, b) => choose(nearestIndex(points.map(([x, y]) => Math.hypot(me.x(x) - me.x(a), me.y(y) - me.y(b))), 0)),
    describe: () => `Error per pixel against rate in bits, a point for each β. ${sentence(data, at())}`,
  });
  return me;
}

/** The bits of each latent, the largest first, on one scale for all β. */
function latentBars({ data, at }) {
  const top = 1.15 * Math.max(...data.betas.flatMap((_, i) => data.bits(i)));
  return chart({
    label: "KL of each latent", height: 15, left: 1.6,
    x: { domain: [0.5, data.latents + 0.5], ticks: [], title: "latents, the largest KL first" },
    y: { domain: [0, top], ticks: [2, 4, 6, 8, 10, 12].filter((value) => value < top).map((value) => [value, value]), title: "KL, bits" },
    move: (c) => {
      const wide = 0.7 * (c.x(2) - c.x(1));
      c.layer.append(s("line", { class: "ae-axis", x1: c.left, x2: c.right, y1: c.bottom, y2: c.bottom }));
      data.bits(at()).forEach((value, k) => c.layer.append(
        s("rect", { class: "ae-beta-bar", x: c.x(k + 1) - wide / 2, width: wide, y: c.y(value), height: Math.max(0, c.bottom - c.y(value)) })));
    },
    describe: () => `KL of each latent in bits: ${data.bits(at()).map((value) => value.toFixed(2)).join(", ")}.`,
  });
}

export default { render };
