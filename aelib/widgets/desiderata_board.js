import {
  button,
  clamp,
  fixed,
  h,
  inks,
  interactive,
  meter,
  onWidth,
  slider,
  strip,
  whileIdle,
} from "./base.js";

const [SIDE, MIDDLE, REACH, INK] = [10, 4.5, 3.5, 9 / 4];
const [EXAMPLES, TRAIN, BINS, STEP] = [1000, 800, 10, 0.1];
const ROOM = SIDE + 6;
const HELD_OUT = EXAMPLES - TRAIN;
const CELLS = [1, 2, 5, 10];
const KNOBS = { degrees: 0, cells: 1, noise: 0, gap: 0 }; // each at rest
const GAUGES = {
  informative: "the copy resembles the input",
  disentangled: "one factor, one coordinate",
  robust: "small changes stay small",
  representative: "every place decodes to data",
};
const SHOWN = 8; // pictures in a row
const LARGEST = 256; // side of the plane of codes, in pixels
const range = (count) => [...Array(count).keys()];
const sum = (count, term) => {
  let total = 0;
  for (let i = 0; i < count; i += 1) total += term(i);
  return total;
};

// ---- the examples, as in desiderata_board.py --------------------------------------------------------------

// Many points are two columns, [Float64Array, Float64Array]: one number a point for each coordinate.
const points = (count, point) => {
  const columns = [new Float64Array(count), new Float64Array(count)];
  for (let i = 0; i < count; i += 1) [columns[0][i], columns[1][i]] = point(i);
  return columns;
};

const part = (columns, start, stop) => columns.map((column) => column.subarray(start, stop));

function unpack(data) {
  const two = ({ values, shape: [count] }) => points(count, (i) => [values[2 * i], values[2 * i + 1]]);
  const toy = {
    factors: two(data.factors),
    eps: two(data.eps),
    epsAgain: two(data.eps_again),
    draws: two(data.draws),
  };
  [toy.partner, toy.radius] = [data.partner.values, data.radius.values];
  [toy.realDistance, toy.realCoverage] = data.real.values;
  const orders = (cells) => [0, 1].map((axis) => data[`order ${cells}`].row(axis));
  toy.orders = Object.fromEntries(CELLS.slice(1).map((cells) => [cells, orders(cells)]));
  const heldOut = part(toy.factors, TRAIN, EXAMPLES);
  toy.train = spots(part(toy.factors, 0, TRAIN));
  toy.heldOut = spots(heldOut);
  toy.mixed = heldOut.map((column) => column.map((here, i) => here + STEP * (column[toy.partner[i]] - here)));
  toy.factorCells = toy.factors.map((column) => cellsOf(column, BINS));
  toy.entropy = toy.factorCells.map((cells) => information(cells, cells));
  toy.spread = spread(toy);
  return toy;
}

function spline(t) {
  const a = Math.abs(t);
  const b = Math.max(0, 2 - a);
  return a < 1 ? 2 / 3 - a * a + (a * a * a) / 2 : (b * b * b) / 6;
}

/** Pictures are products of two profiles, down[row] * across[column]; size is their squared length. */
function spots([right, up]) {
  const [across, down] = [profiles(right, REACH, 1), profiles(up, -REACH, INK)];
  return {
    across,
    down,
    size: right.map((_, i) => overlap(across, i, across, i) * overlap(down, i, down, i)),
  };
}

/**
 * Each profile has ink in four pixels at most: `first` is where in its row of `values` they begin. A row has
 * ROOM numbers, three zeros before the picture and three behind it, so that four can be read wherever they
 * begin.
 */
function profiles(places, reach, ink) {
  const [values, first] = [new Float64Array(ROOM * places.length), new Int32Array(places.length)];
  for (let i = 0; i < places.length; i += 1) {
    const centre = MIDDLE + reach * places[i];
    const from = clamp(Math.floor(centre) - 1, -3, SIDE - 1);
    first[i] = from + 3;
    for (let p = Math.max(0, from); p < Math.min(SIDE, from + 4); p += 1) {
      values[ROOM * i + 3 + p] = ink * spline(p - centre);
    }
  }
  return { values, first };
}

