import {
  FOCUSABLE,
  button,
  choices,
  clamp,
  forward,
  gauge,
  h,
  inks,
  interactive,
  layer,
  nearestIndex,
  onWidth,
  readLayers,
  readUint8,
  s,
  strip,
  sum,
} from "./base.js";

const [SIDE, BLOCK] = [32, 4];
// as in drawing_pad.py, where they are explained
const [BOX_WIDTH, NARROW, LARGEST, LEAST_INK] = [20, 0.35, 4, 250];
const RADIUS = { pen: 1.6, eraser: 2.6 };

// ---- from a drawing to what the network sees --------------------------------------------------------------

/** The rows and columns that hold ink: [top, left, height, width], or null on an empty sheet. */
function inkBox(ink) {
  let [top, left, bottom, right] = [SIDE, SIDE, -1, -1];
  ink.forEach((on, at) => {
    if (!on) return;
    const [row, column] = [Math.floor(at / SIDE), at % SIDE];
    [top, left] = [Math.min(top, row), Math.min(left, column)];
    [bottom, right] = [Math.max(bottom, row), Math.max(right, column)];
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
  const share = Math.floor((BOX_WIDTH * width) / (NARROW * height) + 0.5);
  const wide = Math.max(1, Math.min(BOX_WIDTH, LARGEST * width, share));
  const [above, before] = [(SIDE - tall) >> 1, (SIDE - wide) >> 1];
  const frame = new Uint8Array(SIDE * SIDE);
  for (let row = 0; row < tall; row += 1) {
    const from = top + Math.floor(((2 * row + 1) * height) / (2 * tall));
    for (let column = 0; column < wide; column += 1) {
      const across = left + Math.floor(((2 * column + 1) * width) / (2 * wide));
      frame[(above + row) * SIDE + before + column] = ink[from * SIDE + across];
    }
  }
  return frame;
}

function thicken(ink) {
  const box = inkBox(ink);
  if (box[2] <= SIDE / 2) return ink;
  let now = ink;
  while (sum(now) < LEAST_INK) {
    const before = now;
    now = before.map((on, at) => {
      const [column, beside] = [at % SIDE, before[at - SIDE] || before[at + SIDE]];
      const level = (column > 0 && before[at - 1]) || (column < SIDE - 1 && before[at + 1]);
      return on || beside || level ? 1 : 0;
    });
  }
  return now;
}

/** 8 × 8 counts, 0 … 16, of the ink in 4 × 4 blocks. */
function countBlocks(ink) {
  const counts = new Uint8Array((SIDE / BLOCK) ** 2);
  ink.forEach((on, at) => {
    counts[Math.floor(at / SIDE / BLOCK) * (SIDE / BLOCK) + Math.floor((at % SIDE) / BLOCK)] += on;
  });
  return counts;
}

// ---- the networks -----------------------------------------------------------------------------------------

/** For each K its [encoder, decoder]. */
function readNetworks(model, weights) {
  const networks = model.get("networks");
  let start = 0;
  const next = (shapes) => {
    const layers = readLayers(weights, shapes, start);
    start += shapes.reduce((total, [outputs, inputs]) => total + outputs * (inputs + 1), 0);
    return layers;
  };
  return model.get("ks").map((latentDim) => networks[latentDim].map(next));
}

const same = (a, b) => a.every((value, index) => value === b[index]);

// ---- the card ---------------------------------------------------------------------------------------------

const FACE = {
  traits: ["latent_dim", "bitmap"],
  lead:
    "The drawing is centred, scaled and counted in 4 × 4 blocks, as the data set’s digits were. " +
    "The network keeps K numbers of it.",
};

const panel = (name, tone, figure, note) =>
  h(
    "div",
    { class: `ae-panel ae-name-${tone}` },
    h("p", { class: "ae-panel-name", text: name }),
    figure,
    h("p", { class: "ae-note" }, note),
  );

const arrow = (word) => {
  const line = s("svg", { viewBox: "0 0 48 10" }, s("path", { d: "M1 5H46M42 1.5 46 5 42 8.5" }));
  return h("div", { class: "ae-arrow", "aria-hidden": "true" }, h("span", { text: word }), line);
};

/** The code as bars to both sides of a line in the middle. */
function codeBars() {
  const bars = layer();
  const axis = s("line", { x1: 50, x2: 50, y1: 0, y2: 100, "vector-effect": "non-scaling-stroke" });
  const box = { viewBox: "0 0 100 100", preserveAspectRatio: "none", role: "img" };
  const svg = s("svg", { class: "ae-code", ...box }, bars.group, axis);
  const paint = (z, range) => {
    const step = Math.min(100 / z.length, 16);
    const from = 50 - (step * z.length) / 2;
    bars.begin();
    z.forEach((value, index) => {
      const length = 48 * clamp(value / range, -1, 1);
      const [x, width] = [Math.min(50, 50 + length), Math.max(0.6, Math.abs(length))];
      bars.shape("rect", { x, y: from + (index + 0.14) * step, width, height: 0.72 * step });
    });
    bars.end();
    svg.setAttribute("aria-label", `code: ${[...z].map((value) => value.toFixed(2)).join(", ")}`);
  };
  return { svg, paint };
}

export default interactive(FACE, ({ model, state, set, data, section, body, say, keep }) => {
  const ks = model.get("ks");
  const networks = readNetworks(model, data.weights.values);
  const presets = model
    .get("preset_labels")
    .map((label, index) => ({ label, ink: data.presets.part(index) }));
  let tool = "pen";
  // nothing listens to `fitted`: the drawing changes once, with its points
  const put = (ink, fitted) => set({ fitted, bitmap: new DataView(Uint8Array.from(ink).buffer) });

  const size = { width: SIDE, height: SIDE, role: "img", "aria-label": "the drawing, 32 by 32 points" };
  const pad = h("canvas", { class: "ae-pad", ...size });
  const tools = choices({
    label: "Tool",
    hideLabel: true,
    value: tool,
    change: (value) => {
      tool = value;
    },
    options: [
      { value: "pen", label: "Pen" },
      { value: "eraser", label: "Eraser" },
    ],
  });
  const clear = button("Clear", () => put(new Uint8Array(SIDE * SIDE), false));
  const sizes = choices({
    label: "Numbers in the code, K",
    value: ks[0],
    change: (latent_dim) => set({ latent_dim }),
    options: ks.map((value) => ({ value, label: String(value) })),
  });
  const seen = keep(strip({ label: "what the network sees, 8 by 8 pixels", count: 1, widest: 200 }));
  const back = keep(strip({ label: "what comes back, 8 by 8 pixels", count: 1, widest: 200 }));
  const bars = codeBars();
  const codeNote = h("span");
  const error = gauge({ tone: "error" });
  const thumbs = presets.map(({ label, ink }) => {
    const thumb = keep(strip({ label: "", count: 1, widest: 36, gap: 0 }));
    const counts = countBlocks(ink);
    thumb.paint((at) => counts[at] / 16);
    thumb.canvas.setAttribute("aria-hidden", "true");
    const named = { class: "ae-button ae-thumb", "aria-label": `held-out digit ${label}` };
    return h("button", { ...FOCUSABLE, type: "button", ...named, onclick: () => put(ink, true) }, thumb.root);
  });
  const heading = (text) => h("p", { class: "ae-panel-name", text });
  const group = { class: "ae-presets", role: "group", "aria-label": "Held-out digits to start from" };
  const toolbar = h("div", { class: "ae-tools" }, tools.root, clear);
  body.append(
    h("div", { class: "ae-pad-controls" }, sizes.root, error.root),
    h(
      "div",
      { class: "ae-pad-stage" },
      h("div", { class: "ae-panel ae-panel-pad" }, heading("Draw here"), pad, toolbar),
      panel("Is seen as", "input", seen.root, "8 × 8 counts"),
      arrow("encoder"),
      panel("Its code", "latent", bars.svg, codeNote),
      arrow("decoder"),
      panel("Comes back", "recon", back.root, "8 × 8 greys"),
      h("div", group, heading("… or take a held-out digit"), h("div", { class: "ae-thumbs" }, ...thumbs)),
    ),
  );

  const inkNow = () => readUint8(state().bitmap);
  const fitted = () => model.get("fitted");
  const presetNow = (ink) => (fitted() ? presets.findIndex((preset) => same(preset.ink, ink)) : -1);
  const paintPad = () => {
    if (!pad.isConnected) return; // without the page there are no colours yet: onWidth comes back
    const image = new ImageData(SIDE, SIDE);
    const [paper, black] = [colours.rgb("sheet"), colours.rgb("input")];
    inkNow().forEach((on, at) => image.data.set([...(on ? black : paper), 255], 4 * at));
    pad.getContext("2d").putImageData(image, 0, 0);
  };
  const colours = keep(inks(section, paintPad));
  keep({ dispose: onWidth(pad, paintPad) });
  const start = () => {
    const ink = inkNow();
    return tool === "pen" && presetNow(ink) >= 0 ? [new Uint8Array(SIDE * SIDE), false] : [ink, fitted()];
  };
  drawWithPointer(pad, () => tool, start, put);

  return ({ latent_dim }) => {
    const ink = inkNow();
    const index = nearestIndex(ks, latent_dim);
    const counts = countBlocks(fitted() ? ink : fitToFrame(ink));
    const x = Float32Array.from(counts, (count) => count / 16);
    const z = forward(networks[index][0], x);
    const x_hat = forward(networks[index][1], z);
    const wrong = sum(Array.from(x_hat, (value, at) => (value - x[at]) ** 2)) / x.length;
    const quantiles = data.quantiles.part(index);
    sizes.set(ks[index]);
    paintPad();
    seen.paint((at) => x[at]);
    back.paint((at) => x_hat[at]);
    bars.paint(z, model.get("code_range")[index]);
    codeNote.textContent = numbersOf(ks[index]);
    error.set(wrong.toFixed(4), `error per pixel; typical ${quantiles[50].toFixed(4)}`);
    const preset = presetNow(ink);
    thumbs.forEach((thumb, at) => thumb.setAttribute("aria-pressed", at === preset));
    say(sentence(ks[index], wrong, quantiles, preset >= 0 ? presets[preset].label : null, inkBox(ink)));
    return {
      latentDim: ks[index],
      error: wrong,
      seen: counts.join(),
      code: z.join(),
      reconstruction: x_hat.join(),
    };
  };
});

const numbersOf = (k) => (k === 1 ? "1 number" : `${k} numbers`);

/** What is shown, in words; the counts of held-out digits come from the quantiles of their errors. */
function sentence(latentDim, error, quantiles, label, box) {
  if (!box) {
    return (
      "An empty sheet: draw a digit with a finger, a pen or the mouse, " +
      "or take one that the network has never seen."
    );
  }
  const thing = label === null ? "your drawing" : `this held-out ${label}`;
  const beaten = quantiles.subarray(1).filter((value) => value < error).length;
  const most =
    beaten === 0 ? "less than 99 in 100 held-out digits" : `more than ${beaten} in 100 held-out digits`;
  const rank = beaten === 100 ? "more than any held-out digit" : most;
  return (
    `Through ${numbersOf(latentDim)}, ${thing} comes back with error ${error.toFixed(4)}: ${rank}. ` +
    `A typical one, the median, has ${quantiles[50].toFixed(4)}.`
  );
}

/**
 * Strokes of pen or eraser. `start` gives the ink to draw on and whether it is in place; `put` takes the
 * result.
 */
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
  for (const end of ["pointerup", "pointercancel"])
    canvas.addEventListener(end, () => {
      ink = null;
    });
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
