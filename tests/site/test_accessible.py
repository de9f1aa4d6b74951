"""No page denies anything serious to readers with a disability, as far as axe-core can tell, in either theme, on a desk and on a phone."""

import subprocess
from pathlib import Path

import pytest

from tests.site.browsing import needs_chromium, opened
from valleys.book.chapters import page_names

AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
needs_axe = pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed: run `npm ci --prefix tests/site`")
RUN = "axe.run(document, {resultTypes: ['violations']})"
TELL = "{impact} {id}: {help}: {places}"


def told(page) -> list[str]:
    """What axe-core finds on a page, one line for each rule that is broken."""
    found = page.evaluate(RUN)["violations"]
    return [TELL.format(places=[node["target"] for node in rule["nodes"]][:5], **rule) for rule in found if rule["impact"] in ("serious", "critical")]


@needs_chromium
@needs_axe
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", [*page_names(), "search", "genindex"])
def test_page_denies_nothing(browser, html, name, theme):
    page, _ = opened(browser, html / f"{name}.html", dark=theme == "dark")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = {1280: told(page)}
    page.set_viewport_size({"width": 390, "height": 900})
    page.wait_for_function("innerWidth === 390")
    found[390] = told(page)
    page.close()
    assert found == {1280: [], 390: []}


@needs_chromium
@needs_axe
def test_axe_finds_what_is_wrong(browser, tmp_path):
    (tmp_path / "bad.html").write_text('<html lang="en"><title>x</title><main><h1>x</h1><img src="a.svg"><p style="color:#ccc">faint</p></main></html>')
    page, _ = opened(browser, tmp_path / "bad.html")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    rules = " ".join(told(page))
    page.close()
    assert "image-alt" in rules
    assert "color-contrast" in rules


def test_axe_is_pinned_and_its_lock_names_no_host():
    files = subprocess.run(["git", "ls-files", "."], cwd=Path(__file__).parent, capture_output=True, text=True, check=True).stdout.split()
    assert "package-lock.json" in files
    assert not any(name.startswith("node_modules") for name in files)
    lock = (Path(__file__).parent / "package-lock.json").read_text(encoding="utf-8")
    assert '"integrity": "sha512-' in lock
    assert "://" not in lock
