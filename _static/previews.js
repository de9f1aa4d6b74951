/* What a link to an equation, a figure, a citation or a term leads to is shown beside it, under the pointer or at the keyboard's focus.
   It stays while either is on the link or the pointer on what is shown, and goes with Escape. A finger follows the link as ever. */
(() => {
  const DELAY = 200; // milliseconds until it is shown, and for the pointer to come over to it
  const root = document.documentElement.dataset.content_root ?? "./";
  const base = new URL(root, location.href).href;
  const kinds = {
    equation: ["div", (target) => [target.matches("div.math") ? target : target.nextElementSibling]],
    figure: ["figure", (target) => target.querySelectorAll("img, .caption-number, .takeaway")],
    citation: ["div", (target) => target.querySelectorAll(":scope > p")],
    term: ["dl", (target) => [target, target.nextElementSibling]],
  };
  const unwanted = ["id", "tabindex", "href", "title", "role", "aria-label", "data-preview"]; // of a copy: names are given once, and no key comes to it
  const box = Object.assign(document.createElement("div"), { id: "preview", className: "preview", hidden: true });
  box.setAttribute("role", "tooltip");
  let wanted, refused; // the link that is shown, or soon will be; one that was sent away with Escape
  let showing, leaving, loading; // what waits; the script of what stands on other pages

  function elsewhere() {
    loading ??= new Promise((resolve) => {
      const done = () => resolve(globalThis.previewsElsewhere ?? {});
      const script = Object.assign(document.createElement("script"), { src: `${root}_static/previews-elsewhere.js`, onload: done, onerror: done });
      document.head.append(script);
    });
    return loading;
  }

  async function target(link) {
    if (link.getAttribute("href").startsWith("#")) return document.getElementById(decodeURIComponent(link.hash.slice(1)));
    const template = document.createElement("template");
    template.innerHTML = (await elsewhere())[decodeURIComponent(link.href.slice(base.length))] ?? "";
    for (const image of template.content.querySelectorAll("img")) image.setAttribute("src", root + image.getAttribute("src"));
    return template.content.firstElementChild;
  }

  function copied(part) {
    const copy = part.cloneNode(true);
    for (const each of [copy, ...copy.querySelectorAll("*")]) unwanted.forEach((name) => each.removeAttribute(name));
    for (const each of copy.querySelectorAll(".headerlink, .figure-hint")) each.remove();
    if (copy.matches("img")) Object.assign(copy, { alt: "", loading: "eager" }); // the words below it say what it shows
    return copy;
  }

  async function show(link) {
    const [frame, parts] = kinds[link.dataset.preview], found = await target(link);
    if (!found || isInView(found)) return;
    const shown = document.createElement(frame);
    shown.append(...[...parts(found)].filter(Boolean).map(copied));
    const isRaw = shown.querySelector(".math:not(:has(mjx-container))"); // from another page, where nothing has set it
    if (link !== wanted || !shown.hasChildNodes() || (isRaw && !globalThis.MathJax?.typesetPromise)) return;
    box.replaceChildren(shown);
    box.hidden = false;
    if (isRaw) await MathJax.typesetPromise([box]);
    link.removeAttribute("title"); // the browser would show it as well
    link.setAttribute("aria-describedby", box.id);
    place();
  }

  /* What stands before the reader's eyes needs no copy of itself. */
  function isInView(element) {
    const { top, bottom } = element.getBoundingClientRect();
    return element.isConnected && top >= 0 && bottom <= innerHeight;
  }

  /* Below the link where there is room, else above it. */
  function place() {
    if (box.hidden) return;
    const { left, top, bottom } = wanted.getClientRects()[0] ?? wanted.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = box;
    const isBelow = bottom + height + 8 < innerHeight || top - height < 8;
    box.style.left = `${Math.max(8, Math.min(left, document.documentElement.clientWidth - width - 8))}px`;
    box.style.top = `${isBelow ? bottom + 4 : top - height - 4}px`;
  }

  function hide() {
    clearTimeout(showing);
    clearTimeout(leaving);
    wanted?.removeAttribute("aria-describedby");
    wanted = undefined;
    box.hidden = true;
  }

  function want(link) {
    clearTimeout(leaving);
    if (link === wanted || link === refused) return;
    hide();
    wanted = link;
    showing = setTimeout(show, DELAY, link);
  }

  function leave() {
    clearTimeout(leaving);
    if (box.hidden) hide();
    else leaving = setTimeout(hide, DELAY);
  }

  function point(event) {
    const link = linkAt(event);
    if (event.pointerType === "touch") return;
    if (link !== refused) refused = undefined;
    if (link) want(link);
    else if (box.contains(event.target)) clearTimeout(leaving);
    else if (!wanted?.matches(":focus-visible")) leave();
  }

  function refuse() {
    refused = wanted;
    hide();
  }

  const linkAt = (event) => event.target.closest?.("a[data-preview]");

  document.addEventListener("DOMContentLoaded", () => {
    if (!document.querySelector("a[data-preview]")) return;
    document.querySelector("article").append(box);
    document.addEventListener("pointerover", point);
    document.addEventListener("focusin", (event) => linkAt(event)?.matches(":focus-visible") && want(linkAt(event)));
    document.addEventListener("focusout", (event) => {
      if (!linkAt(event)) return;
      refused = undefined;
      leave();
    });
    document.addEventListener("keydown", (event) => event.key === "Escape" && refuse());
    document.addEventListener("click", (event) => box.contains(event.target) || hide());
    addEventListener("scroll", place, { passive: true });
    addEventListener("resize", place);
  });
})();
