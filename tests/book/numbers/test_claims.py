"""Verdicts follow from numbers: from their whole interval, and from nothing else."""

import math

import nbformat
import pytest
import yaml

from valleys.book.chapters import all_chapters
from valleys.book.numbers.claims import OTHER, PAPER, Answer, Claim, Number, Question, Verdict, read_claims
from valleys.book.numbers.reporting import with_error
from valleys.errors import BookError
from valleys.nets.statistics import Estimate
from valleys.paths import book_root

CLAIMS = book_root() / "pages" / "claims.yml"


def asking(relation: str, than: float | str, **more: str) -> Question:
    more |= {"within": 0.2} if relation == "equals" else {}
    more |= {"other": "another number"} if than == "theirs" else {}
    return Question(what="a number", number="ours", relation=relation, than=than, **more)


def claim(*tests: Question) -> Claim:
    return Claim("name", "Fig. 1", "It is so.", "01_small", ("fig-small",), tests)


@pytest.mark.parametrize(
    ("glued", "numbers"),
    [
        (0.25, (0.25, 0.25, 0.25)),
        (7, (7, 7, 7)),
        ("14% (12% to 17%)", (0.14, 0.12, 0.17)),
        ("-0.17 (-0.48 to -0.055)", (-0.17, -0.48, -0.055)),
        ("+0.001 (-0.003 to +0.005)", (0.001, -0.003, 0.005)),
        ("0.00091 (7.5e-05 to 0.0011)", (0.00091, 7.5e-5, 0.0011)),
        ("95%", (0.95, 0.95, 0.95)),
        ("62 %", (0.62, 0.62, 0.62)),
        ("0.50 ± 0.25", (0.5, 0.01, 0.99)),
    ],
)
def test_what_chapters_print_is_read(glued, numbers):
    read = Number.of(glued)
    assert (read.value, read.low, read.high) == pytest.approx(numbers)


def test_what_the_library_formats_is_read():
    assert Number.of(f"{Estimate(0.64, 0.32, 0.84):.2f}") == Number(0.64, 0.32, 0.84)
    for unknown in (f"{Estimate(0.64, math.nan, math.nan):.2f}", f"{math.nan:.2f}", "undefined", math.inf):
        assert math.isnan(Number.of(unknown).value)
    assert Number.of(with_error(0.7153, 0.0041)).high == pytest.approx(0.715 + 1.96 * 0.004)


@pytest.mark.parametrize("glued", ["before", "0.08 and 0.39", "", "0.5 (0.4"])
def test_what_is_no_number_is_refused(glued):
    with pytest.raises(BookError, match="no number that the ledger can read"):
        Number.of(glued)


@pytest.mark.parametrize(
    ("ours", "relation", "than", "answer"),
    [
        ("0.5 (0.4 to 0.6)", "above", 0.3, Answer.YES),
        ("0.5 (0.4 to 0.6)", "above", 0.7, Answer.NO),
        ("0.5 (0.4 to 0.6)", "above", 0.45, Answer.OPEN),
        ("0.5 (0.4 to 0.6)", "below", 0.7, Answer.YES),
        ("0.5 (0.4 to 0.6)", "below", 0.3, Answer.NO),
        ("0.5 (0.4 to 0.6)", "below", 0.55, Answer.OPEN),
        ("0.5 (0.4 to 0.6)", "equals", 0.45, Answer.YES),
        ("0.5 (0.4 to 0.6)", "equals", 0.7, Answer.NO),
        ("0.5 (0.0 to 1.0)", "equals", 0.64, Answer.OPEN),
        ("0.9 ± 5", "equals", 0.64, Answer.OPEN),
        ("14% (12% to 17%)", "below", "10%", Answer.NO),
        ("14% (12% to 17%)", "below", 0.1, Answer.NO),
        (0.93, "below", "50%", Answer.NO),
        ("0.50 ± 0.01", "above", 0.49, Answer.OPEN),
        ("0.50 ± 0.01", "above", 0.48, Answer.YES),
        (3, "above", 3, Answer.NO),
        (3, "below", 3, Answer.NO),
        ("0.5 (no interval)", "above", 0.1, Answer.OPEN),
        (math.nan, "equals", 0.1, Answer.OPEN),
    ],
)
def test_answer_comes_from_the_whole_interval(ours, relation, than, answer):
    assert asking(relation, than).answer({"ours": ours}) == answer


