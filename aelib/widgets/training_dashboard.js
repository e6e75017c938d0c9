import { card, chart, clamp, h, listen, nearestIndex, onWidth, readFloat64, readUint8, s, saver, slider, strip } from "./base.js";

const [COPIES, DRAWN] = [8, 8];
const [REACH, WIDEST] = [3.4, 2];
const IN_USE = 0.1;

/** Sixteen grey levels, two pixels in a byte. */
const grey = (bytes, index) => ((index % 2 ? bytes[index >> 1] & 15 : bytes[index >> 1] >> 4) / 15);

function readRun(model) {
  const latents = model.get("latent_dim");
  const [rows, columns] = model.get("image_shape");
  const [numbers, pictures, marks] = [readFloat64(model.get("numbers")), readUint8(model.get("pictures")), readUint8(model.get("marks"))];
  const [originals, labels] = [readUint8(model.get("originals")), model.get("labels")];
  const size = rows * columns;
  const each = (COPIES + DRAWN) * size;
  const digits = labels.length || 60;
  const count = Math.min(numbers.length / (2 + latents), (2 * pictures.length) / each, marks.length / (4 * digits));
  const row = (n) => numbers.subarray(n * (2 + latents), (n + 1) * (2 + latents));
  const kl = (n) => row(n).subarray(2);
  const sum = (values) => values.reduce((total, value) => total + value, 0);
  return {
    latents, rows, columns, count, labels, axes: model.get("axes"),
    epoch: (n) => row(n)[0], reconstruction: (n) => row(n)[1], kl, price: (n) => sum(kl(n)), loss: (n) => row(n)[1] + sum(kl(n)),
    original: (index) => grey(originals, index),
    copy: (n) => (index) => grey(pictures, n * each + index),
    drawing: (n) => (index) => grey(pictures, n * each + COPIES * size + index),
    clouds: (n) => Array.from({ length: digits }, (_, i) => {
      const [a, b, wide, tall] = marks.subarray(4 * (n * digits + i), 4 * (n * digits + i) + 4);
      return { a: (a / 255) * 2 * REACH - REACH, b: (b / 255) * 2 * REACH - REACH, wide: (wide / 255) * WIDEST, tall: (tall / 255) * WIDEST };
    }),
  };
}

const put = (node, attributes) => Object.entries(attributes).forEach(([name, value]) => node.setAttribute(name, value));
const write = (node, words) => { if (node.textContent !== words) node.textContent = words; };
const nats = (value) => value.toFixed(1).replace("-", "−");
const open = (run, n) => run.kl(n).filter((value) => value > IN_USE).length;

/** What is shown, in words; true at every epoch. */
function sentence(run, n) {
  if (!run.count) return "Nothing has been trained yet: run a training loop that calls the dashboard’s watch after each epoch, and look here.";
  const [a, b] = run.axes;
  const opened = open(run, n);
  const latents = opened === 0 ? `None of the ${run.latents} latents is open` : `${opened} of ${run.latents} latents ${opened === 1 ? "is" : "are"} open`;
  return `After epoch ${run.epoch(n)} the reconstruction costs ${nats(run.reconstruction(n))} nats and the clouds ${nats(run.price(n))}, on held-out digits. `
    + `${latents}, with a KL above ${IN_USE} nats. The map shows latents ${a + 1} and ${b + 1}, the two with the largest KL at the last epoch shown here.`;
}

