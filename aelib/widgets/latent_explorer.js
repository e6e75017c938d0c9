import { chart, choices, fixed, h, interactive, nearestIndex, percent, pictureRow, slider } from "./base.js";

const FLOAT32 = 32;
const HOTTEST = 0.6; // the absolute error that is painted in full vermillion
const [AE, PCA] = [0, 1];
const [TRAIN, HELD_OUT] = [0, 1];
const METHODS = [
  [PCA, "pca"],
  [AE, "recon"],
];

/** What is drawn of a method at each size of the code, from the arrays. */
function reader(model, { images, frames, errors, mean, components, codes, lists }) {
  const [ks, depths, pictured] = ["ks", "bit_depths", "pictured"].map((name) => model.get(name));
  const [count, rows, columns] = images.shape;
  const size = rows * columns;
  const drawn = {};
  const project = (b, k) => {
    const picture = new Float32Array(count * size);
    for (let n = 0; n < count; n += 1) {
      picture.set(mean.values, n * size);
      const code = codes.part(b, n);
      for (let j = 0; j < ks[k]; j += 1) {
        const direction = components.part(j);
        for (let d = 0; d < size; d += 1) picture[n * size + d] += code[j] * direction[d];
      }
    }
    return (index) => picture[index];
  };
  return {
    ks,
    depths,
    size,
    count,
    rows,
    columns,
    input: images.at(),
    network: (b, k) => {
      const depth = pictured.indexOf(depths[b]);
      return frames.at(depth < 0 ? pictured.length - 1 : depth, k);
    },
    pca: (b, k) => (drawn[`${b} ${k}`] ??= project(b, k)),
    error: (method, split) => (b, k) => errors.at(method, split, b, k),
    lists: lists.row().map((value, index) => [index, value]),
    lossless: Object.entries(model.get("lossless")),
  };
}

const shownError = (value) => (value < 1e-9 ? "0" : value < 5e-5 ? "< 0.0001" : value.toFixed(4));
const times = (ratio) => (ratio >= 9.95 ? Math.round(ratio) : Number(ratio.toFixed(1)));
const numbersOf = (k) => (k === 1 ? "1 number" : `${k} numbers`);

/**
 * The sentence: who is ahead on held-out digits, by how much, and what the bits cost. True at every
 * position.
 */
function sentence(data, b, k) {
  const [ae, pca] = [AE, PCA].map((method) => data.error(method, HELD_OUT)(b, k));
  return `${compare(data, ae, pca, data.ks[k], data.depths[b])} ${bitsSentence(data, ae, b, k)}`;
}

function compare(data, ae, pca, latentDim, bits) {
  if (latentDim === data.size && bits === FLOAT32) {
    const attained = pca < 1e-9 ? "0 to rounding" : shownError(pca);
    return (
      "As many numbers as pixels: a perfect copy is attainable and nothing is compressed. " +
      `PCA attains it (error ${attained}); the trained autoencoder does not (${shownError(ae)}).`
    );
  }
  const each = `of ${bits} bit${bits > 1 ? "s" : ""}${latentDim > 1 ? " each" : ""}`;
  const code = `With ${numbersOf(latentDim)}${bits === FLOAT32 ? "" : ` ${each}`}`;
  const names = ["the autoencoder", "PCA"];
  const [ahead, behind] = ae <= pca ? names : names.reverse();
  const [low, high] = [Math.min(ae, pca), Math.max(ae, pca)];
  const gap = 1 - low / high;
  if (gap < 0.005) return `${code} the two are level on held-out digits, at error ${shownError(low)}.`;
  const below = `error ${shownError(low)}, ${percent(gap)} below ${behind}’s ${shownError(high)}`;
  return `${code} ${ahead} is ahead on held-out digits: ${below}.`;
}

function bitsSentence(data, ae, b, k) {
  const rate = data.ks[k] * data.depths[b];
  const exact = Math.min(...data.lossless.map(([, bits]) => bits));
  const size = `${rate} bit${rate > 1 ? "s" : ""} per image`;
  const fewer = rate < exact ? `${times(exact / rate)} times fewer than` : "not fewer than";
  const against = `${size}, ${fewer} the ${Math.round(exact)} that zlib needs for an exact copy`;
  if (data.depths[b] === FLOAT32) return `Stored as float32 that is ${against}.`;
  const loss = ae / data.error(AE, HELD_OUT)(data.depths.indexOf(FLOAT32), k) - 1;
  return `That is ${against}; rounding adds ${percent(Math.max(0, loss))} to the autoencoder’s error.`;
}

/** The points that nothing with as few bits beats, over all K and b. */
function frontier(data, error) {
  const points = data.depths.flatMap((bits, b) => data.ks.map((k, index) => [bits * k, error(b, index)]));
  points.sort((p, q) => p[0] - q[0] || p[1] - q[1]);
  let best = Infinity;
  return points.filter(([, value]) => value < best && ((best = value), true));
}

