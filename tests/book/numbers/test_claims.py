"""Verdicts follow from numbers: from their whole interval, and from nothing else."""

import math
from typing import Any

import nbformat
import pytest
import yaml

from valleys.book.chapters import all_chapters
from valleys.book.numbers.claims import (
    OTHER,
    PAPER,
    UNKNOWN,
    Answer,
    Claim,
    Question,
    Verdict,
    judged,
    read_claims,
)
from valleys.errors import BookError
from valleys.paths import book_root
from valleys.results.estimates import Estimate

CLAIMS = book_root() / "pages" / "claims.yml"


def asking(relation: str, than: float | str, **more: Any) -> Question:
    more |= {"within": 0.2} if relation == "equals" else {}
    more |= {"other": "another number"} if than == "theirs" else {}
    return Question(what="a number", number="ours", relation=relation, than=than, **more)


def claim(*tests: Question) -> Claim:
    return Claim("name", "Fig. 1", "It is so.", "01_small", ("fig-small",), tests)


@pytest.mark.parametrize("value", [Estimate(0.64, 0.32, 0.84), Estimate.with_error(0.7153, 0.0041)])
def test_an_estimate_is_judged_by_its_unrounded_interval(value):
    assert judged(value, "ours") == value


def test_a_plain_number_is_exact_and_one_without_interval_decides_nothing():
    assert judged(7, "ours") == Estimate(7, 7, 7)
    for unknown in (
        Estimate(0.64, math.nan, math.nan),
        Estimate(math.nan, 0.1, 0.2),
        math.nan,
        math.inf,
    ):
        assert judged(unknown, "ours") is UNKNOWN


@pytest.mark.parametrize("value", ["before", "0.64", [0.1, 0.2]])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(BookError, match="cannot judge 'ours'"):
        judged(value, "ours")


@pytest.mark.parametrize(
    ("ours", "relation", "than", "answer"),
    [
        (Estimate(0.5, 0.4, 0.6), "above", 0.3, Answer.YES),
        (Estimate(0.5, 0.4, 0.6), "above", 0.7, Answer.NO),
        (Estimate(0.5, 0.4, 0.6), "above", 0.45, Answer.OPEN),
        (Estimate(0.5, 0.4, 0.6), "below", 0.7, Answer.YES),
        (Estimate(0.5, 0.4, 0.6), "below", 0.3, Answer.NO),
        (Estimate(0.5, 0.4, 0.6), "below", 0.55, Answer.OPEN),
        (Estimate(0.5, 0.4, 0.6), "equals", 0.45, Answer.YES),
        (Estimate(0.5, 0.4, 0.6), "equals", 0.7, Answer.NO),
        (Estimate(0.5, 0.0, 1.0), "equals", 0.64, Answer.OPEN),
        (Estimate.with_error(0.9, 5), "equals", 0.64, Answer.OPEN),
        (Estimate(0.14, 0.12, 0.17), "below", "10%", Answer.NO),
        (Estimate(0.14, 0.12, 0.17), "below", 0.1, Answer.NO),
        (0.93, "below", "50%", Answer.NO),
        (Estimate.with_error(0.50, 0.01), "above", 0.49, Answer.OPEN),
        (Estimate.with_error(0.50, 0.01), "above", 0.48, Answer.YES),
        (3, "above", 3, Answer.NO),
        (3, "below", 3, Answer.NO),
        (Estimate(0.5, math.nan, math.nan), "above", 0.1, Answer.OPEN),
        (math.nan, "equals", 0.1, Answer.OPEN),
    ],
)
def test_answer_comes_from_the_whole_interval(ours, relation, than, answer):
    assert asking(relation, than).answer({"ours": ours}) == answer


def test_two_uncertain_numbers_are_compared_by_both_intervals():
    test = asking("above", "theirs")
    assert (
        test.answer({"ours": Estimate(0.7, 0.6, 0.8), "theirs": Estimate(0.4, 0.3, 0.5)})
        == Answer.YES
    )
    assert (
        test.answer({"ours": Estimate(0.7, 0.45, 0.8), "theirs": Estimate(0.4, 0.3, 0.5)})
        == Answer.OPEN
    )
    assert (
        asking("equals", "theirs").answer(
            {"ours": Estimate(0.7, 0.45, 0.8), "theirs": Estimate(0.4, 0.3, 0.5)}
        )
        == Answer.YES
    )


