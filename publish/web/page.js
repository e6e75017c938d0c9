// A page of the course: what is too wide can be scrolled, and type grows for a projector.

/** A formula that is too wide is set smaller; what else is too wide is scrolled, by keyboard too. */
function fitWidths() {
  narrow(document.querySelector("main"));
  for (const node of document.querySelectorAll("pre, .math > :first-child, .output, figure, .text table")) {
    if (node.scrollWidth > node.clientWidth + 1 && getComputedStyle(node).overflowX === "auto") node.tabIndex = 0;
    else node.removeAttribute("tabindex");
  }
}

/** Larger type, as long as the reader goes from page to page: the address carries the choice, nothing is stored. */
function project(on) {
  document.documentElement.classList.toggle("projector", on);
  document.querySelector("#projector")?.setAttribute("aria-pressed", String(on));
  for (const link of document.querySelectorAll('a[href*=".html"]:not([href*="slides/"])')) {
    const [path, place] = link.getAttribute("href").split("#");
    link.setAttribute("href", path.split("?")[0] + (on ? "?projector" : "") + (place ? `#${place}` : ""));
  }
  fitWidths();
}

const button = document.querySelector("#projector");
button?.addEventListener("click", () => project(button.getAttribute("aria-pressed") !== "true"));
if (new URLSearchParams(location.search).has("projector")) project(true);

const wide = matchMedia("(min-width: 75rem)");
const toc = document.querySelector("details.toc");
const unfold = () => { if (toc) toc.open = wide.matches; };
wide.addEventListener("change", unfold);
unfold();

await wakeAll();
fitWidths();
addEventListener("resize", fitWidths);
document.documentElement.dataset.ready = "";
