// A slider that changes its own number and a sentence, and draws nothing: what the browser itself takes.

import { card, slider } from "./base.js";

function render({ el }) {
  const { body, say } = card(el, { title: "Bare slider" });
  body.append(slider({
    label: "Value", min: 0, max: 30, value: 0, show: (value) => ({ number: value }), input: (value) => say(`It stands at ${value}.`),
  }).root);
}

export default { render };
