import { card, choices, clamp, colour, followPointer, forward, h, listen, onTheme, onWidth, readFloat16, readFloat32, readLayers, readUint8, s, saver, slider, strip } from "./base.js";

const REACH = 3;
const GRID = 41;
const NAMES = ["autoencoder", "VAE"];
const VIEWS = ["flat", "slice"];

function readPad(model) {
  const [numbers, planes, marks] = [readFloat16(model.get("weights")), readFloat32(model.get("planes")), readFloat32(model.get("marks"))];
  const [levels, shade, labels] = [readUint8(model.get("train")), readUint8(model.get("shade")), model.get("labels")];
  const train = unpack(levels).map((level) => level / model.get("scale"));
  let [at, from] = [0, 0];
  const maps = VIEWS.flatMap((view, v) => model.get("layers")[view].map((shapes, m) => {
    const k = shapes[0][1];
    const layers = readLayers(numbers, shapes, at);
    at += shapes.reduce((sum, [outputs, inputs]) => sum + outputs * (inputs + 1), 0);
    const [middle, across, up] = [0, 1, 2].map((part) => planes.slice(from + part * k, from + (part + 1) * k));
    from += 3 * k;
    const start = (2 * v + m) * GRID * GRID;
    const code = (a, b) => Float32Array.from(middle, (value, i) => value + a * across[i] + b * up[i]);
    return { layers, code, shade: shade.subarray(start, start + GRID * GRID) };
  }));
  const digits = NAMES.map((_, m) => labels.map((label, n) => {
    const [a, b, wide, tall] = marks.slice(4 * (m * labels.length + n), 4 * (m * labels.length + n) + 4);
    return { label, a, b, wide, tall };
  }));
  return { train, maps: { flat: maps.slice(0, 2), slice: maps.slice(2) }, digits, real: model.get("real_distance") };
}

/** Numbers of five bits each, the highest bit first, as floats. */
function unpack(bytes) {
  const numbers = new Float32Array(Math.floor((bytes.length * 8) / 5));
  for (let n = 0; n < numbers.length; n += 1) {
    const [byte, bit] = [Math.floor((5 * n) / 8), (5 * n) % 8];
    numbers[n] = (((bytes[byte] << 8) | (bytes[byte + 1] ?? 0)) >> (11 - bit)) & 31;
  }
  return numbers;
}

/** Index of the training picture nearest to `picture`, and its distance. */
function nearest(train, picture) {
  let [best, index] = [Infinity, 0];
  for (let row = 0; row < train.length; row += 64) {
    let sum = 0;
    for (let i = 0; i < 64 && sum < best; i += 1) sum += (train[row + i] - picture[i]) ** 2;
    if (sum < best) [best, index] = [sum, row];
  }
  return { distance: Math.sqrt(best), picture: train.subarray(index, index + 64), index: index / 64 };
}

const nearestMark = (digits, a, b) =>
  digits.reduce((best, digit) => (Math.hypot(digit.a - a, digit.b - b) < Math.hypot(best.a - a, best.b - b) ? digit : best));

const signed = (value) => (Math.abs(value) < 0.005 ? "0" : value.toFixed(2).replace("-", "−").replace(/\.?0+$/, ""));
const article = (label) => (label === 8 ? "an 8" : `a ${label}`);

/** What is shown, in words; true at every setting. */
function sentence(view, a, b, [one, two], [first, second]) {
  const place = `At ${signed(a)} across and ${signed(b)} up`;
  const distances = `the autoencoder’s picture is ${one.toFixed(2)} times as far from the nearest training digit as real digits are, the VAE’s ${two.toFixed(2)} times`;
  if (view === "slice") return `${place}, ${distances}. No digit’s code lies in this plane: it is a cut through eight dimensions, at a random place.`;
  const inside = Math.hypot((a - second.a) / second.wide, (b - second.b) / second.tall) <= 2;
  return `${place}, ${distances}. The nearest digit drawn is ${article(first.label)} on the autoencoder’s map and ${article(second.label)} on the VAE’s; the ring is ${inside ? "inside" : "outside"} its cloud.`;
}

function render({ model, el }) {
  const data = readPad(model);
  const save = saver(model);
  const { section, body, say } = card(el, {
    title: "Walk over the codes",
    lead: "Drag a ring. Numerals are training digits, where the encoder puts them; the orange shade warns of pictures unlike any of them.",
  });
  const set = (name, value) => {
    model.set(name, clamp(Math.round(value * 20) / 20, -REACH, REACH));
    save();
  };
  const range = (label, name) => slider({
    label, min: -REACH, max: REACH, step: 0.05, value: model.get(name), big: false,
    show: (value) => ({ number: signed(value), unit: "standard deviations" }), input: (value) => set(name, value),
  });
  const sliders = { across: range("Across", "across"), up: range("Up", "up") };
  const view = choices({
    label: "Codes", value: model.get("view"),
    options: [{ value: "flat", label: "all of K = 2" }, { value: "slice", label: "a plane in K = 8" }],
    change: (value) => { model.set("view", value); save(); },
  });
  const choose = (a, b) => { set("across", a); set("up", b); };
  const panels = NAMES.map((name, m) => panel({ name, digits: data.digits[m], choose, root: section }));
  body.append(view.root, h("div", { class: "ae-places" }, sliders.across.root, sliders.up.root),
    h("div", { class: "ae-maps" }, ...panels.map(({ root }) => root)));

  const draw = () => {
    const [a, b, which] = [model.get("across"), model.get("up"), model.get("view")];
    sliders.across.set(a);
    sliders.up.set(b);
    view.set(which);
    const found = data.maps[which].map((map, m) => {
      const picture = forward(map.layers, map.code(a, b));
      const near = nearest(data.train, picture);
      const mark = which === "flat" ? nearestMark(data.digits[m], a, b) : null;
      const ratio = near.distance / data.real;
      panels[m].update({ a, b, picture, near, ratio, mark, shade: map.shade, view: which });
      return { ratio, mark, ink: picture.reduce((sum, value) => sum + value, 0), near };
    });
    Object.assign(section.dataset, { across: a, up: b, view: which });
    found.forEach(({ ratio, mark, ink, near }, m) => {
      const key = NAMES[m].toLowerCase();
      Object.assign(section.dataset, {
        [`${key}Ratio`]: ratio, [`${key}Ink`]: ink, [`${key}Nearest`]: near.index,
        [`${key}Mark`]: mark ? data.digits[m].indexOf(mark) : -1,
      });
    });
    say(sentence(which, a, b, found.map(({ ratio }) => ratio), found.map(({ mark }) => mark)));
  };
  draw();
  const deaf = listen(model, ["across", "up", "view"], draw);
  return () => [deaf, ...panels.map(({ dispose }) => dispose)].forEach((stop) => stop());
}