/** The scalar product of profile i of one list and profile j of another. */
function overlap(a, i, b, j) {
  const p = ROOM * i + a.first[i];
  const q = ROOM * j + a.first[i];
  const [one, two] = [a.values, b.values];
  return one[p] * two[q] + one[p + 1] * two[q + 1] + one[p + 2] * two[q + 2] + one[p + 3] * two[q + 3];
}

function apart(a, i, b, j) {
  const alike = overlap(a.across, i, b.across, j) * overlap(a.down, i, b.down, j);
  return Math.max(0, a.size[i] + b.size[j] - 2 * alike);
}

const pixel = ({ across, down }, i, row, column) =>
  down.values[ROOM * i + 3 + row] * across.values[ROOM * i + 3 + column];

/** The held-out pictures' squared distance from the mean training picture. */
function spread({ train, heldOut }) {
  const places = range(SIDE * SIDE).map((index) => [Math.floor(index / SIDE), index % SIDE]);
  const mean = places.map(([row, column]) => sum(TRAIN, (t) => pixel(train, t, row, column)) / TRAIN);
  const off = (i, index) => (pixel(heldOut, i, ...places[index]) - mean[index]) ** 2;
  return sum(HELD_OUT, (i) => sum(SIDE * SIDE, (index) => off(i, index)));
}

// ---- the bijections, as in bijections.py ------------------------------------------------------------------

/** The q-th quantile of sorted numbers, between neighbours as torch does it. */
function quantile(sorted, q) {
  const place = q * (sorted.length - 1);
  const [below, share] = [Math.floor(place), place - Math.floor(place)];
  const [a, b] = [sorted[below], sorted[Math.min(below + 1, sorted.length - 1)]];
  return share < 0.5 ? a + share * (b - a) : b - (b - a) * (1 - share);
}

const level = (k, count) => (k < (count + 1) / 2 ? k / count : 1 - (count - k) / count);

/** Cells of equal count, a thousandth of the range wider at both ends: count + 1 edges. */
function binEdges(sorted, count) {
  const edges = range(count + 1).map((k) => quantile(sorted, level(k, count)));
  const margin = (edges[count] - edges[0]) / 1000;
  edges[0] -= margin;
  edges[count] += margin;
  return edges;
}

/** Several intervals are two lists, of where each starts and where it stops. */
const between = (edges) => ({ starts: edges.slice(0, -1), stops: edges.slice(1) });
const pick = (list, order) => order.map((b) => list[b]);
const shuffled = ({ starts, stops }, order) => ({ starts: pick(starts, order), stops: pick(stops, order) });

/** The numbers in interval b of `source` go onto interval b of `target`, what lies in none stays. */
function exchange(column, source, target) {
  const moved = column.slice();
  for (let i = 0; i < column.length; i += 1) {
    const b = within(source, column[i]);
    if (b < 0) continue;
    const share = (column[i] - source.starts[b]) / (source.stops[b] - source.starts[b]);
    moved[i] = onto(share, target.starts[b], target.stops[b]);
  }
  return moved;
}

function within({ starts, stops }, value) {
  for (let b = 0; b < starts.length; b += 1) if (value >= starts[b] && value < stops[b]) return b;
  return -1;
}

function onto(share, low, high) {
  const moved = low + share * (high - low);
  return Math.max(low, moved < high ? moved : high - Math.abs(high) * 2 ** -53);
}

/** The halves move apart, and what lies beyond them moves into the hole. */
const parted = ([low, cut, high], width) => [
  between([low - width, low, cut, high, high + width]),
  {
    starts: [cut - width, low - width, cut + width, cut],
    stops: [cut, cut - width, high + width, cut + width],
  },
];

/**
 * What the knobs do to one coordinate before the turn: how far its halves move, and the exchanges one after
 * the other.
 */
function steps(sorted, order, gap) {
  const halves = binEdges(sorted, 2);
  const width = (gap * (halves[2] - halves[0])) / 2;
  const holes = gap ? [parted(halves, width)] : [];
  if (!order) return { width, exchanges: holes };
  const cells = between(binEdges(sorted, order.length));
  return { width, exchanges: [[cells, shuffled(cells, order)], ...holes] };
}

const STILL = { width: 0, exchanges: [] };

