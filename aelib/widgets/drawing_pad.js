import { button, card, choices, clamp, colour, FOCUSABLE, forward, h, listen, nearestIndex, onTheme, onWidth, readFloat16, readFloat64, readLayers, readUint8, s, saver, strip } from "./base.js";

const [SIDE, BLOCK] = [32, 4];
const [BOX_WIDTH, NARROW, LARGEST, LEAST_INK] = [20, 0.35, 4, 250]; // as in drawing_pad.py, where they are explained
const RADIUS = { pen: 1.6, eraser: 2.6 };

// ---- from a drawing to what the network sees -----------------------------------------------------------------

/** The rows and columns that hold ink: [top, left, height, width], or null on an empty sheet. */
function inkBox(ink) {
  let [top, left, bottom, right] = [SIDE, SIDE, -1, -1];
  ink.forEach((on, at) => {
    if (!on) return;
    const [row, column] = [Math.floor(at / SIDE), at % SIDE];
    [top, left, bottom, right] = [Math.min(top, row), Math.min(left, column), Math.max(bottom, row), Math.max(right, column)];
  });
  return bottom < 0 ? null : [top, left, bottom - top + 1, right - left + 1];
}

/** The drawing centred, scaled and thickened as the digits of the data set are. */
function fitToFrame(ink) {
  const box = inkBox(ink);
  return box ? thicken(place(ink, box)) : ink;
}

function place(ink, [top, left, height, width]) {
  const tall = Math.min(SIDE, LARGEST * height);
  const wide = Math.max(1, Math.min(BOX_WIDTH, LARGEST * width, Math.floor((BOX_WIDTH * width) / (NARROW * height) + 0.5)));
  const [above, before] = [(SIDE - tall) >> 1, (SIDE - wide) >> 1];
  const frame = new Uint8Array(SIDE * SIDE);
  for (let row = 0; row < tall; row += 1) {
    const from = top + Math.floor(((2 * row + 1) * height) / (2 * tall));
    for (let column = 0; column < wide; column += 1) {
      frame[(above + row) * SIDE + before + column] = ink[from * SIDE + left + Math.floor(((2 * column + 1) * width) / (2 * wide))];
    }
  }
  return frame;
}

function thicken(ink) {
  const box = inkBox(ink);
  if (box[2] <= SIDE / 2) return ink;
  let now = ink;
  while (now.reduce((total, on) => total + on, 0) < LEAST_INK) {
    const before = now;
    now = before.map((on, at) => {
      const column = at % SIDE;
      return on || before[at - SIDE] || before[at + SIDE] || (column > 0 && before[at - 1]) || (column < SIDE - 1 && before[at + 1]) ? 1 : 0;
    });
  }
  return now;
}

/** 8 × 8 counts, 0 … 16, of the ink in 4 × 4 blocks. */
function countBlocks(ink) {
  const counts = new Uint8Array((SIDE / BLOCK) ** 2);
  ink.forEach((on, at) => { counts[Math.floor(at / SIDE / BLOCK) * (SIDE / BLOCK) + Math.floor((at % SIDE) / BLOCK)] += on; });
  return counts;
}

// ---- the networks ---------------------------------------------------------------------------------------------

function readNetworks(model) {
  const numbers = readFloat16(model.get("weights"));
  const networks = model.get("networks");
  let start = 0;
  return model.get("ks").map((latentDim) => networks[latentDim].map((shapes) => {
    const layers = readLayers(numbers, shapes, start);
    start += shapes.reduce((total, [outputs, inputs]) => total + outputs * (inputs + 1), 0);
    return layers;
  }));
}

function unpackBits(bytes) {
  return Uint8Array.from({ length: bytes.length * 8 }, (_, at) => (bytes[at >> 3] >> (7 - (at & 7))) & 1);
}

const same = (a, b) => a.every((value, index) => value === b[index]);
const mean = (values) => values.reduce((total, value) => total + value, 0) / values.length;

// ---- the card -------------------------------------------------------------------------------------------------

const panel = (name, tone, figure, note) => h("div", { class: "ae-panel" },
  h("p", { class: `ae-panel-name ae-name-${tone}`, text: name }), figure, h("p", { class: "ae-note" }, note));

const arrow = (word) => h("div", { class: "ae-arrow", "aria-hidden": "true" }, h("span", { text: word }),
  s("svg", { viewBox: "0 0 48 10" }, s("path", { d: "M1 5H46M42 1.5 46 5 42 8.5" })));

