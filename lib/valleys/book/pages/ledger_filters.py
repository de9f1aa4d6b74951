"""The filters of the ledger: the classes by which a row is found, and the form that hides rows;
`_extra/ledger/filters.js` moves it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from html import escape

from valleys.book.numbers.claims import Claim, Verdict

ABOUT = {"network": "networks", "model": "the two-valley model"}
SUPPLEMENT = "S"  # stands for all figures of the supplement
ASSETS = '<link rel="stylesheet" href="../ledger/ledger.css"><script defer src="../ledger/filters.js"></script>'  # noqa: E501


def classes(claim: Claim, about: str | None) -> list[str]:
    """What a row is about, the chapter that tests its claim, and the paper's figures that make
    it.
    """
    found = [f"about-{about}"] if about else []
    found += [f"chapter-{claim.chapter}"] if claim.chapter else []
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
    )
    buttons = "".join(_button(verdict, kinds[verdict], counts[verdict]) for verdict in Verdict)
    return (
        f'{ASSETS}<form class="ledger-filters sd-d-print-none" id="ledger-filters" '
        'aria-label="Filter the claims" hidden>'
        f'<div class="ledger-verdicts" role="group" aria-label="Verdict">{buttons}</div><div '
        f'class="ledger-choices">{lists}</div>'
        '<p><output data-part="count" aria-live="polite"></output> <button type="reset" '
        "hidden>Show all</button></p></form>"
    )


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
