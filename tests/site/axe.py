"""axe-core in an open page: what it finds, and which pages it sees in which views."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.site.making import EXERCISES

FOLDER = Path(__file__).parent
SCRIPT = FOLDER / "node_modules" / "axe-core" / "axe.min.js"
GRAVE = ("serious", "critical")
# What is preloaded, a page from the disk may not ask for; rules that can find nothing grave take
# half of the time.
RUN = """({ grave, within = document, ...more }) => {
  const light = axe._audit.rules.filter((rule) => !grave.includes(rule.impact));
  const rules = Object.fromEntries(light.map((rule) => [rule.id, { enabled: false }]));
  return axe.run(within, { resultTypes: ["violations"], preload: false, rules, ...more });
}"""
WHOLE: Mapping[str, object] = {}  # every rule
# rules that depend on theme and width
BY_VIEW = {"runOnly": ["color-contrast", "link-in-text-block", "scrollable-region-focusable"]}
# of what lies on top of a page
PREVIEW = {"within": ".preview", "runOnly": ["color-contrast", "aria-tooltip-name", "dlitem"]}
TELL = "{impact} {id}: {help}: {places}"
QUICK = ("index", "chapters/01_landscape", "pages/explorer")  # those of other kinds than the rest
PREVIEWED = ("chapters/01_landscape", "pages/ledger")  # with links that show what they lead to
# one of each kind: what contrasts in a theme, and the frame of a page, are the same on all others
KINDS = (*QUICK, EXERCISES, "pages/ledger", "pages/guide_run", "pages/api_toy", "pages/notation")

Views = Mapping[str, Mapping[str, object]]

needs_axe = pytest.mark.skipif(
    not SCRIPT.exists(), reason="axe-core is not installed: run `npm ci --prefix tests/site`"
)


def views(name: str) -> Views:
    """The views in which axe-core sees a page, and its options there: all pages dark on a phone,
    one of each kind light on a desk as well, and three in every view; two with a preview open.
    """
    on_a_desk = {"light desk": WHOLE} if name in KINDS else {}
    others = {"light phone": BY_VIEW, "dark desk": BY_VIEW} if name in QUICK else {}
    with_preview = {"preview": PREVIEW} if name in PREVIEWED else {}
    return {"dark phone": WHOLE} | on_a_desk | others | with_preview


def violations(page: Page, options: Mapping[str, object] = WHOLE) -> list[str]:
    """What axe-core finds, by options of its run, that is serious or critical; one line for each
    rule that is broken.
    """
    if not page.evaluate("'axe' in globalThis"):
        page.evaluate(SCRIPT.read_text(encoding="utf-8"))
    found = page.evaluate(RUN, {"grave": GRAVE, **options})["violations"]
    return [
        TELL.format(places=[node["target"] for node in rule["nodes"]][:5], **rule)
        for rule in found
        if rule["impact"] in GRAVE
    ]
