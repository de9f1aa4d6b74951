"""Sphinx extension: numbers and formulas set as a printer would, on the page alone: the values that
chapters reported stay as they are.

Minus signs, powers of ten, spaces in large numbers and before per cent; no break within a number,
before that of a figure or between a formula and what belongs to it; an interval without width is
left out. The first sentence of a caption, its takeaway, is marked.
"""

import re
from collections.abc import Iterator

from docutils import nodes
from sphinx.application import Sphinx

NARROW, FIXED = "\u202f", "\u00a0"  # no-break spaces: a narrow one and one as wide as others
NUMBER = r"[+-]?\d+(?:,\d{3})*(?:\.\d+)?(?:e[+-]?\d+)?"
NO_WIDTH = re.compile(rf"(?<![\w.+-])(?P<value>{NUMBER}(?:\s?%)?) \((?P=value) to (?P=value)\)")
POWER = re.compile(r"(?<![\w.])([+-]?)(\d+(?:\.\d+)?)e([+-]?)0*(\d+)\b")
MINUS = re.compile(r"(?<![\w.)\]%])-(?=\d)")
LARGE = re.compile(r"(?<![\w.,/#:-])(?<!seed )(\d{1,3}(?:,\d{3})+|\d{5,})(?![\w/]|,\d)")
PER_CENT = re.compile(r"(?<=[\d)])\s?%")
ERROR = re.compile(r"(?<=\d) ± (?=\d)")
EQUALS = re.compile(r"(?<=\w) = (?=[\d−-])")
INTERVAL = re.compile(r"((?<=[\d%]) )?(\([+−]?\d[^() ]*) to ([+−]?\d[^() ]*\))")
NAMED = re.compile(r"\b((?:Fig|Eq|Sec)s?\.|Table|Chapter) (?=[\d(]|[AS]\d)")
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
GROUPED_FROM = 10_000
DATASETS = {"mnist": "MNIST", "cifar10": "CIFAR-10"}  # as a value of its own; code calls them so
LONGEST = 14  # characters of a value that stays on the line of the formula before it
APART = (
    nodes.literal,
    nodes.FixedTextElement,
    nodes.math,
    nodes.math_block,
    nodes.raw,
    nodes.comment,
    nodes.citation,
)
OPENS = re.compile(r"[(\[“‘]+$")
BELONGS = re.compile(r"^(?:\s?%)?\S{0,24}")
RELATES = re.compile(r"(?:[=<>]|\\(?:approx|sim|leq?|geq?|simeq|ll|gg))\s*$")
CELL = re.compile(r"(<t[dh]\b[^>]*>)([^<]+)")
SENTENCE = re.compile(r"(?<!\bEq)(?<!\bEqs)(?<!\bFig)(?<!\bFigs)(?<!\bvs)[.?!](?=\s|$)")


def typeset(text: str) -> str:
    """A text with its numbers as a printer would set them."""
    text = NO_WIDTH.sub(r"\g<value>", text)
    text = MINUS.sub("−", POWER.sub(_power, text))
    text = PER_CENT.sub(f"{NARROW}%", LARGE.sub(_grouped, text))
    text = EQUALS.sub(f"{FIXED}={FIXED}", ERROR.sub(f"{FIXED}±{FIXED}", text))
    text = NAMED.sub(rf"\1{FIXED}", text)
    return INTERVAL.sub(
        lambda found: f"{FIXED if found[1] else ''}{found[2]}{FIXED}to{FIXED}{found[3]}", text
    )


def typeset_table(markup: str) -> str:
    """A table of pandas, in HTML, with the numbers in its cells set."""
    return CELL.sub(lambda found: found[1] + typeset(found[2]), markup)


def _power(found: re.Match[str]) -> str:
    sign, factor, direction, exponent = found.groups()
    if float(factor) == 0 or int(exponent) == 0:
        return f"{sign}{'0' if float(factor) == 0 else factor}"
    power = f"10{(direction.replace('+', '') + exponent).translate(RAISED)}"
    return sign + (power if factor == "1" else f"{factor}{FIXED}×{FIXED}{power}")


def _grouped(found: re.Match[str]) -> str:
    number = int(found[1].replace(",", ""))
    return f"{number:,}".replace(",", NARROW) if number >= GROUPED_FROM else str(number)


