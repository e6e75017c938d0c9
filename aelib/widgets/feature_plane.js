import { chart, clamp, FOCUSABLE, fixed, h, interactive, plane, slider } from "./base.js";

const FACE = {
  traits: ["level", "on"],
  lead:
    "The best directions of five features in a code of two numbers. " +
    "Slide how often a feature is on; turn features on and see the code, the green dot.",
};
const COUNT = 5;
const REACH = 2.1;
const ERRORS = [0.003, 1];

/** How often each pattern of features is on. */
const patterns = Array.from({ length: 2 ** COUNT }, (_, bits) =>
  Array.from({ length: COUNT }, (_, i) => (bits >> i) & 1),
);

/** The code of a pattern, and ReLU(W h + b). */
function readout(s, { W, bias }) {
  const code = [0, 1].map((axis) => W.reduce((total, w, i) => total + s[i] * w[axis], 0));
  const read = W.map(([a, b], i) => Math.max(0, a * code[0] + b * code[1] + bias[i]));
  return { code, read, error: read.reduce((total, value, i) => total + (s[i] - value) ** 2, 0) };
}

const chance = (s, p) => s.reduce((product, on) => product * (on ? p : 1 - p), 1);
const expected = (way, p) => patterns.reduce((total, s) => total + chance(s, p) * readout(s, way).error, 0);

const regular = (() => {
  const turn = (2 * Math.PI) / COUNT;
  const square = 1 / (1 - Math.cos(turn));
  const at = (i) => [Math.cos(turn * i), Math.sin(turn * i)].map((part) => Math.sqrt(square) * part);
  return { W: Array.from({ length: COUNT }, (_, i) => at(i)), bias: new Array(COUNT).fill(1 - square) };
})();

const pca = (p) => (COUNT - 2) * p * (1 - p);
const KEPT = ["none", "one", "two", "three", "four", "all five"];
const shown = (value) => Number(value.toPrecision(2)).toString();

function sentence({ p, best, pentagon, s, read, error, kept }) {
  const on = s.flatMap((one, i) => (one ? [i + 1] : []));
  const sizes = read.map((value) => fixed(value, 2)).join(", ");
  const state = on.length ? `With ${on.join(", ")} on` : "With all off";
  return (
    `Each feature is on in ${shown(100 * p)}% of the inputs: ${KEPT[kept]} have a direction, and the ` +
    `expected error is ${best.toFixed(4)}; a regular pentagon has ${pentagon.toFixed(4)}, ` +
    `PCA ${pca(p).toFixed(4)}. ${state}, the readout is ${sizes}: error ${error.toFixed(3)}.`
  );
}

export default interactive(FACE, ({ state, set, data, body, say, keep }) => {
  const probabilities = Array.from(data.p.values);
  const ways = probabilities.map((_, n) => ({
    W: Array.from({ length: COUNT }, (_, i) => data.W.row(n, i)),
    bias: data.bias.row(n),
  }));
  const errors = ways.map((way, n) => expected(way, probabilities[n]));
  const pentagon = probabilities.map((p) => expected(regular, p));
  let now;
  const range = slider({
    label: "How often on, p",
    min: 0,
    max: probabilities.length - 1,
    value: state().level,
    big: false,
    show: (n) => ({ number: `${shown(100 * probabilities[n])}%`, unit: "of the inputs" }),
    input: (level) => set({ level }),
  });
  const switches = Array.from({ length: COUNT }, (_, i) =>
    h("button", {
      ...FOCUSABLE,
      type: "button",
      class: "ae-button",
      text: i + 1,
      "aria-label": `Feature ${i + 1}`,
      onclick: () => set({ on: state().on ^ (1 << i) }),
    }),
  );
  const arrows = keep(arrowPlane(() => now));
  const curves = keep(
    errorChart(
      probabilities,
      { best: errors, pentagon, pca: probabilities.map(pca) },
      () => now,
      (level) => set({ level }),
    ),
  );
  const what = h("span", { class: "ae-what", text: "Turn on" });
  const row = h("div", { class: "ae-switches" }, what, ...switches);
  body.append(range.root, h("div", { class: "ae-two" }, h("div", {}, arrows.root, row), curves.root));

  return ({ level, on }) => {
    range.set(level);
    const s = patterns[on];
    switches.forEach((one, i) => one.setAttribute("aria-pressed", String(Boolean(s[i]))));
    const way = ways[level];
    const { code, read, error } = readout(s, way);
    const kept = way.W.filter(([a, b]) => Math.hypot(a, b) > 0.3).length;
    const p = probabilities[level];
    now = { p, level, way, s, code, read, error, kept, best: errors[level], pentagon: pentagon[level] };
    arrows.update();
    curves.update();
    say(sentence(now));
    return { level, on, p, best: now.best, pentagon: now.pentagon, pca: pca(p), now: error };
  };
});

