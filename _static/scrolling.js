// What is wider than its frame can be reached by keyboard and has a name; what fits is no stop for the Tab key.
(() => {
  const names = {
    ".figure-frame": (frame) => frame.dataset.name,
    ".pst-scrollable-table-container": () => "Table",
    ".cell_output > .output": () => "Output",
    "div.math": () => "Formula",
    "article pre": () => "Code",
  };
  const frames = () => Object.entries(names).flatMap(([selector, name]) => [...document.querySelectorAll(selector)].map((frame) => [frame, name(frame)]));

  function mark(frame, name) {
    const formula = frame.querySelector(":scope > mjx-container"), inner = formula ?? frame; // a formula beside its number scrolls by itself
    const scrolls = inner.scrollWidth > inner.clientWidth + 1;
    frame.classList.toggle("scrolls", scrolls);
    if (scrolls && inner === frame) {
      Object.entries({ tabindex: "0", role: "group", "aria-label": `${name}, scrolls sideways` }).forEach(([key, value]) => frame.setAttribute(key, value));
    } else {
      ["tabindex", "role", "aria-label"].forEach((key) => frame.removeAttribute(key));
    }
  }

  // A formula in a line of text cannot break; one longer than the line becomes a frame of its own.
  function frameLongFormulas() {
    for (const formula of document.querySelectorAll("article mjx-container:not([display])")) {
      formula.classList.remove("long-formula");
      const line = formula.closest("p, li, td, dd, figcaption, section");
      formula.classList.toggle("long-formula", formula.getBoundingClientRect().width > line.clientWidth);
    }
  }

  window.addEventListener("load", () => window.MathJax?.startup?.promise.then(frameLongFormulas));
  window.addEventListener("resize", frameLongFormulas);

  document.addEventListener("DOMContentLoaded", () => {
    const all = frames();
    const watch = new ResizeObserver((entries) => entries.forEach(({ target }) => mark(...all.find(([frame]) => frame === target || frame.contains(target)))));
    all.forEach(([frame, name]) => {
      mark(frame, name);
      [frame, ...frame.children].forEach((part) => watch.observe(part)); // images and formulas grow when they have been drawn
    });
  });
})();