function codeBars(z, range) {
  const step = Math.min(100 / z.length, 16);
  const from = 50 - (step * z.length) / 2;
  const bars = [...z].map((value, index) => {
    const length = 48 * clamp(value / range, -1, 1);
    return s("rect", { x: Math.min(50, 50 + length), y: from + (index + 0.14) * step, width: Math.max(0.6, Math.abs(length)), height: 0.72 * step });
  });
  return [...bars, s("line", { x1: 50, x2: 50, y1: 0, y2: 100, "vector-effect": "non-scaling-stroke" })];
}

function render({ model, el }) {
  const ks = model.get("ks");
  const networks = readNetworks(model);
  const save = saver(model);
  const bits = unpackBits(readUint8(model.get("presets")));
  const presets = model.get("preset_labels").map((label, index) => ({ label, ink: bits.slice(index * SIDE * SIDE, (index + 1) * SIDE * SIDE) }));
  const quantiles = readFloat64(model.get("quantiles"));
  const { section, body, say } = card(el, {
    title: "Draw a digit, and see it come back",
    lead: "The drawing is centred, scaled and counted in 4 × 4 blocks, as the data set’s digits were. The network keeps K numbers of it.",
  });
  let tool = "pen";
  const put = (ink, fitted) => {
    model.set("fitted", fitted); // nothing listens to this one: the drawing changes once, with its points
    model.set("bitmap", new DataView(Uint8Array.from(ink).buffer));
    save();
  };

  const pad = h("canvas", { class: "ae-pad", width: SIDE, height: SIDE, role: "img", "aria-label": "the drawing, 32 by 32 points" });
  const tools = choices({
    label: "Tool", hideLabel: true, value: tool, change: (value) => { tool = value; },
    options: [{ value: "pen", label: "Pen" }, { value: "eraser", label: "Eraser" }],
  });
  const clear = button("Clear", () => put(new Uint8Array(SIDE * SIDE), false));
  const sizes = choices({
    label: "Numbers in the code, K", value: ks[0], change: (value) => { model.set("latent_dim", value); save(); },
    options: ks.map((latentDim) => ({ value: latentDim, label: String(latentDim) })),
  });
  const seenStrip = strip({ label: "what the network sees, 8 by 8 pixels", count: 1, widest: 200 });
  const backStrip = strip({ label: "what comes back, 8 by 8 pixels", count: 1, widest: 200 });
  const bars = s("svg", { class: "ae-code", viewBox: "0 0 100 100", preserveAspectRatio: "none", role: "img" });
  const codeNote = h("span");
  const error = h("span", { class: "ae-big" });
  const typical = h("span", { class: "ae-unit" });
  const thumbs = presets.map(({ label, ink }, index) => {
    const thumb = strip({ label: "", count: 1, widest: 36, gap: 0 });
    const counts = countBlocks(ink);
    thumb.paint((at) => counts[at] / 16);
    thumb.canvas.setAttribute("aria-hidden", "true");
    const root = h("button", { ...FOCUSABLE, type: "button", class: "ae-button ae-thumb", "aria-label": `held-out digit ${label}`, onclick: () => put(presets[index].ink, true) }, thumb.root);
    return { root, thumb };
  });

  body.append(
    h("div", { class: "ae-pad-controls" }, sizes.root, h("div", { class: "ae-value ae-tone-error" }, error, typical)),
    h("div", { class: "ae-pad-stage" },
      h("div", { class: "ae-panel ae-panel-pad" }, h("p", { class: "ae-panel-name ae-name-input", text: "Draw here" }), pad, h("div", { class: "ae-tools" }, tools.root, clear)),
      panel("Is seen as", "input", seenStrip.root, "8 × 8 counts"), arrow("encoder"),
      panel("Its code", "latent", bars, codeNote), arrow("decoder"),
      panel("Comes back", "recon", backStrip.root, "8 × 8 greys"),
      h("div", { class: "ae-presets", role: "group", "aria-label": "Held-out digits to start from" }, h("p", { class: "ae-panel-name", text: "… or take a held-out digit" }), h("div", { class: "ae-thumbs" }, ...thumbs.map(({ root }) => root)))),
  );

  const inkNow = () => readUint8(model.get("bitmap"));
  const presetNow = (ink) => (model.get("fitted") ? presets.findIndex((preset) => same(preset.ink, ink)) : -1);
  const paintPad = () => {
    if (!pad.isConnected) return; // without the page there are no colours yet: onWidth comes back
    const ink = inkNow();
    const [paper, black] = ["sheet", "input"].map((name) => colour(section, name));
    const image = new ImageData(SIDE, SIDE);
    ink.forEach((on, at) => image.data.set([...(on ? black : paper), 255], 4 * at));
    pad.getContext("2d").putImageData(image, 0, 0);
  };

  const draw = () => {
    const ink = inkNow();
    const index = nearestIndex(ks, model.get("latent_dim"));
    const counts = countBlocks(model.get("fitted") ? ink : fitToFrame(ink));
    const x = Float32Array.from(counts, (count) => count / 16);
    const z = forward(networks[index][0], x);
    const x_hat = forward(networks[index][1], z);
    const wrong = mean(Float64Array.from(x_hat, (value, at) => (value - x[at]) ** 2));
    sizes.set(ks[index]);
    paintPad();
    seenStrip.paint((at) => x[at]);
    backStrip.paint((at) => x_hat[at]);
    bars.replaceChildren(...codeBars(z, model.get("code_range")[index]));
    bars.setAttribute("aria-label", `code: ${[...z].map((value) => value.toFixed(2)).join(", ")}`);
    codeNote.textContent = ks[index] === 1 ? "1 number" : `${ks[index]} numbers`;
    error.textContent = wrong.toFixed(4);
    typical.textContent = `error per pixel; typical ${quantiles[index * 101 + 50].toFixed(4)}`;
    const preset = presetNow(ink);
    thumbs.forEach(({ root }, at) => root.setAttribute("aria-pressed", at === preset));
    Object.assign(section.dataset, { latentDim: ks[index], error: wrong, seen: counts.join(), code: z.join(), reconstruction: x_hat.join() });
    say(sentence(ks[index], wrong, quantiles.subarray(index * 101, (index + 1) * 101), preset >= 0 ? presets[preset].label : null, inkBox(ink)));
  };
  drawWithPointer(pad, () => tool, () => (tool === "pen" && presetNow(inkNow()) >= 0 ? [new Uint8Array(SIDE * SIDE), false] : [inkNow(), model.get("fitted")]), put);
  draw();
  const stop = [listen(model, ["latent_dim", "bitmap"], draw), onTheme(paintPad), onWidth(pad, paintPad), seenStrip.dispose, backStrip.dispose, ...thumbs.map(({ thumb }) => thumb.dispose)];
  return () => stop.forEach((end) => end());
}

