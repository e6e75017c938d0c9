// A term of the glossary or the number of an equation is explained beside it: under the mouse, on focus, at a touch.
// It stays while the mouse is on either, and goes with Escape.

const EXPLAINED = "a.ref:not(.number *), a.term";
const LINGER = 250;
const note = document.createElement("div");
note.id = "explains";
note.setAttribute("role", "tooltip");
note.hidden = true;
let about = null;
let timer;

function explanation(link, { equations, glossary }) {
  if (link.dataset.term) {
    const [, italian, line] = glossary[link.dataset.term];
    return `<b>${link.dataset.term}</b> <i lang="it">${italian}</i><p>${line}</p>`;
  }
  const number = link.hash.slice("#eq-".length);
  return `<span class="math">${equations[number][1]}<span class="number">(${number})</span></span>`;
}

function place(link) {
  const [anchor, box] = [link.getClientRects()[0], note.getBoundingClientRect()];
  const below = anchor.bottom + box.height + 8 < innerHeight || anchor.top < box.height + 8;
  note.style.top = `${scrollY + (below ? anchor.bottom : anchor.top - box.height)}px`;
  note.style.left = `${Math.max(8, Math.min(anchor.left, document.documentElement.clientWidth - box.width - 8))}px`;
}

async function explain(link) {
  clearTimeout(timer);
  if (about === link) return;
  dismiss();
  about = link;
  const known = await course().catch(() => null);
  if (!known || about !== link) return;
  note.innerHTML = explanation(link, known);
  note.hidden = false;
  link.setAttribute("aria-describedby", note.id);
  narrow(note);
  place(link);
}

function dismiss() {
  clearTimeout(timer);
  about?.removeAttribute("aria-describedby");
  about = null;
  note.hidden = true;
}

const later = () => { clearTimeout(timer); timer = setTimeout(dismiss, LINGER); };
const linkOf = (event) => event.target.closest?.(EXPLAINED);

document.body.append(note);
document.addEventListener("pointerover", (event) => {
  if (event.pointerType === "touch") return;
  if (linkOf(event)) explain(linkOf(event));
  else if (note.contains(event.target)) clearTimeout(timer);
  else if (about && about !== document.activeElement) later();
});
document.addEventListener("focusin", (event) => (linkOf(event) ? explain(linkOf(event)) : note.contains(event.target) || dismiss()));
document.addEventListener("keydown", (event) => { if (event.key === "Escape") dismiss(); });
document.addEventListener("click", (event) => {
  const link = linkOf(event);
  if (link && event.pointerType === "touch" && !link.dataset.touched) {
    event.preventDefault();
    for (const other of document.querySelectorAll("[data-touched]")) delete other.dataset.touched;
    link.dataset.touched = "";
    explain(link);
  } else if (!note.contains(event.target)) dismiss();
});