/**
 * Everything that the knobs do to columns, given each coordinate in order: { change, undo, frame, reach }.
 */
function bijection(toy, sorted, { degrees, cells, gap }) {
  const step = (column, axis) => steps(column, toy.orders[cells]?.[axis], gap);
  const axes = cells === 1 && gap === 0 ? [STILL, STILL] : sorted().map(step);
  const there = (column, axis) =>
    axes[axis].exchanges.reduce((z, [from, to]) => exchange(z, from, to), column);
  const back = (column, axis) =>
    axes[axis].exchanges.reduceRight((z, [from, to]) => exchange(z, to, from), column);
  return {
    change: (z) => turn(z.map(there), degrees),
    undo: (z) => turn(z, -degrees).map(back),
    frame: (z) =>
      turn(
        z.map((column, axis) => column.map((value) => value * (1 + axes[axis].width))),
        degrees,
      ),
    reach: 1 + Math.max(axes[0].width, axes[1].width),
  };
}

function turn([a, b], degrees) {
  if (degrees === 0) return [a, b];
  const angle = (degrees * Math.PI) / 180;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const [right, up] = [a.slice(), b.slice()];
  for (let i = 0; i < a.length; i += 1) {
    right[i] = cos * a[i] - sin * b[i];
    up[i] = sin * a[i] + cos * b[i];
  }
  return [right, up];
}

// ---- the gauges, as in desiderata.py ----------------------------------------------------------------------

function cellsOf(column, count) {
  const sorted = column.slice().sort();
  const inner = range(count - 1).map((k) => quantile(sorted, level(k + 1, count)));
  const cells = new Uint8Array(column.length);
  for (let i = 0; i < column.length; i += 1) {
    while (cells[i] < inner.length && inner[cells[i]] <= column[i]) cells[i] += 1;
  }
  return cells;
}

/** I in nats from two lists of cell numbers. */
function information(first, second) {
  const count = first.length;
  const [joint, rows, columns] = [BINS * BINS, BINS, BINS].map((cells) => new Float64Array(cells));
  for (let i = 0; i < count; i += 1) {
    joint[first[i] * BINS + second[i]] += 1;
    rows[first[i]] += 1;
    columns[second[i]] += 1;
  }
  let told = 0;
  for (let at = 0; at < joint.length; at += 1) {
    const chance = rows[Math.floor(at / BINS)] * columns[at % BINS];
    if (joint[at] > 0) told += (joint[at] / count) * Math.log((joint[at] * count) / chance);
  }
  return Math.max(0, told);
}

function disentangled(toy, codes) {
  const cells = codes.map((column) => cellsOf(column, BINS));
  const gaps = [0, 1].map((factor) => {
    const [a, b] = cells.map((column) => information(column, toy.factorCells[factor]));
    return Math.abs(a - b) / toy.entropy[factor];
  });
  return clamp((gaps[0] + gaps[1]) / 2, 0, 1);
}

function robust(toy, [a, b], moved) {
  const short = sum(HELD_OUT, (i) => (moved[0][i] - a[i]) ** 2 + (moved[1][i] - b[i]) ** 2);
  const long = sum(HELD_OUT, (i) => (a[toy.partner[i]] - a[i]) ** 2 + (b[toy.partner[i]] - b[i]) ** 2);
  const movement = Math.sqrt(short / long);
  return movement <= STEP * (1 + 1e-4) ? 1 : Math.max(0, (STEP * (1 / movement - 1)) / (1 - STEP));
}

/**
 * How far real picture t is from the nearest drawn one, squared; `nearest` keeps how far each drawn one is
 * from any real.
 */
function closest(real, t, drawn, nearest) {
  const [p, q] = [real.across.first[t], real.down.first[t]];
  const [i, j] = [ROOM * t + p, ROOM * t + q];
  const [a, b, across] = [real.across.values, real.down.values, drawn.across.values];
  const [a0, a1, a2, a3] = [a[i], a[i + 1], a[i + 2], a[i + 3]];
  const [b0, b1, b2, b3] = [b[j], b[j + 1], b[j + 2], b[j + 3]];
  const {
    size,
    down: { values: down },
  } = drawn;
  let least = Infinity;
  for (let g = 0; g < HELD_OUT; g += 1) {
    const x = ROOM * g + p;
    const y = ROOM * g + q;
    const alike =
      (a0 * across[x] + a1 * across[x + 1] + a2 * across[x + 2] + a3 * across[x + 3]) *
      (b0 * down[y] + b1 * down[y + 1] + b2 * down[y + 2] + b3 * down[y + 3]);
    const distance = Math.max(0, real.size[t] + size[g] - 2 * alike);
    if (distance < nearest[g]) nearest[g] = distance;
    if (distance < least) least = distance;
  }
  return least;
}

