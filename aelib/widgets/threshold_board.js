import { card, chart, choices, clamp, colour, h, listen, onTheme, onWidth, readFloat64, readUint8, saver, slider } from "./base.js";

const STEPS = 240;
const N_BINS = 48;
const N_NEAR = 6;

/** All scores and pictures, cut into the normal ones and the strange kinds. */
function readBoard(model) {
  const [numbers, bytes] = [readFloat64(model.get("scores")), readUint8(model.get("images"))];
  const [counts, kinds, names, ends] = ["counts", "kinds", "score_names", "ends"].map((name) => model.get(name));
  const total = counts.reduce((sum, count) => sum + count, 0);
  const start = (which) => counts.slice(0, which).reduce((sum, count) => sum + count, 0);
  const [rows, columns] = model.get("image_shape");
  return {
    normal: model.get("normal"), kinds, names, ends, rows, columns,
    of: (score, which) => numbers.subarray(score * total + start(which), score * total + start(which) + counts[which]),
    start,
    picture: (number) => bytes.subarray(number * rows * columns, (number + 1) * rows * columns),
  };
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
  const wins = strange.reduce((sum, value) => sum + countBelow(sortedNormal, value) + countBelow(sortedNormal, value, true), 0);
  const all = [...Array.from(normal, (value, n) => [value, n, 0]), ...Array.from(strange, (value, n) => [value, board.start(k) + n, 1])]
    .sort((a, b) => a[0] - b[0]);
  return {
    kind, score, low, high, sortedNormal, sortedStrange, all, allScores: Float64Array.from(all, ([value]) => value),
    area: wins / 2 / normal.length / strange.length,
    bars: [normal, strange].map((values) => histogram(values, low, high)), roc: curve(sortedNormal, sortedStrange),
  };
}

/** Shares of the values in equal bins from low to high. */
function histogram(values, low, high) {
  const bins = new Float64Array(N_BINS);
  for (const value of values) bins[clamp(Math.floor(((value - low) / (high - low)) * N_BINS), 0, N_BINS - 1)] += 1 / values.length;
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
  const straight = (a, b, c) => (a[0] === b[0] && b[0] === c[0]) || (a[1] === b[1] && b[1] === c[1]);
  return points.filter((point, n) => n === 0 || n === points.length - 1 || !straight(points[n - 1], point, points[n + 1]));
}

function measure({ low, high, sortedNormal, sortedStrange, all, allScores, area }, position) {
  const threshold = low + ((high - low) * position) / STEPS;
  const falseAlarms = sortedNormal.length - countBelow(sortedNormal, threshold, true);
  const caught = sortedStrange.length - countBelow(sortedStrange, threshold, true);
  const below = countBelow(allScores, threshold, true);
  return {
    threshold, false_alarms: falseAlarms, caught, area,
    false_share: falseAlarms / sortedNormal.length, caught_share: caught / sortedStrange.length,
    precision: caught + falseAlarms ? caught / (caught + falseAlarms) : NaN,
    left: all.slice(Math.max(0, below - N_NEAR), below), right: all.slice(below, below + N_NEAR),
  };
}

const rate = (share) => {
  const text = (100 * share).toFixed(share > 0 && share < 0.0995 ? 1 : 0);
  return `${(share > 0 && Number(text) === 0) ? "0.1" : share < 1 && Number(text) === 100 ? "99" : text}%`;
};
const minus = (text) => text.replace("-", "−");

function verdict(area) {
  if (area >= 0.9) return "The score ranks well: a strange picture nearly always has the higher one.";
  if (area > 0.6) return "The score helps: a strange picture has the higher one more often than not.";
  if (area >= 0.4) return "The score is hardly better than a coin.";
  return "The ranking stands on its head: the strange pictures look more normal to this score than the normal ones.";
}

function sentence(board, state, now) {
  const raised = `for ${now.caught} of ${state.sortedStrange.length} ${state.kind} and for ${now.false_alarms} of ${state.sortedNormal.length} ${board.normal}`;
  const right = Number.isNaN(now.precision) ? "" : `; ${rate(now.precision)} of these alarms are right`;
  return `Above ${minus(now.threshold.toFixed(2))} there is an alarm ${raised}${right}. ${verdict(now.area)}`;
}