const face = (model) => {
  const count = model.get("arrays")?.images?.shape[0];
  return {
    traits: ["latent_dim", "bits"],
    lead:
      `${count === 10 ? "Ten" : count} digits that neither method has seen, ` +
      "sent through a code of K numbers and back.",
  };
};

export default interactive(face, ({ model, state, set, data: arrays, body, say, keep }) => {
  const data = reader(model, arrays);
  const { ks, depths, count, rows, columns, error } = data;
  const at = () => [nearestIndex(depths, state().bits), nearestIndex(ks, state().latent_dim)];
  const choose = (b, k) => set({ bits: depths[b], latent_dim: ks[k] });
  const fewer = (k) =>
    ks[k] === data.size ? "as many as pixels" : `of ${data.size}: ${times(data.size / ks[k])}× fewer`;
  const size = slider({
    label: "Code size K",
    min: 0,
    max: ks.length - 1,
    value: at()[1],
    show: (k) => ({ number: ks[k], unit: fewer(k), spoken: `${numbersOf(ks[k])} for ${data.size} pixels` }),
    input: (k) => choose(at()[0], k),
  });
  const depth = slider({
    label: "Bits each",
    min: 0,
    max: depths.length - 1,
    value: at()[0],
    tone: "plain",
    big: false,
    show: (b) => ({
      number: depths[b],
      unit: `× ${ks[at()[1]]} = ${depths[b] * ks[at()[1]]} bits per image`,
      spoken: depths[b] === FLOAT32 ? "32 bits, as float32" : `${depths[b]} bits`,
    }),
    input: (b) => choose(b, at()[1]),
  });
  const row = (name, note, tone, label) =>
    keep(pictureRow({ name, note, tone, label, count, rows, columns }));
  const input = row("Input", `${data.size} pixels`, "input", "held-out digits");
  const linear = row("PCA", "", "pca", "PCA’s reconstructions");
  const network = row("Autoencoder", "", "recon", "the autoencoder’s reconstructions");
  const wrong = row("Its error", "|x̂ − x|", "error", "where the autoencoder is wrong");
  const [bySize, byBits] = [sizeChart, bitsChart].map((make) => keep(make(data, at, choose)));

  const exact = data.lossless.map(([name, bits]) => `${name} ${Math.round(bits)} bits`).join(", ");
  const words =
    "Against bits, lines are the best over all K and b, dots your K and b; k-means is an index into a list " +
    `of typical pictures; on the axis, exact copies: ${exact} per image.`;
  const which = choices({
    label: "Error against",
    hideLabel: true,
    value: "size",
    change: (value) => [charts, left].forEach((node) => node.setAttribute("data-shown", value)),
    options: [
      { value: "size", label: "against numbers" },
      { value: "bits", label: "against bits" },
    ],
  });
  which.root.classList.add("ae-which");
  const charts = h("div", { class: "ae-charts", "data-shown": "size" }, which.root, bySize.root, byBits.root);
  const pictures = [input, linear, network, wrong].flatMap(({ nodes }) => nodes);
  const legend = h("p", { class: "ae-note ae-legend", text: words });
  const left = h(
    "div",
    { class: "ae-left", "data-shown": "size" },
    h("div", { class: "ae-picture-rows" }, ...pictures),
    legend,
  );
  body.append(size.root, depth.root, h("div", { class: "ae-two" }, left, charts));
  input.paint(data.input);

  return () => {
    const [b, k] = at();
    size.set(k);
    depth.set(b);
    const [errorAutoencoder, errorPca] = [AE, PCA].map((method) => error(method, HELD_OUT)(b, k));
    const copy = data.network(b, k);
    linear.paint(data.pca(b, k));
    network.paint(copy);
    wrong.paint((index) => Math.abs(copy(index) - data.input(index)) / HOTTEST, "error");
    linear.say(`error ${shownError(errorPca)}`);
    network.say(`error ${shownError(errorAutoencoder)}`);
    bySize.update();
    byBits.update();
    say(sentence(data, b, k));
    return { latentDim: ks[k], bits: depths[b], rate: depths[b] * ks[k], errorAutoencoder, errorPca };
  };
});

/** The vertical axis of both charts. */
function vertical(data, note) {
  const highest = Math.max(data.lists[0][1], data.error(PCA, HELD_OUT)(data.depths.length - 1, 0));
  const top = 0.01 * Math.ceil(104 * highest);
  const shown = [0, 0.02, 0.04, 0.06].filter((tick) => tick <= top);
  const ticks = shown.map((tick) => [tick, tick ? tick.toFixed(2).slice(1) : "0"]);
  return { domain: [0, top], ticks, title: "error per pixel", note };
}

