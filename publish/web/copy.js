// What is copied has the LaTeX of its formulas.

const latexOf = (formulas) => formulas.map((one) => one.querySelector("annotation").textContent.replace(/^{}/, "")).join(" ");

const displayedLatex = (line) => `$$${[...line.children].map((clause) => latexOf([...clause.children])).join(" \\qquad ")}$$ `;

/** LaTeX in place of a formula in a sentence and of the pieces that follow it. */
function asLatex(math) {
  const pieces = [math];
  while (pieces.at(-1).nextSibling?.nodeName === "math") pieces.push(pieces.at(-1).nextSibling);
  const latex = latexOf(pieces);
  for (const piece of pieces.slice(1)) piece.remove();
  math.replaceWith(`$${latex}$`);
}

/** The selected piece, formulas whole. */
function selected(selection) {
  const range = selection.getRangeAt(0).cloneRange();
  const [first, last] = [range.startContainer, range.endContainer].map((node) => (node.closest ? node : node.parentElement).closest("math"));
  if (first) range.setStartBefore(first);
  if (last) range.setEndAfter(last);
  return range.cloneContents();
}

document.addEventListener("copy", (event) => {
  const selection = getSelection();
  if (!selection.rangeCount || selection.isCollapsed) return;
  const piece = document.createElement("div");
  piece.append(selected(selection));
  if (!piece.querySelector("math")) return;
  event.clipboardData.setData("text/html", piece.innerHTML);
  for (const line of piece.querySelectorAll(".math > :first-child")) line.replaceWith(displayedLatex(line));
  for (let math = piece.querySelector("math"); math; math = piece.querySelector("math")) asLatex(math);
  event.clipboardData.setData("text/plain", piece.textContent);
  event.preventDefault();
});
