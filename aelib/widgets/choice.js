import { FOCUSABLE, WIDGET, button, h, listen, put, saver, uid, verdict } from "./base.js";

const WORDS = {
  predict: {
    heading: "Predict, then run",
    start: "Choose one before you run the next cell. A guess is enough.",
  },
  quiz: { heading: "Check yourself", start: "Choose one. You may choose again as often as you like." },
};

/** Text with `code` between backticks, as nodes; never as HTML. */
const inline = (text) => text.split("`").map((part, index) => (index % 2 ? h("code", { text: part }) : part));
const plain = (text) => text.replaceAll("`", "");

export default {
  render({ model, el }) {
    const [kind, options, right] = ["kind", "options", "right"].map((name) => model.get(name));
    const group = uid("pick");
    const save = saver(model);
    const set = (name, value) => {
      model.set(name, value);
      save();
    };

    const picks = options.map((option, index) => {
      const said = verdict();
      const yours = h("span", { class: "ae-yours", text: "your prediction", hidden: true });
      const input = h("input", {
        ...FOCUSABLE,
        type: "radio",
        name: group,
        value: index,
        "aria-describedby": said.root.id,
        onchange: () => set("chosen", index),
      });
      const label = h(
        "label",
        { class: "ae-pick" },
        input,
        h("span", {}, ...inline(option.text), " ", yours),
      );
      return { input, said, yours, root: h("div", { class: "ae-answer" }, label, said.root) };
    });
    const status = h("p", { class: "ae-note" });
    const live = h("div", { class: "ae-unseen", role: "status", "aria-live": "polite" });
    const reveal =
      kind === "predict" ? button("What happened?", () => set("revealed", !model.get("revealed"))) : null;
    const heading = h("span", { class: "ae-heading", text: WORDS[kind].heading });
    const fieldset = h(
      "fieldset",
      { class: "ae-question" },
      h("legend", {}, heading, h("span", { class: "ae-asked" }, ...inline(model.get("question")))),
      ...picks.map((pick) => pick.root),
    );
    el.classList.add("ae-host", `ae-in-${WIDGET}`);
    el.append(
      h(
        "div",
        { class: "ae ae-choice" },
        h(
          "div",
          { class: "ae-card", role: "group", "aria-label": WORDS[kind].heading },
          fieldset,
          h("div", { class: "ae-foot" }, reveal, status),
          live,
        ),
      ),
    );

    const judge = (index) => {
      const { reason } = options[index];
      const good = index === right;
      const words =
        kind === "quiz" ? ["Right.", "Not quite."] : ["This is what happened.", "This did not happen."];
      const { said } = picks[index];
      said.show(good, inline(reason), words[good ? 0 : 1]);
      return said.root.textContent.slice(1);
    };
    const statusWords = (chosen, revealed) => {
      if (chosen < 0) return WORDS[kind].start;
      if (kind === "quiz")
        return chosen === right
          ? "You may still choose the others, to see what is wrong with them."
          : "Choose again: each answer has its reason.";
      const [mine, other] = [chosen, right].map((index) => plain(options[index].text));
      if (!revealed) return `Your prediction is noted: “${mine}”. Now run the next cell and compare.`;
      return chosen === right
        ? "You predicted what happened."
        : `You predicted “${mine}”; what happened is “${other}”.`;
    };
    const paint = () => {
      const [chosen, revealed] = [
        model.get("chosen"),
        kind === "predict" && model.get("revealed") && model.get("chosen") >= 0,
      ];
      let spoken = "";
      picks.forEach(({ input, said, yours, root }, index) => {
        const shown = kind === "quiz" ? index === chosen : revealed;
        input.checked = index === chosen;
        root.classList.toggle("ae-chosen", index === chosen);
        yours.hidden = !(revealed && index === chosen);
        if (shown) spoken += `${plain(options[index].text)}: ${judge(index)} `;
        else said.clear();
      });
      put(status, { text: statusWords(chosen, revealed) });
      live.textContent = chosen < 0 ? "" : kind === "quiz" ? spoken : `${status.textContent} ${spoken}`;
      if (!reveal) return;
      reveal.disabled = chosen < 0;
      reveal.textContent = revealed ? "Hide what happened" : "What happened?";
      reveal.setAttribute("aria-expanded", String(revealed));
    };
    paint();
    return listen(model, ["chosen", "revealed"], paint);
  },
};
