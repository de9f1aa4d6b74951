"""Verdicts follow from the answers, and claims are of the agreed form."""

import nbformat
import pytest
import yaml

from tests.book.numbers.asking import BORDER, asking, claim
from valleys.book.chapters import all_chapters
from valleys.book.numbers.claims import OTHER, PAPER, Claim, Kind, Verdict, read_claims
from valleys.book.numbers.questions import UNKNOWN, Answer
from valleys.errors import BookError
from valleys.paths import book_root
from valleys.results.estimates import Estimate

CLAIMS = book_root() / "pages" / "claims.yml"


def test_a_band_is_two_questions_about_one_number(tmp_path):
    band = {"what": "a", "number": "ours", "above": 0.9, "below": 1.1, **BORDER}
    entry = {
        "place": "Fig. 1",
        "says": "so",
        "chapter": "01_small",
        "shown": "fig-small",
        "tests": [band],
    }
    (tmp_path / "claims.yml").write_text(yaml.safe_dump({"one": entry}))
    (read,) = read_claims(tmp_path / "claims.yml")
    assert [test.asked() for test in read.tests] == ["more than 0.9", "less than 1.1"]
    assert [read.verdict({"ours": number}) for number in (1.0, 1.2)] == [
        Verdict.HOLDS,
        Verdict.PART,
    ]


@pytest.mark.parametrize(
    ("place", "figures"),
    [
        ("Sec. II A, Figs. 1C and 1D", ("1",)),
        ("Eqs. 25 and 26, Fig. 6C", ("6",)),
        ("Figs. 2F, 3A and S3", ("2", "3", "S3")),
        ("Eqs. 15 and 17", ()),
        ("Sec. II C, and a later revision", ()),
    ],
)
def test_figures_of_the_paper_are_read_from_the_place(place, figures):
    assert Claim("name", place, "It is so.", reason="no data").paper_figures == figures
    assert Claim("name", place, "It is so.", reason="no data", source=OTHER).paper_figures == ()


def test_a_verdict_changes_when_the_numbers_do():
    both = claim(asking("above", 0), asking("above", 0.5))
    numbers = [
        Estimate(0.7, 0.6, 0.8),
        Estimate(0.3, 0.2, 0.4),
        Estimate(0.6, 0.4, 0.8),
        Estimate(0.3, -0.2, 0.4),
        Estimate(-1, -2, -0.5),
    ]
    verdicts = [both.verdict({"ours": number}) for number in numbers]
    assert verdicts == [Verdict.HOLDS, Verdict.PART, Verdict.PART, Verdict.FAILS, Verdict.FAILS]


def test_a_number_that_decides_nothing_makes_no_claim_hold_or_fall():
    assert (
        claim(asking("above", 0)).verdict({"ours": Estimate(0.7, -0.6, 0.8)}) == Verdict.UNTESTABLE
    )
    assert Claim("name", "Fig. 1", "It is so.", reason="no data").verdict({}) == Verdict.UNTESTABLE


@pytest.mark.parametrize(
    ("number", "verdict"), [(1, Verdict.BUILT), (-1, Verdict.FAILS), (UNKNOWN, Verdict.UNTESTABLE)]
)
def test_what_must_be_so_is_built_and_an_alarm_where_it_is_not(number, verdict):
    built = claim(asking("above", 0), kind=Kind.CONSTRUCTION, because="it is defined so")
    assert built.verdict({"ours": number}) == verdict


@pytest.mark.parametrize("kind", list(Kind))
def test_a_reason_why_it_cannot_be_otherwise_belongs_to_a_construction(kind):
    is_built = kind == Kind.CONSTRUCTION
    with pytest.raises(BookError, match="because"):
        claim(asking("above", 0), kind=kind, because=None if is_built else "it is defined so")