function representative(toy, drawn) {
  const nearest = new Float64Array(HELD_OUT).fill(Infinity);
  const covered = sum(TRAIN, (t) => Math.sqrt(closest(toy.train, t, drawn, nearest)) <= toy.radius[t]);
  const ratio = sum(HELD_OUT, (g) => Math.sqrt(nearest[g])) / HELD_OUT / toy.realDistance;
  return Math.min(1, 1 / ratio, covered / TRAIN / toy.realCoverage);
}

/**
 * The codes before any bijection, each coordinate of them in order if it is asked for, and the codes of the
 * mixed pictures.
 */
function blurred(toy, noise) {
  const add = (columns, eps) =>
    columns.map((column, axis) => column.map((value, i) => value + noise * eps[axis][i]));
  const codes = add(toy.factors, toy.eps);
  let inOrder = null;
  const sorted = () => (inOrder ??= codes.map((column) => column.slice().sort()));
  return { codes, sorted, mixed: add(toy.mixed, toy.epsAgain) };
}

/** The codes for one setting of the knobs, and the copies that the decoder draws from the held-out ones. */
function encode(toy, state, known) {
  const { codes: plain, sorted, mixed } = once(known.noises, state.noise, () => blurred(toy, state.noise));
  const code = bijection(toy, sorted, state);
  const codes = code.change(plain);
  const held = part(codes, TRAIN, EXAMPLES);
  return { code, codes, held, moved: code.change(mixed), copies: spots(code.undo(held)) };
}

const decodeDrawn = (code, draws) => spots(code.undo(code.frame(draws)));

/** The four gauges; what depends on the law of codes alone is measured once for each law. */
function measure(toy, state, { code, codes, held, moved, copies }, known) {
  const law = state.cells === 1 && state.gap === 0 ? "plain" : [state.cells, state.noise, state.gap].join();
  return {
    informative: 1 - sum(HELD_OUT, (i) => apart(copies, i, toy.heldOut, i)) / toy.spread,
    disentangled: disentangled(toy, codes),
    robust: robust(toy, held, moved),
    representative: once(known.laws, law, () => representative(toy, decodeDrawn(code, toy.draws))),
  };
}

/** The gauges at a setting, measured when it is first met; `coded()` gives its codes. */
function scoresAt(toy, state, known, coded = () => encode(toy, state, known)) {
  const setting = Object.keys(KNOBS)
    .map((name) => state[name])
    .join();
  return once(known.scores, setting, () => measure(toy, state, coded(), known));
}

/** What `known` holds under this key, computed if it holds nothing. */
function once(known, key, compute) {
  if (!known.has(key)) known.set(key, compute());
  return known.get(key);
}

// ---- the sentence: true at every setting ------------------------------------------------------------------

const two = (value) => fixed(value, 2);
const list = (words) =>
  words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
const upright = ({ degrees }) => degrees === 0 || degrees === 90;

const DOES = {
  degrees: ({ degrees }) =>
    degrees === 90
      ? "A quarter turn, which makes the two coordinates change places,"
      : `A turn by ${degrees}°`,
  cells: ({ cells }) => `Shuffling ${cells} cells of each coordinate`,
  noise: ({ noise }) => `Noise of ${two(noise)}`,
  gap: ({ gap }) => `Moving the halves apart by ${two(gap)}`,
};

/** What the theory promises: the gauges that this knob leaves alone, the others standing as they do. */
const SPARES = {
  degrees: ({ degrees }) => ["informative", "robust", "representative", degrees === 90 ? "disentangled" : ""],
  cells: (state) => [
    "informative",
    upright(state) ? "disentangled" : "",
    state.noise === 0 ? "representative" : "",
  ],
  noise: ({ cells, gap }) => [cells === 1 && gap === 0 ? "representative" : ""],
  gap: (state) => ["informative", upright(state) ? "disentangled" : ""],
};

