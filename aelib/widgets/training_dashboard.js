import {
  chart,
  clamp,
  fixed,
  gauge,
  h,
  interactive,
  nearestIndex,
  pictureRow,
  plane,
  readArrays,
  slider,
  sum,
} from "./base.js";

const FACE = {
  traits: ["arrays", "shown"],
  lead:
    "Held-out digits, and drawings from the prior, always of the same eight codes. " +
    "When the run is over, slide back through it.",
};
const [COPIES, REACH, WIDEST, IN_USE] = [8, 3.4, 2, 0.1];

/** The run so far: for each frame its numbers, its pictures and its clouds on the map. */
function readRun({ numbers, pictures, marks, originals }, model) {
  const [latents, labels, axes] = ["latent_dim", "labels", "axes"].map((name) => model.get(name));
  const rows = Array.from({ length: numbers.shape[0] }, (_, n) => numbers.row(n));
  const frames = rows.map(([epoch, reconstruction, ...kl], n) => {
    const price = sum(kl);
    const open = kl.filter((value) => value > IN_USE).length;
    return { n, epoch, reconstruction, kl, price, loss: reconstruction + price, open };
  });
  const cloud = ([a, b, wide, tall]) => ({
    a: (2 * a - 1) * REACH,
    b: (2 * b - 1) * REACH,
    wide: wide * WIDEST,
    tall: tall * WIDEST,
  });
  const clouds = (n) => Array.from({ length: marks.shape[1] }, (_, i) => cloud(marks.row(n, i)));
  return { latents, labels, axes, frames, originals, pictures, clouds };
}

/** What is shown, in words; true at every epoch. */
function sentence(run, now) {
  if (!now)
    return (
      "Nothing has been trained yet: run a training loop that calls the dashboard’s watch " +
      "after each epoch, and look here."
    );
  const [a, b] = run.axes;
  const { epoch, reconstruction, price, open } = now;
  const latents =
    open === 0
      ? `None of the ${run.latents} latents is open`
      : `${open} of ${run.latents} latents ${open === 1 ? "is" : "are"} open`;
  return (
    `After epoch ${epoch} the reconstruction costs ${fixed(reconstruction, 1)} nats and the KL ` +
    `${fixed(price, 1)}, on held-out digits. ${latents}, with a KL above ${IN_USE} nats. ` +
    `The map shows latents ${a + 1} and ${b + 1}, the two with the largest KL at the last epoch shown here.`
  );
}

export default interactive(FACE, ({ model, state, set, data, body, say, keep }) => {
  let run = readRun(data, model);
  let known = model.get("arrays");
  const last = () => run.frames.length - 1;
  const at = () => (state().shown < 0 ? last() : Math.min(state().shown, last()));
  const now = () => run.frames[at()];
  const choose = (n) => set({ shown: n >= last() ? -1 : n });
  const epochs = slider({
    label: "Epoch",
    min: 0,
    max: 1,
    value: 0,
    big: false,
    tone: "plain",
    input: choose,
    show: (n) => {
      const frame = run.frames[Math.min(n, last())];
      if (!frame) return { number: "–", unit: "not trained yet" };
      return { number: frame.epoch, unit: `of ${run.frames[last()].epoch}`, spoken: `epoch ${frame.epoch}` };
    },
  });
  const loss = gauge({ tone: "plain" });
  const [, count, rows, columns] = data.pictures.shape;
  const row = (name, tone, howMany, label) =>
    keep(pictureRow({ name, tone, label, count: howMany, rows, columns }));
  const input = row("Input", "input", COPIES, "held-out digits");
  const copies = row("Copies", "recon", COPIES, "their copies, each from a drawn code");
  const drawings = row("Drawings", "latent", count - COPIES, "eight codes of the prior, decoded");
  const parts = { run: () => run, now, choose };
  const curve = keep(lossCurve(parts));
  const bars = keep(klBars(parts));
  const map = keep(codeMap(parts));
  const pictures = [input, copies, drawings].flatMap(({ nodes }) => nodes);
  const left = [h("div", { class: "ae-picture-rows" }, ...pictures), loss.root, curve.root];
  body.append(
    epochs.root,
    h(
      "div",
      { class: "ae-two" },
      h("div", { class: "ae-run-side" }, ...left),
      h("div", { class: "ae-run-side" }, map.root, bars.root),
    ),
  );
  input.paint(data.originals.at());
  const blank = () => 0;

  return ({ arrays }) => {
    const fed = arrays !== known;
    if (fed) run = readRun(readArrays(arrays), model);
    known = arrays;
    const frame = now();
    const end = Math.max(last(), 0);
    epochs.input.max = end;
    epochs.input.disabled = !frame;
    epochs.set(frame ? at() : 0);
    epochs.input.style.setProperty("--ae-filled", `${end ? (100 * at()) / end : 0}%`);
    copies.paint(frame ? run.pictures.at(frame.n, 0) : blank, "recon");
    drawings.paint(frame ? run.pictures.at(frame.n, COPIES) : blank, "latent");
    const split = frame ? `, ${fixed(frame.reconstruction, 1)} + ${fixed(frame.price, 1)}` : "";
    loss.set(frame ? fixed(frame.loss, 1) : "–", `nats: the negative ELBO${split}`);
    for (const one of [curve, bars, map]) if (fed) one.redraw();
    for (const one of [curve, bars, map]) one.update();
    say(sentence(run, frame));
    if (!frame) return {};
    const { epoch, reconstruction, price: kl, loss: negElbo, open: inUse } = frame;
    return { epoch, reconstruction, kl, negElbo, inUse, frames: run.frames.length };
  };
});

