"""Sphinx extension for a page that stands alone: links to pages of the book lead to its built
site, or become plain titles where there is none.
"""

import re
from pathlib import Path, PurePosixPath

import nbformat
from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.nodes import make_id

from valleys.book.chapters import page_names
from valleys.paths import book_root

GLOSSARY = "pages/glossary.html"
FRONT_MATTER = re.compile(r"\A---\n.*?^---\n", re.DOTALL | re.MULTILINE)


def link_to_book(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, contnode: nodes.Element
) -> nodes.Node | None:
    """A `{doc}` reference to a page that is not here, a `{py:func}` to a name or a `{term}` to
    the glossary: its link in the book, or its title.
    """
    if node.get("refdomain") == "py":
        return _link_to_name(app.config.book_site, node["reftarget"], contnode)
    if node.get("reftype") == "term" and node.document:
        anchor = make_id(env, node.document, "term", node["reftarget"])
        return _link_to_term(app.config.book_site, anchor, contnode)
    name = PurePosixPath(node["reftarget"]).name
    found = [page for page in page_names() if PurePosixPath(page).name == name]
    if node.get("reftype") != "doc" or not found:
        return None
    text = contnode.astext() if node.get("refexplicit") else title(found[0])
    if not app.config.book_site:
        return nodes.inline("", text)
    return nodes.reference(
        "", text, internal=False, refuri=f"{app.config.book_site}/{found[0]}.html"
    )


def _link_to_name(book_site: str, name: str, contnode: nodes.Element) -> nodes.Node:
    """A public name of the library, on the page that lists those of its room."""
    if not book_site:
        return contnode
    page = f"pages/api_{name.split('.')[1]}.html"
    return nodes.reference("", "", contnode, internal=False, refuri=f"{book_site}/{page}#{name}")


def _link_to_term(book_site: str, anchor: str, contnode: nodes.Element) -> nodes.Node:
    """A term, in the glossary."""
    if not book_site:
        return contnode
    return nodes.reference(
        "", "", contnode, internal=False, refuri=f"{book_site}/{GLOSSARY}#{anchor}"
    )


def title(page: str, root: Path | None = None) -> str:
    """First heading of a page of the book, such as `A landscape that forks`."""
    path = (root or book_root()) / page
    notebook, text = path.with_name(f"{path.name}.ipynb"), path.with_name(f"{path.name}.md")
    source = (
        nbformat.read(notebook, as_version=4).cells[0].source
        if notebook.exists()
        else text.read_text(encoding="utf-8")
    )
    return FRONT_MATTER.sub("", source).lstrip().partition("\n")[0].lstrip("# ").strip()


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx; `book_site` is the way from the page to the folder of the book's
    pages, empty if there are none.
    """
    app.add_config_value("book_site", "", "env", [str])
    app.connect("missing-reference", link_to_book)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
