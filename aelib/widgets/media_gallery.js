import {
  FOCUSABLE,
  button,
  choices,
  fixed,
  h,
  interactive,
  nearestIndex,
  percent,
  s,
  slider,
  strip,
} from "./base.js";

const LETTERS = " abcdefghijklmnopqrstuvwxyz";
const SAMPLE_RATE = 8000;
const ZOOM_SAMPLES = 200;
const FRAME_MS = 125;
const PAUSE_MS = 160;

const count = (number) => number.toLocaleString("en-US");
const marked = (mark, words) => [h("span", { class: "ae-glyph", "aria-hidden": "true", text: mark }), words];

/** A button with a sign before its words, for the eye only. */
function tool(mark, words, onclick) {
  const node = button("", onclick, { class: "ae-button ae-tool" });
  node.replaceChildren(...marked(mark, words));
  return node;
}

/** 16-bit samples as the address of a WAV file: header of 44 bytes, then the samples, one channel. */
function wav(samples) {
  const view = new DataView(new ArrayBuffer(44 + 2 * samples.length));
  const put = { 2: "setUint16", 4: "setUint32" };
  let at = 0;
  const number = (value, bytes) => {
    view[put[bytes]](at, value, true);
    at += bytes;
  };
  const word = (letters) => [...letters].forEach((letter) => view.setUint8(at++, letter.charCodeAt(0)));
  word("RIFF");
  number(36 + 2 * samples.length, 4);
  word("WAVEfmt ");
  [16, 1, 1].forEach((value, index) => number(value, index ? 2 : 4));
  [SAMPLE_RATE, 2 * SAMPLE_RATE].forEach((rate) => number(rate, 4));
  [2, 16].forEach((value) => number(value, 2));
  word("data");
  number(2 * samples.length, 4);
  samples.forEach((sample, index) => view.setInt16(44 + 2 * index, sample, true));
  const bytes = Array.from(new Uint8Array(view.buffer), (byte) => String.fromCharCode(byte));
  return `data:audio/wav;base64,${btoa(bytes.join(""))}`;
}

/**
 * A row of pictures with its name before it: { root, note }, where `note` is the small text under the name.
 */
function titled(title, words, content, tone = "") {
  const note = h("span", { class: "ae-note", text: words });
  const name = h("div", { class: `ae-row-name ${tone}` }, h("span", { text: title }), note);
  return { note, root: h("div", { class: "ae-row" }, name, content) };
}

// ---- pictures and clips -----------------------------------------------------------------------------------

function imagePanel({ shape: [rows, columns], names, n_inputs: pixels }, parts) {
  const list = names.join(", ");
  const make = (label) => strip({ label, count: names.length, rows, columns, widest: 56 });
  const [above, below, between] = [
    `Originals: ${list}`,
    "",
    `Where originals and copies differ: ${list}`,
  ].map(make);
  const copied = titled("Autoencoder", "", below.root, "ae-blue");
  const input = titled("Input", `${rows} × ${columns} = ${pixels} pixels`, above.root);
  const wrong = titled("Its error", "2 × |input − output|", between.root, "ae-hot");
  const root = h("div", { class: "ae-rows" }, input.root, copied.root, wrong.root);
  const paint = (index, k) => {
    const [original, copy] = [parts[0], parts[1 + index]];
    copied.note.textContent = `from ${k} numbers`;
    above.paint((pixel) => original[pixel] / 255, "input");
    below.paint((pixel) => copy[pixel] / 255, "recon");
    between.paint((pixel) => (2 * Math.abs(original[pixel] - copy[pixel])) / 255, "error");
    below.canvas.setAttribute("aria-label", `What comes back from ${k} numbers: ${list}`);
  };
  return { root, paint, dispose: () => [above, below, between].forEach((one) => one.dispose()) };
}

