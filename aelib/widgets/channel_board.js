import {
  button,
  choices,
  clamp,
  fixed,
  gauge,
  h,
  inks,
  interactive,
  meter,
  onWidth,
  put,
  s,
  slider,
  sum,
  whileIdle,
} from "./base.js";

const [LEVELS, CELLS] = [4, 8];
const EXAMPLES = LEVELS * LEVELS;
const BITS = 1 / Math.LN2;
const LOW = -2; // where the number line begins, in bits
const range = (count) => [...Array(count).keys()];
const radians = (degrees) => (degrees * Math.PI) / 180;

// ---- the channel, as in channel_board.py ------------------------------------------------------------------

/** [level][cell], rows sum to 1: the encoder, in one coordinate. */
function cellGivenLevel(noise) {
  return range(LEVELS).map((level) => {
    const excess = range(CELLS).map((cell) => (cell - 2 * level - 0.5) ** 2 - 0.25);
    const weights = excess.map((value) =>
      noise ? Math.exp(-value / (2 * noise * noise)) : Number(value === 0),
    );
    const all = sum(weights);
    return weights.map((weight) => weight / all);
  });
}

/** Which cell's contents lie at each place of a coordinate after the first swaps. */
function contents(pairs, swaps) {
  const order = range(CELLS);
  for (const [one, other] of pairs.slice(0, swaps)) [order[one], order[other]] = [order[other], order[one]];
  return order;
}

const moved = (table, order) => table.map((row) => order.map((cell) => row[cell]));

/** [example][place] from one table a coordinate; `join` multiplies probabilities or adds logarithms. */
function outer(first, second, join) {
  const entry = (x, z) =>
    join(first[Math.floor(x / LEVELS)][Math.floor(z / CELLS)], second[x % LEVELS][z % CELLS]);
  return range(EXAMPLES).map((x) => range(CELLS * CELLS).map((z) => entry(x, z)));
}

const times = (a, b) => a * b;
const plus = (a, b) => a + b;

/** I ≥ 0 in nats, of a joint table. */
function information(joint) {
  const rows = joint.map(sum);
  const columns = joint[0].map((_, z) => sum(joint.map((row) => row[z])));
  const term = (p, x, z) => (p > 0 ? p * Math.log(p / (rows[x] * columns[z])) : 0);
  return sum(joint.map((row, x) => sum(row.map((p, z) => term(p, x, z)))));
}

function logLevelGivenCell(noise) {
  const table = cellGivenLevel(noise);
  const sums = range(CELLS).map((cell) => sum(table.map((row) => row[cell])));
  return table.map((row) => row.map((p, cell) => Math.log(p / sums[cell])));
}

/** The centre [x, y] of each place once the board is turned. */
function turned(degrees) {
  const [cos, sin] = [Math.cos(radians(degrees)), Math.sin(radians(degrees))];
  return range(CELLS * CELLS).map((z) => {
    const [x, y] = [Math.floor(z / CELLS) - 3.5, (z % CELLS) - 3.5];
    return [cos * x - sin * y, sin * x + cos * y];
  });
}

/** What part of a turned cell a coordinate reads in each of its twelve cells from -6 to 6. */
function shareOfCells(centre, degrees) {
  const sides = [Math.abs(Math.cos(radians(degrees))), Math.abs(Math.sin(radians(degrees)))];
  const [long, short] = [Math.max(...sides), Math.min(...sides)];
  const area = (t) => (t > 0 ? (t * t) / 2 : 0);
  const [wide, narrow] = [(long + short) / 2, (long - short) / 2];
  const below = range(13).map((edge) => {
    const t = edge - 6 - centre;
    if (short < 1e-9) return clamp(t / long + 0.5, 0, 1);
    return (area(t + wide) - area(t + narrow) - area(t - narrow) + area(t - wide)) / (long * short);
  });
  return range(12).map((cell) => Math.max(0, below[cell + 1] - below[cell]));
}

/**
 * [coordinate][factor] in nats: what one coordinate, read by itself, tells about the letter and about the
 * number.
 */
function tells(code, shares) {
  const factors = [(x) => Math.floor(x / LEVELS), (x) => x % LEVELS].map((factor) => {
    const levels = range(LEVELS).map(() => new Float64Array(CELLS * CELLS));
    code.forEach((row, x) =>
      row.forEach((q, z) => {
        levels[factor(x)][z] += q / EXAMPLES;
      }),
    );
    return levels;
  });
  const read = (level, share) => {
    const cells = Array(12).fill(0);
    for (let z = 0; z < CELLS * CELLS; z += 1) {
      for (let cell = 0; cell < 12; cell += 1) cells[cell] += level[z] * share[z][cell];
    }
    return cells;
  };
  return shares.map((share) =>
    factors.map((levels) => information(levels.map((level) => read(level, share)))),
  );
}

