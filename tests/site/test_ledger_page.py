"""The ledger of the built site lists every claim, each with a verdict that its marks support,
and filters that leave the right rows.
"""

import re
from collections import Counter
from pathlib import Path

import pytest
from bs4 import BeautifulSoup, Tag
from playwright.sync_api import Browser, Page

from tests.site.browsing import needs_chromium, opened
from valleys.book.numbers.claims import OTHER, PAPER, Kind, Verdict, read_claims
from valleys.paths import book_root

CLAIMS = book_root() / "pages" / "claims.yml"
SHOWN = (
    "[...document.querySelectorAll('table.ledger tbody tr')].filter((row) => "
    "row.checkVisibility()).map((row) => row.id)"
)
SECTIONS = (
    "[...document.querySelectorAll('table.ledger')].filter((table) => "
    "table.closest('section').checkVisibility()).length"
)
COUNT = "#ledger-filters output"
in_one_process = pytest.mark.xdist_group("pages/ledger")


def plain(tag: Tag) -> str:
    """The text of a tag, with common spaces in place of those that a printer sets."""
    return " ".join(tag.get_text().split())


@pytest.fixture
def page(html) -> BeautifulSoup:
    return BeautifulSoup(
        (html / "pages" / "ledger.html").read_text(encoding="utf-8"), "html.parser"
    )


def test_every_claim_has_a_row_with_its_verdict(page):
    claims = read_claims(CLAIMS)
    assert claims
    for claim in claims:
        row = page.find(id=f"claim-{claim.name}")
        assert claim.says in plain(row)
        assert row.select_one(".verdict").get_text() in set(Verdict)
        assert len(claim.shown) == len(row.select("td:last-child a"))
        assert [link["href"] for link in row.select(".ledger-permalink")] == [f"#{row['id']}"]


def test_marks_and_verdicts_agree(page):
    rows = page.select("tr[id^=claim-]")
    assert rows
    for row in rows:
        marks = {
            mark.get_text().strip() for mark in row.select(".ledger-yes, .ledger-no, .ledger-open")
        }
        if row.select_one(".verdict").get_text() == Verdict.BUILT:
            assert marks == {"✓"}
            continue
        without_tick = Verdict.FAILS if "✗" in marks else Verdict.UNTESTABLE
        expected = (
            without_tick if "✓" not in marks else Verdict.HOLDS if marks == {"✓"} else Verdict.PART
        )
        assert row.select_one(".verdict").get_text() == expected


@pytest.mark.parametrize(
    ("source", "words"),
    [(PAPER, "claims,"), (OTHER, "claims of others and questions of this book,")],
)
def test_summary_counts_the_rows_of_its_source(page, html, source, words):
    rows = [
        page.find(id=f"claim-{claim.name}")
        for claim in read_claims(CLAIMS)
        if claim.source == source and claim.kind == Kind.CLAIM
    ]
    holding = sum(row.select_one(".verdict").get_text() == Verdict.HOLDS for row in rows)
    pages = (
        (page, BeautifulSoup((html / "index.html").read_text(encoding="utf-8"), "html.parser"))
        if source == PAPER
        else (page,)
    )
    for each in pages:
        said = [text.get_text() for text in each.select("p.ledger-summary")]
        assert any(text.startswith(f"Of {len(rows)} {words} {holding} hold") for text in said)


def test_each_number_has_beside_it_for_which_borders_its_answer_stays(page):
    for item in page.select(".ledger-findings li"):
        assert re.search(r"any (border|margin|value)", plain(item.select_one(".ledger-asked")))


def test_each_border_has_a_reason_and_a_day_in_the_fold_of_its_row(page):
    for claim in read_claims(CLAIMS):
        fold = page.find(id=f"claim-{claim.name}").select_one("details")
        text = plain(fold) if fold else ""
        for border in (test.border for test in claim.tests):
            assert border.reason in text
            assert all(str(day) in text for day in (border.stated, border.since))
            assert all(move.why in text for move in border.moves)
        assert all(move.was in text and str(move.date) in text for move in claim.dropped)


