import {
  button,
  chart,
  choices,
  clamp,
  fixed,
  gauge,
  h,
  interactive,
  pictureRow,
  plane,
  slider,
  sum,
} from "./base.js";
import {
  adamStep,
  backward,
  decode,
  forward,
  init,
  makeTrace,
  normal,
  shuffled,
  uniform,
} from "./learning.js";

const FACE = (model) => ({
  traits: ["latent_dim", "lr", "beta"],
  lead:
    "A network of 64–32–K–32–64 numbers learns from 300 digits, on your machine. " +
    (model.get("variational")
      ? `Its decoder is Gaussian, σₓ² = ${model.get("noise_var")}. `
      : "Its loss is the squared error. ") +
    "Pictures and codes are of held-out digits.",
});
const [WIDTH, BATCH] = [32, 50];
const DRAWN = 10;
const [SLICE, SHORT_SLICE, IN_TIME] = [9, 2, 25]; // ms: training in a frame, less if the last was late
const [LEARN, JUDGE] = [0, 1]; // which frame of three; the third draws one of four parts
const [PICTURES, CURVE, NUMBERS, CODES] = [2, 5, 8, 11]; // in which frame of twelve
const ODD = new Error("odd settings");
const POINTS = 120; // of a curve
const WORDS_EVERY = 250; // ms
const DIVERGED = 1000; // times the loss before the first step
const ENDS = [5, 10, 20, 50, 100, 200, 500, 1000, 2000];

// ---- one run ---------------------------------------------------------------------------------------------

const everyNumber = ({ values, at }) => Float64Array.from(values, (_, n) => at()(n));

/** What the page trains on, and the settings that stay. Throws where a saved state cannot be. */
function readSetting(model, { train, held_out: heldOut }) {
  const [labels, seed, noise] = ["labels", "seed", "noise_var"].map((name) => model.get(name));
  if (!Number.isInteger(seed) || !(noise > 0) || labels.length !== heldOut.shape[0]) throw ODD;
  return {
    inputs: train.shape[1] * train.shape[2],
    train: everyNumber(train),
    heldOut: everyNumber(heldOut),
    labels,
    seed,
    meanError: model.get("mean_error"),
    most: model.get("most_epochs"),
    noiseVar: model.get("variational") ? noise : null,
  };
}

/**
 * A network at its start, step() by which it learns, with the state's lr and beta of that moment, and
 * judge(), which looks at the held-out digits.
 */
function startRun(setting, state) {
  const latents = state().latent_dim;
  const { inputs, train, heldOut, labels, seed, noiseVar } = setting;
  const [count, judged] = [train.length / inputs, labels.length];
  const [start, look, random] = [0, 1, 2].map((part) => uniform(1000 * seed + part));
  const network = init({ inputs, width: WIDTH, latents, noiseVar }, start);
  const [learning, judging, drawing] = [BATCH, judged, DRAWN].map((rows) => makeTrace(network, rows));
  const noise = normal(judged * latents, look);
  drawing.z.set(normal(DRAWN * latents, look));
  const perEpoch = Math.floor(count / BATCH);
  const batch = new Float64Array(BATCH * inputs);
  const run = { latents, steps: 0, epochs: 0, curve: [], judging, drawing, diverged: null, perEpoch };
  let [order, recent, limit] = [[], [], Infinity];

  run.step = () => {
    const { lr, beta } = state();
    const at = run.steps % perEpoch;
    if (at === 0) order = shuffled(count, random);
    for (let n = 0; n < BATCH; n += 1) {
      const row = order[at * BATCH + n];
      batch.set(train.subarray(row * inputs, (row + 1) * inputs), n * inputs);
    }
    const eps = normal(BATCH * latents, random);
    recent[at] = forward(network, batch, eps, learning);
    backward(network, batch, eps, learning, beta);
    adamStep(network, lr);
    run.steps += 1;
    run.epochs = run.steps / perEpoch;
    watch(recent[at]);
  };
  const watch = ({ reconstruction, kl }) => {
    const { lr, beta } = state();
    const loss = reconstruction + beta * kl;
    if (!(loss <= limit)) run.diverged ??= { loss, lr, epoch: Math.ceil(run.epochs) };
  };
  run.judge = () => {
    const parts = forward(network, heldOut, noise, judging);
    if (run.steps === 0) limit = DIVERGED * (parts.reconstruction + parts.kl);
    watch(parts);
    decode(network, drawing);
    const learned = recent.length
      ? recent.map(({ reconstruction }) => reconstruction)
      : [parts.reconstruction];
    run.now = { epochs: run.epochs, ...parts, training: sum(learned) / learned.length };
    if (run.curve.at(-1)?.epochs !== run.epochs) run.curve.push(run.now);
    if (run.curve.length > POINTS) run.curve = run.curve.filter((_, n) => n % 2 === 0);
  };
  run.places = () => places(judging.code, latents, noiseVar === null ? latents : 2 * latents, labels);
  return run;
}