/** What is shown, in words; the counts of held-out digits come from the quantiles of their errors. */
function sentence(latentDim, error, quantiles, label, box) {
  if (!box) return "An empty sheet: draw a digit with a finger, a pen or the mouse, or take one that the network has never seen.";
  const numbers = latentDim === 1 ? "1 number" : `${latentDim} numbers`;
  const thing = label === null ? "your drawing" : `this held-out ${label}`;
  const beaten = quantiles.subarray(1).filter((value) => value < error).length;
  const rank = beaten === 100 ? "more than any held-out digit" : beaten === 0 ? "less than 99 in 100 held-out digits" : `more than ${beaten} in 100 held-out digits`;
  return `Through ${numbers}, ${thing} comes back with error ${error.toFixed(4)}: ${rank}. A typical one, the median, has ${quantiles[50].toFixed(4)}.`;
}

/** Strokes of pen or eraser. `start` gives the ink to draw on and whether it is in place; `put` takes the result. */
function drawWithPointer(canvas, tool, start, put) {
  let [ink, fitted, last] = [null, false, null];
  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * SIDE, ((event.clientY - box.top) / box.height) * SIDE];
  };
  const stroke = (event) => {
    const next = at(event);
    mark(ink, last, next, RADIUS[tool()], tool() === "pen" ? 1 : 0);
    last = next;
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !event.isPrimary) return;
    canvas.setPointerCapture(event.pointerId);
    event.preventDefault();
    [ink, fitted] = start();
    last = at(event);
    stroke(event);
    put(ink, fitted);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!ink || !canvas.hasPointerCapture(event.pointerId)) return;
    const events = event.getCoalescedEvents?.() ?? [];
    (events.length ? events : [event]).forEach(stroke);
    put(ink, fitted);
  });
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => { ink = null; });
}

/** Sets every point whose middle is within `radius` of the segment from `a` to `b`. */
function mark(ink, [ax, ay], [bx, by], radius, value) {
  const [dx, dy] = [bx - ax, by - ay];
  const length = dx * dx + dy * dy;
  for (let row = 0; row < SIDE; row += 1) {
    for (let column = 0; column < SIDE; column += 1) {
      const [x, y] = [column + 0.5 - ax, row + 0.5 - ay];
      const t = length ? clamp((x * dx + y * dy) / length, 0, 1) : 0;
      if (Math.hypot(x - t * dx, y - t * dy) <= radius) ink[row * SIDE + column] = value;
    }
  }
}

export default { render };
