/* Filters of the ledger: rows are hidden by what their classes say. The choice stands in the address; without this script all rows are shown. */
(() => {
  const form = document.getElementById("ledger-filters");
  const rows = [...document.querySelectorAll("table.ledger tbody tr")];
  const tables = [...document.querySelectorAll("table.ledger")];
  const buttons = [...form.querySelectorAll("[data-verdict]")];
  const lists = [...form.querySelectorAll("select")];
  const folds = [...document.querySelectorAll(".ledger-fold")];
  const count = form.querySelector("[data-part='count']");
  const reset = form.querySelector("[type='reset']");
  const isPressed = (button) => button.getAttribute("aria-pressed") === "true";

  function chosen() {
    const verdicts = buttons.filter(isPressed).map((button) => button.dataset.verdict);
    const others = lists.filter((list) => list.value).map((list) => [list.name, list.value]);
    return new Map([...(verdicts.length ? [["verdict", verdicts.join(",")]] : []), ...others]);
  }

  function matches(row, choice) {
    return [...choice].every(([name, values]) =>
      values.split(",").some((value) => row.classList.contains(name === "verdict" ? `ledger-${value}` : `${name}-${value}`)),
    );
  }

  /* A section stays as long as one of its rows does: its heading and text would say nothing without. */
  function hideEmptySections() {
    for (const table of tables) {
      const isEmpty = [...table.tBodies].every((body) => [...body.rows].every((row) => row.hidden));
      table.closest("section").hidden = isEmpty;
    }
  }

  /* What is chosen lies open; without a choice tables are folded again, but for the row that the address names. */
  function show() {
    const choice = chosen(), target = document.querySelector(":target");
    for (const row of rows) row.hidden = !matches(row, choice);
    hideEmptySections();
    if (choice.size || !reset.hidden) for (const fold of folds) fold.open = choice.size > 0 || fold.contains(target);
    const shown = rows.filter((row) => !row.hidden).length;
    count.textContent = choice.size ? `${shown} of ${rows.length} claims are shown.` : `${rows.length} claims, by chapter.`;
    reset.hidden = choice.size === 0;
  }

  function remember() {
    const hash = [...chosen()].map(([name, value]) => `${name}=${value}`).join("&");
    history.replaceState(null, "", hash ? `#${hash}` : location.pathname + location.search);
  }

  /* An address that names a row or a heading, and no choice, shows everything, and what it names. */
  function restore() {
    const asked = new URLSearchParams(location.hash.includes("=") ? location.hash.slice(1) : "");
    const verdicts = (asked.get("verdict") ?? "").split(",");
    for (const button of buttons) button.setAttribute("aria-pressed", verdicts.includes(button.dataset.verdict));
    for (const list of lists) {
      const value = asked.get(list.name) ?? "";
      list.value = [...list.options].some((option) => option.value === value) ? value : "";
    }
    const wasFiltered = rows.some((row) => row.hidden);
    show();
    if (wasFiltered && !asked.size) document.getElementById(location.hash.slice(1))?.scrollIntoView();
  }

  function change() {
    show();
    remember();
  }

  for (const button of buttons) {
    button.addEventListener("click", () => {
      button.setAttribute("aria-pressed", !isPressed(button));
      change();
    });
  }
  form.querySelector("[data-choice]").addEventListener("click", (event) => {
    location.hash = event.target.dataset.choice;
  });
  form.addEventListener("change", change);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", (event) => {
    event.preventDefault();
    for (const button of buttons) button.setAttribute("aria-pressed", false);
    for (const list of lists) list.value = "";
    change();
    buttons[0].focus();
  });
  addEventListener("hashchange", restore);
  form.hidden = false;
  restore();
  document.querySelector(":target")?.scrollIntoView(); // the form has moved it
})();
