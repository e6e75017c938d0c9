import { card, chart, choices, h, listen, nearestIndex, percent, readFloat16, readFloat64, readUint8, saver, slider, strip } from "./base.js";

const FLOAT32 = 32;
const HOTTEST = 0.6; // the absolute error that is painted in full vermillion

function readExplorer(model) {
  const [ks, depths, pictured] = ["ks", "bit_depths", "pictured"].map((name) => model.get(name));
  const [rows, columns] = model.get("image_shape");
  const images = readUint8(model.get("images"));
  const frames = readUint8(model.get("frames"));
  const errors = readFloat64(model.get("errors"));
  const size = rows * columns;
  const widest = ks[ks.length - 1];
  const numbers = readFloat16(model.get("pca"));
  const [mean, components, codes] = [numbers.subarray(0, size), numbers.subarray(size, size * (1 + widest)), numbers.subarray(size * (1 + widest))];
  const count = images.length / size;
  const error = (method, split) => (b, k) => errors[((method * 2 + split) * depths.length + b) * ks.length + k];
  return {
    ks, depths, rows, columns, size, count,
    input: (index) => images[index] / 255,
    autoencoder: (b, k) => {
      const depth = pictured.includes(depths[b]) ? pictured.indexOf(depths[b]) : pictured.length - 1;
      const start = (depth * ks.length + k) * images.length;
      return (index) => frames[start + index] / 255;
    },
    pca: (b, k) => {
      const picture = new Float32Array(images.length);
      for (let n = 0; n < count; n += 1) {
        picture.set(mean, n * size);
        for (let j = 0; j < ks[k]; j += 1) {
          const z = codes[(b * count + n) * widest + j];
          for (let d = 0; d < size; d += 1) picture[n * size + d] += z * components[j * size + d];
        }
      }
      return (index) => picture[index];
    },
    held: { autoencoder: error(0, 1), pca: error(1, 1) },
    train: { autoencoder: error(0, 0), pca: error(1, 0) },
    lossless: Object.entries(model.get("lossless")),
  };
}

const shownError = (value) => (value < 1e-9 ? "0" : value < 5e-5 ? "< 0.0001" : value.toFixed(4));
const times = (ratio) => (ratio >= 9.95 ? Math.round(ratio) : Number(ratio.toFixed(1)));
const numbersOf = (k) => (k === 1 ? "1 number" : `${k} numbers`);

/** The sentence: who is ahead on held-out digits, by how much, and what the bits cost. True at every position. */
function sentence(data, b, k) {
  const [ae, pca] = [data.held.autoencoder(b, k), data.held.pca(b, k)];
  const bits = data.depths[b];
  return `${compare(data, ae, pca, data.ks[k], bits)} ${bitsSentence(data, ae, b, k)}`;
}

function compare(data, ae, pca, latentDim, bits) {
  if (latentDim === data.size && bits === FLOAT32) {
    return `As many numbers as pixels: a perfect copy is attainable and nothing is compressed. PCA attains it (error ${pca < 1e-9 ? "0 to rounding" : shownError(pca)}); the trained autoencoder does not (${shownError(ae)}).`;
  }
  const code = bits === FLOAT32 ? `With ${numbersOf(latentDim)}` : `With ${numbersOf(latentDim)} of ${bits} bit${bits > 1 ? "s" : ""}${latentDim > 1 ? " each" : ""}`;
  const [ahead, behind, low, high] = ae <= pca ? ["the autoencoder", "PCA", ae, pca] : ["PCA", "the autoencoder", pca, ae];
  const gap = 1 - low / high;
  if (gap < 0.005) return `${code} the two are level on held-out digits, at error ${shownError(low)}.`;
  return `${code} ${ahead} is ahead on held-out digits: error ${shownError(low)}, ${percent(gap)} below ${behind}’s ${shownError(high)}.`;
}

function bitsSentence(data, ae, b, k) {
  const rate = data.ks[k] * data.depths[b];
  const exact = Math.min(...data.lossless.map(([, bits]) => bits));
  const size = `${rate} bit${rate > 1 ? "s" : ""} per image`;
  const against = rate < exact ? `${times(exact / rate)} times fewer than` : "no fewer than";
  if (data.depths[b] === FLOAT32) return `Stored as float32 that is ${size}, ${against} the ${Math.round(exact)} that zlib needs for an exact copy.`;
  const loss = ae / data.held.autoencoder(data.depths.indexOf(FLOAT32), k) - 1;
  return `That is ${size}, ${against} the ${Math.round(exact)} that zlib needs for an exact copy; rounding adds ${percent(Math.max(0, loss))} to the autoencoder’s error.`;
}