function disentangled(told) {
  const gaps = [0, 1].map((factor) => Math.abs(told[0][factor] - told[1][factor]) / Math.log(LEVELS));
  return clamp(sum(gaps) / 2, 0, 1);
}

function robust(code, centres) {
  const mean = code.map((row) => [0, 1].map((axis) => sum(row.map((q, z) => q * centres[z][axis]))));
  const size = code.map(
    (row) => sum(row.map((q, z) => q * (centres[z][0] ** 2 + centres[z][1] ** 2))) + 1 / 6,
  );
  const sums = { near: [0, 0], all: [0, 0, 0] };
  for (const x of range(EXAMPLES)) {
    for (const y of range(EXAMPLES)) {
      const apart =
        (Math.floor(x / LEVELS) - Math.floor(y / LEVELS)) ** 2 + ((x % LEVELS) - (y % LEVELS)) ** 2;
      const product = mean[x][0] * mean[y][0] + mean[x][1] * mean[y][1];
      const distance = size[x] + size[y] - 2 * product;
      if (apart === 1) sums.near = [sums.near[0] + distance, sums.near[1] + 1];
      if (apart > 0) sums.all = [sums.all[0] + distance, sums.all[1] + 1, sums.all[2] + apart];
    }
  }
  const movement = Math.sqrt(sums.near[0] / sums.near[1] / (sums.all[0] / sums.all[1]));
  const step = Math.sqrt(sums.all[1] / sums.all[2]);
  return clamp((step / movement - step) / (1 - step), 0, 1);
}

/** The part of a convex polygon on one side of a line. */
function above(polygon, axis, line, sign) {
  if (!Number.isFinite(line)) return polygon;
  const kept = [];
  polygon.forEach((here, index) => {
    const there = polygon[(index + 1) % polygon.length];
    const [a, b] = [sign * (here[axis] - line), sign * (there[axis] - line)];
    if (a >= 0) kept.push(here);
    if (a >= 0 !== b >= 0) kept.push([0, 1].map((d) => here[d] + (a / (a - b)) * (there[d] - here[d])));
  });
  return kept;
}

const areaOf = (polygon) =>
  Math.abs(
    sum(
      polygon.map(([x, y], index) => {
        const [a, b] = polygon[(index + 1) % polygon.length];
        return x * b - a * y;
      }),
    ),
  ) / 2;

/**
 * For each turned place the pairs [place of the unturned board, part of it]; the outermost places reach to
 * infinity.
 */
function overlaps(centres, degrees) {
  const lines = range(CELLS + 1).map((k) => (k === 0 ? -Infinity : k === CELLS ? Infinity : k - CELLS / 2));
  const near = (value, k) => value > lines[k] - 0.71 && value < lines[k + 1] + 0.71;
  const [cos, sin] = [Math.cos(radians(degrees)) / 2, Math.sin(radians(degrees)) / 2];
  const corners = [
    [-1, -1],
    [1, -1],
    [1, 1],
    [-1, 1],
  ].map(([a, b]) => [cos * a - sin * b, sin * a + cos * b]);
  return centres.map(([x, y]) => {
    const square = corners.map(([a, b]) => [a + x, b + y]);
    return range(CELLS)
      .filter((k) => near(x, k))
      .flatMap((k) => {
        const strip = above(above(square, 0, lines[k], 1), 0, lines[k + 1], -1);
        if (!strip.length) return [];
        return range(CELLS)
          .filter((m) => near(y, m))
          .map((m) => {
            const part = above(above(strip, 1, lines[m], 1), 1, lines[m + 1], -1);
            return [k * CELLS + m, part.length ? areaOf(part) : 0];
          });
      });
  });
}

/**
 * The sum over examples and places of q(z|x) log p(x|z); a turned place asks the decoder in `parts` of
 * places.
 */
function expected(code, logProb, parts) {
  let found = 0;
  for (let x = 0; x < EXAMPLES; x += 1) {
    for (let z = 0; z < CELLS * CELLS; z += 1) {
      if (code[x][z] === 0) continue;
      if (!parts) found += code[x][z] * logProb[x][z];
      else for (const [place, part] of parts[z]) found += code[x][z] * part * logProb[x][place];
    }
  }
  return found;
}