/** The five directions, those that are on in bold, and the code. */
function arrowPlane(now) {
  return plane({
    label: "the directions of the features, and the code",
    reach: REACH,
    largest: 250,
    move: (c) => {
      const { way, s, code } = now();
      way.W.forEach(([a, b], i) => {
        c.line(
          [
            [0, 0],
            [a, b],
          ],
          s[i] ? "ae-latent" : "ae-pca",
        );
        const far = Math.hypot(a, b);
        c.dot(a, b, s[i] ? "ae-dot-latent" : "ae-dot-pca", 0.3);
        const [x, y] = far > 0.3 ? [a * (1 + 0.32 / far), b * (1 + 0.32 / far)] : [a, b - 0.3];
        c.text(x, y, i + 1, "", "middle", 0, 0.28);
      });
      c.dot(clamp(code[0], -REACH, REACH), clamp(code[1], -REACH, REACH), "ae-code", 0.5);
    },
    describe: () => {
      const { kept, code } = now();
      const [x, y] = code.map((number) => fixed(number, 2));
      return `Of the five features ${KEPT[kept]} have a direction; the code is at ${x}, ${y}.`;
    },
  });
}

/** Expected errors against p; the rule stands at the present p. */
function errorChart(probabilities, errors, now, hold) {
  const line = (name) => probabilities.map((p, n) => [p, errors[name][n]]);
  const [best, pentagon, straight] = ["best", "pentagon", "pca"].map(line);
  return chart({
    label: "expected error against p",
    height: 15,
    left: 2.8,
    right: 1.4,
    x: {
      domain: [probabilities[0], probabilities.at(-1)],
      log: true,
      ticks: [0.02, 0.05, 0.1, 0.2, 0.5].map((tick) => [tick, `${100 * tick}%`]),
      title: "how often each feature is on, p",
    },
    y: {
      domain: ERRORS,
      log: true,
      ticks: [0.01, 0.03, 0.1, 0.3, 1].map((tick) => [tick, tick]),
      title: "expected error, all five features",
    },
    draw: (c) => {
      c.line(straight, "ae-pca");
      c.line(pentagon, "ae-recon ae-thin");
      c.line(best, "ae-latent");
      c.text(0.028, 0.12, "PCA", "ae-text-pca", "end", 0, -0.3);
      c.text(0.3, 0.75, "pentagon", "ae-text-recon", "end", -0.4, -0.4);
      c.text(0.045, 0.02, "best", "ae-text-latent", "start", 0.5, 0.5);
    },
    move: (c) => {
      c.rule(now().p, "ae-rule");
      c.dot(now().p, now().best, "ae-dot-latent");
    },
    drag: (p) => {
      const far = (n) => Math.abs(Math.log(probabilities[n] / p));
      hold(probabilities.reduce((near, _, n) => (far(n) < far(near) ? n : near), 0));
    },
    describe: () => {
      const { p, best: least, pentagon: bent } = now();
      return (
        `Expected error against p; at ${shown(100 * p)}% the best code has ${least.toFixed(4)}, ` +
        `the pentagon ${bent.toFixed(4)}, PCA ${pca(p).toFixed(4)}.`
      );
    },
  });
}
