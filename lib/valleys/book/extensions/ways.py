"""Sphinx extension: Next and Previous lead from chapter to chapter, and a chapter ends with the
way to its exercises.
"""

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.transforms.post_transforms import SphinxPostTransform

from valleys.book.extensions.numbering import is_exercises

# of a page: the page above it, the one before and the one behind it in the table of contents
Relations = dict[str, list[str | None]]
PREVIOUS, NEXT = 1, 2


class LinkExercises(SphinxPostTransform):
    """End a chapter with the way to the exercises that stand below it in the table of contents."""

    default_priority = 400
    formats = ("html",)

    def run(self, **_: object) -> None:
        """Add a line at the end of the page."""
        page = self.env.docname
        for name in filter(is_exercises, self.env.toctree_includes.get(page, [])):
            uri = self.app.builder.get_relative_uri(page, name)
            link = nodes.reference("", self.env.titles[name].astext(), refuri=uri, internal=True)
            next(self.document.findall(nodes.section)).append(
                nodes.paragraph("", "Now you: ", link, classes=["to-exercises"])
            )


def neighbour(relations: Relations, page: str, way: int) -> str | None:
    """The page that follows or precedes a page, pages of exercises left out."""
    found = relations.get(page, [None, None, None])[way]
    while found is not None and is_exercises(found):
        found = relations[found][way]
    return found


def lead_on(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Point the buttons of a page to its neighbours."""
    builder = app.builder
    if not isinstance(builder, StandaloneHTMLBuilder) or page not in builder.relations:
        return
    for name, way in (("prev", PREVIOUS), ("next", NEXT)):
        found = neighbour(builder.relations, page, way)
        title = found and builder.render_partial(app.env.titles[found])["title"]
        context[name] = (
            {"link": builder.get_relative_uri(page, found), "title": title} if found else None
        )


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.add_post_transform(LinkExercises)
    app.connect("html-page-context", lead_on)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
