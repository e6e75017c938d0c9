import {
  button,
  chart,
  clamp,
  fixed,
  gauge,
  h,
  interactive,
  onWidth,
  pictureRow,
  put,
  slider,
  strip,
  sum,
} from "./base.js";

const FACE = {
  traits: ["bits", "digit", "entry"],
  lead: "Sender and receiver share the list. For each digit one index is sent, and the receiver looks it up.",
};
const MOST_BITS = 8;
const NEAREST = -1;
const GAP = 1; // pixels of paper below each picture of the list
const HIGHEST = 11;

const binary = (index, bits) => (bits ? index.toString(2).padStart(bits, "0") : "nothing");
const bytes = (bits) => `${Math.ceil(bits / 8)} bytes`;

/** The list of 2**bits entries: its pictures, and what each entry costs in bits. */
function listOf({ entries, uses, sent }, bits) {
  const [start, size] = [2 ** bits - 1, 2 ** bits];
  const counts = Array.from({ length: size }, (_, k) => uses.at(start + k) + 1);
  const total = sum(counts);
  const prices = counts.map((count) => -Math.log2(count / total));
  const order = prices.map((_, k) => k).sort((a, b) => prices[a] - prices[b] || a - b);
  const heldOut = Array.from({ length: size }, (_, k) => sent.at(start + k));
  const steps = order.flatMap((k, at) => [
    [at / size, prices[k]],
    [(at + 1) / size, prices[k]],
  ]);
  return {
    size,
    prices,
    steps,
    rank: new Map(order.map((k, at) => [k, (at + 0.5) / size])),
    entry: (k) => entries.at(start + k),
    fileBits: sum(heldOut.map((count, k) => count * prices[k])),
    evenBits: bits * sum(heldOut),
    digits: sum(heldOut),
    across: 2 ** Math.ceil(bits / 2),
    down: 2 ** Math.floor(bits / 2),
  };
}

/** Mean squared difference of two pictures of so many numbers. */
function apart(a, b, count) {
  let total = 0;
  for (let d = 0; d < count; d += 1) total += (a(d) - b(d)) ** 2;
  return total / count;
}

function sentence(now) {
  const { bits, list, price } = now;
  if (!bits) return `The list has one picture, the mean, so nothing is sent. ${itsError(now)}`;
  const [file, even] = [list.fileBits, list.evenBits].map(bytes);
  return (
    `The list has ${list.size} pictures. ${itsError(now)} ` +
    `By its use in training it costs ${fixed(price, 2)} bits. ` +
    `The ${list.digits} held-out digits make a file of ${file}, against ${even} with ${bits} bits for each.`
  );
}

function itsError({ bits, index, nearest, error, errors }) {
  const sent = `index ${index}, in bits ${binary(index, bits)}`;
  const off = `error is ${fixed(error, 4)} per pixel`;
  if (!bits) return `For this digit its ${off}.`;
  if (index === nearest) return `The nearest entry has the ${sent}; its ${off}.`;
  const least = fixed(errors[nearest], 4);
  return `You send ${sent}: its ${off}, and that of the nearest entry, ${nearest}, is ${least}.`;
}

export default interactive(FACE, ({ model, state, set, data, body, say, keep }) => {
  const lists = Array.from({ length: MOST_BITS + 1 }, (_, bits) => listOf(data, bits));
  const [rows, columns] = model.get("image_shape");
  const [shown, size] = data.images.shape;
  let now;
  const { length, digit, entry, back } = controls(state(), set, shown, () => now);
  const board = pictures({ lists, rows, columns, keep, choose: (index) => set({ entry: index }) });
  const picture = (name, tone, label) => keep(pictureRow({ name, tone, label, count: 1, rows, columns }));
  const [input, copy, off] = [
    picture("Digit", "input", "the digit"),
    picture("Entry", "recon", "the entry that is sent"),
    picture("Error", "error", "their difference, twice as dark"),
  ];
  const held = gauge({ tone: "error" });
  const prices = keep(priceChart(() => now));
  const pairs = [input, copy, off].flatMap((row) => row.nodes);
  body.append(
    h(
      "div",
      { class: "ae-controls" },
      length.root,
      digit.root,
      h("div", { class: "ae-swap" }, entry.root, back),
    ),
    h(
      "div",
      { class: "ae-two" },
      board.root,
      h(
        "div",
        { class: "ae-side" },
        held.root,
        h("div", { class: "ae-picture-rows" }, ...pairs),
        prices.root,
      ),
    ),
  );

  return ({ bits, digit: shownDigit, entry: asked }) => {
    const list = lists[bits];
    const image = data.images.at(Math.min(shownDigit, shown - 1));
    const errors = list.prices.map((_, k) => apart(list.entry(k), image, size));
    const nearest = errors.indexOf(Math.min(...errors));
    const index = asked === NEAREST ? nearest : Math.min(asked, list.size - 1);
    now = { bits, list, index, nearest, errors, error: errors[index], price: list.prices[index] };
    length.set(bits);
    digit.set(Math.min(shownDigit, shown - 1) + 1);
    put(entry.input, { max: Math.max(list.size - 1, 1) });
    entry.input.disabled = bits === 0;
    entry.set(index);
    entry.input.style.setProperty("--ae-filled", `${(100 * index) / Math.max(list.size - 1, 1)}%`);
    back.disabled = index === nearest;
    board.show(bits, index, nearest);
    const sent = list.entry(index);
    input.paint(image, "input");
    copy.paint(sent, "recon");
    off.paint((d) => 2 * Math.abs(sent(d) - image(d)), "error");
    held.set(fixed(data.errors.at(bits), 4), "error per pixel, all held-out digits");
    prices.update();
    say(sentence(now));
    const { fileBits, evenBits } = list;
    const figures = { index, nearest, error: now.error, price: now.price, fileBits, evenBits };
    return { ...figures, bits, entries: list.size, listError: data.errors.at(bits) };
  };
});

