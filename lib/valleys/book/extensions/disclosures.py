"""Sphinx extension: fold the code of a chapter away, so that a page reads as text and figures, and
every line stays within reach.

A chapter is a notebook with a cell of parameters. What stands between its title and its first
section goes into one fold; the code of a figure, and the line that tells where it comes from, into
one below the caption; the code of the checks into one at the end of their section. What a cell
printed stays in its place. Notebooks stay as they are: what folds are nodes of the page.
Where the book has a public address, the fold of a figure ends in a link to the notebook, at the
commit that the site was built from.
"""

from collections.abc import Callable, Iterable, Iterator

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.writers.html5 import HTML5Translator

from valleys.book.site.repository import Address

FOLD = "code-fold"  # the CSS class of every fold
OPENING, CHECKS, PROVENANCE, CODE = (
    "Code and parameters of this chapter",
    "Code of the checks",
    "Code · provenance",
    "Code",
)
CHECKS_TITLE = "Checks"
SOURCE = "This notebook in the repository"


class Disclosure(nodes.General, nodes.Element):
    """A fold that is shut at first, with its `summary` as the label."""


class FoldCode(SphinxPostTransform):
    """Fold the code of a page that is made from a notebook."""

    default_priority = 150  # outputs have been chosen, and MyST-NB has not yet made its own folds
    formats = ("html",)

    def run(self, **_: object) -> None:
        """Fold the code of a chapter; pages of exercises show theirs, since it is there to be
        worked on.
        """
        cells = cells_in(self.document)
        if any("tag_parameters" in cell["classes"] for cell in cells):
            chapter = next(self.document.findall(nodes.section))
            fold_chapter(chapter)
            if self.config.book_repository:
                address = Address.parse(self.config.book_repository)
                notebook = f"{self.env.docname}.ipynb"
                add_source(chapter, address.file(notebook, self.config.book_commit))
            for cell in cells:
                cell.attributes.pop("hide_mode", None)  # what it hides is folded already


def fold_chapter(chapter: nodes.section) -> None:
    """Fold all code of a chapter."""
    fold_opening(chapter)
    for section in [each for each in chapter.findall(nodes.section) if _is_checks(each)]:
        fold_checks(section)
    fold_figures(
        [
            cell
            for cell in cells_in(chapter)
            if not _inside(cell, lambda node: isinstance(node, Disclosure) or _is_checks(node))
        ]
    )


def add_source(chapter: nodes.section, address: str) -> None:
    """End the fold of each figure or table in a link to where the notebook is public."""
    for fold in chapter.findall(Disclosure):
        if fold["summary"] in (PROVENANCE, CODE):
            link = nodes.reference("", SOURCE, refuri=address, internal=False)
            fold.append(nodes.paragraph("", "", link, classes=["provenance"]))


def fold_opening(chapter: nodes.section) -> None:
    """Put the cells and the box of parameters that stand before the first section into one fold."""
    first = next(
        (place for place, child in enumerate(chapter) if isinstance(child, nodes.section)),
        len(chapter),
    )
    folded = [
        child
        for child in chapter[:first]
        if isinstance(child, nodes.Element)
        and (is_cell(child) or "run-box" in child.get("classes", []))
    ]
    if folded:
        fold = _fold_behind(folded[-1], OPENING, "chapter-code")
        for child in folded:
            chapter.remove(child)
        fold.extend(folded)


def fold_checks(section: nodes.section) -> None:
    """Put the code of a section of checks into one fold at its end; its sentences stay."""
    if code := taken_code(cells_in(section)):
        section.append(Disclosure("", *code, summary=CHECKS, classes=[FOLD]))


def fold_figures(cells: Iterable[nodes.Element]) -> None:
    """Put the code since the figure or table before it into a fold below each; what is left
    after the last one is folded where it stands.
    """
    waiting: list[nodes.Element] = []
    for cell in cells:
        waiting.append(cell)
        if not _is_bare(cell):
            fold_below(cell, waiting)
            waiting = []
    if waiting:
        fold = _fold_behind(waiting[-1], CODE)
        fold.extend(taken_code(waiting))


def fold_below(cell: nodes.Element, cells: list[nodes.Element]) -> None:
    """Put the code of cells, and the provenance that follows the last of them, into a fold below
    what that one shows.
    """
    provenance = _provenance(cell)
    fold = _fold_behind(cell, PROVENANCE if provenance else CODE)
    fold.extend([*taken_code(cells), *provenance])


def taken_code(cells: Iterable[nodes.Element]) -> list[nodes.Node]:
    """The code of cells, taken out of their places; a cell that shows nothing else goes as a
    whole.
    """
    taken = []
    for cell in cells:
        source = next(_elements(cell, "cell_code_source"), None)
        if _is_bare(cell):
            cell.parent.remove(cell)
            taken.append(cell)
        elif source is not None:
            cell.remove(source)
            taken.append(nodes.container("", source, classes=["cell"], nb_element="cell_code"))
    return taken


def cells_in(node: nodes.Element) -> list[nodes.container]:
    """The code cells in a part of a page."""
    return [each for each in node.findall(nodes.container) if is_cell(each)]


def is_cell(node: nodes.Node) -> bool:
    """Whether a node is a code cell of a notebook."""
    return isinstance(node, nodes.container) and node.get("nb_element") == "cell_code"


def _is_bare(cell: nodes.Element) -> bool:
    """Whether a cell shows nothing but its code."""
    return not any(output.children for output in _elements(cell, "cell_code_output"))


def _elements(cell: nodes.Element, kind: str) -> Iterator[nodes.Element]:
    """Parts of a cell that MyST-NB marks as of a kind."""
    for child in cell.children:
        if isinstance(child, nodes.Element) and child.get("nb_element") == kind:
            yield child


def _is_checks(node: nodes.Node) -> bool:
    title = node.next_node(nodes.title) if isinstance(node, nodes.section) else None
    return title is not None and title.astext() == CHECKS_TITLE


def _inside(node: nodes.Node, is_meant: Callable[[nodes.Node], bool]) -> bool:
    while (node := node.parent) is not None:
        if is_meant(node):
            return True
    return False


def _fold_behind(node: nodes.Element, summary: str, *classes: str) -> Disclosure:
    """A new fold right behind a node."""
    fold = Disclosure(summary=summary, classes=[FOLD, *classes])
    node.parent.insert(node.parent.index(node) + 1, fold)
    return fold


def _provenance(cell: nodes.Element) -> list[nodes.Node]:
    """The paragraph behind a cell that tells where its figure comes from, taken out of its
    place.
    """
    behind = cell.next_node(descend=False, siblings=True)
    if not isinstance(behind, nodes.paragraph) or "provenance" not in behind["classes"]:
        return []
    behind.parent.remove(behind)
    return [behind]


def visit(writer: HTML5Translator, node: Disclosure) -> None:
    """Open the fold and write its label."""
    writer.body.append(writer.starttag(node, "details"))
    writer.body.append(f"<summary>{writer.encode(node['summary'])}</summary>\n")


def depart(writer: HTML5Translator, node: Disclosure) -> None:
    """Close the fold."""
    writer.body.append("</details>\n")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx; `book_commit` is the commit that links to notebooks name, empty for
    the branch of the public address.
    """
    app.add_node(Disclosure, html=(visit, depart))
    app.add_config_value("book_commit", "", "html", [str])
    app.add_post_transform(FoldCode)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