/** The two numbers of a code that vary most, as lists, and which they are; the only one if K = 1. */
function places(code, latents, across, labels) {
  const column = (k) => labels.map((_, n) => code[n * across + k]);
  const spreads = Array.from({ length: latents }, (_, k) => {
    const [list, mean] = [column(k), sum(column(k)) / labels.length];
    return sum(list.map((value) => (value - mean) ** 2));
  });
  const order = [...spreads.keys()].sort((j, k) => spreads[k] - spreads[j]);
  const axes = order.slice(0, 2).sort((j, k) => j - k);
  return { axes, codes: axes.map(column) };
}

// ---- words -----------------------------------------------------------------------------------------------

/** A number with so many digits after the point; a very large one by its power of ten. */
function shown(value, digits) {
  if (Math.abs(value) < 1e6) return fixed(value, digits);
  return value.toExponential(1).replace("e+", " × 10^");
}

const epochsOf = (epochs) => (Number.isInteger(epochs) ? String(epochs) : fixed(epochs, 1));
const unitOf = (epochs) => (epochs === 1 ? "epoch" : "epochs");

/** What is shown, in words; true at every moment. */
function sentence(run, setting, beta) {
  const { inputs, noiseVar, labels, meanError, most } = setting;
  const { epochs, reconstruction, kl, training } = run.now;
  if (run.diverged) {
    const { loss, lr, epoch } = run.diverged;
    const grown = Number.isFinite(loss) ? `has grown to ${shown(loss, 0)}` : "is no number any more";
    return (
      `The training diverged in epoch ${epoch}: at a learning rate of ${lr} the steps are too long, and ` +
      `the loss ${grown}. Training has stopped. Choose a smaller learning rate and press Reset.`
    );
  }
  const when =
    epochs === 0
      ? "Before the first step, with random weights,"
      : `After ${epochsOf(epochs)} ${unitOf(epochs)} with K = ${run.latents}`;
  const enough = epochs >= most ? ` Training stops after ${most} epochs.` : "";
  if (noiseVar === null) {
    const error = reconstruction / inputs;
    const learned =
      epochs === 0 ? "" : `, and ${shown(training / inputs, 4)} on the digits that it learns from`;
    return (
      `${when} the error is ${shown(error, 4)} per pixel on ${labels.length} held-out digits${learned}. ` +
      `With the mean digit as every copy it is ${fixed(meanError, 4)}.${enough}`
    );
  }
  return (
    `${when} a held-out digit costs ${shown(reconstruction, 1)} nats of reconstruction and ` +
    `${shown(kl, 1)} nats of KL, which the loss weighs with β = ${beta}. ` +
    `The samples are ten codes from N(0, I), always the same ones, decoded.${enough}`
  );
}

// ---- the bench -------------------------------------------------------------------------------------------

/** Calls work(late) in each frame while on and the node in view; with reduced motion it then stays off. */
function frames(node, work, off) {
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  let [on, seen, asked, before] = [false, true, 0, 0];
  const ask = () => {
    if (on && seen && !asked) asked = requestAnimationFrame(next);
  };
  const next = (now) => {
    asked = 0;
    if (!on || !seen) return;
    work(now - before > IN_TIME);
    before = now;
    ask();
  };
  const observer = new IntersectionObserver((entries) => {
    seen = entries.at(-1).isIntersecting;
    if (!seen && on && calm.matches) off();
    ask();
  });
  observer.observe(node);
  const turn = (now) => {
    on = now;
    ask();
  };
  const dispose = () => {
    on = false;
    observer.disconnect();
  };
  return { turn, isOn: () => on, dispose };
}

