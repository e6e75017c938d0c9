// Search: over a file beside the pages, which is loaded when somebody looks for something, from a disk too.

const MOST = 12;
let loading;

/** What publish/index.py has written. */
function course() {
  loading ??= new Promise((done, refuse) => {
    const script = document.createElement("script");
    script.src = "assets/course.js";
    script.onload = () => done(window.course);
    script.onerror = () => refuse(new Error("The index of the course is not beside this page."));
    document.head.append(script);
  });
  return loading;
}

const folded = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

/** Everything that can be found: address, title, words, and how much it counts. */
function candidates({ sections, equations, glossary, lessons }) {
  const words = (html) => new DOMParser().parseFromString(html.replace(/<annotation.*?<\/annotation>/gs, ""), "text/html").body.textContent;
  return [
    ...Object.entries(glossary).map(([term, [place, italian, line]]) => ({ place, title: term, text: `${italian}: ${line}`, weight: 4 })),
    ...Object.entries(equations).map(([number, [place, html]]) => ({ place, title: `Equation (${number})`, text: words(html), weight: 2 })),
    ...sections.map(([place, title, text]) => ({ place, title, text, weight: 1 })),
  ].map((each) => ({ ...each, lesson: lessons[each.place.split("#")[0]], inTitle: folded(each.title), inText: folded(each.text) }));
}

/** How well a candidate fits: every word begins a word of it; words of the title count most. */
function score({ inTitle, inText, weight }, asked) {
  let sum = 0;
  for (const word of asked) {
    const start = new RegExp(`(?<![\\p{L}\\d])${word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}`, "gu");
    const [title, text] = [inTitle, inText].map((all) => (all.match(start) ?? []).length);
    if (!title && !text) return 0;
    sum += 6 * Math.min(title, 1) + Math.min(text, 4);
  }
  return sum * weight;
}

function search(all, asked) {
  const words = folded(asked).split(/\s+/).filter(Boolean);
  if (!words.length) return [];
  const scored = all.map((each) => [score(each, words), each]).filter(([sum]) => sum > 0);
  return scored.sort(([a], [b]) => b - a).map(([, each]) => each);
}

/** Some words around the first that was asked for. */
function excerpt({ text }, asked) {
  const at = Math.max(0, folded(text).indexOf(folded(asked).split(/\s+/)[0]));
  const from = Math.max(0, text.lastIndexOf(" ", at - 50) + 1);
  return (from ? "… " : "") + text.slice(from, from + 130) + (text.length > from + 130 ? " …" : "");
}

const made = (name, values, ...children) => {
  const node = Object.assign(document.createElement(name), values);
  node.append(...children);
  return node;
};

function show(found, asked, list, count) {
  count.textContent = found.length ? `${found.length} found` : `Nothing was found for “${asked}”.`;
  list.replaceChildren(...found.slice(0, MOST).map((each) => made("li", {},
    made("a", { href: each.place }, made("b", { textContent: each.title }), made("small", { textContent: each.lesson }), made("span", { textContent: excerpt(each, asked) })))));
}

function listenToSearch() {
  const [box, field, panel] = ["#find", "#find input", "#found"].map((name) => document.querySelector(name));
  if (!box) return;
  const [list, count] = [panel.querySelector("ol"), panel.querySelector("p")];
  const close = () => { panel.hidden = true; };
  box.hidden = false;
  let all;
  field.addEventListener("input", async () => {
    try {
      all ??= candidates(await course());
      show(search(all, field.value), field.value, list, count);
    } catch (missing) {
      count.textContent = missing.message;
    }
    panel.hidden = !field.value.trim();
  });
  box.addEventListener("keydown", (event) => {
    const links = [...list.querySelectorAll("a")];
    const at = links.indexOf(document.activeElement);
    if (event.key === "Escape") { close(); field.focus(); }
    if (event.key === "Enter" && event.target === field) links[0]?.click();
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    event.preventDefault();
    (links[at + (event.key === "ArrowDown" ? 1 : -1)] ?? field).focus();
  });
  list.addEventListener("click", close);
  document.addEventListener("pointerdown", (event) => { if (!box.contains(event.target)) close(); });
  addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.target.closest("input, textarea, select, .interactive")) return;
    event.preventDefault();
    field.focus();
  });
}

listenToSearch();
