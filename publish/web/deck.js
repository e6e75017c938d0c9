// A lecture on pages of the screen's size. A slide's main part comes first, the other cells of the lesson below it.

const main = document.querySelector("main");
const [heading, count, progress, overview] = ["heading", "count", "progress", "slides"].map((id) => document.getElementById(id));
const SHRINK = [1, 0.9, 0.8];
const SHRINK_ALONE = [1, 0.92, 0.85, 0.78, 0.72, 0.66, 0.6];
const HANDS_OVER = ["PageDown", "PageUp", "Escape"];
let pages = [];
let at = 0;

const frame = () => new Promise((done) => requestAnimationFrame(done));
const isDrawn = (node) => node.querySelector("img, table, .interactive") !== null;
const isInteractive = (block) => block.querySelector(".interactive") !== null;
const announcesNext = (block) => /^H\d$/.test(block.tagName) || block.textContent.trim().endsWith(":");

const words = (title) => title.textContent.replace("¶", "").trim();

/**
 * Slides in order: their heading or else their section's, the pieces of the main part, and those below it.
 * Where code draws something, the picture is shown, and the code stands below.
 */
function readSlides() {
  const slides = [];
  let section = "";
  for (const cell of main.querySelectorAll(".cell")) {
    const { part } = cell.dataset;
    const title = part === "slide" ? cell.querySelector("h1, h2, h3") : null;
    if (title && title.tagName !== "H3") section = words(title);
    if (part === "slide" || !slides.length) slides.push({ heading: title ? words(title) : section, main: [], more: [] });
    const slide = slides.at(-1);
    for (const block of cell.querySelectorAll(":scope > .text > *, :scope > .source, :scope > .output")) {
      block.classList.add("block");
      const aside = part === "more" || (isDrawn(cell) && cell.matches(".code") && !isDrawn(block));
      (aside ? slide.more : slide.main).push(block);
    }
  }
  return slides;
}

/** What stands together; an interactive stands alone. */
function runs(blocks) {
  const found = [];
  for (const block of blocks) {
    if (isInteractive(block) || !found.length || isInteractive(found.at(-1)[0])) found.push([block]);
    else found.at(-1).push(block);
  }
  return found;
}

let nudged = false;

/** Show these pieces and nothing else. The width changes by a hair, so that interactives draw themselves for the new type. */
function display(blocks, scale) {
  for (const node of main.querySelectorAll(".shown")) node.classList.remove("shown");
  for (const block of blocks) {
    block.classList.add("shown");
    block.closest(".cell").classList.add("shown");
  }
  main.classList.toggle("alone", isInteractive(blocks[0]));
  nudged = !nudged;
  main.style.setProperty("--scale", scale);
  main.style.setProperty("--nudge", nudged ? "1px" : "0px");
  main.scrollTop = 0;
}

/** The height that pieces can take. */
function room() {
  const { paddingTop, paddingBottom, fontSize } = getComputedStyle(main);
  return main.clientHeight - parseFloat(paddingTop) - parseFloat(paddingBottom) - 0.6 * parseFloat(fontSize);
}

const top = (block) => block.getBoundingClientRect().top;
const bottom = (block) => block.getBoundingClientRect().bottom;

/** Does what is shown fit, once interactives have drawn themselves? */
async function fits(scale, blocks) {
  display(blocks, scale);
  blocks.forEach(narrow);
  if (isInteractive(blocks[0])) { await frame(); await frame(); }
  return main.scrollHeight <= main.clientHeight;
}

/** The pages of one run: whole if smaller type makes it fit, else in as many pages as it takes. */
async function fit(run) {
  const scales = run.length === 1 || run[0].tagName === "H1" ? SHRINK_ALONE : SHRINK;
  for (const scale of scales) if (await fits(scale, run)) return [{ blocks: run, scale }];
  if (run.length === 1) return [{ blocks: run, scale: scales.at(-1) }];
  const found = [];
  for (const blocks of split(run)) found.push(...(await fit(blocks)));
  return found;
}

/** Cut a run that is too high for one page, never below a heading or a colon. */
function split(run) {
  display(run, 1);
  run.forEach(narrow);
  const [high, tops, bottoms, found] = [room(), run.map(top), run.map(bottom), []];
  let start = 0;
  for (let index = 1; index < run.length; index += 1) {
    if (bottoms[index] - tops[start] <= high) continue;
    const cut = announcesNext(run[index - 1]) && index - 1 > start ? index - 1 : index;
    found.push(run.slice(start, cut));
    start = cut;
  }
  return [...found, run.slice(start)];
}

/** What is laid out is hidden meanwhile, and shown again whatever happens. */
async function layOut(slides) {
  delete document.body.dataset.laid;
  try {
    await cut(slides);
  } finally {
    document.body.dataset.laid = "";
  }
}