def test_two_uncertain_numbers_are_compared_by_both_intervals():
    test = asking("above", "theirs")
    assert test.answer({"ours": "0.7 (0.6 to 0.8)", "theirs": "0.4 (0.3 to 0.5)"}) == Answer.YES
    assert test.answer({"ours": "0.7 (0.45 to 0.8)", "theirs": "0.4 (0.3 to 0.5)"}) == Answer.OPEN
    assert asking("equals", "theirs").answer({"ours": "0.7 (0.45 to 0.8)", "theirs": "0.4 (0.3 to 0.5)"}) == Answer.YES


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
    entry = {"place": "Fig. 1", "says": "so", "chapter": "01_small", "shown": "fig-small", "tests": [band]}
    (tmp_path / "claims.yml").write_text(yaml.safe_dump({"one": entry}))
    (read,) = read_claims(tmp_path / "claims.yml")
    assert [test.asked() for test in read.tests] == ["more than 0.9", "less than 1.1"]
    assert [read.verdict({"ours": number}) for number in (1.0, 1.2)] == [Verdict.HOLDS, Verdict.PART]


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
    verdicts = [
        both.verdict({"ours": number}) for number in ("0.7 (0.6 to 0.8)", "0.3 (0.2 to 0.4)", "0.6 (0.4 to 0.8)", "0.3 (-0.2 to 0.4)", "-1 (-2 to -0.5)")
    ]
    assert verdicts == [Verdict.HOLDS, Verdict.PART, Verdict.PART, Verdict.FAILS, Verdict.FAILS]


def test_a_number_that_decides_nothing_makes_no_claim_hold_or_fall():
    assert claim(asking("above", 0)).verdict({"ours": "0.7 (-0.6 to 0.8)"}) == Verdict.UNTESTABLE
    assert Claim("name", "Fig. 1", "It is so.", reason="no data").verdict({}) == Verdict.UNTESTABLE


def test_a_number_that_no_chapter_reports_is_named():
    with pytest.raises(BookError, match="the number 'ours', which no chapter reports"):
        claim(asking("above", 0)).verdict({})


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"place": "Fig. 1", "says": "so"}, "either tests or a reason"),
        ({"place": "Fig. 1", "says": "so", "tests": [{"what": "a", "number": "n", "above": 1}]}, "the figures that show it"),
        ({"place": "Fig. 1", "says": "so", "reason": "r", "note": "n"}, "and nothing else"),
        ({"place": "Fig. 1", "says": "so", "reason": "r", "source": "papers"}, "has the source 'papers'; choose paper or other"),
        ({"place": "Fig. 1", "says": "so", "tests": [{"what": "a", "number": "n"}]}, "asks for none"),
        ({"place": "Fig. 1", "says": "so", "tests": [{"what": "a", "number": "n", "above": 1, "equals": 2}]}, "above, equals"),
        ({"place": "Fig. 1", "says": "so", "tests": [{"what": "a", "number": "n", "above": "m"}]}, "what the other number is"),
        ({"place": "Fig. 1", "says": "so", "tests": [{"what": "a", "number": "n", "above": 1, "other": "b"}]}, "and only then"),
        ({"place": "Fig. 1", "says": "so", "tests": [{"what": "a", "number": "n", "equals": 1}]}, "how well a number must be known"),
        ({"place": "Fig. 1", "says": "so", "tests": [{"what": "a", "number": "n", "of": "m", "above": "75%"}]}, "compared with a share"),
        ({"place": "Fig. 1", "says": "so", "tests": {"what": "a"}}, "maps names to claims"),
        ({"place": "Fig. 1", "says": "so", "tests": [{"what": "a", "nummer": "n", "above": 1}]}, "not of the agreed form"),
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
            figures = {cell.metadata.get("mystnb", {}).get("figure", {}).get("name") for cell in cells}
            assert {label for label in each.shown if label.startswith("fig-")} <= figures, each.name


def test_the_argument_is_made_in_steps_by_tested_claims_of_the_paper():
    steps = {claim.step: claim for claim in read_claims(CLAIMS) if claim.step}
    assert sorted(steps) == list(range(1, len(steps) + 1))
    assert steps
    assert all(claim.tests and claim.source == PAPER for claim in steps.values())
