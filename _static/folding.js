// Boxes that fold: each button is called by the title of its box, and a link to something inside a folded box opens it.
(() => {
  function nameButtons() {
    for (const button of document.querySelectorAll(".admonition-title > button.toggle-button")) {
      button.setAttribute("aria-label", button.parentElement.textContent.trim().replace(/\s+/g, " "));
      for (const link of button.parentElement.querySelectorAll("a")) link.addEventListener("click", (click) => click.stopPropagation()); // follows, and folds nothing
    }
  }

  function open(fold) {
    if (fold.matches("details")) fold.open = true;
    else fold.querySelector(":scope > .admonition-title > button.toggle-button").click();
  }

  function openTarget() {
    const target = document.querySelector("article :target"), folded = "details:not([open]), .admonition.toggle-hidden";
    if (!target?.closest(folded)) return;
    for (let fold = target.closest(folded); fold; fold = target.closest(folded)) open(fold);
    target.scrollIntoView();
  }

  window.addEventListener("hashchange", openTarget);
  window.addEventListener("load", () => {
    nameButtons(); // sphinx-togglebutton has made them by now
    openTarget();
  });
})();
