"""No page denies anything serious to readers with a disability, as far as axe-core can tell, in either theme, on a desk and on a phone."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.site.browsing import needs_chromium, opened
from tests.site.making import EXERCISES
from tests.site.test_pages import BESIDES
from tests.site.visiting import AXE, BY_VIEW, DESK, PHONE, STILL, each_page, violations

FOLDER = Path(__file__).parent
needs_axe = pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed: run `npm ci --prefix tests/site`")


@needs_chromium
@needs_axe
@each_page(besides=BESIDES)
def test_page_denies_nothing(visits, name):
    assert visits(name).violations == {(DESK, "light"): [], (PHONE, "dark"): []}


@pytest.mark.slow
@needs_chromium
@needs_axe
@each_page("index", "chapters/", "pages/", EXERCISES, besides=BESIDES)
def test_page_denies_nothing_in_the_other_views(browser, html, name):
    page, _ = opened(browser, html / f"{name}.html", width=PHONE)
    found = violations(page)
    page.set_viewport_size({"width": DESK, "height": 900})
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"document.documentElement.dataset.theme === 'dark' && innerWidth === {DESK}")
    page.evaluate(STILL)
    found += violations(page, **BY_VIEW)
    page.close()
    assert found == []


@needs_chromium
@needs_axe
def test_axe_finds_what_is_wrong(browser, tmp_path):
    (tmp_path / "bad.html").write_text('<html lang="en"><title>x</title><main><h1>x</h1><img src="a.svg"><p style="color:#ccc">faint</p></main></html>')
    page, _ = opened(browser, tmp_path / "bad.html")
    rules = " ".join(violations(page))
    page.close()
    assert "image-alt" in rules
    assert "color-contrast" in rules


def test_lock_of_axe_names_a_version_and_no_host():
    lock = json.loads((FOLDER / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert packages
    assert all(package["integrity"].startswith("sha512-") and "resolved" not in package for package in packages.values())


def test_installed_packages_are_not_committed():
    found = subprocess.run(["git", "ls-files", "."], cwd=FOLDER, capture_output=True, text=True, check=False)
    if found.returncode:
        pytest.skip("no git clone: nothing tells what is committed")
    assert not any(name.startswith("node_modules") for name in found.stdout.split())