def test_both_numbers_are_printed_in_their_forms():
    numbers = {"ours": Estimate(0.716, 0.6, 0.8), "theirs": 0.4321}
    test = asking("above", "theirs", form=".2f")
    assert (test.printed(numbers), test.printed_other(numbers)) == ("0.72 (0.60 to 0.80)", "0.43")
    exact = asking("above", "theirs", other_form=".3f")
    assert (
        exact.printed(numbers | {"ours": Estimate.with_error(0.7, 0.01)}),
        exact.printed_other(numbers),
    ) == ("0.700 ± 0.010", "0.432")


def test_a_count_is_shared_out():
    test = asking("above", 0.75, of="all")
    assert test.answer({"ours": 59, "all": 63}) == Answer.YES
    assert test.answer({"ours": 31, "all": 63}) == Answer.NO
    assert test.answer({"ours": 0, "all": 0}) == Answer.OPEN
    assert test.printed({"ours": 59, "all": 63}) == "59 of 63"
    assert test.asked() == "more than 75% of them"


def test_what_was_asked_reads_as_a_sentence():
    assert asking("above", 0.5).asked() == "more than 0.5"
    assert asking("below", "10%").asked() == "less than 10%"
    assert asking("above", "theirs").asked() == "more"
    assert asking("equals", 0.64).asked() == "0.64, with an uncertainty of at most 0.2"
    assert asking("equals", "theirs").asked() == "the same, with an uncertainty of at most 0.2"


def test_a_band_is_two_questions_about_one_number(tmp_path):
    band = {"what": "a", "number": "ours", "above": 0.9, "below": 1.1}
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


def test_a_number_that_no_chapter_reports_is_named():
    with pytest.raises(BookError, match="ledger: the text asks for 'ours', which is not reported"):
        claim(asking("above", 0)).verdict({})


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"place": "Fig. 1", "says": "so"}, "either tests or a reason"),
        (
            {"place": "Fig. 1", "says": "so", "tests": [{"what": "a", "number": "n", "above": 1}]},
            "the figures that show it",
        ),
        ({"place": "Fig. 1", "says": "so", "reason": "r", "note": "n"}, "and nothing else"),
        (
            {"place": "Fig. 1", "says": "so", "reason": "r", "source": "papers"},
            "has the source 'papers'; choose paper or other",
        ),
        (
            {"place": "Fig. 1", "says": "so", "tests": [{"what": "a", "number": "n"}]},
            "asks for none",
        ),
        (
            {
                "place": "Fig. 1",
                "says": "so",
                "tests": [{"what": "a", "number": "n", "above": 1, "equals": 2}],
            },
            "above, equals",
        ),
        (
            {
                "place": "Fig. 1",
                "says": "so",
                "tests": [{"what": "a", "number": "n", "above": "m"}],
            },
            "what the other number is",
        ),
        (
            {
                "place": "Fig. 1",
                "says": "so",
                "tests": [{"what": "a", "number": "n", "above": 1, "other": "b"}],
            },
            "and only then",
        ),
        (
            {"place": "Fig. 1", "says": "so", "tests": [{"what": "a", "number": "n", "equals": 1}]},
            "how well a number must be known",
        ),
        (
            {
                "place": "Fig. 1",
                "says": "so",
                "tests": [{"what": "a", "number": "n", "of": "m", "above": "75%"}],
            },
            "compared with a share",
        ),
        ({"place": "Fig. 1", "says": "so", "tests": {"what": "a"}}, "maps names to claims"),
        (
            {"place": "Fig. 1", "says": "so", "tests": [{"what": "a", "nummer": "n", "above": 1}]},
            "not of the agreed form",
        ),
        (
            {
                "place": "Fig. 1",
                "says": "so",
                "tests": [{"what": "a", "number": "n", "above": "many%"}],
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
    assert all(claim.tests and claim.source == PAPER for claim in steps.values())
