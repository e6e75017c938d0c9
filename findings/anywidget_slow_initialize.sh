#!/usr/bin/env bash
# anywidget: a widget whose `initialize` takes more than two seconds never hears from the kernel.
#
# Versions: anywidget 0.11.0 (its nbextension/index.js), @jupyter-widgets/base 6.0.11, jsdom 24.1.3, esbuild 0.25.9,
#   node 20.20.2. Date: 2026-11-29.
# Expected: `initialize` may be async, and messages of the kernel wait for it. However long it takes, the widget is
#   drawn afterwards and then follows its traits. Or it fails, and one sees an error where the widget should be.
# Happens: the runtime gives a model two seconds, counted from its creation. The promise that the messages wait for
#   is then rejected for good, although `initialize` goes on, ends well and the widget is drawn. The view looks right
#   and its own changes reach the kernel. Every update and every custom message of the kernel is lost, also those
#   that are sent long after `initialize` has ended.
# Output seen:
#   initialize takes 0 s: drawn yes, changes sent to the kernel 1, value set by the kernel 1, custom messages 1
#   initialize takes 4 s: drawn yes, changes sent to the kernel 1, value set by the kernel 0, custom messages 0
#     the error of each lost message: [anywidget] Failed to initialize model.
# Who meets it: a lesson whose widget loads weights or a module over a slow line before it draws. A slider in it
#   moves, the kernel trains, and the picture stays as it was.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --no-compile --disable-pip-version-check --no-deps anywidget==0.11.0 2>/dev/null
cp "$folder"/env/share/jupyter/nbextensions/anywidget/index.js "$folder/anywidget.mjs"
cd "$folder"
npm install --silent --no-audit --no-fund @jupyter-widgets/base@6.0.11 jsdom@24.1.3 esbuild@0.25.9 >/dev/null
node_modules/.bin/esbuild node_modules/@jupyter-widgets/base/lib/index.js \
  --bundle --format=cjs --platform=node --log-level=error --outfile=base.cjs

cat >run.mjs <<'JAVASCRIPT'
import { createRequire } from "node:module";
import { JSDOM } from "jsdom";

// What a browser offers and node does not: a page, drag events and modules from blob addresses.
const { window } = new JSDOM("<body></body>", { url: "http://localhost/", pretendToBeVisual: true });
for (const name of Object.getOwnPropertyNames(window)) {
  if (!(name in globalThis)) globalThis[name] = window[name];
}
Object.assign(globalThis, { window, document: window.document });
globalThis.DragEvent = class extends window.MouseEvent {};
globalThis.Blob = class {
  constructor(parts) {
    this.text = parts.join("");
  }
};
URL.createObjectURL = (blob) => "data:text/javascript," + encodeURIComponent(blob.text);
URL.revokeObjectURL = () => {};
process.on("unhandledRejection", () => {}); // the rejected promise itself: a browser logs it and goes on

const base = createRequire(import.meta.url)("./base.cjs");
const { AnyModel, AnyView } = await new Promise((resolve) => {
  globalThis.define = (_, factory) => resolve(factory(base));
  import("./anywidget.mjs");
});

const wait = (seconds) => new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
const customs = (globalThis.customs = {});
const front = (seconds) => `export default {
  async initialize({ model }) {
    await new Promise((resolve) => setTimeout(resolve, ${1000 * seconds}));
    model.on("msg:custom", () => { customs[${seconds}] += 1; });
  },
  render({ el }) { el.textContent = "drawn"; },
};`;

async function fromKernel(model, data) {
  try {
    await model._handle_comm_msg({ content: { data }, buffers: [] });
  } catch (error) {
    return error.message;
  }
}

async function trial(seconds) {
  let sent = 0;
  customs[seconds] = 0;
  const state = { _esm: front(seconds), _css: "", _anywidget_id: `widget${seconds}`, value: 0, slider: 0 };
  const comm = { on_close() {}, on_msg() {}, send: () => `message${(sent += 1)}` };
  const manager = { callbacks: () => ({}) };
  const model = new AnyModel(state, { model_id: `model${seconds}`, comm, widget_manager: manager });
  const view = new AnyView({ model });
  await view.render();
  await wait(seconds + 4); // `initialize` has ended long ago
  model.set("slider", 1);
  model.save_changes();
  const errors = [
    await fromKernel(model, { method: "update", state: { value: 1 }, buffer_paths: [] }),
    await fromKernel(model, { method: "custom", content: {} }),
  ];
  await model.state_change;
  return { drawn: view.el.textContent === "drawn", sent, value: model.get("value"), customs: customs[seconds], errors };
}

const results = {};
for (const seconds of [0, 4]) {
  const seen = (results[seconds] = await trial(seconds));
  console.log(
    `initialize takes ${seconds} s: drawn ${seen.drawn ? "yes" : "no"}, changes sent to the kernel ${seen.sent}, ` +
      `value set by the kernel ${seen.value}, custom messages ${seen.customs}`,
  );
  if (seen.errors[0]) console.log(`  the error of each lost message: ${seen.errors[0]}`);
}
const { 0: fast, 4: slow } = results;
const asDescribed = fast.value === 1 && fast.customs === 1 && slow.drawn && slow.sent === 1;
process.exit(asDescribed && slow.value === 0 && slow.customs === 0 && slow.errors.every(Boolean) ? 0 : 1);
JAVASCRIPT
node run.mjs
