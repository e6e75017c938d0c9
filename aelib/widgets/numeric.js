import { FOCUSABLE, asks, button, h, interactive, uid, verdict } from "./base.js";

/** "0,5 nats", "1/2", "−3e-2" as a number; NaN for anything else. */
function read(text, unit) {
  const bare = text.replace(unit, "").replaceAll("−", "-").replace(",", ".").replace(/\s+/g, "");
  const [above, below = "1", ...more] = bare.split("/");
  if (!above || !below || more.length) return NaN;
  return Number(above) / Number(below);
}

const face = (model) => ({ traits: ["entered"], lead: model.get("question") });

export default interactive(face, ({ model, section, body, say, set }) => {
  const hear = asks(section);
  const [answer, right, slips, rule, unit, within] = [
    "answer",
    "right",
    "slips",
    "rule",
    "unit",
    "within",
  ].map((name) => model.get(name));
  const id = uid("entry");
  const said = verdict();
  const input = h("input", {
    ...FOCUSABLE,
    id,
    class: "ae-field nm-input",
    type: "text",
    inputmode: "text",
    autocomplete: "off",
    "aria-describedby": said.root.id,
    onkeydown: (event) => event.key === "Enter" && set({ entered: input.value }),
  });
  body.append(
    h(
      "div",
      { class: "nm-row" },
      h("label", { for: id, text: "Your number" }),
      input,
      unit ? h("span", { class: "nm-unit", text: unit }) : null,
      button("Check", () => set({ entered: input.value })),
    ),
    said.root,
  );
  const tell = (good, reason) => hear(said.show(good, reason));
  const near = (value, wanted) => Math.abs(value - wanted) <= within * (Math.abs(wanted) || 1);

  return ({ entered }) => {
    if (document.activeElement !== input) input.value = entered;
    const value = read(entered, unit);
    if (!entered.trim()) {
      said.clear();
      say("Write a number, as 0.5 or 1/2, and press Enter.");
      return { state: "open" };
    }
    if (!Number.isFinite(value)) {
      tell(false, "This is not a number: write it as 0.5, 1/2 or 5e-1.");
      say("Write a number, as 0.5 or 1/2, and press Enter.");
      return { state: "unread" };
    }
    const good = near(value, answer);
    const slip = good ? null : slips.find((one) => near(value, one.value));
    tell(good, good ? right : (slip?.reason ?? rule));
    say(good ? "You may try other numbers, to see what is said of them." : "Try again as often as you like.");
    return { state: good ? "right" : slip ? "slip" : "other" };
  };
});