async function cut(slides) {
  const here = pages[at]?.blocks[0];
  const made = [];
  for (const slide of slides) {
    for (const [below, blocks] of [[false, slide.main], [true, slide.more]]) {
      for (const run of runs(blocks)) made.push(...(await fit(run)).map((page) => ({ ...page, below, slide })));
    }
  }
  pages = made;
  go(Math.max(0, here ? pages.findIndex((page) => page.blocks.includes(here)) : 0));
}

function go(index) {
  const page = pages[index];
  if (!page) return;
  at = index;
  display(page.blocks, page.scale);
  const lecture = pages.filter(({ below }) => !below);
  const done = pages.slice(0, at + 1).filter(({ below }) => !below).length;
  heading.textContent = page.slide === pages[0].slide ? "" : page.slide.heading;
  count.textContent = `${done}${page.below ? " ↓" : ""} / ${lecture.length}`;
  progress.style.width = `${(100 * done) / lecture.length}%`;
  tellAddress(page.blocks[0].closest(".cell").id);
  tellSpeaker(pages, at, pages[after()]);
}

/** The address names the page that is shown, where it may be rewritten: not in a frame without one of its own. */
function tellAddress(id) {
  try {
    history.replaceState(null, "", `${location.href.split("#")[0]}#${id}`);
  } catch (refused) {
    if (refused.name !== "SecurityError") throw refused;
  }
}

/** Down and up: first to the end of what is shown, then through every cell. */
function step(way) {
  const left = way > 0 ? main.scrollHeight - main.clientHeight - main.scrollTop : main.scrollTop;
  if (left > 0.05 * main.clientHeight) main.scrollBy(0, way * 0.8 * main.clientHeight);
  else go(at + way);
}

const after = () => pages.findIndex(({ below }, index) => index > at && !below);
const before = () => pages.findLastIndex(({ below }, index) => index < at && !below);
const next = () => after() > 0 && go(after());
const back = () => before() >= 0 && go(before());

function goTo(id) {
  const target = document.getElementById(id) ?? document.getElementById(decodeURIComponent(id));
  const index = target ? pages.findIndex(({ blocks }) => blocks.some((block) => target.contains(block) || block.contains(target))) : -1;
  if (index >= 0) go(index);
}

/** The overview: each heading once, however many slides it has. */
function list(slides) {
  const items = slides.filter(({ heading }, index) => heading !== slides[index - 1]?.heading).map((slide) => {
    const item = document.createElement("li");
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: slide.heading });
    button.onclick = () => { overview.close(); go(pages.findIndex((page) => page.slide === slide)); };
    button.setAttribute("aria-current", String(pages[at].slide.heading === slide.heading));
    item.append(button);
    return item;
  });
  overview.querySelector("ol").replaceChildren(...items);
  overview.showModal();
  overview.querySelector('[aria-current="true"]').focus();
}

const fullScreen = () => (document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen());

function listen(slides) {
  const speak = () => {
    openSpeaker(press, { next, back });
    tellSpeaker(pages, at, pages[after()]);
  };
  const keys = {
    ArrowRight: next, PageDown: next, " ": next, ArrowLeft: back, PageUp: back,
    ArrowDown: () => step(1), ArrowUp: () => step(-1), Home: () => go(0), End: () => go(pages.findLastIndex(({ below }) => !below)),
    o: () => list(slides), s: speak, f: fullScreen, b: () => document.body.classList.toggle("black"), Escape: () => document.activeElement.blur(),
  };
  const press = (event) => {
    const act = keys[event.key];
    if (!act || overview.open || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest(".interactive") && !HANDS_OVER.includes(event.key)) return;
    if (event.key === " " && event.target.closest("button, summary, a")) return;
    event.preventDefault();
    act();
  };
  addEventListener("keydown", press);
  for (const [id, act] of Object.entries({ next, back, overview: keys.o, speak, screen: fullScreen })) document.getElementById(id).onclick = act;
  addEventListener("hashchange", () => goTo(location.hash.slice(1)));
  swipe();
}

/** A finger's stroke to the left or right turns the page, except on what can be dragged. */
function swipe() {
  let from = null;
  main.addEventListener("touchstart", (event) => {
    const { target, touches: [touch, second] } = event;
    from = second || target.closest(".interactive, pre, .math, table") ? null : [touch.clientX, touch.clientY];
  }, { passive: true });
  main.addEventListener("touchend", ({ changedTouches: [touch] }) => {
    if (!from) return;
    const [dx, dy] = [touch.clientX - from[0], touch.clientY - from[1]];
    if (Math.abs(dx) > 60 && Math.abs(dx) > 2 * Math.abs(dy)) (dx < 0 ? next : back)();
  });
}

await wakeAll();
await Promise.all([...document.images].map((image) => image.decode().catch(() => {})));
document.body.classList.add("paged");
const slides = readSlides();
const place = location.hash.slice(1);
await layOut(slides);
goTo(place);
listen(slides);
let timer;
addEventListener("resize", () => {
  clearTimeout(timer);
  timer = setTimeout(() => layOut(slides), 250);
});
document.documentElement.dataset.ready = "";
