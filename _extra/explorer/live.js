/**
 * Small live versions of the explorer for the chapters. A page has `<div data-explorer="KIND" data-still="ID" hidden></div>` and a figure ID
 * with a still picture, and gets this script; when the reader comes near, the rest is loaded and the live version takes the place of the picture (live-view.js).
 */
(() => {
  "use strict";

  const FOLDER = document.currentScript.src.replace(/[^/]*$/, "");
  /** The scripts in their order, and what each hands out: the page of the explorer has some of it already. */
  const SCRIPTS = {
    physics: "ExplorerPhysics", theory: "ExplorerTheory", stored: "ExplorerStored", run: "ExplorerRun", view: "ExplorerView", side: "ExplorerSide",
    row: "ExplorerRow", "row-view": "ExplorerRowView", "live-view": "ExplorerLive",
  };
  const NEAR = "300px"; // below the window: how far from being seen a reader has come near
  let loading = null;

  function added(element) {
    return new Promise((resolve, reject) => {
      Object.assign(element, { onload: resolve, onerror: reject });
      document.head.append(element);
    });
  }

  /** The style sheet and the scripts that are missing, once for a page. */
  function load() {
    const sheet = Object.assign(document.createElement("link"), { rel: "stylesheet", href: `${FOLDER}explorer.css` });
    const wanted = Object.keys(SCRIPTS).filter((name) => !(SCRIPTS[name] in globalThis));
    const scripts = wanted.map((name) => Object.assign(document.createElement("script"), { src: `${FOLDER}${name}.js`, async: false }));
    return Promise.all([sheet, ...scripts].map(added));
  }

  const observer = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        observer.unobserve(target);
        loading ??= load();
        loading.then(() => ExplorerLive.open(document.querySelector(`[data-still="${target.id}"]`), target));
      }
    },
    { rootMargin: NEAR },
  );

  for (const place of document.querySelectorAll("[data-explorer]")) observer.observe(document.getElementById(place.dataset.still));
})();
