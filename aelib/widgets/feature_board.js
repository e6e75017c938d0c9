import { chart, choices, clamp, fixed, h, interactive, percent, slider, strip } from "./base.js";

const FACE = {
  traits: ["level", "place", "guess"],
  lead:
    "Twelve training digits that turn a direction on most. " +
    "Some directions are learned features, some are random. Guess the digit.",
};
const PER_ROW = 6;
const SHOWN = 12;
const SEVERAL = 10;
const NO_GUESS = -1;
const EFFECT = [-8, 0.6];
const INFORMATION = [0, 0.8];
const KINDS = [
  { words: "a learned feature", tone: "latent", name: "learned" },
  { words: "a random direction", tone: "error", name: "random" },
  { words: "a random direction with the spread of the hidden numbers", tone: "pca", name: "random, spread" },
];
const UNTOLD = { tone: "untold", name: "learned or random?" };
const TESTS = ["kind", "digit", "twelve", "name", "share", "rate", "information", "effect"];

const guesses = [
  ...Array.from({ length: 10 }, (_, digit) => ({ value: digit, label: String(digit) })),
  { value: SEVERAL, label: "several" },
];

const rightGuess = ({ digit, twelve }) => (twelve > SHOWN / 2 ? digit : SEVERAL);

/** What the pictures show, and what all the digits are that turn the direction on. */
function seenDigits({ digit, twelve, name, share }) {
  const most = twelve > SHOWN / 2 ? `${twelve} of the twelve are ${digit}s` : "no digit has more than half";
  const pictures = twelve === SHOWN ? `all twelve are ${digit}s` : most;
  const whole = `of all the training digits that turn it on, ${percent(share)} are ${name}s`;
  return digit === name ? `${pictures}, and ${whole}` : `${pictures}, but ${whole}, the commonest`;
}

/** The sentence: what is asked, and once there is a guess, what the direction is and what the tests say. */
function sentence({ lam, error, on, places }, { place, guess, told, right }) {
  const { kind, name, information, effect } = told;
  const where = `Direction ${place + 1} of ${places} at λ = ${lam}`;
  const copy = `the autoencoder leaves ${percent(error)} of the variance, with ${fixed(on, 1)} features on`;
  if (guess === NO_GUESS) return `${where}: ${copy}. Which digit do the pictures show?`;
  const answer = guesses.find(({ value }) => value === guess).label;
  const verdict = `${right ? "You are right," : "Not"} ${answer}: ${seenDigits(told)}`;
  const tests = `on or off tells ${fixed(information, 2)} bits about the label`;
  const loss = `without it log p(${name}) changes by ${fixed(effect, 2)}`;
  return `${verdict}. It is ${KINDS[kind].words}. On held-out digits, ${tests}, and ${loss}.`;
}