function render({ model, el }) {
  const save = saver(model);
  let run = readRun(model);
  const at = () => (model.get("shown") < 0 ? run.count - 1 : Math.min(model.get("shown"), run.count - 1));
  const choose = (n) => { model.set("shown", n >= run.count - 1 ? -1 : n); save(); };
  const { section, body, say } = card(el, {
    title: "Watch it train",
    lead: "Held-out digits, and drawings from the prior that are always the same eight codes. When the run is over, slide back through it.",
  });
  const epochs = slider({
    label: "Epoch", min: 0, max: 1, value: 0, big: false, tone: "plain", input: choose,
    show: (n) => (run.count ? { number: run.epoch(Math.min(n, run.count - 1)), unit: `of ${run.epoch(run.count - 1)}`, spoken: `epoch ${run.epoch(Math.min(n, run.count - 1))}` } : { number: "–", unit: "not trained yet" }),
  });
  const number = h("span", { class: "ae-big" });
  const unit = h("span", { class: "ae-unit" });
  const row = (name, tone, count, label) => {
    const drawn = strip({ label, count, rows: run.rows, columns: run.columns });
    return { drawn, nodes: [h("span", { class: `ae-run-name ae-run-${tone}`, text: name }), drawn.root] };
  };
  const input = row("Input", "input", COPIES, "held-out digits");
  const copies = row("Copies", "recon", COPIES, "their copies, each from a drawn code");
  const drawings = row("Drawings", "latent", DRAWN, "eight codes of the prior, decoded");
  let words = "";
  const curve = lossCurve({ run: () => run, at, choose, describe: () => words });
  const bars = klBars({ run: () => run, at });
  const map = codeMap(() => words);
  body.append(epochs.root,
    h("div", { class: "ae-run" },
      h("div", { class: "ae-run-left" },
        h("div", { class: "ae-run-rows" }, ...[input, copies, drawings].flatMap(({ nodes }) => nodes)),
        h("div", { class: "ae-run-gauge ae-tone-plain" }, number, unit), curve.root),
      h("div", { class: "ae-run-right" }, map.root, bars.root)));

  const draw = () => {
    const n = at();
    const last = Math.max(run.count - 1, 0);
    words = sentence(run, n);
    epochs.input.max = last;
    epochs.input.disabled = !run.count;
    epochs.set(Math.max(n, 0));
    epochs.input.style.setProperty("--ae-filled", `${last ? (100 * n) / last : 0}%`);
    copies.drawn.paint(run.count ? run.copy(n) : () => 0, "recon");
    drawings.drawn.paint(run.count ? run.drawing(n) : () => 0, "latent");
    number.textContent = run.count ? nats(run.loss(n)) : "–";
    unit.textContent = run.count ? `nats: the negative ELBO, ${nats(run.reconstruction(n))} + ${nats(run.price(n))}` : "nats: the negative ELBO";
    curve.update();
    bars.update();
    map.paint(run.count ? run.clouds(n) : [], run.labels, run.axes);
    if (run.count) Object.assign(section.dataset, { epoch: run.epoch(n), reconstruction: run.reconstruction(n), kl: run.price(n), negElbo: run.loss(n), inUse: open(run, n), frames: run.count });
    say(words);
  };
  input.drawn.paint(run.original);
  draw();
  const again = () => { run = readRun(model); curve.redraw(); bars.redraw(); draw(); };
  const deaf = [listen(model, ["numbers", "pictures", "marks", "axes"], again), listen(model, ["shown"], draw)];
  return () => [...deaf, curve.dispose, bars.dispose, map.dispose, ...[input, copies, drawings].map(({ drawn }) => drawn.dispose)].forEach((stop) => stop());
}

/** Round steps that cut a range into about `pieces`. */
function ticks(low, high, pieces) {
  const raw = (high - low) / pieces;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].find((factor) => factor * power >= raw) * power;
  const found = [];
  for (let value = Math.ceil(low / step) * step; value <= high; value += step) found.push(Math.round(value * 1e6) / 1e6);
  return found;
}

