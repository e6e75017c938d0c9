import { asks, button, h, interactive, put, verdict } from "./base.js";

const FACES = [
  { by: -1, sign: "↑", word: "up" },
  { by: 1, sign: "↓", word: "down" },
];

/** A line, the two buttons that move it, and room for what is said of its place. */
function item(text, move) {
  const said = verdict();
  const buttons = FACES.map(({ by, sign, word }) =>
    button(sign, () => move(by), { "aria-label": `move ${word}: ${text}`, class: "ae-button or-move" }),
  );
  const place = h("b", { class: "or-place" });
  const root = h(
    "li",
    { class: "or-line" },
    place,
    h("span", { class: "or-text", text }),
    h("span", { class: "or-moves" }, ...buttons),
    said.root,
  );
  return { root, place, buttons, said };
}

const face = (model) => ({ traits: ["order", "checked"], lead: model.get("question") });

export default interactive(face, ({ model, section, body, say, set, state }) => {
  const hear = asks(section);
  const lines = model.get("lines");
  const moved = (number, by) => {
    const order = [...state().order];
    const from = order.indexOf(number);
    order.splice(from, 1);
    order.splice(from + by, 0, number);
    set({ order, checked: false });
    const [pressed, other] = by < 0 ? items[number].buttons : [...items[number].buttons].reverse();
    (pressed.disabled ? other : pressed).focus();
    say(`“${lines[number].text}” stands at place ${from + by + 1} of ${lines.length} now.`);
  };
  const items = lines.map(({ text }, number) => item(text, (by) => moved(number, by)));
  const list = h("ol", { class: "or-list" });
  body.append(
    list,
    button("Check the order", () => set({ checked: true })),
  );

  return ({ order, checked }) => {
    const good = order.findIndex((number, place) => number !== place);
    const kept = good < 0 ? lines.length : good;
    order.forEach((number, place) => {
      const { root, place: sign, buttons, said } = items[number];
      if (list.children[place] !== root) list.insertBefore(root, list.children[place] ?? null);
      put(sign, { text: place + 1 });
      buttons[0].disabled = place === 0;
      buttons[1].disabled = place === lines.length - 1;
      if (!checked || place > kept) return said.clear();
      const words = said.show(place < kept, lines[number].reason);
      if (words && place === kept) hear(`${lines[number].text}: ${words}`);
    });
    if (!checked) say("Move the lines until each follows from those above it, then check.");
    else if (kept === lines.length) say(`All ${lines.length} lines are in order.`);
    else say(`Right from above: ${kept} of ${lines.length} lines. Line ${kept + 1} cannot stand there yet.`);
    return { kept };
  };
});