def test_a_number_that_no_chapter_reports_is_named():
    with pytest.raises(BookError, match="ledger: the text asks for 'ours', which is not reported"):
        claim(asking("above", 0)).verdict({})


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"place": "Fig. 1", "says": "so"}, "either tests or a reason"),
        (
            {
                "place": "Fig. 1",
                "says": "so",
                "tests": [{"what": "a", "number": "n", **BORDER, "above": 1}],
            },
            "the figures that show it",
        ),
        ({"place": "Fig. 1", "says": "so", "reason": "r", "note": "n"}, "and nothing else"),
        (
            {"place": "Fig. 1", "says": "so", "reason": "r", "source": "papers"},
            "has the source 'papers'; choose paper or other",
        ),
        (
            {"place": "Fig. 1", "says": "so", "tests": [{"what": "a", "number": "n", **BORDER}]},
            "asks for none",
        ),
        (
            {
                "place": "Fig. 1",
                "says": "so",
                "tests": [{"what": "a", "number": "n", **BORDER, "above": 1, "equals": 2}],
            },
            "above, equals",
        ),
        (
            {
                "place": "Fig. 1",
                "says": "so",
                "tests": [{"what": "a", "number": "n", **BORDER, "above": "m"}],
            },
            "what the other number is",
        ),
        (
            {
                "place": "Fig. 1",
                "says": "so",
                "tests": [{"what": "a", "number": "n", **BORDER, "above": 1, "other": "b"}],
            },
            "and only then",
        ),
        (
            {
                "place": "Fig. 1",
                "says": "so",
                "tests": [{"what": "a", "number": "n", **BORDER, "equals": 1}],
            },
            "how well a number must be known",
        ),
        (
            {
                "place": "Fig. 1",
                "says": "so",
                "tests": [{"what": "a", "number": "n", **BORDER, "of": "m", "above": "75%"}],
            },
            "compared with a share",
        ),
        ({"place": "Fig. 1", "says": "so", "tests": {"what": "a"}}, "maps names to claims"),
        ({"place": "Fig. 1", "says": "so", "reason": "r", "kind": "law"}, "maps names to claims"),
        (
            {
                "place": "Fig. 1",
                "says": "so",
                "tests": [{"what": "a", "nummer": "n", **BORDER, "above": 1}],
            },
            "not of the agreed form",
        ),
        (
            {
                "place": "Fig. 1",
                "says": "so",
                "tests": [{"what": "a", "number": "n", **BORDER, "above": "many%"}],
            },
            "no share",
        ),
    ],
)
def test_an_entry_of_another_form_is_refused(entry, message, tmp_path):
    (tmp_path / "claims.yml").write_text(yaml.safe_dump({"one": entry}))
    with pytest.raises(BookError, match=message):
        read_claims(tmp_path / "claims.yml")


def test_claims_of_the_book_name_figures_of_their_chapters():
    claims = read_claims(CLAIMS)
    assert len(claims) >= 25
    assert len({claim.says for claim in claims}) == len(claims)
    chapters = all_chapters()
    for each in claims:
        if each.chapter:
            cells = nbformat.read(chapters[each.chapter].path, as_version=4).cells
            figures = {
                cell.metadata.get("mystnb", {}).get("figure", {}).get("name") for cell in cells
            }
            assert {label for label in each.shown if label.startswith("fig-")} <= figures, each.name


def test_the_argument_is_made_in_steps_by_tested_claims_of_the_paper():
    steps = {claim.step: claim for claim in read_claims(CLAIMS) if claim.step}
    assert sorted(steps) == list(range(1, len(steps) + 1))
    assert steps
    assert all(
        claim.tests and claim.source == PAPER and claim.kind == Kind.CLAIM
        for claim in steps.values()
    )


def test_a_stronger_relation_than_printed_counts_nowhere_against_the_paper():
    """Whoever asks that a strength equals the printed one does so in a row that is not counted."""
    stronger = {"c01_again_small": 0.9, "c01_again_full": 0.9, "c03_published": 0.76}
    stronger |= {"c03_r2_small": 0.9, "c03_r2_full": 0.9}
    asked = [
        (each, test)
        for each in read_claims(CLAIMS)
        for test in each.tests
        if test.number in stronger
    ]
    assert asked
    against = [each for each, test in asked if test.answer(stronger) != Answer.YES]
    assert {each.kind for each in against} <= {Kind.DIGIT}
