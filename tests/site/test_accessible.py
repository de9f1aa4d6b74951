"""No page denies anything serious to readers with a disability, as far as axe-core can tell: dark
on a phone, one page of each kind light on a desk as well, and three in every view.
"""

import contextlib
import json
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Page, TimeoutError

from tests.site.browsing import needs_chromium, opened
from tests.site.making import EXERCISES
from tests.site.test_pages import BESIDES
from tests.site.visiting import CLIPPED, DESK, PATIENCE, PHONE, STILL
from valleys.book.chapters import page_names

FOLDER = Path(__file__).parent
AXE = FOLDER / "node_modules" / "axe-core" / "axe.min.js"
# what is preloaded, a page from the disk may not ask for
RUN_AXE = "(more) => axe.run(document, {resultTypes: ['violations'], preload: false, ...more})"
# rules that depend on theme and width
BY_VIEW = {"runOnly": ["color-contrast", "link-in-text-block", "scrollable-region-focusable"]}
TELL = "{impact} {id}: {help}: {places}"
QUICK = ("index", "chapters/01_landscape", "pages/explorer")  # those of other kinds than the rest
# one of each kind: what contrasts in a theme, and the frame of a page, are the same on all others
KINDS = (*QUICK, EXERCISES, "pages/ledger", "pages/guide_run", "pages/api_toy", "pages/notation")
needs_axe = pytest.mark.skipif(
    not AXE.exists(), reason="axe-core is not installed: run `npm ci --prefix tests/site`"
)


def marks(name: str) -> list[pytest.MarkDecorator]:
    return [
        pytest.mark.xdist_group(f"axe-core on {name}"),
        *([] if name in QUICK else [pytest.mark.slow]),
    ]


def violations(page: Page, **options: object) -> list[str]:
    """What axe-core finds, by options of its run, that is serious or critical; one line for each
    rule that is broken.
    """
    if not page.evaluate("'axe' in globalThis"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate(RUN_AXE, options)["violations"]
    return [
        TELL.format(places=[node["target"] for node in rule["nodes"]][:5], **rule)
        for rule in found
        if rule["impact"] in ("serious", "critical")
    ]


@needs_chromium
@needs_axe
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=marks(name)) for name in [*page_names(), *BESIDES]]
)
def test_page_denies_nothing(browser, html, name):
    page, _ = opened(browser, html / f"{name}.html")
    found = violations(page) if name in KINDS else []
    page.set_viewport_size({"width": PHONE, "height": 900})
    page.wait_for_function(f"innerWidth === {PHONE}")
    # what then still scrolls out of reach is for axe-core to tell
    with contextlib.suppress(TimeoutError):
        page.wait_for_function(f"{CLIPPED}.length === 0", timeout=PATIENCE)
    if name in QUICK:
        found += violations(page, **BY_VIEW)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function("document.documentElement.dataset.theme === 'dark'")
    page.evaluate(STILL)
    found += violations(page)
    if name in QUICK:
        page.set_viewport_size({"width": DESK, "height": 900})
        page.wait_for_function(f"innerWidth === {DESK}")
        found += violations(page, **BY_VIEW)
    page.close()
    assert found == []


@needs_chromium
@needs_axe
def test_axe_finds_what_is_wrong(browser, tmp_path):
    (tmp_path / "bad.html").write_text(
        '<html lang="en"><title>x</title><main><h1>x</h1><img '
        'src="a.svg"><p style="color:#ccc">faint</p></main></html>'
    )
    page, _ = opened(browser, tmp_path / "bad.html")
    rules = " ".join(violations(page))
    page.close()
    assert "image-alt" in rules
    assert "color-contrast" in rules


def test_lock_of_axe_names_a_version_and_no_host():
    lock = json.loads((FOLDER / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert packages
    assert all(
        package["integrity"].startswith("sha512-") and "resolved" not in package
        for package in packages.values()
    )


def test_installed_packages_are_not_committed():
    found = subprocess.run(
        ["git", "ls-files", "."], cwd=FOLDER, capture_output=True, text=True, check=False
    )
    if found.returncode:
        pytest.skip("no git clone: nothing tells what is committed")
    assert not any(name.startswith("node_modules") for name in found.stdout.split())
