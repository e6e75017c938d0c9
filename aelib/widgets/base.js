// What every interactive shares. Each widget's file imports from here; Python joins both into one module.

const SVG = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "text") node.textContent = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** An HTML element: h("p", { class: "ae-lead", text: "…", onclick: f }, child, …). */
export const h = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);

/** An SVG element, in the same way. */
export const s = (tag, attributes = {}, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);

/** The interactive's own name, filled in when the scripts are joined: its style sheet reaches no other one. */
export const WIDGET = "";

/** What every focusable control carries: JupyterLab then leaves its keys to it. */
export const FOCUSABLE = { "data-lm-suppress-shortcuts": "true" };

let named = 0;
const uid = (word) => `ae-${word}-${Date.now().toString(36)}-${(named += 1)}`;

// ---- data --------------------------------------------------------------------------------------------------

/** A buffer (DataView, typed array or ArrayBuffer) as bytes of its own, aligned, safe to reinterpret. */
export function readUint8(view) {
  if (!view) return new Uint8Array(0);
  const buffer = view.buffer ?? view;
  const offset = view.byteOffset ?? 0;
  return new Uint8Array(buffer.slice(offset, offset + view.byteLength));
}

export const readFloat32 = (view) => new Float32Array(readUint8(view).buffer);
export const readFloat64 = (view) => new Float64Array(readUint8(view).buffer);

/** IEEE half precision, two bytes a number, as a Float32Array. */
export function readFloat16(view) {
  const halves = new Uint16Array(readUint8(view).buffer);
  return Float32Array.from(halves, (half) => {
    const sign = half & 0x8000 ? -1 : 1;
    const exponent = (half >> 10) & 31;
    const fraction = half & 1023;
    if (exponent === 0) return sign * fraction * 2 ** -24;
    if (exponent === 31) return fraction ? NaN : sign * Infinity;
    return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  });
}

/** Activation functions, by the name of their PyTorch class in lower case. */
export const ACTIVATIONS = {
  identity: (x) => x,
  relu: (x) => Math.max(0, x),
  tanh: Math.tanh,
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  silu: (x) => x / (1 + Math.exp(-x)),
};

/** Layers from one run of numbers: for each [outputs, inputs, activation] its weight, row by row, then its bias. */
export function readLayers(numbers, shapes, start = 0) {
  let at = start;
  const take = (count) => numbers.subarray(at, (at += count));
  return shapes.map(([outputs, inputs, activation]) => ({
    outputs, inputs, weight: take(outputs * inputs), bias: take(outputs), activation: ACTIVATIONS[activation],
  }));
}

/** One input vector through the layers. */
export function forward(layers, input) {
  return layers.reduce((x, { outputs, inputs, weight, bias, activation }) => {
    const y = new Float32Array(outputs);
    for (let row = 0; row < outputs; row += 1) {
      let total = bias[row];
      for (let column = 0; column < inputs; column += 1) total += weight[row * inputs + column] * x[column];
      y[row] = activation(total);
    }
    return y;
  }, input);
}

/** A part of 1, rounded: 0.5 is "50%". */
export const percent = (part) => `${Math.round(100 * part)}%`;

export const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

/** The index of the entry of `list` that is nearest to `value`. */
export const nearestIndex = (list, value) =>
  list.reduce((best, entry, index) => (Math.abs(entry - value) < Math.abs(list[best] - value) ? index : best), 0);

/** model.save_changes(), once things have been quiet for `wait` ms. */
export function saver(model, wait = 150) {
  let timer;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(() => model.save_changes(), wait);
  };
}

/** Calls `listener` when one of the model's traits changes; returns what stops it. */
export function listen(model, names, listener) {
  for (const name of names) model.on(`change:${name}`, listener);
  return () => { for (const name of names) model.off?.(`change:${name}`, listener); };
}

// ---- colours -----------------------------------------------------------------------------------------------

/** The stylesheet's colour `--ae-<name>` as [r, g, b], as `root` sees it now; `root` must be in the page already. */
export function colour(root, name) {
  const probe = root.appendChild(h("span", { style: `color: var(--ae-${name}); display: none` }));
  const context = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d");
  context.fillStyle = getComputedStyle(probe).color;
  context.fillRect(0, 0, 1, 1);
  probe.remove();
  return [...context.getImageData(0, 0, 1, 1).data.slice(0, 3)];
}

