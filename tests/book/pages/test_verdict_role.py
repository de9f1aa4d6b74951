"""The role `{verdict}` puts the ledger's verdict on a claim where a page asks for it, and a build
stops at a claim that is not there.
"""

import pytest
from bs4 import BeautifulSoup
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

from tests.book.numbers.asking import asking, claim
from valleys.book.pages import verdict_role

EXTENSIONS = ["myst_nb", "valleys.book.pages.verdict_role"]


@pytest.fixture
def build(tmp_path, monkeypatch):
    """Builds a book of one page, and of a ledger if asked, with a claim `one`."""
    monkeypatch.setattr(verdict_role, "read_claims", lambda path: [claim(asking("above", 1))])
    monkeypatch.setattr(verdict_role, "numbers_for", lambda app, page: {"ours": 2.0})

    def built(text, *, ledger=True):
        toc = "\n\n```{toctree}\npages/ledger\n```\n" if ledger else ""
        (tmp_path / "index.md").write_text(f"# Book\n\n{text}{toc}")
        if ledger:
            (tmp_path / "pages").mkdir()
            (tmp_path / "pages" / "ledger.md").write_text("# Ledger\n")
        out = tmp_path / "html"
        how = {"confoverrides": {"extensions": EXTENSIONS}, "status": None, "warning": None}
        Sphinx(tmp_path, None, out, tmp_path / "trees", "html", **how).build()
        return BeautifulSoup((out / "index.html").read_text(), "html.parser")

    return built


def test_a_verdict_links_to_its_row(build):
    name = claim(asking("above", 1)).name
    badge = build(f"It {{verdict}}`{name}`.").select_one(".verdict")
    assert badge is not None
    assert badge.get_text() == "holds"
    link = badge.find_parent("a")
    assert link is not None
    assert link["href"] == f"pages/ledger.html#claim-{name}"


def test_without_a_ledger_it_stands_alone(build):
    name = claim(asking("above", 1)).name
    badge = build(f"It {{verdict}}`{name}`.", ledger=False).select_one(".verdict")
    assert badge is not None
    assert badge.find_parent("a") is None


def test_of_another_chapter_a_page_alone_says_where_to_look(build, monkeypatch):
    monkeypatch.setattr(verdict_role, "numbers_for", lambda app, page: {})
    name = claim(asking("above", 1)).name
    page = build(f"It {{verdict}}`{name}`.", ledger=False)
    assert page.select_one(".verdict") is None
    assert verdict_role.ELSEWHERE in page.get_text()


def test_in_a_book_a_number_that_nobody_reported_stops_the_build(build, monkeypatch):
    monkeypatch.setattr(verdict_role, "numbers_for", lambda app, page: {})
    with pytest.raises(ExtensionError, match="ours"):
        build(f"It {{verdict}}`{claim(asking('above', 1)).name}`.")


def test_an_unknown_claim_stops_the_build(build):
    with pytest.raises(ExtensionError, match="nothing-like-it"):
        build("It {verdict}`nothing-like-it`.")