def set_page(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Set the texts of a page, its tables of data, the alt texts of its images, its captions and
    its formulas.
    """
    for text in list(prose(doctree)):
        set_text(text)
    for table in [raw for raw in doctree.findall(nodes.raw) if "dataframe" in raw.astext()]:
        table.replace_self(nodes.raw("", typeset_table(table.astext()), **table.attributes))
    for image in doctree.findall(nodes.image):
        if "alt" in image:
            image["alt"] = typeset(image["alt"])
    for caption in list(doctree.findall(nodes.caption)):
        mark_takeaway(caption)
    for formula in list(doctree.findall(nodes.math)):
        keep_together(formula)


def prose(doctree: nodes.Element) -> Iterator[nodes.Text]:
    """The texts of a page but code, formulas, addresses, and the lines that tell where figures
    come from.
    """
    for text in doctree.findall(nodes.Text):
        above = list(_above(text))
        is_address = any(isinstance(node, nodes.reference) and "://" in text for node in above)
        if not is_address and not any(
            isinstance(node, APART) or "provenance" in node.get("classes", []) for node in above
        ):
            yield text


def set_text(text: nodes.Text) -> None:
    """Set one text, with an eye on what it follows."""
    parent = next(_above(text))
    # texts that read alike are equal
    place = next(place for place, child in enumerate(parent.children) if child is text)
    # no sign of a number stands right behind a value or formula, but a per cent sign may
    start = ")" if place else ""
    changed = DATASETS.get(text) or typeset(start + text)[len(start) :]
    if changed != text:
        parent[place] = nodes.Text(changed)


def keep_together(formula: nodes.math) -> None:
    """Leave no break between a formula and the brackets, signs and short values that belong to
    it: a browser would break there.
    """
    parent = next(_above(formula))
    place = parent.index(formula)
    before, opening = _opening(parent.children[:place])
    kept, behind = _belonging(formula, parent.children[place + 1 :])
    if len(opening) + len(kept) > 1:
        parent.children = []
        parent.extend(
            [*before, nodes.inline("", "", *opening, *kept, classes=["together"]), *behind]
        )


def _opening(before: list[nodes.Node]) -> tuple[list[nodes.Node], list[nodes.Node]]:
    """What stands before a formula, and apart from it the brackets that open right there."""
    last = before[-1] if before else None
    found = OPENS.search(last) if isinstance(last, nodes.Text) else None
    if found is None:
        return before, []
    return [*before[:-1], nodes.Text(found.string[: found.start()])], [nodes.Text(found[0])]


def _belonging(
    formula: nodes.math, behind: list[nodes.Node]
) -> tuple[list[nodes.Node], list[nodes.Node]]:
    """A formula with the value and the signs that belong to it, and what stands behind them."""
    kept: list[nodes.Node] = [formula]
    if (
        RELATES.search(formula.astext())
        and len(behind) > 1
        and not behind[0].astext().strip()
        and _is_short_value(behind[1])
    ):
        kept, behind = [formula, nodes.Text(FIXED), behind[1]], behind[2:]
    text = behind[0] if behind else None
    found = BELONGS.match(text) if isinstance(text, nodes.Text) else None
    if found is None or not found[0]:
        return kept, behind
    rest = nodes.Text(found.string[found.end() :])
    return [*kept, nodes.Text(found[0])], [rest, *behind[1:]]


def _is_short_value(node: nodes.Node) -> bool:
    return (
        isinstance(node, nodes.inline)
        and "pasted-text" in node["classes"]
        and len(node.astext()) <= LONGEST
    )


def mark_takeaway(caption: nodes.caption) -> None:
    """Mark the first sentence of a caption, all of it if it has only one."""
    takeaway, rest = nodes.inline(classes=["takeaway"]), list(caption.children)
    while rest:
        part = rest.pop(0)
        end = SENTENCE.search(part) if isinstance(part, nodes.Text) else None
        if end:
            takeaway += nodes.Text(end.string[: end.end()])
            rest.insert(0, nodes.Text(end.string[end.end() :]))
            break
        takeaway += part
    caption.children = []
    caption.extend([takeaway, *rest])


def _above(node: nodes.Node) -> Iterator[nodes.Element]:
    while isinstance(parent := node.parent, nodes.Element):
        yield parent
        node = parent


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx; late, when values and tables of other extensions are in their
    places.
    """
    app.connect("doctree-resolved", set_page, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