/** `compute` with a memory: what it said about a number, it says again. */
function remembering(compute) {
  const known = new Map();
  return (number) => known.get(number) ?? known.set(number, compute(number)).get(number);
}

const places = remembering((degrees) => {
  const centres = turned(degrees);
  return {
    centres,
    shares: [0, 1].map((axis) => centres.map((centre) => shareOfCells(centre[axis], degrees))),
  };
});
const partsOf = remembering((degrees) => overlaps(places(degrees).centres, degrees));

/** The code, what it tells, and what the desiderata of lesson 02 say of it. */
function survey({ noise, degrees, swaps, swapList }) {
  const [given, { centres, shares }] = [cellGivenLevel(noise), places(degrees)];
  const orders = swapList.map((pairs) => contents(pairs, swaps));
  const code = outer(moved(given, orders[0]), moved(given, orders[1]), times);
  const told = tells(code, shares);
  const known = information(code.map((row) => row.map((q) => q / EXAMPLES)));
  const scores = { disentangled: disentangled(told), robust: robust(code, centres) };
  return { code, centres, orders, told, information: known, ...scores };
}

/** Everything that is shown, in nats, for one state. */
function measure(state) {
  const { degrees, follows, decoderNoise } = state;
  const found = survey(state);
  const { code, orders } = found;
  const answers = logLevelGivenCell(decoderNoise);
  const [first, second] = follows ? orders.map((order) => moved(answers, order)) : [answers, answers];
  const inPlace = outer(first, second, plus);
  const bound = Math.log(EXAMPLES) + expected(code, inPlace, follows ? null : partsOf(degrees)) / EXAMPLES;
  return { ...found, bound, gap: found.information - bound };
}

// ---- what is drawn ----------------------------------------------------------------------------------------

const two = (value) => fixed(value, 2);
const bits = (nats) => two(nats * BITS);
const nameOf = (x) => `${"ABCD"[Math.floor(x / LEVELS)]}${(x % LEVELS) + 1}`;

/** The board: its axes are an SVG that stands still; the places are painted on a canvas over it. */
function board(turn) {
  // from the middle to the picture's left and upper edge, and its side
  const [LEFT, TOP, SIDE] = [6.5, 5.8, 12.3];
  const words = (x, y, text, more = {}) =>
    s("text", { class: "cb-axis-name", x, y, "text-anchor": "middle", text, ...more });
  const axes = s(
    "svg",
    { viewBox: `${-LEFT} ${-TOP} ${SIDE} ${SIDE}`, "aria-hidden": "true" },
    s("path", { class: "cb-axes", d: "M -5.8 -5.6 V 5.8 H 5.6" }),
    words(0, 6.35, "coordinate 1"),
    words(0, 0, "coordinate 2", { transform: "translate(-6.05 0) rotate(-90)" }),
  );
  const canvas = h("canvas", { role: "img" });
  const root = h("div", { class: "cb-board" }, axes, canvas);
  let from = null;
  const angle = (event) => {
    const box = root.getBoundingClientRect();
    const down = event.clientY - box.top - (box.height * TOP) / SIDE;
    const across = event.clientX - box.left - (box.width * LEFT) / SIDE;
    return (-Math.atan2(down, across) * 180) / Math.PI;
  };
  root.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    root.setPointerCapture(event.pointerId);
    from = angle(event) - turn.now();
  });
  root.addEventListener("pointermove", (event) => {
    if (!root.hasPointerCapture(event.pointerId)) return;
    const by = ((((angle(event) - from + 135) % 360) + 360) % 360) - 135;
    turn.to(Math.round(clamp(by, 0, 90)));
  });
  let [shown, wide, family] = [null, 0, ""];
  const draw = () => {
    if (!wide || !shown) return;
    const size = Math.round(wide * (window.devicePixelRatio || 1));
    if (canvas.width !== size) canvas.width = canvas.height = size;
    paintPlaces(canvas.getContext("2d"), size / SIDE, [LEFT, TOP], shown, { css: colours.css, family });
  };
  const colours = inks(root, draw);
  const stop = onWidth(root, (now) => {
    [wide, family] = [now, getComputedStyle(root).fontFamily];
    draw();
  });
  const paint = (now, degrees, label) => {
    shown = { ...now, degrees };
    put(canvas, { "aria-label": label });
    draw();
  };
  const dispose = () => [stop, colours.dispose].forEach((end) => end());
  return { root, paint, dispose };
}

