// A second window for who speaks: the clock, what the plan says of this section, what comes next. One clicker drives both.

const plan = document.getElementById("plan").content;
const FORBIDDEN = "Your browser did not open a second window: allow it for this page.";
const QUOTED = /^["“](.+?)["”]/;
let speaker = null;
let begun = 0;
let ticking = 0;

const isOpen = () => speaker !== null && !speaker.closed;
const inSpeaker = (id) => speaker.document.getElementById(id);

/** The rows of the plan's first table: minutes, the headings that a row covers, what is done and what is asked. */
const planned = [...plan.querySelectorAll("table:first-of-type tbody tr")].map((row) => {
  const [minutes, cells, act, ask] = [...row.cells].map((cell) => cell.textContent.trim());
  const sections = [...row.cells[1].querySelectorAll("em")].map((one) => one.textContent);
  return { row, minutes: Number(minutes), covers: [...sections, ...(cells.match(/Exercise \d+/g) ?? [])], act, ask };
});
const answers = [...plan.querySelectorAll("li")].filter((item) => QUOTED.test(item.textContent));

/** The number of the row in which a page lies: the last one that began at it or before; 0 before all. */
function rowOf(pages, at) {
  const begins = ({ slide: { heading } }) =>
    planned.findIndex(({ covers }) => covers.some((name) => heading === name || heading.startsWith(`${name} ·`)));
  return Math.max(0, pages.slice(0, at + 1).map(begins).findLast((row) => row >= 0) ?? 0);
}

/** What the plan expects as the answer to a question on the page. */
const expected = ({ blocks }) => {
  const shown = blocks.map((block) => block.textContent).join(" ");
  return answers.filter((item) => shown.includes(item.textContent.match(QUOTED)[1])).map((item) => item.innerHTML);
};

/** The pieces of a page for a small window; of an interactive its name. */
function copies({ slide, blocks }) {
  const title = Object.assign(document.createElement("h3"), { textContent: slide.heading });
  const made = blocks.map((block) => {
    const copy = block.cloneNode(true);
    const name = block.querySelector(".ae-title, h3")?.textContent ?? "";
    for (const host of copy.querySelectorAll(".interactive")) host.replaceChildren(`An interactive. ${name}`);
    copy.querySelectorAll("[id]").forEach((node) => node.removeAttribute("id"));
    copy.querySelectorAll("a, button, input, summary").forEach((node) => node.setAttribute("tabindex", "-1"));
    return copy;
  });
  return blocks[0].tagName.startsWith("H") ? made : [title, ...made];
}

const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;

function tick() {
  if (isOpen()) inSpeaker("clock").textContent = clock(Math.floor((performance.now() - begun) / 1000));
  else clearInterval(ticking);
}

/** Show in the window of the speaker what belongs to a page of the lecture. */
function tellSpeaker(pages, at, coming) {
  if (!isOpen()) return;
  const now = rowOf(pages, at);
  const { minutes, act, ask } = planned[now];
  const before = planned.slice(0, now).reduce((total, one) => total + one.minutes, 0);
  inSpeaker("now").textContent = pages[at].slide.heading;
  inSpeaker("place").textContent = count.textContent;
  inSpeaker("minutes").textContent = `by the plan: ${before} minutes to here, ${minutes} for this`;
  inSpeaker("act").textContent = act;
  inSpeaker("ask").textContent = ask;
  inSpeaker("answers").innerHTML = expected(pages[at]).map((item) => `<p>${item}</p>`).join("");
  inSpeaker("coming").replaceChildren(...(coming ? copies(coming).map((node) => speaker.document.importNode(node, true)) : ["The end."]));
  speaker.document.querySelectorAll("#plan tr").forEach((row) => row.removeAttribute("aria-current"));
  speaker.document.querySelectorAll("#plan table:first-of-type tbody tr")[now].setAttribute("aria-current", "true");
}

/** Open the window, or bring it to the front; acts are what keys and buttons do. */
function openSpeaker(press, acts) {
  if (isOpen()) return speaker.focus();
  speaker = open("", "", "popup,width=1000,height=760");
  if (!speaker) {
    document.querySelector(".hint").textContent = FORBIDDEN;
    return;
  }
  const page = speaker.document;
  page.documentElement.lang = document.documentElement.lang;
  page.title = `Speaker · ${document.title}`;
  page.head.append(...[...document.querySelectorAll("style")].map((style) => page.importNode(style, true)));
  page.body.className = "speaker";
  page.body.replaceChildren(page.importNode(document.getElementById("speaker").content, true));
  inSpeaker("plan").append(page.importNode(plan, true));
  for (const id of ["back", "next"]) inSpeaker(id).onclick = acts[id];
  inSpeaker("restart").onclick = restart;
  speaker.addEventListener("keydown", press);
  restart();
  clearInterval(ticking);
  ticking = setInterval(tick, 1000);
}

function restart() {
  begun = performance.now();
  tick();
}

addEventListener("pagehide", () => isOpen() && speaker.close());