/** Calls `repaint` whenever the theme changes: JupyterLab's, or a plain page's light and dark. */
export function onTheme(repaint) {
  const timers = [];
  // JupyterLab names the new theme before or after its stylesheet has arrived: look again a little later.
  const changed = () => timers.push(...[0, 150, 600].map((wait) => setTimeout(repaint, wait)));
  const observer = new MutationObserver(changed);
  observer.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light", "data-jp-theme-name", "class"] });
  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", changed);
  return () => {
    timers.forEach(clearTimeout);
    observer.disconnect();
    dark.removeEventListener("change", changed);
  };
}

/** Calls `repaint` when the node gets its first width, which is when it comes into the page, and at each other one. */
export function onWidth(node, repaint) {
  let width = -1;
  const observer = new ResizeObserver(() => {
    const now = node.clientWidth;
    if (now === width || now === 0) return;
    width = now;
    repaint(now);
  });
  observer.observe(node);
  return () => observer.disconnect();
}

/** Does the tasks one by one while the page has nothing to do, so that what they run is compiled by then; gives what stops it. */
export function whileIdle(tasks) {
  const [ask, cancel] = window.requestIdleCallback
    ? [window.requestIdleCallback, window.cancelIdleCallback]
    : [(then) => setTimeout(then, 50), clearTimeout];
  let asked = 0;
  const next = () => {
    tasks.shift()?.();
    if (tasks.length) asked = ask(next);
  };
  asked = ask(next);
  return () => cancel(asked);
}

// ---- layout ------------------------------------------------------------------------------------------------

/**
 * The card: title, lead, then whatever is appended to `body`, then the sentence.
 * say(text) shows the sentence now and reads it to a screen reader once the hand rests.
 */
export function card(host, { title, lead, label }) {
  const body = h("div", { class: "ae-body" });
  const sentence = h("p", { class: "ae-says" });
  const live = h("div", { class: "ae-unseen", "aria-live": "polite", role: "status" });
  const section = h("section", { class: "ae-card", "aria-label": label || title },
    h("p", { class: "ae-title", text: title }), lead ? h("p", { class: "ae-lead", text: lead }) : null, body, sentence, live);
  const root = h("div", { class: "ae" }, section);
  host.classList.add(`ae-in-${WIDGET}`);
  host.append(root);
  let timer;
  const say = (text) => {
    if (text === sentence.textContent) return;
    sentence.textContent = text;
    clearTimeout(timer);
    timer = setTimeout(() => { live.textContent = text; }, 700);
  };
  return { root, section, body, sentence, live, say };
}

/**
 * A native slider with its label before it and its value, large, after it.
 * show(value) gives { number, unit, spoken }; input(value) is called at each step of a drag.
 */
export function slider({ label, min, max, step = 1, value, show, input, tone = "latent", big = true }) {
  const id = uid("slider");
  const range = h("input", { ...FOCUSABLE, id, type: "range", min, max, step, class: "ae-range" });
  const number = h("span", { class: big ? "ae-big" : "ae-number" });
  const unit = h("span", { class: "ae-unit" });
  const root = h("div", { class: `ae-slider ae-tone-${tone}` },
    h("label", { for: id, text: label }), range, h("output", { for: id, class: "ae-value" }, number, unit));
  const set = (next) => {
    range.value = next;
    range.style.setProperty("--ae-filled", `${(100 * (range.value - min)) / (max - min)}%`);
    const shown = show(Number(range.value));
    number.textContent = shown.number;
    unit.textContent = shown.unit ?? "";
    range.setAttribute("aria-valuetext", shown.spoken ?? `${shown.number} ${shown.unit ?? ""}`);
  };
  range.addEventListener("input", () => { set(range.value); input(Number(range.value)); });
  set(value);
  return { root, input: range, set, number, unit };
}

/** A few options side by side, one of them chosen (radio buttons). options: [{ value, label, spoken? }]. */
export function choices({ label, options, value, change, hideLabel = false }) {
  const name = uid("choice");
  const inputs = options.map((option) => h("input", {
    ...FOCUSABLE, type: "radio", name, value: option.value, "aria-label": option.spoken, onchange: () => change(option.value),
  }));
  const labels = options.map((option, index) => h("label", { class: "ae-option" }, inputs[index], h("span", { text: option.label })));
  const root = h("fieldset", { class: "ae-choices" },
    h("legend", { class: hideLabel ? "ae-unseen" : null, text: label }), h("div", { class: "ae-options" }, ...labels));
  const set = (next) => options.forEach((option, index) => { inputs[index].checked = option.value === next; });
  set(value);
  return { root, inputs, set };
}