/** The two curves, over the epochs that there are now: the chart's scales follow the run. */
function lossCurve({ run, at, choose, describe }) {
  const epochsOf = (data) => Array.from({ length: data.count }, (_, n) => data.epoch(n));
  const range = (data) => {
    const losses = epochsOf(data).map((_, n) => data.loss(n));
    const low = Math.min(...losses.map((_, n) => data.reconstruction(n)));
    const span = Math.max(losses[Math.min(3, data.count - 1)] - low, 1);
    return [low - 0.06 * span, low + 1.2 * span];
  };
  let [rule, dot] = [null, null];
  const follow = (c) => {
    const [epoch, loss] = [run().epoch(at()), run().loss(at())];
    put(rule, { x1: c.x(epoch), x2: c.x(epoch) });
    put(dot, { cx: c.x(epoch), cy: clamp(c.y(loss), c.top, c.bottom) });
  };
  return chart({
    label: "loss against epochs", height: 17, left: 2.6,
    x: { domain: [0, 1], ticks: [], title: "epoch" }, y: { domain: [0, 1], ticks: [], title: "nats" },
    draw: (c) => {
      const data = run();
      if (!data.count) return;
      const [low, high] = range(data);
      const end = Math.max(data.epoch(data.count - 1), 2);
      c.x = (epoch) => c.left + ((epoch - 1) / (end - 1)) * (c.right - c.left);
      c.y = (value) => c.bottom - ((value - low) / (high - low)) * (c.bottom - c.top);
      c.scaleX = { value: (pixel) => 1 + ((pixel - c.left) / (c.right - c.left)) * (end - 1) };
      for (const value of ticks(low, high, 4)) {
        c.layer.append(s("line", { class: "ae-grid", x1: c.left, x2: c.right, y1: c.y(value), y2: c.y(value) }),
          s("text", { class: "ae-tick", x: c.left - 0.5 * c.em, y: c.y(value) + 0.28 * c.em, "text-anchor": "end", text: String(value).replace("-", "−") }));
      }
      for (const value of ticks(1, end, 4)) c.layer.append(s("text", { class: "ae-tick", x: c.x(value), y: c.bottom + 1.25 * c.em, "text-anchor": "middle", text: value }));
      const points = (of) => epochsOf(data).map((epoch, index) => [epoch, of(index)]);
      const band = [...points(data.loss), ...points(data.reconstruction).reverse()].map(([a, b]) => `${c.x(a)},${clamp(c.y(b), c.top, c.bottom)}`).join(" ");
      c.layer.append(s("polygon", { class: "ae-run-band", points: band }));
      rule = c.rule(1, "ae-rule");
      c.line(points(data.reconstruction), "ae-recon ae-run-dashed");
      c.line(points(data.loss), "ae-run-loss");
      dot = c.dot(1, low, "ae-run-dot", 0.36);
      c.layer.append(s("text", { class: "ae-label ae-text-input", x: c.right, y: c.top + 0.9 * c.em, "text-anchor": "end", text: "negative ELBO" }),
        s("text", { class: "ae-label ae-text-recon", x: c.right, y: c.top + 2.2 * c.em, "text-anchor": "end", text: "dashed: reconstruction" }),
        s("text", { class: "ae-label ae-text-latent", x: c.right, y: c.top + 3.5 * c.em, "text-anchor": "end", text: "between them: KL" }));
    },
    move: (c) => run().count && follow(c),
    drag: (epoch) => run().count && choose(nearestIndex(epochsOf(run()), epoch)),
    describe,
  });
}

/** One bar a latent, on the scale of the whole run. */
function klBars({ run, at }) {
  const { latents } = run();
  let bars = [];
  const stand = (c, value, [bar, word]) => {
    put(bar, { y: c.y(value), height: c.bottom - c.y(value) });
    if (!word) return;
    put(word, { y: c.y(value) - 0.35 * c.em });
    write(word, value.toFixed(2));
  };
  return chart({
    label: "KL of each latent", height: 11, left: 1.6,
    x: { domain: [0.5, latents + 0.5], ticks: Array.from({ length: latents }, (_, k) => [k + 1, latents <= 16 ? k + 1 : ""]), title: "latent" },
    y: { domain: [0, 1], ticks: [], title: "KL in nats" },
    draw: (c) => {
      const data = run();
      if (!data.count) return;
      const all = Array.from({ length: data.count }, (_, n) => Math.max(...data.kl(n)));
      const top = 1.2 * Math.max(1, ...all);
      c.y = (value) => c.bottom - (value / top) * (c.bottom - c.top);
      const wide = 0.7 * (c.x(2) - c.x(1));
      c.layer.append(s("line", { class: "ae-axis", x1: c.left, x2: c.right, y1: c.bottom, y2: c.bottom }));
      bars = Array.from({ length: latents }, (_, k) => {
        const bar = s("rect", { class: data.axes.includes(k) ? "ae-run-bar ae-run-mapped" : "ae-run-bar", x: c.x(k + 1) - wide / 2, width: wide });
        c.layer.append(bar);
        return [bar, latents <= 10 ? c.text(k + 1, 0, "", "ae-quiet", "middle") : null];
      });
    },
    move: (c) => run().count && run().kl(at()).forEach((value, k) => stand(c, value, bars[k])),
    describe: () => (run().count ? `KL of each latent in nats: ${[...run().kl(at())].map((value) => value.toFixed(2)).join(", ")}.` : "KL of each latent: nothing yet."),
  });
}

