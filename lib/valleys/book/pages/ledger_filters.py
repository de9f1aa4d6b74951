"""The filters of the ledger: the classes by which a row is found, and the form that hides rows;
`_extra/ledger/filters.js` moves it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from html import escape

from valleys.book.numbers.claims import OTHER, PAPER, Claim, Kind, Verdict
from valleys.book.pages.ledger_borders import has_moved
from valleys.book.pages.ledger_counts import ASSUMPTION

ABOUT = {"network": "networks", "model": "the two-valley model"}
UNCOUNTED = "uncounted"
COUNTED_AS = {
    PAPER: "claims of the paper",
    OTHER: "others, or questions of ours",
    ASSUMPTION: "assumptions of the model",
    UNCOUNTED: "shown, not counted",
}
BORDERS = {"moved": "some moved"}
# the choice of which a button is made
DIFFERENCES = f"verdict=fails,part&counted={PAPER}"
SUPPLEMENT = "S"  # stands for all figures of the supplement
SCRIPT = '<script defer src="../ledger/filters.js"></script>'


def classes(claim: Claim, about: str | None) -> list[str]:
    """What a row is about, the chapter that tests its claim, the paper's figures that make it, with
    what it is counted, and whether its borders moved.
    """
    found = [f"about-{about}"] if about else []
    found += [f"chapter-{claim.chapter}"] if claim.chapter else []
    found += [f"counted-{_counted_as(claim)}"]
    found += ["borders-moved"] if has_moved(claim) else []
    return found + [f"figure-{each}" for each in figures([claim])]


def figures(claims: Iterable[Claim]) -> list[str]:
    """Figures of the paper that claims name, in order; those of the supplement are one."""
    named = {
        SUPPLEMENT if number.startswith(SUPPLEMENT) else number
        for claim in claims
        for number in claim.paper_figures
    }
    return sorted(named)


def form(
    claims: list[Claim],
    counts: Counter[Verdict],
    kinds: Mapping[Verdict, str],
    chapters: Mapping[str, str],
) -> str:
    """The form, hidden where no script runs: a button for each verdict, lists of choices, and
    how many rows are shown.
    """
    numbers = {
        each: "Supplement" if each == SUPPLEMENT else f"Fig. {each}" for each in figures(claims)
    }
    lists = (
        _choices("about", "About", ABOUT)
        + _choices("chapter", "Tested in", chapters)
        + _choices("figure", "Paper’s figure", numbers)
        + _choices("counted", "Counted as", COUNTED_AS)
        + _choices("borders", "Borders", BORDERS)
    )
    buttons = "".join(_button(verdict, kinds[verdict], counts[verdict]) for verdict in Verdict)
    return (
        f'{SCRIPT}<form class="ledger-filters sd-d-print-none" id="ledger-filters" '
        'aria-label="Filter the claims" hidden>'
        f'<div class="ledger-verdicts" role="group" aria-label="Verdict">{buttons}</div><div '
        f'class="ledger-choices">{lists}</div>'
        '<p><output data-part="count" aria-live="polite"></output> <button type="button" '
        f'data-choice="{escape(DIFFERENCES)}">Where the paper and this book differ</button> '
        '<button type="reset" hidden>Show all</button></p></form>'
    )


def _counted_as(claim: Claim) -> str:
    if claim.kind == Kind.CLAIM:
        return claim.source
    return ASSUMPTION if claim.kind == Kind.ASSUMPTION else UNCOUNTED


def _button(verdict: Verdict, kind: str, count: int) -> str:
    return (
        f'<button type="button" aria-pressed="false" data-verdict="{kind}" '
        f'class="verdict verdict-{kind}">{verdict} <span>{count}</span></button>'
    )


def _choices(name: str, label: str, options: Mapping[str, str]) -> str:
    listed = "".join(
        f'<option value="{escape(value)}">{escape(text)}</option>'
        for value, text in options.items()
    )
    return f'<label>{label} <select name="{name}"><option value="">anything</option>{listed}</select></label>'  # noqa: E501
