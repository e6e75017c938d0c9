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
export const h = (tag, attributes = {}, ...children) =>
  fill(document.createElement(tag), attributes, children);

/** An SVG element, in the same way. */
export const s = (tag, attributes = {}, ...children) =>
  fill(document.createElementNS(SVG, tag), attributes, children);

/** What every focusable control carries: JupyterLab then leaves its keys to it. */
export const FOCUSABLE = { "data-lm-suppress-shortcuts": "true" };

/**
 * A name that no other one on the page has: each interactive brings its own copy of this script, the page
 * counts.
 */
export const uid = (word) => `ae-${word}-${(globalThis.aeNamed = (globalThis.aeNamed ?? 0) + 1)}`;

/**
 * Gives a node these attributes (text: its words) and leaves alone those that it has: what is set is painted
 * anew.
 */
export function put(node, { text, ...attributes }) {
  if (text !== undefined && node.textContent !== String(text)) node.textContent = text;
  for (const [name, value] of Object.entries(attributes)) {
    if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
  }
}

// ---- data -------------------------------------------------------------------------------------------------

/** A buffer (DataView, typed array or ArrayBuffer) as bytes of its own, aligned, safe to reinterpret. */
export function readUint8(view) {
  if (!view) return new Uint8Array(0);
  const buffer = view.buffer ?? view;
  const offset = view.byteOffset ?? 0;
  return new Uint8Array(buffer.slice(offset, offset + view.byteLength));
}

