"""Sphinx extension: the role `` {number}`c02_gain:.2f` ``, a number that a notebook reported, in
the form that the text gives it.

It stands on any page, in captions too; see `valleys.book.numbers.glued.printed` for what may be
asked for.
"""

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxRole

from valleys.book.numbers.glued import numbers_for, printed


class Reference(nodes.General, nodes.Inline, nodes.Element):
    """The place of a number until all pages have been read."""


class Number(SphinxRole):
    """Leaves a place for a number; a page without a notebook is read again at every build,
    because chapters may have changed.
    """

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """The place."""
        if "nb_renderer" not in self.inliner.document:
            self.env.note_reread()
        reference = Reference(asked=self.text)
        self.set_source_info(reference)
        return [reference], []


def fill_numbers(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Put the numbers of a page in their places."""
    references = list(doctree.findall(Reference))
    numbers = numbers_for(app, page) if references else {}
    for reference in references:
        text = printed(reference["asked"], numbers, f"{page}, {{number}}`{reference['asked']}`")
        reference.replace_self(nodes.inline(text, text, classes=["pasted-text"]))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx; early, so that other extensions find the text as it will be read."""
    app.add_role("number", Number())
    app.add_node(Reference)
    app.connect("doctree-resolved", fill_numbers, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