function render({ model, el }) {
  const board = readBoard(model);
  const save = saver(model);
  const { section, body, say } = card(el, {
    title: "Where would you draw the line?",
    lead: "Pictures that score above the threshold raise an alarm. Drag the line or the slider; change the strangers and the score.",
  });
  const put = (name, value) => { model.set(name, value); save(); };
  const pick = (label, name, options) => choices({
    label, value: model.get(name), options: options.map((value) => ({ value, label: value })), change: (value) => put(name, value),
  });
  const [kind, score] = [pick("Strangers", "kind", board.kinds), pick("Score", "score", board.names)];
  let state = prepare(board, model.get("kind"), model.get("score"));
  let now = measure(state, model.get("position"));
  const threshold = slider({
    label: "Threshold", min: 0, max: STEPS, value: model.get("position"), big: false,
    show: (position) => ({ number: minus((state.low + ((state.high - state.low) * position) / STEPS).toFixed(2)), unit: state.score }),
    input: (position) => put("position", position),
  });
  const number = h("span", { class: "ae-big" });
  const [falseNumber, rightNumber, areaNumber] = [0, 1, 2].map(() => h("span", { class: "ae-number" }));
  const fact = (value, words) => h("div", { class: "ae-fact" }, value, h("span", { class: "ae-unit", text: words }));
  const caughtWords = h("span", { class: "ae-unit" });
  const facts = h("div", { class: "ae-facts ae-tone-error" }, h("div", { class: "ae-fact" }, number, caughtWords),
    fact(falseNumber, "false alarms"), fact(rightNumber, "of the alarms right"), fact(areaNumber, "area under the curve"));
  const tiles = row(board, section);
  let plots = [];
  const views = h("div", { class: "ae-views" });
  body.append(h("div", { class: "ae-switches" }, kind.root, score.root), threshold.root, facts, views, tiles.root);

  /** The two charts; their axes belong to one score, so they are made anew for another. */
  const build = () => {
    plots.forEach((plot) => plot.dispose());
    const [scores, rates] = [histograms(() => state, () => now, board, (value) => put("position", value)), rocChart(() => state, () => now)];
    plots = [scores, rates];
    views.replaceChildren(scores.root, rates.root);
  };
  const draw = () => {
    const [wantedKind, wantedScore, position] = ["kind", "score", "position"].map((name) => model.get(name));
    const rescaled = wantedScore !== state.score;
    if (rescaled || wantedKind !== state.kind) state = prepare(board, wantedKind, wantedScore);
    now = measure(state, position);
    kind.set(wantedKind);
    score.set(wantedScore);
    threshold.set(position);
    number.textContent = rate(now.caught_share);
    caughtWords.textContent = `of the ${state.kind} caught`;
    falseNumber.textContent = rate(now.false_share);
    rightNumber.textContent = Number.isNaN(now.precision) ? "—" : rate(now.precision);
    areaNumber.textContent = now.area.toFixed(3);
    if (rescaled || !plots.length) build();
    plots.forEach((plot) => plot.update());
    tiles.update(now);
    const { left, right, ...figures } = now;
    Object.assign(section.dataset, figures, {
      kind: state.kind, score: state.score, position, near: [...left, ...right].map(([, picture]) => picture).join(" "),
    });
    say(sentence(board, state, now));
  };
  draw();
  const deaf = listen(model, ["kind", "score", "position"], draw);
  return () => [deaf, tiles.dispose, ...plots.map((plot) => plot.dispose)].forEach((stop) => stop());
}

/** Outline of a histogram as the points of a line. */
const steps = (bars, low, width) =>
  [[low, 0], ...Array.from(bars).flatMap((bar, n) => [[low + n * width, bar], [low + (n + 1) * width, bar]]), [low + N_BINS * width, 0]];

function ticks(low, high) {
  const raw = (high - low) / 5;
  const unit = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((m) => m * unit).find((size) => size >= raw);
  const first = Math.ceil(low / step);
  const digits = Math.max(0, -Math.floor(Math.log10(step)));
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, n) => [(first + n) * step, minus(((first + n) * step).toFixed(digits))]);
}

