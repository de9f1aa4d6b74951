"""No page denies anything serious to readers with a disability, as far as axe-core can tell."""

import json
import subprocess

import pytest

from tests.site.axe import FOLDER, QUICK, needs_axe, views, violations
from tests.site.browsing import needs_chromium, opened
from tests.site.test_pages import BESIDES
from valleys.book.chapters import page_names


def marks(name: str) -> list[pytest.MarkDecorator]:
    """In the process that visits the page; those of `QUICK` are quick."""
    return [pytest.mark.xdist_group(name), *([] if name in QUICK else [pytest.mark.slow])]


@needs_chromium
@needs_axe
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=marks(name)) for name in [*page_names(), *BESIDES]]
)
def test_page_denies_nothing(visits, name):
    assert visits(name).denied == {view: [] for view in views(name)}


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