export default interactive(FACE, ({ model, state, set, data, body, say, keep }) => {
  const [lams, scale] = [model.get("lams"), model.get("scale")];
  const [, places] = data.kind.shape;
  let now;
  const at = (level, place) => Object.fromEntries(TESTS.map((name) => [name, data[name].at(level, place)]));
  const move = (changes) => set({ ...changes, guess: NO_GUESS });
  const price = slider({
    label: "Price λ",
    min: 0,
    max: lams.length - 1,
    value: state().level,
    big: false,
    show: (level) => ({ number: lams[level], unit: "a unit of code" }),
    input: (level) => move({ level }),
  });
  const which = slider({
    label: "Direction",
    min: 0,
    max: places - 1,
    value: state().place,
    tone: "plain",
    big: false,
    show: (place) => ({ number: place + 1, unit: `of ${places}` }),
    input: (place) => move({ place }),
  });
  const rows = [0, 1].map((row) =>
    keep(strip({ label: `pictures that turn it on, row ${row + 1}`, count: PER_ROW, widest: 56 })),
  );
  const ask = choices({
    label: "Which digit do most of them show?",
    options: guesses,
    value: state().guess,
    change: (guess) => set({ guess }),
  });
  const map = keep(
    testsChart(
      () => now,
      (place) => move({ place }),
    ),
  );
  const pictures = h("div", { class: "ae-pictures" }, ...rows.map(({ root }) => root));
  body.append(
    price.root,
    which.root,
    h("div", { class: "ae-two" }, h("div", {}, pictures, ask.root), map.root),
  );

  return ({ level, place, guess }) => {
    price.set(level);
    which.set(place);
    ask.set(guess);
    const images = data.top.row(level, place);
    rows.forEach((row, r) =>
      row.paint((index) => {
        const [picture, pixel] = [Math.floor(index / 64), index % 64];
        return data.images.at(images[r * PER_ROW + picture], pixel) / scale;
      }),
    );
    const told = at(level, place);
    const right = Number(guess === rightGuess(told));
    const all = Array.from({ length: places }, (_, n) => at(level, n));
    now = { place, guess, told, right, all };
    map.update();
    const [error, on] = data.facts.row(level);
    say(sentence({ lam: lams[level], error, on, places }, now));
    return { level, place, guess, right, ...told };
  };
});

const seen = ({ information, effect }) => [clamp(information, ...INFORMATION), clamp(effect, ...EFFECT)];

/** A line of the legend. */
function entry(c, { name, tone }, height) {
  c.dot(0.46, height, `ae-dot-${tone}`, 0.3);
  c.text(0.485, height, name, `ae-text-${tone}`, "start", 0, 0.28);
}

/** What both tests say of every direction; a guess tells the kinds, and rings the present one. */
function testsChart(now, choose) {
  return chart({
    label: "both tests of every direction",
    height: 17,
    left: 2.4,
    x: {
      domain: INFORMATION,
      ticks: [0, 0.2, 0.4, 0.6, 0.8].map((tick) => [tick, tick]),
      title: "information about the label, bits",
    },
    y: {
      domain: EFFECT,
      ticks: [-8, -6, -4, -2, 0].map((tick) => [tick, fixed(tick, 0)]),
      title: "change of log p(name) without it",
    },
    move: (c) => {
      const { all, place, guess } = now();
      if (guess === NO_GUESS) c.text(0.46, -5.6, UNTOLD.name, "ae-text-pca", "start", 0, 0.28);
      else KINDS.forEach((kind, k) => entry(c, kind, -5.6 - 0.75 * k));
      const of = ({ kind }) => (guess === NO_GUESS ? UNTOLD : KINDS[kind]);
      for (const one of all) c.dot(...seen(one), `ae-dot-${of(one).tone}`, 0.34);
      if (guess !== NO_GUESS) c.dot(...seen(all[place]), "ae-ring", 0.7);
    },
    drag: (information, effect) => {
      const far = (one) => {
        const [a, b] = seen(one);
        const [wide, tall] = [INFORMATION, EFFECT].map(([low, high]) => high - low);
        return Math.hypot((a - information) / wide, (b - effect) / tall);
      };
      const { all } = now();
      choose(all.reduce((best, one, n) => (far(one) < far(all[best]) ? n : best), 0));
    },
    describe: () => {
      const { all, told, guess } = now();
      if (guess === NO_GUESS)
        return "Both tests of every direction. A guess tells which of them are learned.";
      const mean = (kind, name) => {
        const chosen = all.filter((one) => one.kind === kind);
        return chosen.reduce((total, one) => total + one[name], 0) / chosen.length;
      };
      const of = ({ name }, kind) => {
        const [bits, effect] = ["information", "effect"].map((test) => fixed(mean(kind, test), 2));
        return `${name}: ${bits} bits and ${effect} on average`;
      };
      const here = `This one: ${fixed(told.information, 2)} bits, ${fixed(told.effect, 2)}.`;
      return `Both tests of every direction. ${KINDS.map(of).join("; ")}. ${here}`;
    },
  });
}