function videoPanel({ shape: [frames, rows, columns], names }, parts) {
  const make = (label) => strip({ label, count: names.length, rows, columns, widest: 112, gap: 0.12 });
  const [above, below] = [make("Original clips: a ball that moves and bounces"), make("")];
  const copied = titled("Autoencoder", "", below.root, "ae-blue");
  const input = titled("Input", `${frames} frames of ${rows} × ${columns}`, above.root);
  const root = h("div", { class: "ae-rows" }, input.root, copied.root);
  const size = rows * columns;
  let [frame, part, timer, visible] = [0, 1, null, false];
  let playing = !matchMedia("(prefers-reduced-motion: reduce)").matches;
  const at = (pixel) => Math.floor(pixel / size) * frames * size + frame * size + (pixel % size);
  const place = h("span", { class: "ae-note ae-place" });
  const draw = () => {
    above.paint((pixel) => parts[0][at(pixel)] / 255, "input");
    below.paint((pixel) => parts[part][at(pixel)] / 255, "recon");
    place.textContent = `frame ${frame + 1} of ${frames}`;
  };
  const step = () => {
    frame = (frame + 1) % frames;
    draw();
  };
  const run = () => {
    clearInterval(timer);
    timer = playing && visible ? setInterval(() => document.hidden || step(), FRAME_MS) : null;
    toggle.replaceChildren(...(playing ? marked("❚❚", "Pause") : marked("▶", "Play")));
    next.disabled = playing;
  };
  const toggle = tool("", "", () => {
    playing = !playing;
    run();
  });
  toggle.classList.add("ae-toggle");
  const next = button("Next frame", step);
  root.append(h("div", { class: "ae-tools" }, toggle, next, place));
  const paint = (index, k) => {
    part = 1 + index;
    copied.note.textContent = `from ${k} numbers`;
    below.canvas.setAttribute("aria-label", `The clips that come back from ${k} numbers`);
    draw();
  };
  const show = (now) => {
    visible = now;
    run();
  };
  return {
    root,
    paint,
    show,
    dispose: () => {
      clearInterval(timer);
      [above, below].forEach((one) => one.dispose());
    },
  };
}

// ---- music ------------------------------------------------------------------------------------------------

/** The outline of a sound: at each of `steps` moments its lowest and highest sample. */
function outline(samples, loudest, steps = 96) {
  const [top, bottom] = [[], []];
  const width = samples.length / steps;
  const height = (sample) => (20 - (19 * sample) / loudest).toFixed(2);
  for (let step = 0; step < steps; step += 1) {
    const some = samples.subarray(Math.floor(step * width), Math.floor((step + 1) * width));
    top.push(`${step},${height(Math.max(...some))}`);
    bottom.unshift(`${step},${height(Math.min(...some))}`);
  }
  return [...top, ...bottom].join(" ");
}

const wave = (samples, loudest) =>
  Array.from(
    samples.subarray(0, ZOOM_SAMPLES),
    (sample, index) => `${index},${(30 - (27 * sample) / loudest).toFixed(2)}`,
  ).join(" ");