/** A dot for each method at the present error, or an arrow where it lies above the frame. */
function markers(c, data, top, x, b, k) {
  for (const [method, tone] of METHODS) {
    const error = data.error(method, HELD_OUT)(b, k);
    c.dot(x, Math.min(error, top), `ae-dot-${tone}`, 0.35);
    if (error > top) c.text(x, top, "↑", `ae-text-${tone}`, "start", 0.5, 0.3);
  }
}

function said(data, [b, k], where) {
  const [ae, pca] = [AE, PCA].map((method) => shownError(data.error(method, HELD_OUT)(b, k)));
  return `Held-out error against ${where}: autoencoder ${ae}, PCA ${pca}.`;
}

function sizeChart(data, at, choose) {
  const y = vertical(data, "dashed: training");
  const ticks = [1, 2, 4, 8, 16, 32, 64].filter((tick) => data.ks.includes(tick)).map((tick) => [tick, tick]);
  return chart({
    label: "error against the size of the code",
    height: 10.6,
    x: { domain: [data.ks[0], data.ks.at(-1)], log: true, ticks, title: "numbers in the code, K" },
    y,
    move: (c) => {
      const [b, k] = at();
      const curve = (error) => data.ks.map((latentDim, index) => [latentDim, error(b, index)]);
      c.rule(data.ks[k], "ae-rule");
      for (const [method, tone] of METHODS) {
        c.line(curve(data.error(method, TRAIN)), `ae-${tone} ae-thin`);
        c.line(curve(data.error(method, HELD_OUT)), `ae-${tone}`);
      }
      markers(c, data, y.domain[1], data.ks[k], b, k);
      const pca = curve(data.error(PCA, HELD_OUT));
      c.text(...pca[nearestIndex(data.ks, 2)], "PCA", "ae-text-pca", "start", 0.6, -0.3);
      c.text(data.ks[0], 0, "autoencoder", "ae-text-recon", "start", 0, -0.7);
    },
    drag: (value) => choose(at()[0], nearestIndex(data.ks.map(Math.log), Math.log(value))),
    describe: () => said(data, at(), `the size of the code. At ${numbersOf(data.ks[at()[1]])}`),
  });
}

function bitsChart(data, at, choose) {
  const y = { ...vertical(data, "dashed: this K"), title: "best K and b" };
  const top = y.domain[1];
  const rates = data.lossless.map(([, bits]) => bits);
  const error = data.error(AE, HELD_OUT);
  const me = chart({
    label: "error against bits per image",
    height: 10.6,
    x: {
      domain: [1, 2048],
      log: true,
      ticks: [1, 8, 64, 512].map((tick) => [tick, tick]),
      title: "bits per image, K × b",
    },
    y,
    draw: (c) => {
      for (const [method, tone] of METHODS)
        c.line(frontier(data, data.error(method, HELD_OUT)), `ae-${tone}`);
      const [[, mean], ...lists] = data.lists;
      c.line(lists, "ae-list ae-thin");
      c.line(
        [1, 2048].map((bits) => [bits, mean]),
        "ae-list ae-thin",
      );
      c.text(2048, mean, "no bits: the mean image", "ae-text-input", "end", 0, -0.3);
      if (lists.length > 2) c.text(...lists[0], "k-means", "ae-text-input", "start", 0, 2.9);
      const pca = frontier(data, data.error(PCA, HELD_OUT));
      c.text(
        ...(pca.find(([, value]) => value < 0.6 * top) ?? pca[0]),
        "PCA",
        "ae-text-pca",
        "start",
        0.7,
        -0.1,
      );
      c.text(1, 0, "autoencoder", "ae-text-recon", "start", 0, -0.7);
      rates.forEach((bits) => c.dot(bits, 0, "ae-dot-exact", 0.3));
    },
    move: (c) => {
      const [b, k] = at();
      c.line(
        data.depths.map((bits, index) => [bits * data.ks[k], error(index, k)]),
        "ae-latent ae-thin",
      );
      if (rates.length) c.text(Math.max(...rates), 0, "exact", "ae-text-input ae-quiet", "start", 0.1, -0.7);
      markers(c, data, top, data.depths[b] * data.ks[k], b, k);
    },
    drag: (bits, value) => choose(...nearestPoint(data, me, bits, value)),
    describe: () => said(data, at(), `bits per image. At ${data.depths[at()[0]] * data.ks[at()[1]]} bits`),
  });
  return me;
}

/** Of all (b, K), the one whose autoencoder lies nearest to the pointer on the chart. */
function nearestPoint(data, c, bits, value) {
  const places = data.depths.flatMap((_, b) => data.ks.map((_, k) => [b, k]));
  const far = ([b, k]) =>
    Math.hypot(
      c.x(data.depths[b] * data.ks[k]) - c.x(bits),
      c.y(data.error(AE, HELD_OUT)(b, k)) - c.y(value),
    );
  return places[nearestIndex(places.map(far), 0)];
}