function sentence(state, now, before) {
  const knob = state.touched;
  if (state[knob] === KNOBS[knob]) return restSentence(state);
  const spared = SPARES[knob](state).filter(Boolean);
  const kept = spared.filter((name) => Math.abs(now[name] - before[name]) < 0.03);
  const lost = Object.keys(GAUGES).filter((name) => !spared.includes(name));
  return [`${DOES[knob](state)} ${promise(spared, kept, now, before)}.`, change(lost, now, before)]
    .filter(Boolean)
    .join(" ");
}

function restSentence(state) {
  const idle = Object.keys(KNOBS).every((name) => state[name] === KNOBS[name]);
  if (idle) {
    return (
      "The plain code: coordinate 1 says how far right the spot is, coordinate 2 how far up. " +
      "All four gauges are full, or nearly."
    );
  }
  return "This knob is at rest and changes nothing: what is missing is the work of the others.";
}

function promise(spared, kept, now, before) {
  if (!spared.length) return "promises nothing while the other knobs stand as they do";
  const missed = spared.filter((name) => !kept.includes(name));
  const should = `should leave ${list(spared)} alone`;
  if (!missed.length) return `${should}, and does`;
  const went = missed.map((name) => `${name} went from ${two(before[name])} to ${two(now[name])}`);
  return `${should}; but ${list(went)}`;
}

function change(names, now, before) {
  const moves = names.map((name) => [name, two(before[name]), two(now[name])]);
  const move = ([name, was, is]) =>
    was === is ? `${name} stays at ${is}` : `${name} goes from ${was} to ${is}`;
  const words = moves.map(move);
  return words.length ? `${list(words).replace(/^./, (letter) => letter.toUpperCase())}.` : "";
}

// ---- what is drawn ----------------------------------------------------------------------------------------

/**
 * The plane of codes: a mark for each example, the square that codes are drawn from, what a small change
 * does.
 */
function codePlane({ factors: [right, up] }) {
  const canvas = h("canvas", { class: "db-plane", role: "img" });
  const root = h("div", { class: "db-plane-room" }, canvas);
  const strengths = right.map((value) => 0.15 + 0.85 * ((value + 1) / 2));
  const radii = up.map((value) => 1.2 + 2.2 * ((value + 1) / 2));
  let [shown, wide] = [null, 0];
  const ink = (name) => colours.css(name);
  const draw = () => {
    if (!wide || !shown) return;
    const [dots, size] = [window.devicePixelRatio || 1, Math.min(wide, LARGEST)];
    if (canvas.width !== Math.round(size * dots)) {
      canvas.width = canvas.height = Math.round(size * dots);
      canvas.style.width = canvas.style.height = `${size}px`;
    }
    const context = canvas.getContext("2d");
    const half = 1.55 + 1.5 * shown.gap;
    const scale = (size * dots) / (2 * half);
    const on = { context, dots, x: (value) => (half + value) * scale, y: (value) => (half - value) * scale };
    context.clearRect(0, 0, canvas.width, canvas.height);
    outline(
      on,
      shown.code.frame([
        [-1, 1, 1, -1],
        [-1, -1, 1, 1],
      ]),
    );
    marks(on, shown.codes);
    changes(on, shown.held, shown.moved);
    crosses(on, shown.walks);
  };
  const outline = ({ context, dots, x, y }, [a, b]) => {
    context.strokeStyle = ink("muted");
    context.lineWidth = 1.2 * dots;
    context.setLineDash([5 * dots, 4 * dots]);
    context.beginPath();
    a.forEach((value, k) => context.lineTo(x(value), y(b[k])));
    context.closePath();
    context.stroke();
    context.setLineDash([]);
  };
  const marks = ({ context, dots, x, y }, [a, b]) => {
    context.fillStyle = ink("latent");
    for (let i = 0; i < 500; i += 1) {
      context.globalAlpha = strengths[i];
      context.beginPath();
      context.arc(x(a[i]), y(b[i]), radii[i] * dots, 0, 7);
      context.fill();
    }
    context.globalAlpha = 1;
  };
  const changes = ({ context, dots, x, y }, from, to) => {
    context.strokeStyle = ink("error");
    context.lineWidth = 1.4 * dots;
    context.beginPath();
    for (let i = 0; i < 40; i += 1) {
      context.moveTo(x(from[0][i]), y(from[1][i]));
      context.lineTo(x(to[0][i]), y(to[1][i]));
    }
    context.stroke();
  };
  const crosses = ({ context, dots, x, y }, walks) => {
    context.strokeStyle = ink("input");
    context.lineWidth = 1.6 * dots;
    const square = (a, b) => context.strokeRect(x(a) - 2.5 * dots, y(b) - 2.5 * dots, 5 * dots, 5 * dots);
    for (const [a, b] of walks) a.forEach((value, k) => square(value, b[k]));
  };
  const colours = inks(root, draw);
  const stop = onWidth(root, (now) => {
    wide = now;
    draw();
  });
  const paint = (next, words) => {
    shown = next;
    canvas.setAttribute("aria-label", words);
    draw();
  };
  const dispose = () => [stop, colours.dispose].forEach((end) => end());
  return { root, paint, dispose };
}

