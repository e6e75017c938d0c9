import { card, clamp, colour, FOCUSABLE, h, listen, onTheme, onWidth, readFloat64, saver, slider, strip } from "./base.js";

const [SIDE, MIDDLE, REACH, INK] = [10, 4.5, 3.5, 9 / 4];
const [EXAMPLES, TRAIN, BINS, STEP] = [1000, 800, 10, 0.1];
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
const range = (count) => [...Array(count).keys()];
const total = (list) => list.reduce((sum, value) => sum + value, 0);
const pairs = (numbers, start, count) => range(count).map((i) => [numbers[start + 2 * i], numbers[start + 2 * i + 1]]);

// ---- the examples, as in desiderata_board.py -------------------------------------------------------------------

function unpack(numbers) {
  let at = 0;
  const take = (count) => { at += count; return at - count; };
  const two = (count) => pairs(numbers, take(2 * count), count);
  const toy = { factors: two(EXAMPLES), eps: two(EXAMPLES), epsAgain: two(HELD_OUT), draws: two(HELD_OUT) };
  const list = (count) => { const start = take(count); return [...numbers.slice(start, start + count)]; };
  toy.partner = list(HELD_OUT);
  toy.radius = list(TRAIN);
  [toy.realDistance, toy.realCoverage] = list(2);
  toy.orders = Object.fromEntries(CELLS.slice(1).map((cells) => [cells, [list(cells), list(cells)]]));
  toy.heldOut = toy.factors.slice(TRAIN).map(spot);
  toy.train = toy.factors.slice(0, TRAIN).map(spot);
  toy.factorCells = [0, 1].map((axis) => cellsOf(toy.factors.map((row) => row[axis]), BINS));
  toy.entropy = toy.factorCells.map((cells) => information(cells, cells));
  toy.spread = spread(toy);
  toy.flatTrain = flatten(toy.train);
  return toy;
}

function spline(t) {
  const a = Math.abs(t);
  return a < 1 ? 2 / 3 - a * a + (a * a * a) / 2 : Math.max(0, 2 - a) ** 3 / 6;
}

/** A picture is the product of two profiles: down[row] * across[column]. size is its squared length. */
function spot([right, up]) {
  const across = Float64Array.from({ length: SIDE }, (_, p) => spline(p - (MIDDLE + REACH * right)));
  const down = Float64Array.from({ length: SIDE }, (_, p) => INK * spline(p - (MIDDLE - REACH * up)));
  return { across, down, size: dot(across, across) * dot(down, down) };
}

function dot(a, b) {
  let sum = 0;
  for (let i = 0; i < SIDE; i += 1) sum += a[i] * b[i];
  return sum;
}

const apart = (a, b) => Math.max(0, a.size + b.size - 2 * dot(a.across, b.across) * dot(a.down, b.down));
const pixel = ({ across, down }, index) => down[Math.floor(index / SIDE)] * across[index % SIDE];

/** The held-out pictures' squared distance from the mean training picture. */
function spread({ train, heldOut }) {
  const mean = range(SIDE * SIDE).map((index) => total(train.map((picture) => pixel(picture, index))) / TRAIN);
  return total(heldOut.map((picture) => total(mean.map((value, index) => (pixel(picture, index) - value) ** 2))));
}

// ---- the bijections, as in bijections.py -----------------------------------------------------------------------

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

const intervals = (edges) => edges.slice(1).map((edge, k) => [edges[k], edge]);

/** One number: interval b of `source` goes onto interval b of `target`, what lies in none stays. */
function exchange(value, source, target) {
  for (let b = 0; b < source.length; b += 1) {
    const [start, stop] = source[b];
    if (value >= start && value < stop) {
      const [low, high] = target[b];
      const moved = low + ((value - start) / (stop - start)) * (high - low);
      return Math.max(low, moved < high ? moved : high - Math.abs(high) * 2 ** -53);
    }
  }
  return value;
}