export default interactive(FACE, ({ model, state, set, data, body, section, say, keep }) => {
  const setting = readSetting(model, data);
  const [dims, rates, betas] = ["latent_dims", "rates", "betas"].map((name) => model.get(name));
  const { noiseVar, inputs } = setting;
  const variational = noiseVar !== null;
  const only = (made) => (variational ? made() : null);
  const [, rows, columns] = data.train.shape;
  let [run, told, words, turned] = [null, 0, "", 0];
  const reset = () => {
    run = startRun(setting, state);
    run.judge();
  };
  const stopped = () => run.diverged || run.epochs >= setting.most;
  const turn = (on) => {
    run.judge();
    loop.turn(on && !stopped());
    told = 0;
    refresh();
  };
  const learn = (late) => {
    const end = performance.now() + (late ? SHORT_SLICE : SLICE);
    let left = 2 * run.perEpoch; // some browsers' clocks stand still for long
    do {
      run.step();
      left -= 1;
    } while (left && !stopped() && performance.now() < end);
  };
  /** One frame trains, the next looks at the held-out digits, a third draws one part: so none takes long. */
  const work = (late) => {
    turned = (turned + 1) % 12;
    if (turned % 3 === LEARN) learn(late);
    else if (turned % 3 === JUDGE) run.judge();
    else refresh();
    if (stopped()) turn(false);
  };
  const isDue = (part) => !loop.isOn() || turned === part;
  const loop = keep(frames(section, work, () => turn(false)));
  const oneStep = () => {
    if (!stopped()) run.step();
    turn(false);
  };
  const begin = button("Run", () => turn(!loop.isOn()), { class: "ae-button ae-tb-run" });
  const single = button("One step", oneStep);
  const again = button("Reset", () => {
    reset();
    turn(false);
  });
  const count = gauge({ tone: "plain" });
  const size = choices({
    label: "Code size K",
    value: state().latent_dim,
    options: dims.map((value) => ({ value, label: value, spoken: `K = ${value}` })),
    change: (value) => set({ latent_dim: value }),
  });
  const range = (label, tone, list, name, unit) =>
    slider({
      label,
      tone,
      big: false,
      min: 0,
      max: list.length - 1,
      value: list.indexOf(state()[name]),
      show: (n) => ({ number: list[n], unit }),
      input: (n) => set({ [name]: list[n] }),
    });
  const rate = range("Learning rate", "plain", rates, "lr", "the length of a step");
  const weight = only(() => range("β", "latent", betas, "beta", "the weight of the KL"));
  const row = (name, tone, label) =>
    keep(pictureRow({ name, tone, label, count: DRAWN, rows, columns, widest: 40 }));
  const input = row("Input", "input", "ten held-out digits");
  const copies = row("Copies", "recon", "their reconstructions");
  const drawn = only(() => row("Samples", "latent", "ten codes of the prior, decoded"));
  const loss = gauge({ tone: "recon" });
  const price = only(() => gauge({ tone: "latent", unit: "KL, in nats" }));
  const parts = { run: () => run, setting, words: () => words };
  const curve = keep(lossChart(parts));
  const map = keep(codePlane(parts));
  const pictures = [input, copies, drawn].flatMap((each) => each?.nodes ?? []);
  const buttons = h("div", { class: "ae-tb-buttons" }, begin, single, again, count.root);
  body.append(
    h("div", { class: "ae-tb-controls" }, buttons, size.root),
    h("div", { class: "ae-tb-sliders" }, rate.root, weight?.root),
    h(
      "div",
      { class: "ae-two" },
      h("div", { class: "ae-tb-side" }, h("div", { class: "ae-picture-rows" }, ...pictures), curve.root),
      h(
        "div",
        { class: "ae-tb-side" },
        h("div", { class: "ae-tb-numbers" }, loss.root, price?.root),
        map.root,
      ),
    ),
  );
  input.paint((index) => setting.heldOut[index]);

  /** Words at most four times a second while it runs, so that they can be read. */
  const tell = (beta) => {
    const now = performance.now();
    if (loop.isOn() && now - told < WORDS_EVERY) return;
    told = now;
    words = sentence(run, setting, beta);
    say(words);
    const { epochs, reconstruction, kl } = run.now;
    count.set(epochsOf(epochs), unitOf(epochs));
    const number = (value, digits) => (run.diverged ? "–" : shown(value, digits));
    if (variational) loss.set(number(reconstruction, 1), "reconstruction");
    else loss.set(number(reconstruction / inputs, 4), "held-out error per pixel");
    price?.set(number(kl, 1));
  };

  const draw = ({ latent_dim: latents, lr, beta }) => {
    if (!dims.includes(latents) || !rates.includes(lr) || !betas.includes(beta)) throw ODD;
    if (run?.latents !== latents) {
      reset();
      loop.turn(false);
    }
    size.set(latents);
    rate.set(rates.indexOf(lr));
    weight?.set(betas.indexOf(beta));
    const { xHat } = run.judging;
    if (isDue(PICTURES)) {
      copies.paint((index) => xHat[index], "recon");
      drawn?.paint((index) => run.drawing.xHat[index], "latent");
    }
    begin.textContent = loop.isOn() ? "Pause" : "Run";
    [begin, single].forEach((one) => one.setAttribute("aria-disabled", String(Boolean(stopped()))));
    if (isDue(NUMBERS)) tell(beta);
    if (isDue(CURVE)) curve.update();
    if (isDue(CODES)) map.update();
    return {
      latentDim: latents,
      lr,
      beta,
      ...run.now,
      running: loop.isOn(),
      diverged: Boolean(run.diverged),
    };
  };
  const refresh = () => Object.assign(section.dataset, draw(state()));
  return draw;
});

