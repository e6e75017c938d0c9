import { chart, choices, clamp, fixed, h, inks, interactive, onWidth, put, slider, sum } from "./base.js";

const FACE = {
  traits: ["position", "kind", "score"],
  lead:
    "Pictures that score above the threshold raise an alarm. " +
    "Drag the line or the slider; change the strangers and the score.",
};
const STEPS = 240;
const N_BINS = 48;
const N_NEAR = 6;

/** All scores and pictures, cut into the normal ones and the strange kinds. */
function readBoard(model, { scores, images }) {
  const [counts, kinds, names, ends] = ["counts", "kinds", "score_names", "ends"].map((name) =>
    model.get(name),
  );
  const start = (which) => sum(counts.slice(0, which));
  const of = (score, which) => scores.part(score).subarray(start(which), start(which) + counts[which]);
  const [, rows, columns] = images.shape;
  const picture = (number) => images.at(number);
  return { normal: model.get("normal"), kinds, names, ends, rows, columns, of, start, picture };
}

/** How many entries of a sorted list are below `value` (or up to it). */
function countBelow(sorted, value, orEqual = false) {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < value || (orEqual && sorted[middle] === value)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** What depends on the strange pictures and on the score, and not on the threshold. */
function prepare(board, kind, score) {
  const [s, k] = [board.names.indexOf(score), 1 + board.kinds.indexOf(kind)];
  const [low, high] = board.ends[s];
  const [normal, strange] = [board.of(s, 0), board.of(s, k)];
  const [sortedNormal, sortedStrange] = [normal.slice().sort(), strange.slice().sort()];
  const beaten = (value) => countBelow(sortedNormal, value) + countBelow(sortedNormal, value, true);
  const wins = strange.reduce((total, value) => total + beaten(value), 0);
  const listed = (values, first, odd) => Array.from(values, (value, n) => [value, first + n, odd]);
  const all = [...listed(normal, 0, 0), ...listed(strange, board.start(k), 1)].sort((a, b) => a[0] - b[0]);
  return {
    kind,
    score,
    low,
    high,
    sortedNormal,
    sortedStrange,
    all,
    allScores: Float64Array.from(all, ([value]) => value),
    area: wins / 2 / normal.length / strange.length,
    bars: [normal, strange].map((values) => histogram(values, low, high)),
    roc: curve(sortedNormal, sortedStrange),
  };
}

/** Shares of the values in equal bins from low to high. */
function histogram(values, low, high) {
  const bins = new Float64Array(N_BINS);
  const binOf = (value) => clamp(Math.floor(((value - low) / (high - low)) * N_BINS), 0, N_BINS - 1);
  for (const value of values) bins[binOf(value)] += 1 / values.length;
  return bins;
}

/** [false alarms, caught] for each threshold from the highest score down. */
function curve(normal, strange) {
  const thresholds = [...new Set([...normal, ...strange])].sort((a, b) => b - a);
  const share = (sorted, value) => 1 - countBelow(sorted, value, true) / sorted.length;
  return corners([...thresholds.map((value) => [share(normal, value), share(strange, value)]), [1, 1]]);
}

/** The points of a staircase at which it turns, and its ends. */
function corners(points) {
  const same = (axis, ...three) => three.every((point) => point[axis] === three[0][axis]);
  const straight = (...three) => same(0, ...three) || same(1, ...three);
  const last = points.length - 1;
  return points.filter((point, n) => n === 0 || n === last || !straight(points[n - 1], point, points[n + 1]));
}

function measure({ low, high, sortedNormal, sortedStrange, all, allScores, area }, position) {
  const threshold = low + ((high - low) * position) / STEPS;
  const falseAlarms = sortedNormal.length - countBelow(sortedNormal, threshold, true);
  const caught = sortedStrange.length - countBelow(sortedStrange, threshold, true);
  const below = countBelow(allScores, threshold, true);
  return {
    threshold,
    false_alarms: falseAlarms,
    caught,
    area,
    false_share: falseAlarms / sortedNormal.length,
    caught_share: caught / sortedStrange.length,
    precision: caught + falseAlarms ? caught / (caught + falseAlarms) : NaN,
    left: all.slice(Math.max(0, below - N_NEAR), below),
    right: all.slice(below, below + N_NEAR),
  };
}

const rate = (share) => {
  const text = (100 * share).toFixed(share > 0 && share < 0.0995 ? 1 : 0);
  return `${share > 0 && Number(text) === 0 ? "0.1" : share < 1 && Number(text) === 100 ? "99" : text}%`;
};

function verdict(area) {
  if (area >= 0.9) return "The score ranks well: a strange picture nearly always has the higher one.";
  if (area > 0.6) return "The score helps: a strange picture has the higher one more often than not.";
  if (area >= 0.4) return "The score is hardly better than a coin.";
  return "The ranking is reversed: the strange pictures look more normal to this score than the normal ones.";
}

function sentence(board, state, now) {
  const caught = `${now.caught} of ${state.sortedStrange.length} ${state.kind}`;
  const raised = `for ${caught} and for ${now.false_alarms} of ${state.sortedNormal.length} ${board.normal}`;
  const right = Number.isNaN(now.precision) ? "" : `; ${rate(now.precision)} of these alarms are right`;
  return `Above ${fixed(now.threshold, 2)} there is an alarm ${raised}${right}. ${verdict(now.area)}`;
}

export default interactive(FACE, ({ model, state: settings, set, data, section, body, say, keep }) => {
  const board = readBoard(model, data);
  const pick = (label, name, options) =>
    choices({
      label,
      value: settings()[name],
      options: options.map((value) => ({ value, label: value })),
      change: (value) => set({ [name]: value }),
    });
  const [kind, score] = [pick("Strangers", "kind", board.kinds), pick("Score", "score", board.names)];
  let state = prepare(board, settings().kind, settings().score);
  let now = measure(state, settings().position);
  const valueAt = (position) => state.low + ((state.high - state.low) * position) / STEPS;
  const threshold = slider({
    label: "Threshold",
    min: 0,
    max: STEPS,
    value: settings().position,
    big: false,
    show: (position) => ({ number: fixed(valueAt(position), 2), unit: state.score }),
    input: (position) => set({ position }),
  });
  const facts = factRow();
  const tiles = keep(nearRow(board, section));
  const views = h("div", { class: "ae-views" });
  const switches = h("div", { class: "ae-switches" }, kind.root, score.root);
  body.append(switches, threshold.root, facts.root, views, tiles.root);
  let plots = [];
  keep({ dispose: () => plots.forEach((plot) => plot.dispose()) });

  /** The two charts; their axes belong to one score, so they are made anew for another. */
  const build = () => {
    plots.forEach((plot) => plot.dispose());
    const [get, measured] = [() => state, () => now];
    plots = [histograms(get, measured, board, (position) => set({ position })), rocChart(get, measured)];
    views.replaceChildren(...plots.map((plot) => plot.root));
  };

  return ({ kind: wantedKind, score: wantedScore, position }) => {
    const rescaled = wantedScore !== state.score;
    const changed = rescaled || wantedKind !== state.kind;
    if (changed) state = prepare(board, wantedKind, wantedScore);
    now = measure(state, position);
    kind.set(wantedKind);
    score.set(wantedScore);
    threshold.set(position);
    facts.set(now, state.kind);
    if (rescaled || !plots.length) build();
    else plots.forEach((plot) => (changed ? plot.redraw() : plot.update()));
    tiles.update(now);
    say(sentence(board, state, now));
    const { left, right, ...figures } = now;
    const near = [...left, ...right].map(([, picture]) => picture).join(" ");
    return { ...figures, kind: state.kind, score: state.score, position, near };
  };
});

/** What the threshold does, in four numbers. */
function factRow() {
  const caught = h("span", { class: "ae-big" });
  const words = h("span", { class: "ae-unit" });
  const numbers = [0, 1, 2].map(() => h("span", { class: "ae-number" }));
  const units = ["false alarms", "of the alarms right", "area under the curve"];
  const fact = (value, unit) => h("div", { class: "ae-fact" }, value, unit);
  const small = numbers.map((number, n) => fact(number, h("span", { class: "ae-unit", text: units[n] })));
  const root = h("div", { class: "ae-facts ae-tone-error" }, fact(caught, words), ...small);
  const setTo = (now, kind) => {
    put(caught, { text: rate(now.caught_share) });
    put(words, { text: `of the ${kind} caught` });
    const right = Number.isNaN(now.precision) ? "—" : rate(now.precision);
    [rate(now.false_share), right, now.area.toFixed(3)].forEach((text, n) => put(numbers[n], { text }));
  };
  return { root, set: setTo };
}

/** Outline of a histogram as the points of a line. */
const steps = (bars, low, width) => [
  [low, 0],
  ...Array.from(bars).flatMap((bar, n) => [
    [low + n * width, bar],
    [low + (n + 1) * width, bar],
  ]),
  [low + N_BINS * width, 0],
];

function ticks(low, high) {
  const raw = (high - low) / 5;
  const unit = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((m) => m * unit).find((size) => size >= raw);
  const first = Math.ceil(low / step);
  const digits = Math.max(0, -Math.floor(Math.log10(step)));
  const tick = (_, n) => [(first + n) * step, fixed((first + n) * step, digits)];
  return Array.from({ length: Math.floor(high / step) - first + 1 }, tick);
}

function histograms(state, now, board, choose) {
  const { low, high, score } = state();
  const width = (high - low) / N_BINS;
  return chart({
    label: "histograms of the scores",
    height: 11,
    left: 0.8,
    x: { domain: [low, high], ticks: ticks(low, high), title: score },
    y: { domain: [0, 1], ticks: [[0, ""]], title: "share of the pictures" },
    draw: (c) => {
      const [normal, strange] = state().bars;
      const top = 1.12 * Math.max(...normal, ...strange);
      const scaled = (bars) =>
        steps(
          bars.map((bar) => bar / top),
          low,
          width,
        );
      c.line(scaled(normal), "ae-normal");
      c.line(scaled(strange), "ae-strange");
    },
    move: (c) => {
      const {
        bars: [normal, strange],
        kind,
      } = state();
      c.rule(now().threshold, "ae-cut");
      c.dot(now().threshold, 0.5, "ae-grip", 0.55);
      const apart = middle(normal) <= middle(strange);
      label(c, normal, board.normal, "ae-text-input", apart, c.x(now().threshold));
      label(c, strange, kind, "ae-text-error", !apart, c.x(now().threshold));
    },
    drag: (value) => choose(clamp(Math.round(((value - low) / (high - low)) * STEPS), 0, STEPS)),
    describe: () =>
      `Histograms of ${state().score} for ${board.normal} and ${state().kind}; ` +
      `the threshold is at ${fixed(now().threshold, 2)}.`,
  });
}

/** The first bin up to which a share of the pictures lies. */
function quantile(bars, share) {
  let [total, bin] = [0, 0];
  while (total + bars[bin] < share && bin < N_BINS - 1) total += bars[bin++];
  return bin;
}
const middle = (bars) => quantile(bars, 0.5);

/**
 * A histogram's name: left of it, if it is the left one of the two, else right; in the frame, off the line.
 */
function label(c, bars, words, name, left, cut) {
  const at = c.left + ((quantile(bars, left ? 0.15 : 0.85) + (left ? 0 : 1)) / N_BINS) * (c.right - c.left);
  const room = 0.55 * c.em * words.length;
  const side = left ? -1 : 1;
  const fits = (x) => (left ? x - room >= c.left : x + room <= c.right);
  let x = at + 0.5 * side * c.em;
  if (Math.abs(x + (side * room) / 2 - cut) < room / 2 + 0.3 * c.em) x = cut + 0.5 * side * c.em;
  if (!fits(x)) x = left ? c.left + room : c.right - room;
  c.text(c.scaleX.value(x), left ? 0.94 : 0.8, words, name, left ? "end" : "start");
}

function rocChart(state, now) {
  const axis = (title) => ({
    domain: [0, 1],
    ticks: [
      [0, "0"],
      [0.5, "½"],
      [1, "1"],
    ],
    title,
  });
  return chart({
    label: "ROC curve",
    height: 11,
    left: 2.6,
    x: axis("false alarms"),
    y: axis("caught"),
    draw: (c) => {
      c.line(
        [
          [0, 0],
          [1, 1],
        ],
        "ae-pca ae-thin",
      );
      c.line([[0, 0], ...state().roc], "ae-strange");
    },
    move: (c) => c.dot(now().false_share, now().caught_share, "ae-grip", 0.55),
    describe: () =>
      `ROC curve with area ${state().area.toFixed(3)}; the threshold gives ` +
      `${rate(now().false_share)} false alarms and ${rate(now().caught_share)} caught.`,
  });
}

/** The pictures nearest to the threshold, by rising score, with the threshold between them. */
function nearRow(board, themed) {
  const side = (words) => {
    const cells = Array.from({ length: N_NEAR }, () => tile(board));
    const tiles = h("div", { class: "ae-tiles" }, ...cells.map((cell) => cell.root));
    return {
      cells,
      root: h("div", { class: "ae-side" }, h("span", { class: "ae-note", text: words }), tiles),
    };
  };
  const [left, right] = [side("let through, highest scores last"), side("alarm, lowest scores first")];
  const root = h(
    "div",
    { class: "ae-near" },
    left.root,
    h("div", { class: "ae-bar", "aria-hidden": "true" }),
    right.root,
  );
  let last = null;
  const update = (now) => {
    last = now;
    if (!themed.isConnected) return;
    const missing = N_NEAR - now.left.length;
    left.cells.forEach((cell, n) => cell.paint(now.left[n - missing], ink));
    right.cells.forEach((cell, n) => cell.paint(now.right[n], ink));
  };
  const again = () => {
    [...left.cells, ...right.cells].forEach((cell) => cell.forget());
    if (last) update(last);
  };
  const ink = inks(themed, again);
  const stop = [ink.dispose, onWidth(root, again)];
  return { root, update, dispose: () => stop.forEach((end) => end()) };
}

/** One picture, framed and named by whether it is strange. */
function tile(board) {
  const size = { width: board.columns, height: board.rows };
  const canvas = h("canvas", { ...size, role: "img", "aria-label": "no picture" });
  const words = h("span", { class: "ae-kind" });
  const root = h("div", { class: "ae-tile" }, canvas, words);
  let painted = null;
  const paint = (entry, ink) => {
    root.style.visibility = entry ? "" : "hidden";
    if (!entry || painted === entry[1]) return;
    const [value, number, strange] = entry;
    painted = number;
    root.classList.toggle("ae-odd", Boolean(strange));
    put(words, { text: strange ? "strange" : "normal" });
    put(canvas, { "aria-label": `${words.textContent} picture with score ${value.toFixed(2)}` });
    const [image, amount] = [new ImageData(board.columns, board.rows), board.picture(number)];
    const [front, back] = [ink.rgb("input"), ink.rgb("sheet")];
    for (let n = 0; n < image.data.length; n += 1) {
      const [from, to] = [back[n % 4], front[n % 4]];
      image.data[n] = n % 4 === 3 ? 255 : from + (to - from) * amount(n >> 2);
    }
    canvas.getContext("2d").putImageData(image, 0, 0);
  };
  const forget = () => {
    painted = null;
  };
  return { root, paint, forget };
}