/** The first pictures of a list, a byte a pixel. */
function bytes({ across, down }) {
  const amounts = new Uint8Array(SHOWN * SIDE * SIDE);
  for (let line = 0; line < SHOWN * SIDE; line += 1) {
    const start = ROOM * Math.floor(line / SIDE) + 3;
    const ink = down.values[start + (line % SIDE)];
    if (ink === 0) continue;
    for (let column = 0; column < SIDE; column += 1)
      amounts[SIDE * line + column] = Math.round(255 * (ink * across.values[start + column]));
  }
  return amounts;
}

/**
 * A row of the first eight of some pictures; it is painted when one of its pixels has changed by the eye's
 * measure.
 */
function row(label, words, name) {
  const pictures = strip({ label: words, count: SHOWN, rows: SIDE, columns: SIDE, gap: 0.16, widest: 30 });
  const root = h("div", { class: "db-row" }, h("span", { class: "db-row-name", text: label }), pictures.root);
  let painted = [];
  const paint = (list) => {
    const amounts = bytes(list);
    if (amounts.every((amount, index) => amount === painted[index])) return;
    painted = amounts;
    pictures.paint((index) => amounts[index] / 255, name);
  };
  return { root, paint, dispose: pictures.dispose };
}

/**
 * Codes on a straight walk along each axis, through the code of one example, as far as the square reaches.
 */
function walks(code) {
  const steps = Float64Array.from(
    { length: SHOWN },
    (_, k) => code.reach * (-0.94 + (1.88 * k) / (SHOWN - 1)),
  );
  const [a, b] = code
    .change([Float64Array.of(0.3), Float64Array.of(-0.3)])
    .map(([value]) => steps.map(() => value));
  return [
    [steps, b],
    [a, steps],
  ];
}

// ---- together ---------------------------------------------------------------------------------------------

const FACE = {
  traits: [...Object.keys(KNOBS), "touched"],
  lead:
    "A code of two numbers for pictures of a spot. Whatever is done to the code, " +
    "the decoder undoes it before it draws; noise it cannot undo.",
};
const LEGEND =
  "Coordinate 1 to the right and 2 upwards. " +
  "A dot is an example: the stronger, the further right in its picture; " +
  "the larger, the further up. Lines: where a code goes when a tenth of another picture is mixed in. " +
  "Squares: the two walks. Dashed: where codes are drawn. " +
  "Upright marks on the gauges: the knob that you moved last, at rest.";

/** A knob: its slider, and the position where a state stands. */
function knob(label, name, max, factor, show, turn) {
  const control = slider({
    label,
    min: 0,
    max,
    value: 0,
    tone: name === "noise" ? "error" : "latent",
    big: false,
    show,
    input: (value) => turn(name, name === "cells" ? CELLS[value] : Number((value * factor).toFixed(2))),
  });
  const stand = (value) => {
    const at = name === "cells" ? CELLS.indexOf(value) : Math.round(value / factor);
    if (Number(control.input.value) !== at) control.set(at);
  };
  return { ...control, stand };
}

