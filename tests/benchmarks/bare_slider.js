import { interactive, slider } from "./base.js";

// A slider that changes its own number and a sentence, and draws nothing: what the browser itself takes.
export default interactive({ traits: ["position"] }, ({ state, set, body, say }) => {
  const bare = slider({
    label: "Value",
    min: 0,
    max: 30,
    value: state().position,
    show: (value) => ({ number: value }),
    input: (position) => set({ position }),
  });
  body.append(bare.root);
  return ({ position }) => {
    bare.set(position);
    say(`It stands at ${position}.`);
    return { position };
  };
});