/** Round steps that cut a range into about `pieces`. */
function ticks(low, high, pieces) {
  const raw = (high - low) / pieces;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].find((factor) => factor * power >= raw) * power;
  const count = Math.floor(high / step) - Math.ceil(low / step) + 1;
  return Array.from({ length: count }, (_, n) => Math.round((Math.ceil(low / step) + n) * step * 1e6) / 1e6);
}

/** The range of the curves, without the fall of the very first epochs. */
function range(frames) {
  const low = Math.min(...frames.map(({ reconstruction }) => reconstruction));
  const span = Math.max(frames[Math.min(3, frames.length - 1)].loss - low, 1);
  return [low - 0.06 * span, low + 1.2 * span];
}

/** The two curves, over the epochs that there are now: the chart's scales follow the run. */
function lossCurve({ run, now, choose }) {
  const frames = () => run().frames;
  const rescale = (c) => {
    const [low, high] = range(frames());
    const end = Math.max(frames().at(-1).epoch, 2);
    c.x = (epoch) => c.left + ((epoch - 1) / (end - 1)) * (c.right - c.left);
    c.y = (value) => clamp(c.bottom - ((value - low) / (high - low)) * (c.bottom - c.top), c.top, c.bottom);
    c.scaleX = { value: (pixel) => 1 + ((pixel - c.left) / (c.right - c.left)) * (end - 1) };
    return [low, high, end];
  };
  const word = (c, text, x, y, anchor, name = "ae-tick") =>
    c.shape("text", { class: name, x, y, "text-anchor": anchor, text });
  const draw = (c) => {
    if (!frames().length) return;
    const [low, high, end] = rescale(c);
    for (const value of ticks(low, high, 4)) {
      const y = c.y(value);
      c.shape("line", { class: "ae-grid", x1: c.left, x2: c.right, y1: y, y2: y });
      word(c, String(value).replace("-", "−"), c.left - 0.5 * c.em, y + 0.28 * c.em, "end");
    }
    for (const value of ticks(1, end, 4)) word(c, value, c.x(value), c.bottom + 1.25 * c.em, "middle");
    const losses = frames().map(({ epoch, loss }) => [epoch, loss]);
    const reconstructions = frames().map(({ epoch, reconstruction }) => [epoch, reconstruction]);
    const band = [...losses, ...[...reconstructions].reverse()];
    c.shape("polygon", { class: "ae-run-band", points: c.path(band) });
    c.line(reconstructions, "ae-recon ae-run-dashed");
    c.line(losses, "ae-run-loss");
    const names = [
      ["negative ELBO", "input"],
      ["dashed: reconstruction", "recon"],
      ["between them: KL", "latent"],
    ];
    names.forEach(([text, tone], n) => {
      word(c, text, c.right, c.top + (0.7 + 1.2 * n) * c.em, "end", `ae-label ae-text-${tone}`);
    });
  };
  return chart({
    label: "loss against epochs",
    height: 11.6,
    left: 2.6,
    x: { domain: [0, 1], ticks: [], title: "epoch" },
    y: { domain: [0, 1], ticks: [], title: "nats" },
    draw,
    move: (c) => {
      if (!now()) return;
      c.rule(now().epoch, "ae-rule");
      c.dot(now().epoch, now().loss, "ae-run-dot", 0.36);
    },
    drag: (epoch) => {
      if (!now()) return;
      choose(
        nearestIndex(
          frames().map((frame) => frame.epoch),
          epoch,
        ),
      );
    },
    describe: () => sentence(run(), now()),
  });
}

