import {
  choices,
  clamp,
  fixed,
  forward,
  gauge,
  h,
  inks,
  interactive,
  plane,
  readLayers,
  slider,
  strip,
  sum,
} from "./base.js";

const REACH = 3;
const GRID = 41;
const NAMES = ["autoencoder", "VAE"];
const VIEWS = ["flat", "slice"];
const FACE = {
  traits: ["across", "up", "view"],
  lead:
    "Drag a ring. Numerals are training digits, where the encoder puts them; " +
    "the orange shade warns of pictures unlike any of them.",
};

/**
 * The maps of each view: layers, the code at (a, b), the shade; and the digits that are drawn on the flat
 * ones.
 */
function readMaps(model, { weights, planes, shade, marks }) {
  const labels = model.get("labels");
  let [at, from] = [0, 0];
  const read = (v) => (shapes, m) => {
    const k = shapes[0][1];
    const layers = readLayers(weights.values, shapes, at);
    at += shapes.reduce((total, [outputs, inputs]) => total + outputs * (inputs + 1), 0);
    const [middle, across, up] = [0, 1, 2].map((part) =>
      planes.values.slice(from + part * k, from + (part + 1) * k),
    );
    from += 3 * k;
    const code = (a, b) => Float32Array.from(middle, (value, i) => value + a * across[i] + b * up[i]);
    return { layers, code, shade: shade.part(v, m) };
  };
  const maps = VIEWS.map((view, v) => model.get("layers")[view].map(read(v)));
  const digits = NAMES.map((_, m) =>
    labels.map((label, n) => {
      const [a, b, wide, tall] = marks.row(m, n);
      return { label, a, b, wide, tall };
    }),
  );
  return { maps: { flat: maps[0], slice: maps[1] }, digits };
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
  digits.reduce((best, digit) =>
    Math.hypot(digit.a - a, digit.b - b) < Math.hypot(best.a - a, best.b - b) ? digit : best,
  );

const signed = (value) => fixed(value, 2).replace(/\.?0+$/, "");
const article = (label) => (label === 8 ? "an 8" : `a ${label}`);

/** What is shown, in words; true at every setting. */
function sentence(view, a, b, [one, two]) {
  const distances =
    `At ${signed(a)} across and ${signed(b)} up, ` +
    `the autoencoder’s picture is ${one.ratio.toFixed(2)} times as far ` +
    `from the nearest training digit as real digits are, the VAE’s ${two.ratio.toFixed(2)} times.`;
  if (view === "slice") {
    const cut = "it is a cut through eight dimensions, at a random place";
    return `${distances} No digit’s code lies in this plane: ${cut}.`;
  }
  const [first, second] = [one.mark, two.mark];
  const inside = Math.hypot((a - second.a) / second.wide, (b - second.b) / second.tall) <= 2;
  return (
    `${distances} The nearest digit drawn is ${article(first.label)} on the autoencoder’s map and ` +
    `${article(second.label)} on the VAE’s; the ring is ${inside ? "inside" : "outside"} its cloud.`
  );
}

export default interactive(FACE, ({ model, state, set, data, body, say, keep }) => {
  const { maps, digits } = readMaps(model, data);
  const [scale, real] = [model.get("scale"), model.get("real_distance")];
  const train = Float32Array.from(data.train.values, (level) => level / scale);
  const rounded = (value) => clamp(Math.round(value * 20) / 20, -REACH, REACH);
  const range = (label, name) =>
    slider({
      label,
      min: -REACH,
      max: REACH,
      step: 0.05,
      value: state()[name],
      big: false,
      show: (value) => ({ number: signed(value), unit: "standard deviations" }),
      input: (value) => set({ [name]: rounded(value) }),
    });
  const [across, up] = [range("Across", "across"), range("Up", "up")];
  const view = choices({
    label: "Codes",
    hideLabel: true,
    value: state().view,
    options: [
      { value: "flat", label: "all of K = 2" },
      { value: "slice", label: "a plane in K = 8" },
    ],
    change: (value) => set({ view: value }),
  });
  const choose = (a, b) => set({ across: rounded(a), up: rounded(b) });
  const panels = NAMES.map((name, m) => keep(panel({ name, digits: digits[m], choose })));
  body.append(
    h("div", { class: "ae-places" }, across.root, up.root),
    view.root,
    h("div", { class: "ae-maps" }, ...panels.map(({ root }) => root)),
  );

  return ({ across: a, up: b, view: which }) => {
    across.set(a);
    up.set(b);
    view.set(which);
    const figures = { across: a, up: b, view: which };
    const found = maps[which].map((map, m) => {
      const picture = forward(map.layers, map.code(a, b));
      const near = nearest(train, picture);
      const mark = which === "flat" ? nearestMark(digits[m], a, b) : null;
      const now = { a, b, picture, near, mark, ratio: near.distance / real, shade: map.shade, view: which };
      panels[m].update(now);
      const key = NAMES[m].toLowerCase();
      Object.assign(figures, {
        [`${key}Ratio`]: now.ratio,
        [`${key}Ink`]: sum(picture),
        [`${key}Nearest`]: near.index,
        [`${key}Mark`]: digits[m].indexOf(mark),
      });
      return now;
    });
    say(sentence(which, a, b, found));
    return figures;
  };
});

/** One model: its map with the ring, the decoded picture, the nearest training digit, and the number. */
function panel({ name, digits, choose }) {
  let [now, drawn] = [null, null];
  const canvas = h("canvas", { class: "ae-shade", width: GRID, height: GRID, "aria-hidden": "true" });
  const decoded = strip({ label: `decoded by the ${name}`, count: 1, widest: 84 });
  const match = strip({ label: "nearest training digit", count: 1, widest: 84 });
  const number = gauge({ tone: "error", unit: "times as far as real digits" });
  const place = () => `${signed(now?.a ?? 0)} across and ${signed(now?.b ?? 0)} up`;
  const map = plane({
    reach: REACH,
    largest: 246,
    under: canvas,
    holdable: true,
    draw: (c) => now && drawDigits(c, now.view === "flat" ? digits : []),
    move: (c) => now && drawRing(c, now),
    drag: choose,
    describe: () =>
      `Map of the ${name}’s codes, ${REACH} standard deviations to each side; the ring is at ${place()}.`,
  });
  const shade = () => now && paintShade(canvas, now.shade, colours.rgb("error"));
  const colours = inks(map.root, shade);
  const figure = (picture, words) =>
    h("div", { class: "ae-tile" }, picture.root, h("span", { class: "ae-note", text: words }));
  const outcome = [figure(decoded, "decoded"), figure(match, "nearest real"), number.root];
  const title = h("p", { class: "ae-name", text: name });
  const root = h(
    "div",
    { class: "ae-panel" },
    title,
    map.root,
    h("div", { class: "ae-outcome" }, ...outcome),
  );
  const update = (next) => {
    now = next;
    number.set(fixed(now.ratio, 2));
    decoded.paint((index) => now.picture[index], "recon");
    match.paint((index) => now.near.picture[index]);
    if (drawn === now.view) map.update();
    else {
      map.redraw();
      if (map.root.isConnected) shade();
      drawn = map.root.isConnected ? now.view : null;
    }
  };
  const dispose = () => [map, decoded, match, colours].forEach((part) => part.dispose());
  return { root, update, dispose };
}

function drawDigits(c, digits) {
  c.shape("line", { class: "ae-grid", x1: 0, x2: c.right, y1: c.y(0), y2: c.y(0) });
  c.shape("line", { class: "ae-grid", x1: c.x(0), x2: c.x(0), y1: 0, y2: c.bottom });
  for (const digit of digits) if (digit.wide) c.shape("ellipse", { class: "ae-faint", ...around(c, digit) });
  for (const { label, a, b } of digits) {
    const numeral = { class: "ae-numeral", "text-anchor": "middle", text: label };
    c.shape("text", { ...numeral, x: c.x(a), y: c.y(b) + 4 });
  }
}

/** The ellipse of a digit's cloud, at two widths. */
const around = (c, { a, b, wide, tall }) => ({
  cx: c.x(a),
  cy: c.y(b),
  rx: (c.right * wide) / REACH,
  ry: (c.right * tall) / REACH,
});

function drawRing(c, { a, b, mark }) {
  const place = { cx: c.x(a), cy: c.y(b) };
  if (mark?.wide) c.shape("ellipse", { class: "ae-cloud", ...around(c, mark) });
  c.shape("circle", { class: "ae-ring", r: 11, ...place });
  c.shape("circle", { class: "ae-core", r: 2.5, ...place });
  c.hold(a, b);
}

/** The grid of the shade, from its lower left corner, one pixel a place. */
function paintShade(canvas, shade, rgb) {
  const image = new ImageData(GRID, GRID);
  shade.forEach((value, n) => {
    const row = GRID - 1 - Math.floor(n / GRID);
    image.data.set([...rgb, value * 0.62], 4 * (row * GRID + (n % GRID)));
  });
  canvas.getContext("2d").putImageData(image, 0, 0);
}