/** Each place, turned, as dark as the letters that it may come from, with its likeliest example, upright. */
function paintPlaces(context, unit, [left, top], { code, centres, degrees }, { css, family }) {
  const [cos, sin] = [unit * Math.cos(radians(degrees)), unit * Math.sin(radians(degrees))];
  context.resetTransform();
  context.clearRect(0, 0, context.canvas.width, context.canvas.height);
  context.strokeStyle = css("track");
  context.lineWidth = 0.03;
  context.font = `600 ${0.45 * unit}px ${family}`;
  context.textAlign = "center";
  centres.forEach(([across, up], z) => {
    const [x, y] = [(left + across) * unit, (top - up) * unit];
    const weights = code.map((row) => row[z]);
    const all = sum(weights);
    const likeliest = weights.reduce(
      (best, value, at) => (value > weights[best] * (1 + 1e-12) ? at : best),
      0,
    );
    const letter = sum(weights.map((weight, at) => weight * Math.floor(at / LEVELS))) / all / (LEVELS - 1);
    context.setTransform(cos, -sin, sin, cos, x, y);
    context.fillStyle = css("latent");
    context.globalAlpha = 0.07 + 0.55 * letter;
    context.fillRect(-0.5, -0.5, 1, 1);
    context.globalAlpha = 1;
    context.strokeRect(-0.5, -0.5, 1, 1);
    context.resetTransform();
    context.fillStyle = css("ink");
    context.globalAlpha = 0.2 + (0.8 * weights[likeliest]) / all;
    context.fillText(nameOf(likeliest), x, y + 0.155 * unit);
    context.globalAlpha = 1;
  });
}

/** The number line: I, the bound, the gap between them, the ceiling. Its parts are made once and moved. */
function numberLine() {
  const ticks = range(4 - LOW + 1).map((k) => LOW + k);
  const words = (name, anchor, text) => s("text", { class: name, "text-anchor": anchor, text });
  const [box, stroke] = [(name) => s("rect", { class: name }), (name) => s("line", { class: name })];
  const part = {
    roof: words("cb-ink", "end", "ceiling log n = 4 bits"),
    ceiling: stroke("cb-ceiling"),
    room: box("cb-room"),
    known: box("cb-known"),
    before: stroke("cb-before"),
    name: words("cb-on", "start"),
    lost: words("cb-quiet", "middle"),
    gap: box("cb-gap"),
    end: stroke("cb-end"),
    bound: stroke("cb-bound"),
    mark: s("path", { class: "cb-mark" }),
    says: words("cb-bound-text"),
    axis: stroke("ae-axis"),
  };
  const scale = ticks.map((tick) => [stroke("ae-axis"), words("ae-tick", "middle", fixed(tick, 0))]);
  const svg = s("svg", { class: "ae-chart cb-line", role: "img" }, ...Object.values(part), ...scale.flat());
  const root = h("div", { class: "ae-plot" }, svg);
  let [state, width, em] = [null, 0, 0];
  const draw = () => {
    if (!width || !state) return;
    const at = (value) => 0.9 * em + ((clamp(value, LOW, 4) - LOW) / (4 - LOW)) * (width - 1.8 * em);
    const [known, bound, before] = [state.information, state.bound, state.before].map((nats) => nats * BITS);
    const off = bound < LOW;
    const words = (node, x, y, more) => put(node, { x, y: y * em, ...more });
    const bar = (node, from, to, y, tall) =>
      put(node, { x: at(from), y: y * em, width: Math.max(0, at(to) - at(from)), height: tall * em });
    const post = (node, value, from, to) =>
      put(node, { x1: at(value), x2: at(value), y1: from * em, y2: to * em });
    const side = at(bound) > width - 8 * em ? "end" : at(bound) < 8 * em ? "start" : "middle";
    const beyond = `M ${at(LOW) - 0.6 * em} ${4.62 * em} l ${0.8 * em} ${-0.5 * em} v ${em} z`;
    const below = `M ${at(bound)} ${5 * em} l ${0.45 * em} ${0.8 * em} h ${-0.9 * em} z`;
    const says = `bound ${bits(state.bound)}${off ? " (off the scale)" : ""}`;
    put(svg, { height: 9.3 * em, width });
    words(part.roof, at(4), 0.95);
    post(part.ceiling, 4, 1.3, 7.1);
    bar(part.room, 0, 4, 1.9, 1.7);
    bar(part.known, 0, known, 1.9, 1.7);
    post(part.before, before, 1.5, 4);
    words(part.name, at(0) + 0.5 * em, 3.05, { text: known > 1.2 ? "I(X; Z)" : "" });
    words(part.lost, (at(known) + at(4)) / 2, 3.05, { text: 4 - known > 1.3 ? "lost in noise" : "" });
    bar(part.gap, bound, known, 4.35, 0.55);
    post(part.end, known, 3.6, 4.9);
    post(part.bound, bound, 4.15, 5.1);
    put(part.mark, { d: off ? beyond : below });
    words(part.says, at(bound) + (side === "end" ? 0.5 * em : 0), 6.75, {
      text: `${says} = I − gap ${bits(Math.max(0, state.gap))}`,
      "text-anchor": side,
    });
    put(part.axis, { x1: at(LOW), x2: at(4), y1: 7.3 * em, y2: 7.3 * em });
    scale.forEach(([stroke, number], k) => {
      post(stroke, ticks[k], 7.3, 7.6);
      words(number, at(ticks[k]), 8.7);
    });
    const told = `information ${bits(state.information)}, bound ${bits(state.bound)}, ceiling 4`;
    put(svg, { "aria-label": `On a line from ${LOW} to 4 bits: ${told}.` });
  };
  const update = (next) => {
    state = next;
    draw();
  };
  const resize = (now) => {
    [width, em] = [now, parseFloat(getComputedStyle(root).fontSize)];
    draw();
  };
  return { root, update, dispose: onWidth(root, resize) };
}