function musicPanel({ names }, parts) {
  const size = parts[0].length / names.length;
  const samples = (part, note) => parts[part].subarray(note * size, (note + 1) * size);
  const audio = h("audio", { class: "ae-audio" });
  let [part, turn] = [1, 0];
  const players = [];
  const peak = (values) => values.reduce((most, sample) => Math.max(most, Math.abs(sample)), 1);
  const loudest = peak(parts[0]);
  const rest = () => players.forEach((player) => player.classList.remove("ae-playing"));
  const stop = () => {
    turn += 1;
    audio.pause();
    rest();
  };
  const sound = (copied, note) =>
    new Promise((done) => {
      const player = players[2 * note + Number(copied)];
      player.classList.add("ae-playing");
      const finish = () => {
        player.classList.remove("ae-playing");
        done();
      };
      audio.onended = () => setTimeout(finish, PAUSE_MS);
      audio.src = wav(samples(copied ? part : 0, note));
      audio.play().catch(finish);
    });
  const play = async (copied, notes) => {
    stop();
    const mine = turn;
    for (const note of notes) if (turn === mine) await sound(copied, note);
    if (turn === mine) rest();
  };
  const player = (copied, note) => {
    const shape = s("polygon", { class: copied ? "ae-outline-copy" : "ae-outline" });
    const label = `Play ${names[note]}, ${copied ? "the copy" : "the original"}`;
    const node = button("", () => play(copied, [note]), {
      class: "ae-button ae-player",
      "aria-label": label,
    });
    node.replaceChildren(
      h("span", { class: copied ? "ae-blue" : "" }, ...marked("▶", copied ? "Copy" : "Original")),
      s("svg", { viewBox: "0 0 96 40", preserveAspectRatio: "none", "aria-hidden": "true" }, shape),
    );
    players.push(node);
    return { node, shape };
  };
  const notes = names.map((name, note) => {
    const [original, copy] = [player(false, note), player(true, note)];
    const own = peak(samples(0, note));
    const [solid, dashed] = [
      s("polyline", { class: "ae-wave" }),
      s("polyline", { class: "ae-wave ae-wave-copy" }),
    ];
    const label = `The first 25 milliseconds of ${name} and of its copy`;
    const box = {
      viewBox: `0 0 ${ZOOM_SAMPLES} 60`,
      preserveAspectRatio: "none",
      role: "img",
      "aria-label": label,
    };
    const picture = s("svg", { class: "ae-zoom", ...box }, solid, dashed);
    original.shape.setAttribute("points", outline(samples(0, note), loudest));
    solid.setAttribute("points", wave(samples(0, note), own));
    const paint = () => {
      copy.shape.setAttribute("points", outline(samples(part, note), loudest));
      dashed.setAttribute("points", wave(samples(part, note), own));
    };
    const title = h("p", { class: "ae-row-name", text: name });
    return { paint, root: h("div", { class: "ae-tone" }, title, original.node, copy.node, picture) };
  });
  const all = names.map((_, note) => note);
  const words = "Below each note, its first 25 ms: the original solid, the copy dashed.";
  const tools = h(
    "div",
    { class: "ae-tools" },
    tool("▶", "All originals", () => play(false, all)),
    tool("▶", "All copies", () => play(true, all)),
    h("span", { class: "ae-note", text: words }),
  );
  const tones = h("div", { class: "ae-tones" }, ...notes.map((note) => note.root));
  const root = h("div", { class: "ae-rows" }, tones, tools, audio);
  const paint = (index) => {
    part = 1 + index;
    notes.forEach((note) => note.paint());
  };
  return { root, paint, show: (now) => now || stop(), dispose: stop };
}

// ---- text -------------------------------------------------------------------------------------------------

function textPanel({ shape: [length], names }, parts) {
  const symbols = (part, word) => parts[part].subarray(word * length, (word + 1) * length);
  const spell = (part, word) => Array.from(symbols(part, word), (symbol) => LETTERS[symbol]);
  const spans = () => Array.from({ length }, () => h("span"));
  const letters = (tone) => h("div", { class: `ae-letters ${tone}`, "aria-hidden": "true" }, ...spans());
  const write = (node, text) => {
    if (node.textContent !== text) node.textContent = text;
  };
  const judged = (part, word) => {
    const [asked, said] = [spell(0, word), spell(part, word)];
    const wrong = asked.map((letter, index) => letter !== said[index]);
    return { asked, said, wrong, errors: wrong.filter(Boolean).length };
  };
  const item = (word) => {
    const [asked, said] = [letters(""), letters("ae-blue")];
    const [before, outcome, after] = ["ae-unseen", "ae-note", "ae-unseen"].map((name) =>
      h("span", { class: name }),
    );
    spell(0, word).forEach((letter, index) => write(asked.children[index], letter));
    const paint = (part) => {
      const now = judged(part, word);
      now.said.forEach((letter, index) => {
        const [span, wrong] = [said.children[index], now.wrong[index]];
        write(span, letter === " " && wrong ? "·" : letter);
        if ((span.className === "ae-wrong") !== wrong) span.className = wrong ? "ae-wrong" : "";
      });
      write(before, `${names[word]} comes back as ${now.said.join("").trimEnd() || "nothing"}: `);
      write(outcome, now.errors ? `${now.errors} wrong` : "✓");
      write(after, now.errors ? "" : " right");
    };
    return { root: h("li", { class: "ae-word" }, asked, said, before, outcome, after), paint };
  };
  const items = names.map((_, word) => item(word));
  const tally = (part) =>
    names.reduce(
      ([right, all], _, word) => {
        const { asked, said, errors } = judged(part, word);
        const here = asked.filter((letter, index) => letter !== " " || said[index] !== " ").length;
        return [right + here - errors, all + here];
      },
      [0, 0],
    );
  const note =
    "Each word, and below it in blue what comes back; " +
    "wrong letters are bold with a wavy line, a dot is a letter lost.";
  const list = h("ul", { class: "ae-words" }, ...items.map((each) => each.root));
  const root = h("div", { class: "ae-rows" }, list, h("p", { class: "ae-note", text: note }));
  return { root, tally, paint: (index) => items.forEach((each) => each.paint(1 + index)) };
}