/** One bar a latent, on the scale of the whole run. */
function klBars({ run, now }) {
  const { latents } = run();
  const rescale = (c) => {
    const top = 1.2 * Math.max(1, ...run().frames.map(({ kl }) => Math.max(...kl)));
    c.y = (value) => c.bottom - (value / top) * (c.bottom - c.top);
    c.shape("line", { class: "ae-axis", x1: c.left, x2: c.right, y1: c.bottom, y2: c.bottom });
  };
  const bar = (c, value, k) => {
    const [y, width] = [c.y(value), 0.7 * (c.x(2) - c.x(1))];
    const kind = run().axes.includes(k) ? "ae-run-bar ae-run-mapped" : "ae-run-bar";
    c.shape("rect", { class: kind, x: c.x(k + 1) - width / 2, width, y, height: c.bottom - y });
    if (latents <= 10) c.text(k + 1, value, value.toFixed(2), "ae-quiet", "middle", 0, -0.35);
  };
  return chart({
    label: "KL of each latent",
    height: 7.6,
    left: 1.6,
    x: {
      domain: [0.5, latents + 0.5],
      ticks: Array.from({ length: latents }, (_, k) => [k + 1, latents <= 16 ? k + 1 : ""]),
      title: "latent",
    },
    y: { domain: [0, 1], ticks: [], title: "KL in nats" },
    draw: rescale,
    move: (c) => now()?.kl.forEach((value, k) => bar(c, value, k)),
    describe: () =>
      now()
        ? `KL of each latent in nats: ${now()
            .kl.map((value) => value.toFixed(2))
            .join(", ")}.`
        : "KL of each latent: nothing yet.",
  });
}

/** Sixty held-out digits, each with its cloud at one standard deviation, over the rings of the prior. */
function codeMap({ run, now }) {
  const draw = (c) => {
    for (const r of [1, 2, 3])
      c.shape("circle", { class: "ae-run-ring", cx: c.x(0), cy: c.y(0), r: c.x(r) - c.x(0) });
    if (!now()) return;
    const [a, b] = run().axes.map((axis) => `latent ${axis + 1}`);
    c.shape("text", { class: "ae-tick", x: c.right - 4, y: c.y(0) - 4, "text-anchor": "end", text: a });
    c.shape("text", { class: "ae-tick", x: c.x(0) + 4, y: 12, "text-anchor": "start", text: b });
  };
  // One text with a place for each of its letters: the browser lays it out in half the time of sixty texts.
  const numerals = (c, clouds) => {
    const words = clouds.map((_, i) => String(run().labels[i] ?? "·"));
    const places = clouds.flatMap(({ a, b }, i) =>
      Array.from(words[i], (_, k) => [c.x(a) + 6 * (k - (words[i].length - 1) / 2), c.y(b) + 4]),
    );
    const [x, y] = [0, 1].map((axis) => places.map((place) => place[axis].toFixed(1)).join(" "));
    c.shape("text", { class: "ae-run-numeral", "text-anchor": "middle", x, y, text: words.join("") });
  };
  const move = (c) => {
    const clouds = now() ? run().clouds(now().n) : [];
    const unit = c.x(1) - c.x(0);
    for (const { a, b, wide, tall } of clouds) {
      const place = { cx: c.x(a), cy: c.y(b), rx: wide * unit, ry: tall * unit };
      c.shape("ellipse", { class: "ae-run-cloud", ...place });
    }
    if (clouds.length) numerals(c, clouds);
  };
  return plane({
    label: "map of the codes",
    reach: REACH,
    largest: 232,
    draw,
    move,
    describe: () =>
      now()
        ? "Map of two latents: sixty digits with their clouds, over the rings of the prior. " +
          sentence(run(), now())
        : "Map of two latents: nothing yet.",
  });
}
