"""The ledger of the built site lists every claim, each with a verdict that its marks support."""

import pytest
from bs4 import BeautifulSoup

from valleys.book.ledger import OTHER, PAPER, Verdict, read_claims
from valleys.book.paths import book_root
from valleys.book.typography import typeset

CLAIMS = book_root() / "pages" / "claims.yml"


@pytest.fixture
def page(html) -> BeautifulSoup:
    return BeautifulSoup((html / "pages" / "ledger.html").read_text(encoding="utf-8"), "html.parser")


def test_every_claim_has_a_row_with_its_verdict(page):
    claims = read_claims(CLAIMS)
    assert claims
    for claim in claims:
        row = page.find(id=f"claim-{claim.name}")
        assert typeset(claim.says) in row.get_text()
        assert row.select_one(".verdict").get_text() in set(Verdict)
        assert bool(claim.figure) == bool(row.select("td:last-child a"))


def test_marks_and_verdicts_agree(page):
    rows = page.select("tr[id^=claim-]")
    assert rows
    for row in rows:
        marks = {mark.get_text().strip() for mark in row.select(".ledger-yes, .ledger-no, .ledger-open")}
        without_tick = Verdict.FAILS if "✗" in marks else Verdict.UNTESTABLE
        expected = without_tick if "✓" not in marks else Verdict.HOLDS if marks == {"✓"} else Verdict.PART
        assert row.select_one(".verdict").get_text() == expected


@pytest.mark.parametrize(("source", "words"), [(PAPER, "claims,"), (OTHER, "claims of others and questions of this book,")])
def test_summary_counts_the_rows_of_its_source(page, html, source, words):
    rows = [page.find(id=f"claim-{claim.name}") for claim in read_claims(CLAIMS) if claim.source == source]
    holding = sum(row.select_one(".verdict").get_text() == Verdict.HOLDS for row in rows)
    pages = (page, BeautifulSoup((html / "index.html").read_text(encoding="utf-8"), "html.parser")) if source == PAPER else (page,)
    for each in pages:
        said = [text.get_text() for text in each.select("p.ledger-summary")]
        assert any(text.startswith(f"Of {len(rows)} {words} {holding} hold") for text in said)