def test_borders_that_moved_are_counted_and_marked(page):
    claims = read_claims(CLAIMS)
    tests = [test for claim in claims for test in claim.tests]
    moved = [claim for claim in claims if claim.dropped or any(t.border.moves for t in claim.tests)]
    marked = {row["id"] for row in page.select("tr.borders-moved")}
    assert marked == {f"claim-{claim.name}" for claim in moved}
    text = plain(page.select_one("article"))
    assert f"Of {len(tests)} borders, {sum(bool(test.border.moves) for test in tests)} " in text


def test_assumptions_stand_in_a_table_of_their_own(page):
    kinds = {f"claim-{claim.name}": claim.kind for claim in read_claims(CLAIMS)}
    for table in page.select("table.ledger"):
        found = {kinds[row["id"]] for row in table.select("tbody tr")}
        assert found == {Kind.ASSUMPTION} or Kind.ASSUMPTION not in found


def test_a_row_shows_its_first_number_and_folds_the_others(page):
    for claim in read_claims(CLAIMS):
        row = page.find(id=f"claim-{claim.name}")
        items = row.select(".ledger-findings > li")
        assert len(items) == len({(test.what, test.number, test.other) for test in claim.tests})
        assert [bool(item.find_parent("details", class_="ledger-more")) for item in items] == [
            place > 0 for place in range(len(items))
        ]


def test_the_fold_of_a_table_counts_its_verdicts(page):
    for fold in page.select("details.ledger-fold"):
        verdicts = Counter(row.select_one(".verdict").get_text() for row in fold.select("tbody tr"))
        told = [int(number) for number in re.findall(r"\d+", fold.summary.get_text())]
        assert told == [
            sum(verdicts.values()),
            *(verdicts[each] for each in Verdict if verdicts[each]),
        ]


def test_links_of_a_row_name_figures_by_their_number_or_a_section(page):
    names = [plain(link) for link in page.select("tr[id^=claim-] td:last-child a")]
    assert names
    assert [name for name in names if not name.startswith(("Fig. ", "Section "))] == []


def test_the_argument_stands_before_the_tables(page):
    cards = page.select(".ledger-argument > li")
    claims = sorted(
        (claim for claim in read_claims(CLAIMS) if claim.step), key=lambda claim: claim.step
    )
    assert [plain(card.find("strong")) for card in cards] == [claim.says for claim in claims]
    for card, claim in zip(cards, claims, strict=True):
        row = page.find(id=f"claim-{claim.name}")
        assert card.select_one("a")["href"] == f"#{row['id']}"
        assert card.select_one(".verdict").get_text() == row.select_one(".verdict").get_text()
        assert card.sourceline < row.sourceline


def test_each_card_has_a_size_with_its_interval_on_a_scale_and_a_picture(page, html):
    for card in page.select(".ledger-argument > li"):
        assert re.search(r"\d.* \(.+ to .+\)", plain(card.select_one(".ledger-effect")))
        places = [
            float(re.search(r"left: ([\d.]+)%", each["style"])[1])
            for each in card.select(".ledger-scale span")
        ]
        assert len(places) == 4
        assert all(0 <= place <= 100 for place in places)
        assert (html / "pages" / card.img["src"]).is_file()


def ledger(browser: Browser, html: Path, address: str = "") -> Page:
    page, complaints = opened(browser, html / "pages" / "ledger.html")
    assert complaints == []
    if address:
        page.goto("about:blank")
        page.goto((html / "pages" / "ledger.html").as_uri() + address)
    return page