function parted(edges, gap) {
  const [low, cut, high] = edges;
  const width = (gap * (high - low)) / 2;
  return {
    width,
    pieces: [[low - width, low], [low, cut], [cut, high], [high, high + width]],
    places: [[cut - width, cut], [low - width, cut - width], [cut + width, high + width], [cut, cut + width]],
  };
}

/** Everything that the knobs do, one coordinate at a time before the turn: { change, undo, width }. */
function bijection(toy, noisy, { degrees, cells, gap }) {
  const axes = [0, 1].map((axis) => {
    const sorted = Float64Array.from(noisy, (row) => row[axis]).sort();
    const holes = parted(binEdges(sorted, 2), gap);
    if (cells === 1) return { ...holes, from: [], to: [] };
    const from = intervals(binEdges(sorted, cells));
    return { ...holes, from, to: toy.orders[cells][axis].map((b) => from[b]) };
  });
  const angle = (degrees * Math.PI) / 180;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const turn = ([a, b]) => [cos * a - sin * b, sin * a + cos * b];
  const turnBack = ([a, b]) => [cos * a + sin * b, cos * b - sin * a];
  const there = (value, { from, to, pieces, places }) => exchange(exchange(value, from, to), pieces, places);
  const back = (value, { from, to, pieces, places }) => exchange(exchange(value, places, pieces), to, from);
  return {
    change: ([a, b]) => turn([there(a, axes[0]), there(b, axes[1])]),
    undo: (z) => turnBack(z).map((value, axis) => back(value, axes[axis])),
    frame: ([a, b]) => turn([a * (1 + axes[0].width), b * (1 + axes[1].width)]),
    reach: 1 + Math.max(axes[0].width, axes[1].width),
  };
}

// ---- the gauges, as in desiderata.py ---------------------------------------------------------------------------

function cellsOf(column, count) {
  const sorted = Float64Array.from(column).sort();
  const inner = range(count - 1).map((k) => quantile(sorted, level(k + 1, count)));
  return Uint8Array.from(column, (value) => {
    let cell = 0;
    while (cell < inner.length && inner[cell] <= value) cell += 1;
    return cell;
  });
}

/** I in nats from two lists of cell numbers. */
function information(first, second) {
  const joint = new Float64Array(BINS * BINS);
  first.forEach((cell, i) => { joint[cell * BINS + second[i]] += 1 / first.length; });
  const rows = range(BINS).map((r) => total(range(BINS).map((c) => joint[r * BINS + c])));
  const columns = range(BINS).map((c) => total(range(BINS).map((r) => joint[r * BINS + c])));
  const told = total([...joint].map((p, at) => (p > 0 ? p * Math.log(p / (rows[Math.floor(at / BINS)] * columns[at % BINS])) : 0)));
  return Math.max(0, told);
}

function disentangled(toy, codes) {
  const cells = [0, 1].map((axis) => cellsOf(codes.map((row) => row[axis]), BINS));
  const gaps = [0, 1].map((factor) => {
    const [a, b] = cells.map((column) => information(column, toy.factorCells[factor]));
    return Math.abs(a - b) / toy.entropy[factor];
  });
  return clamp((gaps[0] + gaps[1]) / 2, 0, 1);
}

function robust(toy, codes, moved) {
  let [short, long] = [0, 0];
  moved.forEach((to, i) => {
    const [from, other] = [codes[TRAIN + i], codes[TRAIN + toy.partner[i]]];
    short += (to[0] - from[0]) ** 2 + (to[1] - from[1]) ** 2;
    long += (other[0] - from[0]) ** 2 + (other[1] - from[1]) ** 2;
  });
  const movement = Math.sqrt(short / long);
  return movement <= STEP * (1 + 1e-4) ? 1 : Math.max(0, (STEP * (1 / movement - 1)) / (1 - STEP));
}

/** Profiles in a row, with the first pixel of each that has ink and the one after its last: the rest adds nothing. */
function lineUp(profiles) {
  const values = new Float64Array(SIDE * profiles.length);
  profiles.forEach((profile, i) => values.set(profile, SIDE * i));
  const from = Int32Array.from(profiles, (profile) => Math.max(0, profile.findIndex((value) => value !== 0)));
  const to = Int32Array.from(profiles, (profile) => SIDE - Math.max(0, [...profile].reverse().findIndex((value) => value !== 0)));
  return { values, from, to };
}