/** The points that nothing with as few bits beats, over all K and b. */
function frontier(data, error) {
  const points = data.depths.flatMap((bits, b) => data.ks.map((latentDim, k) => [bits * latentDim, error(b, k)]));
  points.sort((p, q) => p[0] - q[0] || p[1] - q[1]);
  let best = Infinity;
  return points.filter(([, value]) => value < best && ((best = value), true));
}

function render({ model, el }) {
  const data = readExplorer(model);
  const save = saver(model);
  const { section, body, say } = card(el, {
    title: "How small can a description get?",
    lead: "Ten digits that neither method has seen, sent through a code of K numbers and back.".replace("Ten", data.count === 10 ? "Ten" : String(data.count)),
  });
  const state = () => [nearestIndex(data.depths, model.get("bits")), nearestIndex(data.ks, model.get("latent_dim"))];
  const choose = (b, k) => {
    model.set("bits", data.depths[b]);
    model.set("latent_dim", data.ks[k]);
    save();
  };
  let [b, k] = state();

  const size = slider({
    label: "Code size K", min: 0, max: data.ks.length - 1, value: k,
    show: (index) => ({
      number: data.ks[index], unit: data.ks[index] === data.size ? "as many as pixels" : `of ${data.size}: ${times(data.size / data.ks[index])}× fewer`,
      spoken: `${numbersOf(data.ks[index])} for ${data.size} pixels`,
    }),
    input: (index) => choose(b, index),
  });
  const depth = slider({
    label: "Bits each", min: 0, max: data.depths.length - 1, value: b, tone: "plain", big: false,
    show: (index) => ({
      number: data.depths[index], unit: `× ${data.ks[k]} = ${data.depths[index] * data.ks[k]} bits per image`,
      spoken: data.depths[index] === FLOAT32 ? "32 bits, as float32" : `${data.depths[index]} bits`,
    }),
    input: (index) => choose(index, k),
  });

  const row = (name, detail, tone, label) => {
    const pictures = strip({ label, count: data.count, rows: data.rows, columns: data.columns });
    const note = h("span", { class: "ae-row-note", text: detail });
    return { pictures, note, nodes: [h("div", { class: `ae-row-name ae-name-${tone}` }, h("span", { class: "ae-row-title", text: name }), note), pictures.root] };
  };
  const input = row("Input", `${data.size} pixels`, "input", "held-out digits");
  const linear = row("PCA", "", "pca", "PCA’s reconstructions");
  const network = row("Autoencoder", "", "recon", "the autoencoder’s reconstructions");
  const wrong = row("Its error", "|x̂ − x|", "error", "where the autoencoder is wrong");

  const top = 0.01 * Math.ceil(104 * data.held.pca(data.depths.length - 1, 0));
  const y = { domain: [0, top], ticks: [0, 0.02, 0.04, 0.06].filter((tick) => tick <= top).map((tick) => [tick, tick ? tick.toFixed(2).slice(1) : "0"]) };
  const curve = (error) => data.ks.map((latentDim, index) => [latentDim, error(b, index)]);
  const markers = (c, x) => {
    for (const [method, tone] of [["pca", "pca"], ["autoencoder", "recon"]]) {
      const error = data.held[method](b, k);
      c.dot(x, Math.min(error, top), `ae-dot-${tone}`, 0.35);
      if (error > top) c.text(x, top, "↑", `ae-text-${tone}`, "start", 0.5, 0.3);
    }
  };
  const bySize = chart({
    label: "error against the size of the code",
    x: { domain: [data.ks[0], data.ks[data.ks.length - 1]], log: true, ticks: [1, 2, 4, 8, 16, 32, 64].filter((tick) => data.ks.includes(tick)).map((tick) => [tick, tick]), title: "numbers in the code, K" },
    y: { ...y, title: "error per pixel", note: "dashed: training" },
    move: (c) => {
      c.rule(data.ks[k], "ae-rule");
      for (const [method, tone] of [["pca", "pca"], ["autoencoder", "recon"]]) {
        c.line(curve(data.train[method]), `ae-${tone} ae-thin`);
        c.line(curve(data.held[method]), `ae-${tone}`);
      }
      markers(c, data.ks[k]);
      nameCurves(c, curve(data.held.pca));
    },
    drag: (value) => choose(b, nearestIndex(data.ks.map(Math.log), Math.log(value))),
    describe: () => `Held-out error against the size of the code. At ${numbersOf(data.ks[k])}: autoencoder ${shownError(data.held.autoencoder(b, k))}, PCA ${shownError(data.held.pca(b, k))}.`,
  });
  const rates = data.lossless.map(([, bits]) => bits);
  const best = { pca: frontier(data, data.held.pca), autoencoder: frontier(data, data.held.autoencoder) };
  const byBits = chart({
    label: "error against bits per image",
    x: { domain: [1, 2048], log: true, ticks: [1, 8, 64, 512].map((tick) => [tick, tick]), title: "bits per image, K × b" },
    y: { ...y, title: "best K and b", note: "dashed: this K" },
    draw: (c) => {
      c.line(best.pca, "ae-pca");
      c.line(best.autoencoder, "ae-recon");
      const near = best.pca.find(([, value]) => value < 0.6 * top) ?? best.pca[0];
      c.text(...near, "PCA", "ae-text-pca", "start", 0.7, -0.1);
      c.text(1, 0, "autoencoder", "ae-text-recon", "start", 0, -0.7);
      rates.forEach((bits) => c.dot(bits, 0, "ae-dot-exact", 0.3));
    },
    move: (c) => {
      c.line(data.depths.map((bits, index) => [bits * data.ks[k], data.held.autoencoder(index, k)]), "ae-latent ae-thin");
      if (rates.length) c.text(Math.max(...rates), 0, "exact", "ae-text-input ae-quiet", "start", 0.1, -0.7);
      markers(c, data.depths[b] * data.ks[k]);
    },
    drag: (bits, value) => choose(...nearestPoint(data, byBits, bits, value)),
    describe: () => `Held-out error against bits per image. At ${data.depths[b] * data.ks[k]} bits: autoencoder ${shownError(data.held.autoencoder(b, k))}, PCA ${shownError(data.held.pca(b, k))}.`,
  });

  const exact = data.lossless.map(([name, bits]) => `${name} ${Math.round(bits)} bits`).join(", ");
  const legend = h("p", { class: "ae-note ae-legend", text: `Against bits, lines are the best over all K and b; dots on the axis are exact copies: ${exact} per image.` });
  const charts = h("div", { class: "ae-charts", "data-shown": "size" }, bySize.root, byBits.root, legend);
  const which = choices({
    label: "Error against", hideLabel: true, value: "size", change: (value) => charts.setAttribute("data-shown", value),
    options: [{ value: "size", label: "against numbers" }, { value: "bits", label: "against bits" }],
  });
  which.root.classList.add("ae-which");
  const rows = h("div", { class: "ae-rows" }, ...[input, linear, network, wrong].flatMap(({ nodes }) => nodes));
  body.append(size.root, depth.root, h("div", { class: "ae-stage" }, rows, which.root, charts));

  const draw = () => {
    [b, k] = state();
    size.set(k);
    depth.set(b);
    const [ae, pca] = [data.held.autoencoder(b, k), data.held.pca(b, k)];
    const x_hat = data.autoencoder(b, k);
    linear.pictures.paint(data.pca(b, k));
    network.pictures.paint(x_hat);
    wrong.pictures.paint((index) => Math.abs(x_hat(index) - data.input(index)) / HOTTEST, "error");
    linear.note.textContent = `error ${shownError(pca)}`;
    network.note.textContent = `error ${shownError(ae)}`;
    Object.assign(section.dataset, { latentDim: data.ks[k], bits: data.depths[b], rate: data.depths[b] * data.ks[k], errorAutoencoder: ae, errorPca: pca });
    bySize.update();
    byBits.update();
    say(sentence(data, b, k));
  };
  input.pictures.paint(data.input);
  draw();
  const deaf = listen(model, ["latent_dim", "bits"], draw);
  return () => [deaf, bySize.dispose, byBits.dispose, ...[input, linear, network, wrong].map(({ pictures }) => pictures.dispose)].forEach((stop) => stop());
}

function nameCurves(c, pca) {
  const [x, y] = pca[nearestIndex(pca.map(([latentDim]) => latentDim), 2)];
  c.text(x, y, "PCA", "ae-text-pca", "start", 0.6, -0.3);
  c.text(pca[0][0], 0, "autoencoder", "ae-text-recon", "start", 0, -0.7);
}

/** Of all (b, K), the one whose autoencoder lies nearest to the pointer on the chart. */
function nearestPoint(data, c, bits, value) {
  let [nearest, found] = [Infinity, [0, 0]];
  data.depths.forEach((depth, b) => data.ks.forEach((latentDim, k) => {
    const distance = Math.hypot(c.x(depth * latentDim) - c.x(bits), c.y(data.held.autoencoder(b, k)) - c.y(value));
    if (distance < nearest) [nearest, found] = [distance, [b, k]];
  }));
  return found;
}

export default { render };