function knobs(turn) {
  const spread = (value) => ({ number: two(value * 0.01), unit: "of half the side" });
  const cut = (value) => (value ? { number: CELLS[value], unit: "cells a coordinate" } : { number: "off" });
  return {
    degrees: knob(
      "Turn",
      "degrees",
      90,
      1,
      (value) => ({ number: `${value}°`, spoken: `${value} degrees` }),
      turn,
    ),
    cells: knob("Scramble", "cells", 3, 1, cut, turn),
    noise: knob("Noise", "noise", 30, 0.01, spread, turn),
    gap: knob(
      "Holes",
      "gap",
      30,
      0.02,
      (value) => ({ number: two(value * 0.02), unit: "of half the range" }),
      turn,
    ),
  };
}

export default interactive(FACE, ({ state, set, data, body, say, keep }) => {
  const toy = unpack(data);
  const controls = knobs((name, value) => set({ touched: name, [name]: value }));
  const make = (...words) => keep(row(...words));
  const rows = {
    in: make("in", "Eight held-out pictures", "input"),
    copy: make("copy", "Their copies, decoded from their codes", "recon"),
    first: make("walk 1", "Pictures decoded on a walk along coordinate 1", "latent"),
    second: make("walk 2", "Pictures decoded on a walk along coordinate 2", "latent"),
    drawn: make("drawn", "Eight pictures decoded from codes drawn at random", "recon"),
  };
  const below = {
    informative: [rows.in, rows.copy],
    disentangled: [rows.first, rows.second],
    robust: [],
    representative: [rows.drawn],
  };
  const gauges = {};
  for (const [name, meaning] of Object.entries(GAUGES)) {
    gauges[name] = meter({ name, meaning });
    gauges[name].root.append(...below[name].map(({ root }) => root));
  }
  const map = keep(codePlane(toy));
  const reset = button("All at rest", () => set({ ...KNOBS }), { class: "ae-button db-reset" });
  const note = (text) => h("p", { class: "ae-note", text });
  const fold = h("details", {}, h("summary", { text: "How to read this" }), note(LEGEND));
  const meters = Object.values(gauges).map(({ root }) => root);
  body.append(
    h("div", { class: "db-knobs" }, ...Object.values(controls).map(({ root }) => root)),
    h(
      "div",
      { class: "db-stage" },
      h("div", { class: "db-left" }, map.root, h("div", { class: "db-tools" }, reset, fold)),
      h("div", { class: "db-gauges" }, ...meters),
    ),
  );

  const known = { noises: new Map(), laws: new Map(), scores: new Map() };
  // While the reader still reads: what the first moves will ask for.
  const gaps = range(31).map((k) => ({ gap: Number((k * 0.02).toFixed(2)) }));
  const ahead = [...CELLS.map((cells) => ({ cells })), ...gaps];
  keep({ dispose: whileIdle(ahead.map((change) => () => scoresAt(toy, { ...state(), ...change }, known))) });

  return (state) => {
    const coded = encode(toy, state, known);
    const now = scoresAt(toy, state, known, () => coded);
    const before = scoresAt(toy, { ...state, [state.touched]: KNOBS[state.touched] }, known);
    for (const [name, control] of Object.entries(controls)) control.stand(state[name]);
    reset.disabled = Object.keys(KNOBS).every((name) => state[name] === KNOBS[name]);
    for (const name of Object.keys(GAUGES)) gauges[name].set(now[name], before[name]);
    say(sentence(state, now, before));
    const paths = walks(coded.code);
    const done = `turned by ${state.degrees} degrees, scrambled in ${state.cells} cells`;
    const words = `${done}, noise ${two(state.noise)}, holes ${two(state.gap)}`;
    map.paint(
      { ...coded, gap: state.gap, walks: paths },
      `The codes of 500 examples in the plane, ${words}.`,
    );
    rows.in.paint(toy.heldOut);
    rows.copy.paint(coded.copies);
    rows.first.paint(spots(coded.code.undo(paths[0])));
    rows.second.paint(spots(coded.code.undo(paths[1])));
    rows.drawn.paint(decodeDrawn(coded.code, part(toy.draws, 0, SHOWN)));
    return now;
  };
});
