"""The ledger of the built site lists every claim, each with a verdict that its marks support."""

import pytest
from bs4 import BeautifulSoup

from valleys.book.ledger import Verdict, read_claims
from valleys.book.paths import book_root


@pytest.fixture
def page(html) -> BeautifulSoup:
    return BeautifulSoup((html / "pages" / "ledger.html").read_text(), "html.parser")


def test_every_claim_has_a_row_with_its_verdict(page):
    claims = read_claims(book_root() / "pages" / "claims.yml")
    for claim in claims:
        row = page.find(id=f"claim-{claim.name}")
        assert claim.says in row.get_text()
        assert row.select_one(".verdict").get_text() in set(Verdict)
        assert bool(claim.figure) == bool(row.select("td:last-child a"))


def test_marks_and_verdicts_agree(page):
    for row in page.select("tr[id^=claim-]"):
        marks = {mark.get_text().strip() for mark in row.select(".ledger-yes, .ledger-no, .ledger-open")}
        without_tick = Verdict.FAILS if "✗" in marks else Verdict.UNTESTABLE
        expected = without_tick if "✓" not in marks else Verdict.HOLDS if marks == {"✓"} else Verdict.PART
        assert row.select_one(".verdict").get_text() == expected


def test_summary_counts_the_rows(page, html):
    holding = sum(badge.get_text() == Verdict.HOLDS for badge in page.select("tr[id^=claim-] .verdict"))
    n_claims = len(page.select("tr[id^=claim-]"))
    for each in (page, BeautifulSoup((html / "index.html").read_text(), "html.parser")):
        assert each.select_one("p.ledger-summary").get_text().startswith(f"Of {n_claims} claims, {holding} hold")