/** All pictures so that the 160,000 distances below are quick. */
function flatten(pictures) {
  const [across, down] = ["across", "down"].map((way) => lineUp(pictures.map((picture) => picture[way])));
  return { across, down, size: Float64Array.from(pictures, (picture) => picture.size) };
}

/** The scalar product of profile t of one row and profile g of another. */
function overlap(a, t, b, g) {
  let sum = 0;
  const end = Math.min(a.to[t], b.to[g]);
  for (let p = Math.max(a.from[t], b.from[g]); p < end; p += 1) sum += a.values[SIDE * t + p] * b.values[SIDE * g + p];
  return sum;
}

function representative(toy, generated) {
  const [real, drawn] = [toy.flatTrain, flatten(generated)];
  const nearest = new Float64Array(HELD_OUT).fill(Infinity);
  let covered = 0;
  for (let t = 0; t < TRAIN; t += 1) {
    let closest = Infinity;
    for (let g = 0; g < HELD_OUT; g += 1) {
      const across = overlap(real.across, t, drawn.across, g);
      const down = across > 0 ? overlap(real.down, t, drawn.down, g) : 0;
      const distance = Math.max(0, real.size[t] + drawn.size[g] - 2 * across * down);
      if (distance < nearest[g]) nearest[g] = distance;
      if (distance < closest) closest = distance;
    }
    if (Math.sqrt(closest) <= toy.radius[t]) covered += 1;
  }
  const ratio = total([...nearest].map(Math.sqrt)) / HELD_OUT / toy.realDistance;
  return Math.min(1, 1 / ratio, covered / TRAIN / toy.realCoverage);
}

/** Codes, pictures and scores for one setting of the knobs; `alike` is one with the same law of codes, if any is known. */
function measure(toy, state, alike) {
  const noisy = toy.factors.map((z, i) => z.map((value, axis) => value + state.noise * toy.eps[i][axis]));
  const code = bijection(toy, noisy, state);
  const codes = noisy.map(code.change);
  const moved = toy.epsAgain.map((eps, i) => {
    const [here, there] = [toy.factors[TRAIN + i], toy.factors[TRAIN + toy.partner[i]]];
    return code.change(here.map((value, axis) => value + STEP * (there[axis] - value) + state.noise * eps[axis]));
  });
  const copies = codes.slice(TRAIN).map((z) => spot(code.undo(z)));
  const drawn = alike?.drawn ?? toy.draws.map((u) => spot(code.undo(code.frame(u))));
  const scores = {
    informative: 1 - total(copies.map((copy, i) => apart(copy, toy.heldOut[i]))) / toy.spread,
    disentangled: disentangled(toy, codes),
    robust: robust(toy, codes, moved),
    representative: alike?.scores.representative ?? representative(toy, drawn),
  };
  return { code, codes, moved, copies, drawn, scores };
}

// ---- the sentence: true at every setting -----------------------------------------------------------------------

