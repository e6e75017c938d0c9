// Which questions of this page were answered: this browser alone remembers it, until it is told to forget.

const KEY = `answered on ${location.pathname.split("/").at(-1)}`;
const ANSWERS = "change:chosen change:checked change:entered";
const panel = document.querySelector("#answered");
const questions = new Map();
let answered = remembered();

/** Where storage is forbidden, or holds something else, nothing is remembered. */
function remembered() {
  try {
    return new Set(JSON.parse(localStorage.getItem(KEY) ?? "[]"));
  } catch {
    return new Set();
  }
}

function remember() {
  try {
    if (answered.size) localStorage.setItem(KEY, JSON.stringify([...answered]));
    else localStorage.removeItem(KEY);
  } catch {
    // The page goes on, and remembers nothing.
  }
}

function tellAnswers() {
  const done = [...questions.keys()].filter((id) => answered.has(id));
  for (const [id, host] of questions) host.toggleAttribute("data-answered", answered.has(id));
  panel.hidden = !questions.size;
  panel.querySelector("span").textContent = `You have answered ${done.length} of the ${questions.size} questions of this page.`;
  panel.querySelector("button").hidden = !done.length;
}

document.addEventListener("awake", ({ target, detail: model }) => {
  if (!panel || model.get("question") === undefined) return;
  const id = target.dataset.model;
  questions.set(id, target);
  model.on(ANSWERS, () => {
    answered.add(id);
    remember();
    tellAnswers();
  });
  tellAnswers();
});
panel?.querySelector("button").addEventListener("click", () => {
  answered = new Set();
  remember();
  tellAnswers();
  panel.querySelector("span").focus();
});
