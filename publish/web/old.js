// A browser that cannot set formulas says so once; their letters stand in one line there.

const OLD =
  "This browser is too old to set formulas: fractions, powers and indices stand in one line. A newer one sets them.";

/** Whether a space of MathML is as wide as it says. */
function setsFormulas(root) {
  const room = root.appendChild(document.createElement("div"));
  room.innerHTML = '<math><mspace width="40px" height="1px"></mspace></math>';
  const { width } = room.firstChild.getBoundingClientRect();
  room.remove();
  return width > 20;
}

if (document.querySelector("math") && !setsFormulas(document.body)) {
  const told = Object.assign(document.createElement("p"), { className: "old", textContent: OLD });
  document.querySelector("main").prepend(told);
}