/** IEEE half precision, two bytes a number, as a Float32Array. */
function readFloat16(view) {
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
const ACTIVATIONS = {
  identity: (x) => x,
  relu: (x) => Math.max(0, x),
  tanh: Math.tanh,
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  silu: (x) => x / (1 + Math.exp(-x)),
};

/**
 * Layers from one run of numbers: for each [outputs, inputs, activation] its weight, row by row, then its
 * bias.
 */
export function readLayers(numbers, shapes, start = 0) {
  let at = start;
  const take = (count) => numbers.subarray(at, (at += count));
  return shapes.map(([outputs, inputs, activation]) => ({
    outputs,
    inputs,
    weight: take(outputs * inputs),
    bias: take(outputs),
    activation: ACTIVATIONS[activation],
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
  list.reduce(
    (best, entry, index) => (Math.abs(entry - value) < Math.abs(list[best] - value) ? index : best),
    0,
  );

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
  return () => {
    for (const name of names) model.off?.(`change:${name}`, listener);
  };
}

// ---- colours ----------------------------------------------------------------------------------------------

/**
 * The stylesheet's colour `--ae-<name>` as [r, g, b], as `root` sees it now; `root` must be in the page
 * already.
 */
function colour(root, name) {
  const probe = root.appendChild(h("span", { style: `color: var(--ae-${name}); display: none` }));
  const words = getComputedStyle(probe).color;
  probe.remove();
  const parts = words
    .replace(/^color\(\S+/, "")
    .match(/[\d.]+/g)
    .slice(0, 3)
    .map(Number);
  return words.startsWith("color(") ? parts.map((part) => Math.round(255 * part)) : parts;
}

/** Colours by name, asked of the page once and again after each change of theme, when `repaint` is called. */
export function inks(root, repaint) {
  const known = new Map();
  const rgb = (name) => known.get(name) ?? known.set(name, colour(root, name)).get(name);
  const dispose = onTheme(() => {
    known.clear();
    repaint();
  });
  return { rgb, css: (name) => `rgb(${rgb(name).join(" ")})`, dispose };
}

/** Calls `repaint` whenever the theme changes: JupyterLab's, or a plain page's light and dark. */
function onTheme(repaint) {
  const timers = [];
  // JupyterLab names the new theme before or after its stylesheet has arrived: look again a little later.
  const changed = () => timers.push(...[0, 150, 600].map((wait) => setTimeout(repaint, wait)));
  const observer = new MutationObserver(changed);
  observer.observe(document.body, {
    attributes: true,
    attributeFilter: ["data-jp-theme-light", "data-jp-theme-name", "class"],
  });
  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", changed);
  return () => {
    timers.forEach(clearTimeout);
    observer.disconnect();
    dark.removeEventListener("change", changed);
  };
}

/**
 * Calls `repaint` when the node gets its first width, which is when it comes into the page, and at each
 * other one.
 */
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

/**
 * Does the tasks one by one while the page has nothing to do, so that what they run is compiled by then;
 * gives what stops it.
 */
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

// ---- layout -----------------------------------------------------------------------------------------------

/**
 * The card: title, lead, then whatever is appended to `body`, then the sentence.
 * say(text) shows the sentence now and reads it to a screen reader once the hand rests.
 */
export function card(host, { title, lead, label }) {
  const body = h("div", { class: "ae-body" });
  const sentence = h("p", { class: "ae-says" });
  const live = h("div", { class: "ae-unseen", "aria-live": "polite", role: "status" });
  const section = h(
    "div",
    { class: "ae-card", role: "group", "aria-label": label || title },
    h("p", { class: "ae-title", text: title }),
    lead ? h("p", { class: "ae-lead", text: lead }) : null,
    body,
    sentence,
    live,
  );
  const root = h("div", { class: "ae" }, section);
  host.classList.add("ae-host", `ae-in-${WIDGET}`);
  host.append(root);
  stickActive(section);
  let timer;
  const say = (text) => {
    if (text === sentence.textContent) return;
    sentence.textContent = text;
    clearTimeout(timer);
    timer = setTimeout(() => {
      live.textContent = text;
    }, 700);
  };
  return { root, section, body, sentence, live, say };
}

/** On a narrow screen the slider that was touched last stays in view: the style sheet makes it sticky. */
function stickActive(section) {
  const stick = ({ target }) => {
    const touched = target.closest(".ae-slider");
    if (!touched) return;
    section
      .querySelectorAll(".ae-active")
      .forEach((other) => other.classList.toggle("ae-active", other === touched));
    touched.classList.add("ae-active");
  };
  section.addEventListener("pointerdown", stick);
  section.addEventListener("focusin", stick);
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
  const root = h(
    "div",
    { class: `ae-slider ae-tone-${tone}` },
    h("label", { for: id, text: label }),
    range,
    h("output", { for: id, class: "ae-value" }, number, unit),
  );
  const set = (next) => {
    if (range.value !== String(next)) range.value = next;
    range.style.setProperty("--ae-filled", `${(100 * (range.value - min)) / (max - min)}%`);
    const shown = show(Number(range.value));
    put(number, { text: shown.number });
    put(unit, { text: shown.unit ?? "" });
    put(range, { "aria-valuetext": shown.spoken ?? `${shown.number} ${shown.unit ?? ""}` });
  };
  range.addEventListener("input", () => {
    set(range.value);
    input(Number(range.value));
  });
  set(value);
  return { root, input: range, set, number, unit };
}

/** A few options side by side, one of them chosen (radio buttons). options: [{ value, label, spoken? }]. */
export function choices({ label, options, value, change, hideLabel = false }) {
  const name = uid("choice");
  const inputs = options.map((option) =>
    h("input", {
      ...FOCUSABLE,
      type: "radio",
      name,
      value: option.value,
      "aria-label": option.spoken,
      onchange: () => change(option.value),
    }),
  );
  const labels = options.map((option, index) =>
    h("label", { class: "ae-option" }, inputs[index], h("span", { text: option.label })),
  );
  const root = h(
    "fieldset",
    { class: "ae-choices" },
    h("legend", { class: hideLabel ? "ae-unseen" : null, text: label }),
    h("div", { class: "ae-options" }, ...labels),
  );
  const set = (next) =>
    options.forEach((option, index) => {
      inputs[index].checked = option.value === next;
    });
  set(value);
  return { root, inputs, set };
}

export const button = (label, onclick, attributes = {}) =>
  h("button", { ...FOCUSABLE, type: "button", class: "ae-button", text: label, onclick, ...attributes });

/**
 * The card as a question's; gives hear(text), to tell a screen reader of an answer. The sentence below has
 * a voice of its own.
 */
export function asks(section) {
  const live = h("div", { class: "ae-unseen", "aria-live": "polite", role: "status" });
  section.classList.add("ae-asks");
  section.append(live);
  return (text) => text && put(live, { text });
}

/**
 * What is said of an answer, with its reason: show(good, reason, head) gives the words if they are new,
 * clear() hides it.
 * reason: text, or nodes.
 */
export function verdict() {
  const root = h("p", { class: "ae-verdict", id: uid("verdict"), hidden: true });
  const clear = () => {
    root.hidden = true;
    root.replaceChildren();
  };
  const show = (good, reason, head = good ? "Right." : "Not quite.") => {
    const before = root.textContent;
    const mark = h("span", { class: "ae-mark", "aria-hidden": "true", text: good ? "✓" : "✗" });
    root.className = `ae-verdict ${good ? "ae-good" : "ae-not"}`;
    root.replaceChildren(h("strong", { class: "ae-judged" }, mark, head), " ", ...[reason].flat());
    root.hidden = false;
    return root.textContent === before ? "" : root.textContent.slice(1);
  };
  return { root, show, clear };
}

// ---- pictures ---------------------------------------------------------------------------------------------

/**
 * A row of small grey pictures, painted as ink on paper, each pixel a whole number of screen pixels.
 * paint(amount, name): amount(index) in [0, 1] is how much of the colour `--ae-<name>` covers the paper
 * there.
 */
export function strip({ label, count, rows = 8, columns = 8, gap = 0.1, widest = 64 }) {
  const canvas = h("canvas", { class: "ae-strip", role: "img", "aria-label": label });
  const root = h("div", { class: "ae-strip-room" }, canvas);
  const small = Object.assign(document.createElement("canvas"), { width: columns, height: rows * count });
  const image = new ImageData(columns, rows * count);
  let [last, wide, painted] = [null, 0, null];
  const measure = () => {
    const dots = window.devicePixelRatio || 1;
    const room = Math.min(wide, count * widest * (1 + gap)) * dots;
    const cell = Math.max(1, Math.floor(room / (columns * (count + (count - 1) * gap))));
    const between = count > 1 ? Math.floor((room - count * columns * cell) / (count - 1)) : 0;
    return { dots, cell, space: Math.min(between, Math.round(columns * cell * gap * 2)) };
  };
  const paint = (amount, name = "input") => {
    last = [amount, name];
    // onWidth tells the width, and paints
    if (!wide || (painted?.[0] === amount && painted[1] === name)) return;
    painted = last;
    const { dots, cell, space } = measure();
    const [width, height] = [columns * cell, rows * cell];
    const total = count * width + (count - 1) * space;
    if (canvas.width !== total || canvas.height !== height) {
      Object.assign(canvas, { width: total, height });
      Object.assign(canvas.style, { width: `${total / dots}px`, height: `${height / dots}px` });
    }
    blend(image.data, amount, ink.rgb("sheet"), ink.rgb(name));
    small.getContext("2d").putImageData(image, 0, 0);
    const context = canvas.getContext("2d");
    context.imageSmoothingEnabled = false;
    for (let n = 0; n < count; n += 1) {
      context.drawImage(small, 0, n * rows, columns, rows, n * (width + space), 0, width, height);
    }
  };
  const repaint = () => {
    painted = null;
    if (last) paint(...last);
  };
  const ink = inks(root, repaint);
  const stop = [
    ink.dispose,
    onWidth(root, (now) => {
      wide = now;
      repaint();
    }),
  ];
  return { root, canvas, paint, repaint, dispose: () => stop.forEach((end) => end()) };
}

/**
 * A row of pictures with its name before it and a note after the name: add its `nodes` to an .ae-picture-
 * rows.
 */
export function pictureRow({ name, tone, note = "", ...pictures }) {
  const small = h("span", { class: "ae-note", text: note });
  const title = h("div", { class: `ae-picture-name ae-name-${tone}` }, h("span", { text: name }), small);
  const row = strip(pictures);
  return { ...row, nodes: [title, row.root], say: (text) => put(small, { text }) };
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

// ---- charts and planes ------------------------------------------------------------------------------------

const scale = ({ domain: [low, high], log }, from, to) => {
  const f = log ? Math.log : (value) => value;
  const inverse = log ? Math.exp : (value) => value;
  const slope = (to - from) / (f(high) - f(low));
  return {
    at: (value) => from + (f(value) - f(low)) * slope,
    value: (pixel) => inverse(f(low) + (pixel - from) / slope),
  };
};

/**
 * A group of shapes. After begin() the same calls move the shapes that are there already; end() takes the
 * others away.
 */
export function layer() {
  const group = s("g");
  const known = new WeakMap();
  let at = 0;
  const place = (node) => {
    const old = group.children[at];
    if (old) old.replaceWith(node);
    else group.append(node);
    at += 1;
    return node;
  };
  const shape = (tag, attributes, ...children) => {
    const node = group.children[at];
    const was = node && known.get(node);
    if (!was || node.localName !== tag || children.length) {
      const made = place(s(tag, attributes, ...children));
      if (!children.length) known.set(made, attributes);
      return made;
    }
    at += 1;
    known.set(node, attributes);
    for (const name in was) if (!(name in attributes)) node.removeAttribute(name);
    for (const name in attributes) {
      const value = attributes[name];
      if (was[name] === value) continue;
      if (name === "text") node.textContent = value;
      else if (value === null || value === undefined || value === false) node.removeAttribute(name);
      else node.setAttribute(name, value);
    }
    return node;
  };
  const begin = () => {
    at = 0;
  };
  const end = () => {
    while (group.children.length > at) group.lastChild.remove();
  };
  return { group, shape, begin, end };
}

/**
 * What charts and planes share: an SVG at its true size with a part that stands still and a part that
 * follows the hand. frame(width, em) gives { width, tall, left, right, top, bottom }. me.shape, .line (cut
 * off at the frame), .dot, .rule and .text draw in the present part, in the units of x and y. me.update()
 * moves; me.redraw() paints all anew. drag(xValue, yValue) answers a pointer. With me.hold(a, b) a handle
 * lies there that a finger may pull in any direction; elsewhere an upward swipe scrolls the page.
 */
function sheet({ label, x, y, frame, still, move, drag, describe, holdable = false, name = "ae-chart" }) {
  const svg = s("svg", { class: drag ? `${name} ae-draggable` : name, role: "img", "aria-label": label });
  const handle = holdable ? h("div", { class: "ae-handle", "aria-hidden": "true" }) : null;
  const root = h("div", { class: "ae-plot" }, svg, handle);
  const me = { root, svg, handle };
  const clip = uid("clip");
  const point = ([a, b]) => `${me.x(a).toFixed(2)},${me.y(b).toFixed(2)}`;
  me.shape = (...shape) => me.layer.shape(...shape);
  const paths = new WeakMap(); // of a list of points that is drawn again in the same scale
  me.path = (points) => {
    const known = paths.get(points);
    if (known?.x === me.x && known.y === me.y) return known.path;
    const path = points.map(point).join(" ");
    paths.set(points, { x: me.x, y: me.y, path });
    return path;
  };
  me.line = (points, kind) =>
    me.shape("polyline", { class: `ae-line ${kind}`, points: me.path(points), "clip-path": `url(#${clip})` });
  me.dot = (a, b, kind, radius = 0.32) =>
    me.shape("circle", { class: kind, cx: me.x(a), cy: me.y(b), r: radius * me.em });
  me.rule = (a, kind) =>
    me.shape("line", { class: kind, x1: me.x(a), x2: me.x(a), y1: me.top, y2: me.bottom });
  me.text = (a, b, words, kind = "", anchor = "start", dx = 0, dy = 0) => {
    const [left, top] = [me.x(a) + dx * me.em, me.y(b) + dy * me.em];
    return me.shape("text", {
      class: `ae-label ${kind}`,
      x: left,
      y: top,
      "text-anchor": anchor,
      text: words,
    });
  };
  me.hold = (a, b) => {
    handle.style.transform = `translate(${me.x(a)}px, ${me.y(b)}px)`;
  };
  let wide = 0;
  const resize = (width) => {
    wide = width;
    me.em = parseFloat(getComputedStyle(root).fontSize);
    Object.assign(me, frame(width, me.em));
    [me.scaleX, me.scaleY] = [scale(x, me.left, me.right), scale(y, me.bottom, me.top)];
    [me.x, me.y] = [me.scaleX.at, me.scaleY.at];
    put(svg, { width: me.width, height: me.tall, viewBox: `0 0 ${me.width} ${me.tall}` });
    const box = {
      x: me.left - 2,
      y: me.top - 2,
      width: me.right - me.left + 4,
      height: me.bottom - me.top + 4,
    };
    const back = layer();
    me.moving = layer();
    const cut = s("defs", {}, s("clipPath", { id: clip }, s("rect", box)));
    svg.replaceChildren(cut, back.group, me.moving.group);
    me.layer = back;
    still?.(me);
    me.update();
  };
  me.update = () => {
    if (describe) put(svg, { "aria-label": describe() });
    if (!me.moving) return;
    me.layer = me.moving;
    me.moving.begin();
    move?.(me);
    me.moving.end();
  };
  me.redraw = () => wide && resize(wide);
  const answer = (a, b) => me.scaleX && drag(me.scaleX.value(a), me.scaleY.value(b));
  if (drag) [svg, handle].forEach((node) => node && followPointer(node, answer, svg));
  me.dispose = onWidth(root, resize);
  return me;
}

/**
 * A small chart drawn at its true size, so that its words keep theirs. `height` is in em.
 * x, y: { domain: [low, high], log?, ticks: [[value, "label"], …], title, note? }.
 * draw(chart) paints the fixed part, move(chart) the part that follows the hand.
 */
export function chart({ height = 15, left = 2.2, right = 0.8, draw, ...options }) {
  const frame = (width, em) => {
    const tall = height * em;
    return {
      width,
      tall,
      left: left * em,
      right: width - right * em,
      top: 1.7 * em,
      bottom: tall - 2.8 * em,
    };
  };
  const still = (me) => {
    axes(me, options);
    draw?.(me);
  };
  return sheet({ ...options, frame, still });
}

function axes(me, { x, y }) {
  const { shape, em, left, right, bottom } = me;
  const words = (text, at, up, anchor) =>
    shape("text", { class: "ae-tick", x: at, y: up, "text-anchor": anchor, text });
  const stroke = (kind, x1, x2, y1, y2) => shape("line", { class: kind, x1, x2, y1, y2 });
  for (const [value, label] of y.ticks) {
    stroke(value === y.domain[0] ? "ae-axis" : "ae-grid", left, right, me.y(value), me.y(value));
    words(label, left - 0.5 * em, me.y(value) + 0.28 * em, "end");
  }
  for (const [value, label] of x.ticks) {
    stroke("ae-axis", me.x(value), me.x(value), bottom, bottom + 0.3 * em);
    words(label, me.x(value), bottom + 1.25 * em, "middle");
  }
  words(x.title, (left + right) / 2, bottom + 2.5 * em, "middle");
  words(y.title, 0, 0.85 * em, "start");
  // then the note goes into the frame
  const crowded = 0.46 * em * (y.title.length + (y.note ?? "").length + 3) > right;
  if (y.note) words(y.note, right, crowded ? me.top + 0.8 * em : 0.85 * em, "end");
}

/**
 * A square plane, `largest` px wide at most. reach: both coordinates run from -reach to reach; or give x and
 * y domains. draw, move, drag, describe and hold as in a chart; `under` is a canvas that lies beneath, of
 * the same size.
 */
export function plane({ reach, x, y, largest = 320, draw, under, ...options }) {
  const domain = [-reach, reach];
  const frame = (width) => {
    const side = Math.min(width, largest);
    if (under) Object.assign(under.style, { width: `${side}px`, height: `${side}px` });
    return { width: side, tall: side, left: 0, right: side, top: 0, bottom: side };
  };
  const axis = { x: x ?? { domain }, y: y ?? { domain } };
  const me = sheet({ name: "ae-plane", ...options, ...axis, frame, still: draw });
  me.root.classList.add("ae-plane-room");
  if (under) me.root.prepend(under);
  return me;
}

/**
 * Calls follow(x, y), in CSS pixels from the corner of `within`, while a pointer is held down on the node;
 * once a frame.
 */
function followPointer(node, follow, within = node) {
  let [asked, waiting] = [0, null];
  const tell = (event) => {
    const box = within.getBoundingClientRect();
    follow(event.clientX - box.left, event.clientY - box.top);
  };
  const flush = () => {
    if (waiting) tell(waiting);
    [asked, waiting] = [0, null];
  };
  node.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    node.setPointerCapture(event.pointerId);
    event.preventDefault();
    tell(event);
  });
  node.addEventListener("pointermove", (event) => {
    if (!node.hasPointerCapture(event.pointerId)) return;
    if (asked) waiting = event;
    else {
      tell(event);
      asked = requestAnimationFrame(flush);
    }
  });
  node.addEventListener("pointerup", () => {
    cancelAnimationFrame(asked);
    flush();
  });
}

/** Error against rate, a point for each β of all = [{beta, rate, error}]; a drag chooses the nearest. */
export function rateCurve(all, { now, choose, describe, height = 12, name = String }) {
  const points = all.map(({ rate, error }) => [rate, error]);
  const right = Math.max(...points.map(([rate]) => rate)) * 1.08;
  const top = Math.max(...points.map(([, error]) => error)) * 1.15;
  const ticks = (end, step, label) =>
    Array.from({ length: Math.floor(end / step) + 1 }, (_, k) => [k * step, label(k * step)]);
  const short = (value) => (value ? value.toFixed(2).slice(1) : "0");
  const far = (c, [x, y], [a, b]) => Math.hypot(c.x(x) - c.x(a), c.y(y) - c.y(b));
  const me = chart({
    label: "error against rate",
    height,
    left: 2.6,
    x: {
      domain: [0, right],
      ticks: ticks(right, right > 50 ? 20 : 10, String),
      title: "rate, bits per image",
    },
    y: { domain: [0, top], ticks: ticks(top, 0.02, short), title: "error per pixel of copies" },
    draw: (c) => {
      c.line(points, "ae-recon");
      points.forEach(([rate, error]) => c.dot(rate, error, "ae-dot-recon", 0.25));
      c.text(...points[0], `β = ${name(all[0].beta)}`, "ae-text-recon", "end", 0.5, -0.8);
      c.text(...points.at(-1), `β = ${name(all.at(-1).beta)}`, "ae-text-recon", "start", 0.7, 0.2);
    },
    move: (c) => {
      c.rule(now().rate, "ae-rule");
      c.dot(now().rate, now().error, "ae-dot-recon", 0.5);
    },
    drag: (...to) => {
      const distances = points.map((point) => far(me, point, to));
      choose(nearestIndex(distances, 0));
    },
    describe,
  });
  return me;
}

// ---- numbers that are shown -------------------------------------------------------------------------------

/** A number that matters, large, with its unit after it, small: set(number, unit?). */
export function gauge({ tone = "recon", unit = "" }) {
  const [number, small] = [h("span", { class: "ae-big" }), h("span", { class: "ae-unit", text: unit })];
  const root = h("div", { class: `ae-gauge ae-tone-${tone}` }, number, small);
  const set = (text, words = unit) => {
    put(number, { text });
    put(small, { text: words });
  };
  return { root, number, set };
}

/**
 * A score from 0 to 1 as a bar with its number; a mark shows `before`, and a score that has fallen is
 * hatched.
 */
export function meter({ name, meaning }) {
  const [fill, tick, number] = ["ae-fill", "ae-before", "ae-score"].map((kind) => h("span", { class: kind }));
  const head = [
    h("span", { class: "ae-meter-name", text: name }),
    h("span", { class: "ae-note", text: meaning }),
    number,
  ];
  const root = h("div", { class: "ae-meter" }, ...head, h("div", { class: "ae-meter-track" }, fill, tick));
  const set = (value, before) => {
    put(fill, { style: `width: ${100 * clamp(value, 0, 1)}%` });
    put(tick, { style: `left: ${100 * clamp(before, 0, 1)}%` });
    put(number, { text: fixed(value, 2) });
    root.classList.toggle("ae-fallen", before - value > 0.05);
  };
  return { root, set };
}

export const sum = (list) => list.reduce((total, value) => total + value, 0);

/** A number with so many digits after the point and a true minus sign; what rounds to 0 has none. */
export const fixed = (value, digits) =>
  (Number(value.toFixed(digits)) || 0).toFixed(digits).replace("-", "−");

// ---- what Python sent, and the frame of every interactive -------------------------------------------------

/** Unsigned whole numbers of so many bits each (16 at most), the highest bit first. */
function readBits(bytes, bits, count) {
  const values = new (bits > 8 ? Uint16Array : Uint8Array)(count);
  for (let n = 0; n < count; n += 1) {
    const [byte, bit] = [(bits * n) >> 3, (bits * n) & 7];
    const three = (bytes[byte] << 16) | ((bytes[byte + 1] ?? 0) << 8) | (bytes[byte + 2] ?? 0);
    values[n] = (three >> (24 - bits - bit)) & (2 ** bits - 1);
  }
  return values;
}

const TYPES = {
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  float32: Float32Array,
  float64: Float64Array,
};

/** The numbers of one array of Python's. Its bytes must fit its shape. */
function readNumbers({ shape, kind, bits, data }, name) {
  const count = shape.reduce((size, n) => size * n, 1);
  if (data?.byteLength !== Math.ceil((count * bits) / 8))
    throw new Error(`the bytes of ${name} do not fit its shape`);
  if (kind === "bits") return readBits(readUint8(data), bits, count);
  return bits === 16 && kind === "float" ? readFloat16(data) : new TYPES[kind + bits](readUint8(data).buffer);
}

/**
 * One array: at(i, j, …) is a number, or with fewer places a function of the index in the rest (the same
 * function each time, so that what is painted already is known); row(i, j, …) is the last axis as a list;
 * part(i, j, …) the raw numbers.
 */
function readArray(name, packed) {
  const [{ shape, top }, values, known] = [packed, readNumbers(packed, name), new Map()];
  const steps = shape.map((_, axis) => shape.slice(axis + 1).reduce((size, n) => size * n, 1));
  const start = (place) => place.reduce((from, i, axis) => from + i * steps[axis], 0);
  const at = (...place) => {
    const from = start(place);
    if (place.length === shape.length) return values[from] / top;
    const key = `${place.length} ${from}`;
    return known.get(key) ?? known.set(key, (index) => values[from + index] / top).get(key);
  };
  const size = (place) => (place.length ? steps[place.length - 1] : values.length);
  const part = (...place) => values.subarray(start(place), start(place) + size(place));
  const row = (...place) => Array.from(part(...place), (value) => value / top);
  return { shape, values, at, part, row };
}

export const readArrays = (all) =>
  Object.fromEntries(Object.entries(all).map(([name, one]) => [name, readArray(name, one)]));

const DAMAGED =
  "This interactive cannot be shown: what is saved of it is damaged. Run its cell again to get it back.";

/**
 * In place of an interactive: one sentence, and above it the picture that whoever keeps the page may hand
 * over.
 */
function showDamage(host, error) {
  const root = h("div", { class: "ae ae-card" }, h("p", { class: "ae-says", role: "alert", text: DAMAGED }));
  host.replaceChildren(root);
  console.warn(error);
  let times = 100; // JupyterLab draws first, and puts into the page what is drawn some time after
  const show = (src, alt = "") => {
    times = 0;
    root.prepend(h("img", { class: "ae-still", src, alt }));
  };
  const tell = () => {
    host.dispatchEvent(new CustomEvent("ae-damaged", { bubbles: true, composed: true, detail: { show } }));
    if (times-- > 0) setTimeout(tell, 100);
  };
  tell();
}

/**
 * What anywidget renders. face: { traits, lead } or a function of the model that gives it; traits are the
 * state. build(me) makes the parts once and gives draw(state), which is called at each change of a trait and
 * returns the figures that are shown; they become data attributes. me: { data, state(), set(changes),
 * keep(part), model, body, say, … }.
 */
export const interactive = (face, build) => ({
  render({ model, el }) {
    const kept = [];
    try {
      start(model, el, typeof face === "function" ? face(model) : face, build, kept);
    } catch (error) {
      showDamage(el, error);
    }
    return () => kept.forEach(({ dispose }) => dispose());
  },
});

function start(model, el, { traits, title = model.get("title"), lead }, build, kept) {
  const save = saver(model);
  const state = () => Object.fromEntries(traits.map((name) => [name, model.get(name)]));
  const set = (changes) => {
    model.set(changes);
    save();
  };
  const keep = (part) => {
    kept.push(part);
    return part;
  };
  const parts = card(el, { title, lead });
  const draw = build({ ...parts, model, state, set, keep, data: readArrays(model.get("arrays") ?? {}) });
  let last = null;
  const show = () => {
    const now = state();
    if (last && traits.every((name) => last[name] === now[name])) return;
    last = now;
    tell(parts.section, draw(now));
  };
  show();
  parts.section.querySelector(".ae-slider")?.classList.add("ae-active");
  model.on("change", show);
  keep({ dispose: () => model.off?.("change", show) });
}

/** Figures as data attributes, for whoever reads the page. */
function tell({ dataset }, figures) {
  for (const [name, value] of Object.entries(figures))
    if (dataset[name] !== String(value)) dataset[name] = value;
}
