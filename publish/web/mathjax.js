// Formulas stand in elements of class "math" alone; nothing is fetched later, so there is no menu.
window.MathJax = {
  tex: { inlineMath: [["\\(", "\\)"]], displayMath: [["\\[", "\\]"]], processEnvironments: false },
  svg: { fontCache: "global" },
  options: { processHtmlClass: "math", enableMenu: false },
};