export const button = (label, onclick, attributes = {}) =>
  h("button", { ...FOCUSABLE, type: "button", class: "ae-button", text: label, onclick, ...attributes });

// ---- pictures ----------------------------------------------------------------------------------------------

/**
 * A row of small grey pictures, painted as ink on paper, each pixel a whole number of screen pixels.
 * paint(amount, name): amount(index) in [0, 1] is how much of the colour `--ae-<name>` covers the paper there.
 */
export function strip({ label, count, rows = 8, columns = 8, gap = 0.1, widest = 64 }) {
  const canvas = h("canvas", { class: "ae-strip", role: "img", "aria-label": label });
  const root = h("div", { class: "ae-strip-room" }, canvas);
  const small = Object.assign(document.createElement("canvas"), { width: columns, height: rows * count });
  const image = new ImageData(columns, rows * count);
  const colours = new Map();
  const ink = (name) => colours.get(name) ?? colours.set(name, colour(root, name)).get(name);
  let [last, wide] = [null, 0];
  const measure = () => {
    const dots = window.devicePixelRatio || 1;
    const room = Math.min(wide, count * widest * (1 + gap)) * dots;
    const cell = Math.max(1, Math.floor(room / (columns * (count + (count - 1) * gap))));
    const between = count > 1 ? Math.floor((room - count * columns * cell) / (count - 1)) : 0;
    return { dots, cell, space: Math.min(between, Math.round(columns * cell * gap * 2)) };
  };
  const paint = (amount, name = "input") => {
    last = [amount, name];
    // Asked of the page until onWidth has told it: each question makes the browser lay out the page at once.
    wide ||= root.clientWidth;
    if (!wide) return;
    const { dots, cell, space } = measure();
    const [width, height] = [columns * cell, rows * cell];
    const total = count * width + (count - 1) * space;
    if (canvas.width !== total || canvas.height !== height) {
      Object.assign(canvas, { width: total, height });
      Object.assign(canvas.style, { width: `${total / dots}px`, height: `${height / dots}px` });
    }
    blend(image.data, amount, ink("sheet"), ink(name));
    small.getContext("2d").putImageData(image, 0, 0);
    const context = canvas.getContext("2d");
    context.imageSmoothingEnabled = false;
    for (let n = 0; n < count; n += 1) {
      context.drawImage(small, 0, n * rows, columns, rows, n * (width + space), 0, width, height);
    }
  };
  const repaint = () => last && paint(...last);
  const stop = [onTheme(() => { colours.clear(); repaint(); }), onWidth(root, (now) => { wide = now; repaint(); })];
  return { root, canvas, paint, repaint, dispose: () => stop.forEach((end) => end()) };
}

function blend(data, amount, [red, green, blue], ink) {
  const [redder, greener, bluer] = [ink[0] - red, ink[1] - green, ink[2] - blue];
  for (let at = 0; at < data.length; at += 4) {
    const t = clamp(amount(at / 4), 0, 1);
    data[at] = red + redder * t;
    data[at + 1] = green + greener * t;
    data[at + 2] = blue + bluer * t;
    data[at + 3] = 255;
  }
}

// ---- curves ------------------------------------------------------------------------------------------------

const scale = ({ domain: [low, high], log }, from, to) => {
  const f = log ? Math.log : (value) => value;
  const inverse = log ? Math.exp : (value) => value;
  const slope = (to - from) / (f(high) - f(low));
  return { at: (value) => from + (f(value) - f(low)) * slope, value: (pixel) => inverse(f(low) + (pixel - from) / slope) };
};

/**
 * A small chart drawn at its true size, so that its words keep theirs.
 * x, y: { domain: [low, high], log?, ticks: [[value, "label"], …], title, note? }. `height` is in em.
 * draw(chart) paints the fixed part with chart.line (cut off at the frame), .text, .dot; move(chart) the part that follows the hand
 * (chart.layer is then empty again); chart.update() moves it, chart.redraw() paints both anew. drag(xValue, yValue) answers a pointer on the chart.
 */