function controls(start, set, shown, now) {
  const plain = { big: false, tone: "plain" };
  const length = slider({
    label: "Bits a digit",
    min: 0,
    max: MOST_BITS,
    value: start.bits,
    show: (bits) => ({ number: bits, unit: bits ? `bits, ${2 ** bits} entries` : "bits, one entry" }),
    input: (bits) => set({ bits, entry: NEAREST }),
  });
  const digit = slider({
    ...plain,
    label: "Shown digit",
    min: 1,
    max: shown,
    value: start.digit + 1,
    show: (n) => ({ number: n, unit: `of ${shown}` }),
    input: (n) => set({ digit: n - 1, entry: NEAREST }),
  });
  const entry = slider({
    ...plain,
    label: "Index sent",
    min: 0,
    max: 2 ** MOST_BITS - 1,
    value: Math.max(start.entry, 0),
    show: (index) => ({ number: index, unit: now() ? binary(index, now().bits) : "" }),
    input: (index) => set({ entry: index }),
  });
  const back = button("Nearest", () => set({ entry: NEAREST }));
  return { length, digit, entry, back };
}

/** The list as a block of pictures, a column of the block as one tall picture; a press chooses an entry. */
function pictures({ lists, rows, columns, keep, choose }) {
  const [mark, best] = ["ae-mark-sent", "ae-mark-nearest"].map((kind) =>
    h("span", { class: kind, "aria-hidden": "true" }),
  );
  const room = h("div", { class: "ae-list" });
  const known = [];
  let at = { bits: 0, index: 0, nearest: 0 };
  const tall = rows + GAP;
  const made = (bits) => {
    const { across, down, entry } = lists[bits];
    const label = `the list: ${lists[bits].size} pictures`;
    const block = keep(
      strip({
        label,
        count: across,
        rows: tall * down - GAP,
        columns,
        gap: 0.14,
        widest: Math.min(96, 352 / across),
      }),
    );
    const cut = across * (tall * down - GAP) * columns;
    const amounts = Float64Array.from({ length: cut }, (_, pixel) => {
      const [line, x] = [Math.floor(pixel / columns), pixel % columns];
      const [column, y] = [Math.floor(line / (tall * down - GAP)), line % (tall * down - GAP)];
      const [row, inside] = [Math.floor(y / tall), y % tall];
      return inside < rows ? entry(row * across + column)(inside * columns + x) : 0;
    });
    block.paint((pixel) => amounts[pixel], "input");
    block.canvas.addEventListener("click", ({ offsetX, offsetY }) => {
      const { step, side, line } = measure(bits);
      const [column, row] = [Math.floor(offsetX / step), Math.floor(offsetY / line)];
      if (side) choose(clamp(row, 0, down - 1) * across + clamp(column, 0, across - 1));
    });
    return block;
  };
  const measure = (bits) => {
    const { canvas } = known[bits];
    const { across, down } = lists[bits];
    const scale = canvas.clientHeight / (tall * down - GAP);
    const side = columns * scale;
    const step = across > 1 ? (canvas.clientWidth - side) / (across - 1) : side;
    return { side, step: step || 1, line: tall * scale || 1, high: rows * scale };
  };
  const place = (node, index) => {
    const { side, step, line, high } = measure(at.bits);
    const { across } = lists[at.bits];
    const [left, top] = [(index % across) * step, Math.floor(index / across) * line];
    put(node, { style: `left: ${left}px; top: ${top}px; width: ${side}px; height: ${high}px` });
  };
  const frame = () => {
    place(mark, at.index);
    place(best, at.nearest);
  };
  const show = (bits, index, nearest) => {
    const changed = at.bits !== bits || !known[bits];
    at = { bits, index, nearest };
    known[bits] ??= made(bits);
    if (changed) {
      room.replaceChildren(known[bits].root, best, mark);
      keep({ dispose: onWidth(known[bits].root, () => requestAnimationFrame(frame)) });
    }
    frame();
  };
  return { root: room, show };
}

/** What each entry costs, cheapest first, and the same for all as a dashed line. */
function priceChart(now) {
  return chart({
    label: "price of each entry in bits",
    height: 10.5,
    x: { domain: [0, 1], ticks: [], title: "entries of the list, most used first" },
    y: {
      domain: [0, HIGHEST],
      ticks: [0, 2, 4, 6, 8, 10].map((tick) => [tick, tick]),
      title: "price in bits, −log₂ of its share",
    },
    move: (c) => {
      const { bits, list, index, price } = now();
      c.line(
        [
          [0, bits],
          [1, bits],
        ],
        "ae-pca ae-thin",
      );
      c.line(list.steps, "ae-latent");
      c.dot(list.rank.get(index), price, "ae-dot-latent", 0.42);
      c.text(0.98, bits, "equal shares", "ae-text-pca", "end", 0, bits > 2 ? 1.2 : -0.6);
    },
    describe: () => {
      const { list, index, price } = now();
      const cost = fixed(price, 2);
      return `Prices of ${list.size} entries, the most used first; entry ${index} costs ${cost} bits.`;
    },
  });
}