/** One model: its map with the ring, the decoded picture, the nearest training digit, and the number. */
function panel({ name, digits, choose, root: themed }) {
  const canvas = h("canvas", { class: "ae-shade", width: GRID, height: GRID, "aria-hidden": "true" });
  const svg = s("svg", { class: "ae-map", role: "img" });
  const room = h("div", { class: "ae-map-room" }, canvas, svg);
  const decoded = strip({ label: `decoded by the ${name}`, count: 1, widest: 96 });
  const match = strip({ label: "nearest training digit", count: 1, widest: 96 });
  const number = h("span", { class: "ae-big" });
  const figure = (drawn, words) => h("div", { class: "ae-tile" }, drawn.root, h("span", { class: "ae-note", text: words }));
  const root = h("div", { class: "ae-panel ae-tone-error" }, h("p", { class: "ae-name", text: name }), room,
    h("div", { class: "ae-outcome" }, figure(decoded, "decoded"), figure(match, "nearest real"),
      h("div", { class: "ae-count" }, number, h("span", { class: "ae-unit", text: "times as far as real digits" }))));
  const [still, cloud, ring, dot] = [s("g"), s("ellipse", { class: "ae-cloud" }), s("circle", { class: "ae-ring", r: 11 }), s("circle", { class: "ae-core", r: 2.5 })];
  svg.append(still, cloud, ring, dot);
  let [side, now, shaded] = [0, null, null];
  const x = (a) => side * (0.5 + a / (2 * REACH));
  const y = (b) => side * (0.5 - b / (2 * REACH));
  const cross = () => [s("line", { class: "ae-grid", x1: 0, x2: side, y1: y(0), y2: y(0) }), s("line", { class: "ae-grid", x1: x(0), x2: x(0), y1: 0, y2: side })];
  const around = ({ a, b, wide, tall }) => ({ cx: x(a), cy: y(b), rx: (side * wide) / REACH, ry: (side * tall) / REACH }); // two widths
  const clouds = () => digits.filter(({ wide }) => wide).map((digit) => s("ellipse", { class: "ae-faint", ...around(digit) }));
  const numerals = () => digits.map(({ label, a, b }) => s("text", { class: "ae-numeral", x: x(a), y: y(b) + 4, "text-anchor": "middle", text: label }));
  const background = () => still.replaceChildren(...cross(), ...(now.view === "flat" ? [...clouds(), ...numerals()] : []));
  const paint = () => {
    if (!side || !now) return;
    const [red, green, blue] = colour(themed, "error");
    const image = new ImageData(GRID, GRID);
    now.shade.forEach((value, n) => {
      const row = GRID - 1 - Math.floor(n / GRID);
      image.data.set([red, green, blue, value * 0.62], 4 * (row * GRID + (n % GRID)));
    });
    canvas.getContext("2d").putImageData(image, 0, 0);
    background();
    shaded = now.shade;
  };
  const place = (node, values) => Object.entries(values).forEach(([key, value]) => node.setAttribute(key, value));
  const update = (next) => {
    now = next ?? now;
    if (!now) return;
    number.textContent = now.ratio.toFixed(2);
    decoded.paint((index) => now.picture[index], "recon");
    match.paint((index) => now.near.picture[index]);
    if (shaded !== now.shade) paint();
    place(ring, { cx: x(now.a), cy: y(now.b) });
    place(dot, { cx: x(now.a), cy: y(now.b) });
    const owner = now.mark?.wide ? now.mark : null;
    cloud.style.display = owner ? "" : "none";
    if (owner) place(cloud, around(owner));
    svg.setAttribute("aria-label", `Map of the ${name}’s codes, ${REACH} standard deviations to each side; the ring is at ${signed(now.a)} across and ${signed(now.b)} up.`);
  };
  const resize = (width) => {
    side = Math.min(width, 420);
    place(svg, { width: side, height: side, viewBox: `0 0 ${side} ${side}` });
    Object.assign(canvas.style, { width: `${side}px`, height: `${side}px` });
    shaded = null;
    update();
  };
  followPointer(svg, (px, py) => choose((px / side - 0.5) * 2 * REACH, (0.5 - py / side) * 2 * REACH));
  const stop = [onTheme(paint), onWidth(room, resize), decoded.dispose, match.dispose];
  return { root, update, dispose: () => stop.forEach((end) => end()) };
}

export default { render };