export function chart({ label, x, y, height = 15, left = 2.2, right = 0.8, draw, move, drag, describe }) {
  const svg = s("svg", { class: drag ? "ae-chart ae-draggable" : "ae-chart", role: "img", "aria-label": label });
  const root = h("div", { class: "ae-plot" }, svg);
  const me = { root, svg };
  const clip = uid("clip");
  const shape = (tag, attributes, ...children) => me.layer.appendChild(s(tag, attributes, ...children));
  const point = ([a, b]) => `${me.x(a).toFixed(2)},${me.y(b).toFixed(2)}`;
  me.line = (points, name) => shape("polyline", { class: `ae-line ${name}`, points: points.map(point).join(" "), "clip-path": `url(#${clip})` });
  me.dot = (a, b, name, radius = 0.32) => shape("circle", { class: name, cx: me.x(a), cy: me.y(b), r: radius * me.em });
  me.rule = (a, name) => shape("line", { class: name, x1: me.x(a), x2: me.x(a), y1: me.top, y2: me.bottom });
  me.text = (a, b, words, name = "", anchor = "start", dx = 0, dy = 0) => shape("text", {
    class: `ae-label ${name}`, x: me.x(a) + dx * me.em, y: me.y(b) + dy * me.em, "text-anchor": anchor, text: words,
  });
  const axes = () => {
    for (const [value, words] of y.ticks) {
      shape("line", { class: value === y.domain[0] ? "ae-axis" : "ae-grid", x1: me.left, x2: me.right, y1: me.y(value), y2: me.y(value) });
      shape("text", { class: "ae-tick", x: me.left - 0.5 * me.em, y: me.y(value) + 0.28 * me.em, "text-anchor": "end", text: words });
    }
    for (const [value, words] of x.ticks) {
      shape("line", { class: "ae-axis", x1: me.x(value), x2: me.x(value), y1: me.bottom, y2: me.bottom + 0.3 * me.em });
      shape("text", { class: "ae-tick", x: me.x(value), y: me.bottom + 1.25 * me.em, "text-anchor": "middle", text: words });
    }
    shape("text", { class: "ae-tick", x: (me.left + me.right) / 2, y: me.bottom + 2.5 * me.em, "text-anchor": "middle", text: x.title });
    shape("text", { class: "ae-tick", x: 0, y: 0.85 * me.em, text: y.title });
    if (y.note) shape("text", { class: "ae-tick", x: me.right, y: 0.85 * me.em, "text-anchor": "end", text: y.note });
  };
  let wide = 0;
  const resize = (width) => {
    wide = width;
    me.em = parseFloat(getComputedStyle(root).fontSize);
    const tall = height * me.em;
    Object.assign(me, { left: left * me.em, right: width - right * me.em, top: 1.7 * me.em, bottom: tall - 2.8 * me.em });
    [me.scaleX, me.scaleY] = [scale(x, me.left, me.right), scale(y, me.bottom, me.top)];
    [me.x, me.y] = [me.scaleX.at, me.scaleY.at];
    Object.entries({ width, height: tall, viewBox: `0 0 ${width} ${tall}` }).forEach(([name, value]) => svg.setAttribute(name, value));
    const still = s("g");
    me.moving = s("g");
    const room = s("rect", { x: me.left - 2, y: me.top - 2, width: me.right - me.left + 4, height: me.bottom - me.top + 4 });
    svg.replaceChildren(s("defs", {}, s("clipPath", { id: clip }, room)), still, me.moving);
    me.layer = still;
    axes();
    draw?.(me);
    me.update();
  };
  me.update = () => {
    if (describe) svg.setAttribute("aria-label", describe());
    if (!me.moving) return;
    me.layer = me.moving;
    me.moving.replaceChildren();
    move?.(me);
  };
  me.redraw = () => wide && resize(wide);
  if (drag) followPointer(svg, (a, b) => me.scaleX && drag(me.scaleX.value(a), me.scaleY.value(b)));
  me.dispose = onWidth(root, resize);
  return me;
}

/** Calls follow(x, y), in CSS pixels from the node's corner, while a pointer is held down on the node. */
export function followPointer(node, follow) {
  const tell = (event) => {
    const box = node.getBoundingClientRect();
    follow(event.clientX - box.left, event.clientY - box.top);
  };
  node.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    node.setPointerCapture(event.pointerId);
    event.preventDefault();
    tell(event);
  });
  node.addEventListener("pointermove", (event) => node.hasPointerCapture(event.pointerId) && tell(event));
}