// ---- together ---------------------------------------------------------------------------------------------

const PANELS = { images: imagePanel, music: musicPanel, text: textPanel, video: videoPanel };

const THINGS = { images: "pictures", music: "notes", text: "words", video: "clips" };

function sentence({ key, n_inputs, n_held_out, scores }, index, k, panel) {
  const score = scores[index];
  const start = `${count(n_inputs)} numbers → ${k}.`;
  if (key === "text") {
    const [right, all] = panel.tally(1 + index);
    const letters = `${percent(score)} of the letters come back right; in those shown, ${right} of ${all}`;
    return `${start} In ${count(n_held_out)} words that it never saw, ${letters}.`;
  }
  const share = `Over ${count(n_held_out)} ${THINGS[key]} that it never saw, R² = ${fixed(score, 3)}`;
  if (score <= 0) return `${start} ${share}: no better than giving back the mean of the training data.`;
  const weaker = (-10 * Math.log10(1 - score)).toFixed(0);
  if (key === "music") return `${start} ${share}: the error is ${weaker} dB weaker than the sound.`;
  return `${start} ${share}: that is the share of what tells them apart that is kept.`;
}

const FACE = {
  traits: ["medium", "latent_dim"],
  lead: "The same class of network on each medium; everything shown was held out from training.",
};

export default interactive(FACE, ({ model, state, set, data, root, body, say, keep }) => {
  const [ks, media] = [model.get("ks"), model.get("media")];
  root.classList.add("ae-gallery");
  const current = () => media.find(({ key }) => key === state().medium) ?? media[0];
  const chooser = choices({
    label: "Medium",
    hideLabel: true,
    value: current().key,
    change: (medium) => set({ medium }),
    options: media.map(({ key, label }) => ({ value: key, label })),
  });
  const size = slider({
    label: "Latent dimension K",
    min: 0,
    max: Math.max(1, ks.length - 1),
    value: nearestIndex(ks, state().latent_dim),
    input: (at) => set({ latent_dim: ks[at] }),
    show: (at) => ({ number: String(ks[at]), unit: `for ${count(current().n_inputs)} numbers` }),
  });
  size.root.hidden = ks.length === 1;
  const stage = h("div", { class: "ae-stage" });
  body.append(h("div", { class: "ae-controls" }, chooser.root, size.root), stage);
  const parts = (key) => Array.from({ length: 1 + ks.length }, (_, part) => data[key].part(part));
  const panels = Object.fromEntries(
    media.map((entry) => [entry.key, PANELS[entry.key](entry, parts(entry.key))]),
  );
  for (const panel of Object.values(panels)) {
    stage.append(panel.root);
    keep({ dispose: () => panel.dispose?.() });
  }
  let shown = null;
  const turnTo = (chosen) => {
    for (const [key, panel] of Object.entries(panels)) {
      panel.root.hidden = key !== chosen;
      panel.show?.(key === chosen);
    }
    shown = chosen;
  };

  return ({ latent_dim }) => {
    const [entry, at] = [current(), nearestIndex(ks, latent_dim)];
    if (shown !== entry.key) turnTo(entry.key);
    chooser.set(entry.key);
    size.set(at);
    panels[entry.key].paint(at, ks[at]);
    say(sentence(entry, at, ks[at], panels[entry.key]));
    return { medium: entry.key, latentDim: ks[at] };
  };
});
