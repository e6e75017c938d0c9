// A formula that is wider than its line, where the line may not end within it, is set smaller.

const LINES = ".math > :first-child, p, li, h1, h2, h3, h4, summary, .text";

/** How often as wide as a formula its line is. */
const roomOf = (math) => math.closest(LINES)?.clientWidth / math.getBoundingClientRect().width;

function narrow(root) {
  let wide = [...root.querySelectorAll("math")];
  for (const math of wide) math.style.fontSize = "";
  for (let pass = 0; pass < 3; pass += 1) {
    const found = wide.map((math) => [math, roomOf(math), parseFloat(getComputedStyle(math).fontSize)]).filter(([, room]) => room < 1);
    for (const [math, room, size] of found) math.style.fontSize = `${0.99 * room * size}px`;
    wide = found.map(([math]) => math);
  }
}