@needs_chromium
@in_one_process
def test_buttons_leave_the_rows_of_their_verdicts(browser, html, page):
    window = ledger(browser, html)
    verdicts = Counter(
        row.select_one(".verdict").get_text() for row in page.select("tr[id^=claim-]")
    )
    assert window.evaluate(SHOWN) == []
    window.locator("[data-verdict=fails]").press("Enter")
    assert len(window.evaluate(SHOWN)) == verdicts[Verdict.FAILS]
    assert str(verdicts[Verdict.FAILS]) in window.locator(COUNT).inner_text()
    window.locator("[data-verdict=part]").press("Space")
    assert len(window.evaluate(SHOWN)) == verdicts[Verdict.FAILS] + verdicts[Verdict.PART]
    window.locator("#ledger-filters [type=reset]").press("Enter")
    assert window.evaluate(SHOWN) == []
    assert window.evaluate("location.hash") == ""
    window.locator("[data-choice]").press("Enter")
    window.wait_for_function(f"{SHOWN}.length > 0")
    assert set(window.evaluate(SHOWN)) == {
        f"claim-{claim.name}"
        for claim in read_claims(CLAIMS)
        if claim.source == PAPER and claim.kind == Kind.CLAIM
        if page.find(id=f"claim-{claim.name}").select_one(".verdict").get_text()
        in (Verdict.FAILS, Verdict.PART)
    }
    window.close()


@needs_chromium
@in_one_process
def test_lists_leave_the_rows_of_a_chapter_a_figure_or_a_world(browser, html):
    window, claims = ledger(browser, html), read_claims(CLAIMS)
    window.locator("select[name=chapter]").select_option("03_continuation")
    assert window.evaluate(SHOWN) == [
        f"claim-{claim.name}" for claim in claims if claim.chapter == "03_continuation"
    ]
    assert window.evaluate(SECTIONS) == 1
    window.locator("select[name=chapter]").select_option("")
    window.locator("select[name=figure]").select_option("5")
    assert set(window.evaluate(SHOWN)) == {
        f"claim-{claim.name}" for claim in claims if "5" in claim.paper_figures
    }
    window.locator("select[name=about]").select_option("network")
    assert window.evaluate(SHOWN) == []
    window.locator("select[name=about]").select_option("model")
    assert set(window.evaluate(SHOWN)) == {
        f"claim-{claim.name}" for claim in claims if "5" in claim.paper_figures
    }
    window.close()


@needs_chromium
@in_one_process
def test_an_address_keeps_the_choice_and_one_of_a_row_shows_it(browser, html):
    first = ledger(browser, html)
    first.locator("[data-verdict=holds]").click()
    first.locator("select[name=about]").select_option("model")
    chosen, shown = first.evaluate("location.hash"), first.evaluate(SHOWN)
    first.close()
    second = ledger(browser, html, chosen)
    assert second.evaluate(SHOWN) == shown
    assert second.locator("[data-verdict=holds]").get_attribute("aria-pressed") == "true"
    assert "claim-walls" not in shown
    second.evaluate("location.hash = 'claim-walls'")
    second.wait_for_function("document.getElementById('claim-walls').checkVisibility()")
    assert second.evaluate(SHOWN) == [
        f"claim-{claim.name}" for claim in read_claims(CLAIMS) if claim.chapter == "01_landscape"
    ]
    second.close()


@needs_chromium
@in_one_process
def test_link_of_a_row_is_seen_when_the_keyboard_reaches_it(browser, html):
    window = ledger(browser, html)
    window.locator(".ledger-fold > summary").first.press("Enter")
    rows = window.locator("table.ledger").first.locator("tbody tr").all()[:2]
    link = rows[1].locator(".ledger-permalink")
    assert link.evaluate("(link) => getComputedStyle(link).opacity") == "0"
    rows[0].locator("a").last.focus()
    window.keyboard.press("Tab")
    assert link.evaluate(
        "(link) => [link === document.activeElement, getComputedStyle(link).opacity]"
    ) == [True, "1"]
    link.press("Enter")
    assert window.evaluate("location.hash") == f"#{rows[1].get_attribute('id')}"
    window.close()


@needs_chromium
@in_one_process
def test_without_scripts_all_rows_are_there_and_no_filter(browser, html):
    context = browser.new_context(java_script_enabled=False)
    window = context.new_page()
    window.goto((html / "pages" / "ledger.html").as_uri())
    assert window.locator("table.ledger tbody tr").count() == len(read_claims(CLAIMS))
    window.locator(".ledger-fold > summary").first.click()
    rows = window.locator("table.ledger").first.locator("tbody tr").all()
    assert all(row.is_visible() for row in rows)
    assert not window.locator("#ledger-filters").is_visible()
    context.close()