function telling() {
  const cells = [0, 1].map(() => [0, 1].map(() => h("td")));
  const head = ["bits about", "letter", "number"].map((text) => h("th", { scope: "col", text }));
  const name = (axis) => h("th", { scope: "row", text: `coordinate ${axis + 1}` });
  const rows = cells.map((row, axis) => h("tr", {}, name(axis), ...row));
  const root = h("table", {}, h("thead", {}, h("tr", {}, ...head)), h("tbody", {}, ...rows));
  const show = (cell, nats) => {
    const share = Math.round(60 * clamp(nats / Math.log(LEVELS), 0, 1));
    put(cell, { text: bits(Math.max(0, nats)), style: `--ae-share: ${share}%` });
  };
  const set = (told) =>
    cells.forEach((row, axis) => row.forEach((cell, factor) => show(cell, told[axis][factor])));
  return { root, set };
}

// ---- the sentence: true at every setting ------------------------------------------------------------------

function sentence(state, now, before) {
  return [noiseSentence(now), changeSentence(state, now, before), decoderSentence(state, now)].join(" ");
}

function noiseSentence(now) {
  const lost = 4 - now.information * BITS;
  if (lost < 1e-9) return "Without noise the code tells all 4 bits.";
  const hidden = lost < 0.005 ? "less than 0.01" : `the other ${two(lost)}`;
  return `The code tells ${bits(now.information)} of the 4 bits that name an example; noise hides ${hidden}.`;
}

function changeSentence({ degrees, swaps }, now, before) {
  const done = [
    swaps ? `${swaps} swap${swaps > 1 ? "s" : ""} a coordinate` : "",
    degrees ? `a turn by ${degrees}°` : "",
  ].filter(Boolean);
  if (!done.length) return "Nothing has been done to the code yet.";
  const verb = (word) => `${word}${done.length > 1 || swaps > 1 ? "" : "s"}`;
  const score = (name) => {
    const [was, is] = [two(before[name]), two(now[name])];
    return was === is ? `${verb("leave")} ${name} at ${is}` : `${verb("take")} ${name} from ${was} to ${is}`;
  };
  const who = done.join(" and ");
  const scores = `${score("disentangled")} and ${score("robust")}`;
  return `${who[0].toUpperCase()}${who.slice(1)} ${verb("change")} no digit of that, ${scores}.`;
}

function decoderSentence({ follows, degrees, swaps }, now) {
  const gap = now.gap * BITS;
  if (gap < 1e-9) return "The decoder model is the encoder’s own posterior here: its bound is tight.";
  const lost = gap < 0.005 ? "less than 0.01" : two(gap);
  const why =
    !follows && (degrees || swaps)
      ? "which does not know what was done"
      : "which was made for noise of one cell";
  return `The decoder model, ${why}, gives the bound ${bits(now.bound)}: ${lost} less.`;
}

// ---- together ---------------------------------------------------------------------------------------------