/** Sixty held-out digits, each with its cloud at one standard deviation, over the rings of the prior. */
function codeMap(describe) {
  const svg = s("svg", { class: "ae-run-map", role: "img" });
  const root = h("div", { class: "ae-run-room" }, svg);
  let [side, last, marks, numerals, built] = [0, null, [], null, ""];
  const x = (a) => side * (0.5 + a / (2 * REACH));
  const y = (b) => side * (0.5 - b / (2 * REACH));
  const build = (clouds, axes) => {
    const rings = [1, 2, 3].map((r) => s("circle", { class: "ae-run-ring", cx: x(0), cy: y(0), r: (side * r) / (2 * REACH) }));
    marks = clouds.map(() => ({ shape: s("ellipse", { class: "ae-run-cloud" }), was: {} }));
    numerals = s("text", { class: "ae-run-numeral", "text-anchor": "middle" });
    const names = clouds.length ? [
      s("text", { class: "ae-tick", x: side - 4, y: y(0) - 4, "text-anchor": "end", text: `latent ${axes[0] + 1}` }),
      s("text", { class: "ae-tick", x: x(0) + 4, y: 12, text: `latent ${axes[1] + 1}` })] : [];
    svg.replaceChildren(...rings, ...marks.map(({ shape }) => shape), numerals, ...names);
    built = `${side} ${clouds.length} ${axes}`;
  };
  const draw = () => {
    if (!side || !last) return;
    const [clouds, labels, axes] = last;
    if (built !== `${side} ${clouds.length} ${axes}`) build(clouds, axes);
    clouds.forEach((cloud, i) => stand(marks[i], cloud));
    number(clouds, clouds.map((_, i) => String(labels[i] ?? "·")));
    svg.setAttribute("aria-label", clouds.length ? `Map of two latents: sixty digits with their clouds, over the rings of the prior. ${describe()}` : "Map of two latents: nothing yet.");
  };
  const stand = (mark, { a, b, wide, tall }) => {
    const { shape, was } = mark;
    if (was.a !== a || was.b !== b) put(shape, { cx: x(a), cy: y(b) });
    if (was.wide !== wide || was.tall !== tall) put(shape, { rx: (side * wide) / (2 * REACH), ry: (side * tall) / (2 * REACH) });
    mark.was = { a, b, wide, tall };
  };
  // One text with a place for each of its letters: the browser lays it out in half the time of sixty texts.
  const number = (clouds, words) => {
    const places = clouds.flatMap(({ a, b }, i) => Array.from(words[i], (_, k) => [x(a) + 6 * (k - (words[i].length - 1) / 2), y(b) + 4]));
    write(numerals, words.join(""));
    put(numerals, { x: places.map(([left]) => left).join(" "), y: places.map(([, top]) => top).join(" ") });
  };
  const resize = (width) => {
    side = Math.min(width, 380);
    put(svg, { width: side, height: side, viewBox: `0 0 ${side} ${side}` });
    draw();
  };
  return { root, paint: (...next) => { last = next; draw(); }, dispose: onWidth(root, resize) };
}

export default { render };