// ---- curves and codes ------------------------------------------------------------------------------------

const ERRORS = {
  domain: [0.003, 1],
  log: true,
  ticks: [0.003, 0.01, 0.03, 0.1, 0.3, 1].map((tick) => [tick, String(tick).replace(/^0/, "")]),
  title: "error per pixel",
};
const NATS = {
  domain: [-40, 60],
  ticks: [-40, -20, 0, 20, 40, 60].map((tick) => [tick, fixed(tick, 0)]),
  title: "nats",
};

/** The losses against epochs; the right end moves away as the run goes on. */
function lossChart({ run, setting, words }) {
  const { inputs, noiseVar, meanError } = setting;
  const [y, unit, before] = noiseVar === null ? [ERRORS, inputs, ""] : [NATS, 1, "reconstruction, "];
  const x = { title: "epochs" };
  const stretch = (end) => {
    x.domain = [0, end];
    x.ticks = [0, 0.2, 0.4, 0.6, 0.8, 1].map((part) => [part * end, part * end]);
  };
  stretch(ENDS[0]);
  const [low, high] = y.domain;
  const height = (value) => (Number.isFinite(value) ? clamp(value, low, high) : high);
  // what, its kind of line, its name and its tone
  const lines = [
    [({ reconstruction }) => reconstruction / unit, "ae-recon", `${before}held-out digits`, "recon"],
    [({ training }) => training / unit, "ae-error ae-tb-dashed", "dashed: digits it learns from", "error"],
    noiseVar === null
      ? [() => meanError, "ae-pca ae-thin", "dotted: the mean digit", "pca"]
      : [({ kl }) => kl, "ae-latent", "KL, held-out digits", "latent"],
  ];
  const me = chart({
    label: "losses against epochs",
    height: 11.5,
    left: 2.8,
    right: 1.2,
    x,
    y,
    draw: (c) =>
      lines.forEach(([, , text, tone], n) =>
        c.shape("text", {
          class: `ae-label ae-text-${tone}`,
          x: c.right,
          y: c.top + (0.6 + 1.1 * n) * c.em,
          "text-anchor": "end",
          text,
        }),
      ),
    move: (c) =>
      lines.forEach(([of, kind, , tone]) => {
        const line = run().curve.map((point) => [point.epochs, height(of(point))]);
        c.line(line, kind);
        c.dot(...line.at(-1), `ae-dot-${tone}`, 0.25);
      }),
    describe: words,
  });
  const update = () => {
    const end = ENDS.find((one) => one >= run().epochs);
    if (end === x.domain[1]) me.update();
    else {
      stretch(end);
      me.redraw();
    }
  };
  return { root: me.root, update, dispose: me.dispose };
}

/** The codes of the held-out digits, each drawn as its numeral. */
function codePlane({ run, setting, words }) {
  const { labels, noiseVar } = setting;
  const reach = (list) => (noiseVar === null ? 1.02 * Math.max(1e-3, ...list.map(Math.abs)) : 3.5);
  // One text with a place for each of its letters: the browser lays it out faster than a hundred texts.
  const numerals = (c, across, up, most) => {
    const known = [...labels.keys()].filter((n) => Number.isFinite(across[n] + up[n]));
    const place = (value) => (0.5 + 0.48 * clamp(value / most, -1, 1)) * c.right;
    const x = known.map((n) => place(across[n]).toFixed(1)).join(" ");
    const y = known.map((n) => (place(-up[n]) + 4).toFixed(1)).join(" ");
    const text = known.map((n) => labels[n]).join("");
    c.shape("text", { class: "ae-tb-numeral", "text-anchor": "middle", x, y, text });
  };
  const word = (c, x, y, anchor, text) =>
    c.shape("text", { class: "ae-tick", x, y, "text-anchor": anchor, text });
  return plane({
    label: "codes of the held-out digits",
    reach: 1,
    largest: 236,
    move: (c) => {
      if (!run()) return;
      const { axes, codes } = run().places();
      const most = reach(codes.flat().filter(Number.isFinite));
      const middle = c.right / 2;
      if (noiseVar !== null)
        for (const r of [1, 2, 3]) {
          const ring = { cx: middle, cy: middle, r: (0.48 * c.right * r) / most };
          c.shape("circle", { class: "ae-tb-ring", ...ring });
        }
      const [a, b = labels.map((label) => ((label - 4.5) / 5) * most)] = codes;
      numerals(c, a, b, most);
      word(c, c.right - 4, c.bottom - 5, "end", `code ${axes[0] + 1}: ±${shown(most, 1)}`);
      word(c, 4, 12, "start", axes.length > 1 ? `code ${axes[1] + 1}` : "the digit’s class");
    },
    describe: () => `Codes of ${labels.length} held-out digits, each drawn as its numeral. ${words()}`,
  });
}