const FACE = {
  traits: ["noise", "degrees", "swaps", "follows"],
  lead:
    "Sixteen examples, A1 to D4, and where noise carries their codes. " +
    "Each cell names its likeliest example; " +
    "the shade is its letter. The bijection h scrambles cells, then turns the board.",
};

export default interactive(FACE, ({ model, state, set, body, say, keep }) => {
  const fixtures = { swapList: model.get("swap_list"), decoderNoise: model.get("decoder_noise") };
  const one = (label, max, name, tone, factor, show) => {
    const control = slider({
      label,
      min: 0,
      max,
      value: Math.round(state()[name] / factor),
      tone,
      big: false,
      show: (value) => show(value * factor, value),
      input: (value) => set({ [name]: Number((value * factor).toFixed(2)) }),
    });
    const stand = (value) => {
      if (Number(control.input.value) !== Math.round(value / factor)) control.set(Math.round(value / factor));
    };
    return { root: control.root, stand };
  };
  const sliders = {
    noise: one("Noise", 40, "noise", "error", 0.05, (value) => ({
      number: value.toFixed(2),
      unit: value === 1 ? "cell" : "cells",
    })),
    degrees: one("Turn", 90, "degrees", "latent", 1, (value) => ({
      number: `${value}°`,
      unit: "",
      spoken: `${value} degrees`,
    })),
    swaps: one("Scramble", fixtures.swapList[0].length, "swaps", "latent", 1, (value) => ({
      number: value,
      unit: `swap${value === 1 ? "" : "s"} a coordinate`,
    })),
  };
  const follows = choices({
    label: "Decoder",
    value: state().follows ? "yes" : "no",
    change: (value) => set({ follows: value === "yes" }),
    options: [
      { value: "yes", label: "undoes h first" },
      { value: "no", label: "stays as it was" },
    ],
  });
  const undo = button("Undo h", () => set({ degrees: 0, swaps: 0 }));
  const turn = {
    now: () => state().degrees,
    to: (degrees) => degrees !== state().degrees && set({ degrees }),
  };
  const picture = keep(board(turn));
  const line = keep(numberLine());
  const known = gauge({ tone: "latent", unit: "bits of 4" });
  known.root.prepend(h("span", { class: "ae-what", text: "I(X; h(Z))" }));
  const meters = {
    disentangled: meter({ name: "disentangled", meaning: "one factor, one coordinate" }),
    robust: meter({ name: "robust", meaning: "neighbours stay neighbours" }),
  };
  const table = telling();
  const note = h("p", { class: "ae-note", text: "Thin upright marks: before h." });
  const scores = h("div", { class: "cb-gauges" }, ...Object.values(meters).map(({ root }) => root));
  body.append(
    h(
      "div",
      { class: "cb-controls" },
      ...Object.values(sliders).map(({ root }) => root),
      h("div", { class: "cb-row" }, follows.root, undo),
    ),
    h(
      "div",
      { class: "cb-stage" },
      h("div", { class: "cb-left" }, picture.root),
      h(
        "div",
        { class: "cb-right" },
        known.root,
        line.root,
        h("div", { class: "cb-scores" }, scores, h("div", {}, table.root, note)),
      ),
    ),
  );

  const undone = remembering((noise) => survey({ ...fixtures, noise, degrees: 0, swaps: 0 }));
  const ahead = range(10).map(
    (k) => () => measure({ ...fixtures, ...state(), noise: 0.2 * k, degrees: 9 * k }),
  );
  keep({ dispose: whileIdle(ahead) });

  return (state) => {
    const all = { ...fixtures, ...state };
    const [now, before] = [measure(all), undone(state.noise)];
    line.update({ ...now, before: before.information });
    for (const [name, control] of Object.entries(sliders)) control.stand(state[name]);
    follows.set(state.follows ? "yes" : "no");
    undo.disabled = !state.degrees && !state.swaps;
    known.set((now.information * BITS).toFixed(4));
    const done = `turned by ${state.degrees} degrees, ${state.swaps} swaps in each coordinate`;
    picture.paint(now, state.degrees, `The board of codes, ${done}, noise ${two(state.noise)} cells.`);
    for (const [name, score] of Object.entries(meters)) score.set(now[name], before[name]);
    table.set(now.told);
    say(sentence(state, now, before));
    const { information: told, bound, gap, disentangled: apart, robust: near } = now;
    return {
      information: told,
      bound,
      gap,
      disentangled: apart,
      robust: near,
      tells: JSON.stringify(now.told),
    };
  };
});