function histograms(state, now, board, choose) {
  const { low, high, score } = state();
  const width = (high - low) / N_BINS;
  return chart({
    label: "histograms of the scores", height: 14, left: 0.8, right: 0.8,
    x: { domain: [low, high], ticks: ticks(low, high), title: score },
    y: { domain: [0, 1], ticks: [[0, ""]], title: "share of the pictures" },
    move: (c) => {
      const { bars: [normal, strange], kind } = state();
      const top = 1.12 * Math.max(...normal, ...strange);
      const scaled = (bars) => steps(bars.map((bar) => bar / top), low, width);
      c.line(scaled(normal), "ae-normal");
      c.line(scaled(strange), "ae-strange");
      c.rule(now().threshold, "ae-cut");
      c.dot(now().threshold, 0.5, "ae-grip", 0.55);
      const apart = middle(normal) <= middle(strange);
      label(c, normal, board.normal, "ae-text-input", apart, c.x(now().threshold));
      label(c, strange, kind, "ae-text-error", !apart, c.x(now().threshold));
    },
    drag: (value) => choose(clamp(Math.round(((value - low) / (high - low)) * STEPS), 0, STEPS)),
    describe: () => `Histograms of ${state().score} for ${board.normal} and ${state().kind}; the threshold is at ${minus(now().threshold.toFixed(2))}.`,
  });
}

/** The first bin up to which a share of the pictures lies. */
function quantile(bars, share) {
  let [sum, bin] = [0, 0];
  while (sum + bars[bin] < share && bin < N_BINS - 1) sum += bars[bin++];
  return bin;
}
const middle = (bars) => quantile(bars, 0.5);

/** A histogram's name: to its left, if it is the left one of the two, else to its right; inside the frame, off the line. */
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
  return chart({
    label: "ROC curve", height: 14, left: 2.6,
    x: { domain: [0, 1], ticks: [[0, "0"], [0.5, "½"], [1, "1"]], title: "false alarms" },
    y: { domain: [0, 1], ticks: [[0, "0"], [0.5, "½"], [1, "1"]], title: "caught" },
    draw: (c) => c.line([[0, 0], [1, 1]], "ae-pca ae-thin"),
    move: (c) => {
      c.line([[0, 0], ...state().roc], "ae-strange");
      c.dot(now().false_share, now().caught_share, "ae-grip", 0.55);
    },
    describe: () => `ROC curve with area ${state().area.toFixed(3)}; the threshold gives ${rate(now().false_share)} false alarms and ${rate(now().caught_share)} caught.`,
  });
}

/** The pictures nearest to the threshold, by rising score, with the threshold between them. */
function row(board, themed) {
  const side = (words) => {
    const cells = Array.from({ length: N_NEAR }, () => tile(board));
    const root = h("div", { class: "ae-side" }, h("span", { class: "ae-note", text: words }), h("div", { class: "ae-tiles" }, ...cells.map((cell) => cell.root)));
    return { cells, root };
  };
  const [left, right] = [side("let through, highest scores last"), side("alarm, lowest scores first")];
  const root = h("div", { class: "ae-near" }, left.root, h("div", { class: "ae-bar", "aria-hidden": "true" }), right.root);
  let [last, colours] = [null, null];
  const update = (now) => {
    last = now;
    if (!themed.isConnected) return;
    const missing = N_NEAR - now.left.length;
    colours ??= ["input", "sheet"].map((name) => colour(themed, name));
    left.cells.forEach((cell, n) => cell.paint(now.left[n - missing], colours));
    right.cells.forEach((cell, n) => cell.paint(now.right[n], colours));
  };
  const stop = [onTheme(() => { colours = null; update(last); }), onWidth(root, () => update(last))];
  return { root, update, dispose: () => stop.forEach((end) => end()) };
}

/** One picture, framed and named by whether it is strange. */
function tile(board) {
  const canvas = h("canvas", { width: board.columns, height: board.rows, role: "img", "aria-label": "no picture" });
  const words = h("span", { class: "ae-kind" });
  const root = h("div", { class: "ae-tile" }, canvas, words);
  const paint = (entry, [ink, sheet]) => {
    root.style.visibility = entry ? "" : "hidden";
    if (!entry) return;
    const [value, number, strange] = entry;
    root.classList.toggle("ae-odd", Boolean(strange));
    words.textContent = strange ? "strange" : "normal";
    canvas.setAttribute("aria-label", `${words.textContent} picture with score ${value.toFixed(2)}`);
    const image = new ImageData(board.columns, board.rows);
    board.picture(number).forEach((byte, n) => {
      const t = byte / 255;
      for (let channel = 0; channel < 3; channel += 1) image.data[4 * n + channel] = sheet[channel] + (ink[channel] - sheet[channel]) * t;
      image.data[4 * n + 3] = 255;
    });
    canvas.getContext("2d").putImageData(image, 0, 0);
  };
  return { root, paint };
}

export default { render };