const two = (value) => (Math.abs(value) < 0.005 ? "0.00" : value.toFixed(2).replace("-", "−"));
const list = (words) => (words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`);
const upright = ({ degrees }) => degrees === 0 || degrees === 90;

const DOES = {
  degrees: ({ degrees }) => (degrees === 90 ? "A quarter turn, which makes the two coordinates change places," : `A turn by ${degrees}°`),
  cells: ({ cells }) => `Shuffling ${cells} cells of each coordinate`,
  noise: ({ noise }) => `Noise of ${two(noise)}`,
  gap: ({ gap }) => `Moving the halves apart by ${two(gap)}`,
};

/** What the theory promises: the gauges that this knob leaves alone, the others standing as they do. */
const SPARES = {
  degrees: ({ degrees }) => ["informative", "robust", "representative", degrees === 90 ? "disentangled" : ""],
  cells: (state) => ["informative", upright(state) ? "disentangled" : "", state.noise === 0 ? "representative" : ""],
  noise: ({ cells, gap }) => [cells === 1 && gap === 0 ? "representative" : ""],
  gap: (state) => ["informative", upright(state) ? "disentangled" : ""],
};

function sentence(state, now, before) {
  const knob = state.touched;
  if (state[knob] === KNOBS[knob]) return restSentence(state);
  const spared = SPARES[knob](state).filter(Boolean);
  const kept = spared.filter((name) => Math.abs(now[name] - before[name]) < 0.03);
  const lost = Object.keys(GAUGES).filter((name) => !spared.includes(name));
  return [`${DOES[knob](state)} ${promise(spared, kept, now, before)}.`, change(lost, now, before)].filter(Boolean).join(" ");
}

function restSentence(state) {
  const idle = Object.keys(KNOBS).every((name) => state[name] === KNOBS[name]);
  if (idle) return "The plain code: coordinate 1 says how far right the spot is, coordinate 2 how far up. All four gauges are full, or nearly.";
  return "This knob is at rest and changes nothing: what is missing is the work of the others.";
}

function promise(spared, kept, now, before) {
  if (!spared.length) return "promises nothing while the other knobs stand as they do";
  const missed = spared.filter((name) => !kept.includes(name));
  const should = `should leave ${list(spared)} alone`;
  if (!missed.length) return `${should}, and does`;
  return `${should}; but ${list(missed.map((name) => `${name} went from ${two(before[name])} to ${two(now[name])}`))}`;
}

function change(names, now, before) {
  const moves = names.map((name) => [name, two(before[name]), two(now[name])]);
  const words = moves.map(([name, was, is]) => (was === is ? `${name} stays at ${is}` : `${name} goes from ${was} to ${is}`));
  return words.length ? `${list(words).replace(/^./, (letter) => letter.toUpperCase())}.` : "";
}

// ---- what is drawn ---------------------------------------------------------------------------------------------

/** The plane of codes: a mark for each example, the square that codes are drawn from, what a small change does. */
function plane(toy) {
  const canvas = h("canvas", { class: "db-plane", role: "img" });
  const root = h("div", { class: "db-plane-room" }, canvas);
  let shown = null;
  const inks = {};
  const ink = (name) => { inks[name] ??= colour(root, name); return `rgb(${inks[name].join(" ")})`; };
  const draw = () => {
    const [dots, wide] = [window.devicePixelRatio || 1, root.clientWidth];
    if (!wide || !shown) return;
    const size = Math.min(wide, 400);
    if (canvas.width !== Math.round(size * dots)) {
      canvas.width = canvas.height = Math.round(size * dots);
      canvas.style.width = canvas.style.height = `${size}px`;
    }
    const context = canvas.getContext("2d");
    const half = 1.55 + 1.5 * shown.gap;
    const scale = (size * dots) / (2 * half);
    const at = ([a, b]) => [(half + a) * scale, (half - b) * scale];
    context.clearRect(0, 0, canvas.width, canvas.height);
    outline(context, [[-1, -1], [1, -1], [1, 1], [-1, 1]].map((corner) => at(shown.code.frame(corner))), ink("muted"), dots);
    marks(context, at, dots);
    changes(context, at, dots);
    crosses(context, at, dots);
  };
  const marks = (context, at, dots) => {
    context.fillStyle = ink("latent");
    for (let i = 0; i < 500; i += 1) {
      const [x, y] = at(shown.codes[i]);
      context.globalAlpha = 0.15 + 0.85 * ((toy.factors[i][0] + 1) / 2);
      context.beginPath();
      context.arc(x, y, (1.2 + 2.2 * ((toy.factors[i][1] + 1) / 2)) * dots, 0, 7);
      context.fill();
    }
    context.globalAlpha = 1;
  };
  const changes = (context, at, dots) => {
    context.strokeStyle = ink("error");
    context.lineWidth = 1.4 * dots;
    context.beginPath();
    for (let i = 0; i < 40; i += 1) {
      context.moveTo(...at(shown.codes[TRAIN + i]));
      context.lineTo(...at(shown.moved[i]));
    }
    context.stroke();
  };
  const crosses = (context, at, dots) => {
    context.strokeStyle = ink("input");
    context.lineWidth = 1.6 * dots;
    for (const walk of shown.walks) {
      for (const [x, y] of walk.map(at)) {
        context.strokeRect(x - 2.5 * dots, y - 2.5 * dots, 5 * dots, 5 * dots);
      }
    }
  };
  const stop = [onTheme(() => { Object.keys(inks).forEach((name) => delete inks[name]); draw(); }), onWidth(root, draw)];
  const paint = (next, words) => { shown = next; canvas.setAttribute("aria-label", words); draw(); };
  return { root, paint, dispose: () => stop.forEach((end) => end()) };
}

function outline(context, corners, stroke, dots) {
  context.strokeStyle = stroke;
  context.lineWidth = 1.2 * dots;
  context.setLineDash([5 * dots, 4 * dots]);
  context.beginPath();
  corners.forEach(([x, y], k) => (k ? context.lineTo(x, y) : context.moveTo(x, y)));
  context.closePath();
  context.stroke();
  context.setLineDash([]);
}

function gauge(name, meaning, rows) {
  const [fill, tick, number] = [h("div", { class: "db-fill" }), h("div", { class: "db-tick" }), h("span", { class: "db-score" })];
  const pictures = rows.map(({ label, words }) => ({ label, strip: strip({ label: words, count: SHOWN, rows: SIDE, columns: SIDE, gap: 0.16, widest: 44 }) }));
  const root = h("div", { class: "db-gauge" },
    h("div", { class: "db-head" }, h("span", { class: "db-name", text: name }), h("span", { class: "db-meaning", text: meaning }), number),
    h("div", { class: "db-track" }, fill, tick),
    ...pictures.map(({ label, strip: row }) => h("div", { class: "db-row" }, h("span", { class: "db-row-name", text: label }), row.root)));
  const set = (value, before) => {
    fill.style.width = `${100 * clamp(value, 0, 1)}%`;
    tick.style.left = `${100 * clamp(before, 0, 1)}%`;
    number.textContent = two(value);
    root.classList.toggle("db-fallen", before - value > 0.05);
  };
  return { root, set, strips: pictures.map((picture) => picture.strip) };
}

const paintRow = (row, pictures, name) => row.paint((index) => {
  const [line, column] = [Math.floor(index / SIDE), index % SIDE];
  return pixel(pictures[Math.floor(line / SIDE)], (line % SIDE) * SIDE + column);
}, name);

/** Codes on a straight walk along each axis, through the code of one example, as far as the square reaches. */
function walks(code, start) {
  const steps = range(SHOWN).map((k) => code.reach * (-0.94 + (1.88 * k) / (SHOWN - 1)));
  return [steps.map((a) => [a, start[1]]), steps.map((b) => [start[0], b])];
}

// ---- together --------------------------------------------------------------------------------------------------

function render({ model, el }) {
  const save = saver(model);
  const toy = unpack(readFloat64(model.get("data")));
  const { section, body, say } = card(el, {
    title: "What breaks which wish?",
    lead: "A code of two numbers for pictures of a spot. Whatever is done to the code, the decoder undoes it before it draws; noise it cannot undo.",
  });
  const read = () => Object.fromEntries(["degrees", "cells", "noise", "gap", "touched"].map((name) => [name, model.get(name)]));
  const choose = (name, value) => {
    model.set({ touched: name, [name]: value });
    save();
  };
  const knob = (label, name, max, factor, show) => slider({
    label, min: 0, max, value: 0, tone: name === "noise" ? "error" : "latent", big: false, show,
    input: (value) => choose(name, name === "cells" ? CELLS[value] : Number((value * factor).toFixed(2))),
  });
  const knobs = {
    degrees: knob("Turn", "degrees", 90, 1, (value) => ({ number: `${value}°`, spoken: `${value} degrees` })),
    cells: knob("Scramble", "cells", 3, 1, (value) => (value ? { number: CELLS[value], unit: "cells a coordinate" } : { number: "off" })),
    noise: knob("Noise", "noise", 30, 0.01, (value) => ({ number: two(value * 0.01), unit: "of half the side" })),
    gap: knob("Holes", "gap", 30, 0.02, (value) => ({ number: two(value * 0.02), unit: "of half the range" })),
  };
  const rows = {
    informative: [{ label: "in", words: "Eight held-out pictures" }, { label: "copy", words: "Their copies, decoded from their codes" }],
    disentangled: [{ label: "walk 1", words: "Pictures decoded on a walk along coordinate 1" }, { label: "walk 2", words: "Pictures decoded on a walk along coordinate 2" }],
    robust: [],
    representative: [{ label: "drawn", words: "Eight pictures decoded from codes drawn at random" }],
  };
  const gauges = Object.fromEntries(Object.entries(GAUGES).map(([name, meaning]) => [name, gauge(name, meaning, rows[name])]));
  const map = plane(toy);
  const reset = h("button", { ...FOCUSABLE, type: "button", class: "ae-button db-reset", text: "All at rest", onclick: () => { model.set({ ...KNOBS }); save(); } });
  body.append(
    h("div", { class: "db-knobs" }, ...Object.values(knobs).map((one) => one.root)),
    h("div", { class: "db-stage" },
      h("div", { class: "db-left" }, map.root, reset,
        h("p", { class: "ae-note", text: "The plane of codes, coordinate 1 to the right and 2 upwards. A dot is an example: the stronger, the further right in its picture; the larger, the further up. Lines: where a code goes when a tenth of another picture is mixed in. Squares: the two walks. Dashed: where codes are drawn." })),
      h("div", { class: "db-gauges" }, ...Object.values(gauges).map((one) => one.root),
        h("p", { class: "ae-note", text: "Upright marks: the knob that you moved last, at rest." }))),
  );

  const [known, alike] = [new Map(), new Map()];
  const look = (state) => {
    const key = [state.degrees, state.cells, state.noise, state.gap].join();
    const flat = state.cells === 1 && state.gap === 0 ? "plain" : [state.cells, state.noise, state.gap].join();
    if (known.size > 200) [known, alike].forEach((memory) => memory.clear());
    if (!known.has(key)) known.set(key, measure(toy, state, alike.get(flat)));
    alike.set(flat, known.get(key));
    return known.get(key);
  };
  const draw = () => {
    const state = read();
    const now = look(state);
    const before = look({ ...state, [state.touched]: KNOBS[state.touched] }).scores;
    knobs.degrees.set(state.degrees);
    knobs.cells.set(CELLS.indexOf(state.cells));
    knobs.noise.set(Math.round(state.noise / 0.01));
    knobs.gap.set(Math.round(state.gap / 0.02));
    reset.disabled = Object.keys(KNOBS).every((name) => state[name] === KNOBS[name]);
    for (const name of Object.keys(GAUGES)) gauges[name].set(now.scores[name], before[name]);
    const paths = walks(now.code, now.code.change([0.3, -0.3]));
    map.paint({ ...now, gap: state.gap, walks: paths }, `The codes of 500 examples in the plane, turned by ${state.degrees} degrees, scrambled in ${state.cells} cells, noise ${two(state.noise)}, holes ${two(state.gap)}.`);
    paintRow(gauges.informative.strips[0], toy.heldOut, "input");
    paintRow(gauges.informative.strips[1], now.copies, "recon");
    paths.forEach((path, k) => paintRow(gauges.disentangled.strips[k], path.map((z) => spot(now.code.undo(z))), "latent"));
    paintRow(gauges.representative.strips[0], now.drawn, "recon");
    Object.assign(section.dataset, now.scores);
    say(sentence(state, now.scores, before));
  };
  draw();
  let waiting = false;
  const soon = () => {
    if (waiting) return;
    waiting = true;
    queueMicrotask(() => { waiting = false; draw(); });
  };
  const deaf = listen(model, [...Object.keys(KNOBS), "touched"], soon);
  const strips = Object.values(gauges).flatMap((one) => one.strips);
  return () => [deaf, map.dispose, ...strips.map((row) => row.dispose)].forEach((stop) => stop());
}

export default { render };
