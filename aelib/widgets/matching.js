import { FOCUSABLE, asks, h, interactive, s, uid, verdict } from "./base.js";

/** Boxes, arrows between them, and the numbers of the places. */
function sketch({ size: [width, height], boxes, arrows, marks }) {
  const head = uid("head");
  return h(
    "div",
    {},
    s(
      "svg",
      { viewBox: `0 0 ${width} ${height}`, class: "mt-sketch", "aria-hidden": "true" },
      s(
        "defs",
        {},
        s(
          "marker",
          { id: head, viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto" },
          s("path", { d: "M0 0L8 4L0 8z", class: "mt-head" }),
        ),
      ),
      ...arrows.map(([x1, y1, x2, y2]) =>
        s("line", { x1, y1, x2, y2, class: "mt-arrow", "marker-end": `url(#${head})` }),
      ),
      ...boxes.flatMap(([x, y, w, tall, text]) => [
        s("rect", { x, y, width: w, height: tall, rx: 6, class: "mt-box" }),
        s("text", { x: x + w / 2, y: y + tall / 2, class: "mt-text", text }),
      ]),
      ...marks.flatMap(([x, y], index) => [
        s("circle", { cx: x, cy: y, r: 11, class: "mt-mark" }),
        s("text", { x, y, class: "mt-number", text: String(index + 1) }),
      ]),
    ),
  );
}

/** The pieces of a formula, each numbered one with its number below. */
const formula = (pieces) =>
  h(
    "div",
    { class: "mt-formula" },
    ...pieces.map(([text, number]) =>
      h("span", { class: "mt-piece" }, h("span", { text }), number ? h("b", { text: number }) : null),
    ),
  );

function picture(drawing) {
  if (drawing.pieces) return formula(drawing.pieces);
  return drawing.boxes ? sketch(drawing) : null;
}

/** One thing, the list of names beside it, and room for what is said of the choice. */
function row(place, number, names, choose) {
  const id = uid("place");
  const said = verdict();
  const select = h(
    "select",
    {
      ...FOCUSABLE,
      id,
      class: "ae-field mt-select",
      "aria-describedby": said.root.id,
      onchange: () => choose(Number(select.value)),
    },
    h("option", { value: -1, text: "choose …" }),
    ...names.map(({ text }, index) => h("option", { value: index, text })),
  );
  const label = h("label", { for: id, class: "mt-place" }, number ? h("b", { text: number }) : null, place);
  return { select, said, root: h("div", { class: "mt-row" }, label, select, said.root) };
}

const face = (model) => ({ traits: ["chosen"], lead: model.get("question") });

export default interactive(face, ({ model, section, body, say, set, state }) => {
  const hear = asks(section);
  const [places, names, rights, drawing] = ["places", "names", "rights", "drawing"].map((name) =>
    model.get(name),
  );
  const drawn = picture(drawing);
  const rows = places.map((place, index) =>
    row(place, drawn ? index + 1 : null, names, (name) => {
      set({ chosen: state().chosen.map((old, at) => (at === index ? name : old)) });
    }),
  );
  body.append(...[drawn, ...rows.map(({ root }) => root)].filter(Boolean));
  return ({ chosen }) => {
    const heard = rows.map(({ select, said }, index) => {
      const name = chosen[index];
      select.value = name;
      if (name < 0) return said.clear() ?? "";
      const words = said.show(name === rights[index], names[name].reason);
      return words && `${places[index]}, ${names[name].text}: ${words}`;
    });
    hear(heard.join(" ").trim());
    const right = rights.filter((name, index) => chosen[index] === name).length;
    const open = chosen.filter((name) => name < 0).length;
    if (open === places.length) say("Choose a name for each. You may choose again as often as you like.");
    else if (right === places.length) say(`All ${places.length} are right.`);
    else say(`${right} of ${places.length} are right${open ? `, ${open} still open` : ""}.`);
    return { right, open };
  };
});
