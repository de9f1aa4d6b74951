"""All pages of a built site as one, in reading order, for print: title page, contents, the
pages, and folded solutions at the end.
"""

import html as entities
import os
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlparse

import yaml
from bs4 import BeautifulSoup, Tag

from valleys.book.chapters import book_parts
from valleys.book.extensions.disclosures import FOLD
from valleys.book.extensions.written import has_class
from valleys.errors import BookError
from valleys.paths import book_root

STYLES = ("_static/pygments.css", "_static/sphinx-design.min.css")
SCRIPTS = (
    "script, style.thebe, .headerlink, .toctree-wrapper, .figure-hint, .sd-d-print-none, .copybtn, "
    ".only-dark, .to-exercises, a:has(> .viewcode-link)"
)
SOLUTIONS = "solutions"
MATHJAX = "_static/mathjax/tex-chtml.js"
NO_HIDDEN_TEXT = '{"options": {"enableAssistiveMml": false, "enableMenu": false, "processHtmlClass": "tex2jax_process|mathjax_process|math|output_area"}}'  # noqa: E501


def one_page(html: Path, folder: Path, root: Path | None = None) -> str:
    """The text of a page that holds the whole book, to be written to a file in `folder`.

    Args:
        html: folder of the built site, whose images, styles and formulas are used from where they
            are.
        folder: where the page is going to stand.
        root: folder of `_toc.yml` and `CITATION.cff`; the book's if None.

    Raises:
        BookError: a page of the table of contents was not built.
    """
    root = root or book_root()
    parts = book_parts(root)
    pages = {name: print_page(html, name) for _, names in parts for name in names}
    solutions = gathered_solutions(pages)
    if solutions.select(".solution"):
        parts, pages[SOLUTIONS] = [*parts, ("Appendix", [SOLUTIONS])], solutions
    body = "\n".join(str(page) for page in pages.values())
    book = BeautifulSoup(
        f"<body>{title_page(root)}{contents(parts, pages)}<main>{body}</main></body>", "html.parser"
    )
    point_inside(book, set(pages), os.path.relpath(html, folder))
    return (
        "<!DOCTYPE html>\n<html lang='en' "
        f"data-theme='light'>{head(root, pages, os.path.relpath(html, folder))}{book}</html>\n"
    )


def print_page(html: Path, name: str) -> Tag:
    """The content of a page as a section whose names are unique in the book; folded code and
    what only a screen needs are left out.
    """
    path = html / f"{name}.html"
    if not path.is_file():
        raise BookError(f"{path} is missing; build the site with `make book` first")
    page = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
    article = first(page, "article")
    article.name = "section"
    article.attrs.clear()
    article["class"], article["id"], article["style"] = "page", slug(name), f"page: {slug(name)}"
    for tag in article.select(SCRIPTS):
        tag.decompose()
    unfold(article)
    for image in article.select("img[loading]"):
        del image["loading"]  # paper shows all of them at once
    for tag in article.select("[id]"):
        tag["id"] = f"{slug(name)}--{tag['id']}"
    for tag in article.select("[href], [src]"):
        for key in {"href", "src"} & tag.attrs.keys():
            tag[key] = inside(str(tag[key]), name)
    return article


def unfold(article: Tag) -> None:
    """Leave out code that the site folds away, and open everything else."""
    for fold in article.select("details"):
        title = first(fold, "summary")
        if not has_class(fold, "hide") and not has_class(fold, FOLD):
            fold.name, title.name, title["class"] = "div", "p", "fold-title"
            continue
        # what else it holds, as the line on the origin of a figure, stays
        for hidden in [title, *fold.select(".cell_input")]:
            hidden.decompose()
        fold.unwrap()


def gathered_solutions(pages: dict[str, Tag]) -> Tag:
    """The solutions of all exercises, taken out of their pages, under the title of the page that
    each comes from.
    """
    opening = (
        f'<section class="page" id="{SOLUTIONS}" style="page: {SOLUTIONS}">'
        "<h1>Solutions</h1></section>"
    )
    page = first(BeautifulSoup(opening, "html.parser"), "section")
    for name, source in pages.items():
        if solutions := source.select(".solution"):
            title = first(source, "h1").decode_contents()
            heading = f'<h2 id="{SOLUTIONS}--{slug(name)}">{title}</h2>'
            page.append(first(BeautifulSoup(heading, "html.parser"), "h2"))
            page.extend([solution.extract() for solution in solutions])
    return page


def first(within: Tag, name: str) -> Tag:
    """The first tag of a name within another.

    Raises:
        BookError: there is none.
    """
    if (tag := within.find(name)) is None:
        raise BookError(f"a page of the site has no <{name}>; build the site with `make book`")
    return tag


def inside(target: str, name: str) -> str:
    """A link or source of page `name`, seen from the root of the site: `page.html#anchor` for a
    page, the path of any other file.
    """
    parts = urlparse(target)
    if parts.scheme or parts.netloc or target.startswith("data:"):
        return target
    path = (
        os.path.normpath(os.path.join(os.path.dirname(name), unquote(parts.path)))
        if parts.path
        else f"{name}.html"
    )
    return f"{path}#{parts.fragment}" if parts.fragment else path


def point_inside(book: BeautifulSoup, names: set[str], prefix: str) -> None:
    """Let links between pages lead to their place in the book and images to their files; links
    to what the book lacks become plain text.
    """
    anchors = {str(tag["id"]) for tag in book.select("[id]")}
    for image in book.select("img[src]"):
        if not str(image["src"]).startswith("data:"):
            image["src"] = f"{prefix}/{image['src']}"
    for link in book.select("a[href]"):
        path, _, fragment = str(link["href"]).partition("#")
        if (
            path.endswith(".html")
            and not urlparse(path).scheme
            and path.removesuffix(".html") in names
        ):
            anchor = (
                f"{slug(path.removesuffix('.html'))}--{fragment}"
                if fragment
                else slug(path.removesuffix(".html"))
            )
            link["href"] = f"#{anchor if anchor in anchors else slug(path.removesuffix('.html'))}"
        elif not urlparse(path).scheme and path:
            link.unwrap()


def contents(parts: list[tuple[str, list[str]]], pages: dict[str, Tag]) -> str:
    """The table of contents; page numbers are filled in when the places of the headings are
    known.
    """
    lines = ["<nav class='contents'><h1>Contents</h1>"]
    for caption, names in parts:
        lines += [f"<p class='part'>{entities.escape(caption)}</p>"] if caption else []
        for name in names:
            lines.append(_entry("page-entry", slug(name), first(pages[name], "h1")))
            lines += [
                _entry("section-entry", str(section["id"]), first(section, "h2"))
                for section in _sections(name, pages[name])
            ]
    return "".join([*lines, "</nav>"])


def title_page(root: Path) -> str:
    """Title, what the book is and its edition, from `CITATION.cff`."""
    cited = yaml.safe_load((root / "CITATION.cff").read_text(encoding="utf-8"))
    title, _, subtitle = cited["title"].partition(": ")
    paper = cited["references"][0]
    authors = ", ".join(
        f"{author['given-names']} {author['family-names']}" for author in paper["authors"]
    )
    lines = {
        "title": title,
        "subtitle": f"{subtitle[:1].upper()}{subtitle[1:]}",
        "authors": ", ".join(author["name"] for author in cited["authors"]),
        "paper": f"The paper: {authors}, “{paper['title']}”, {paper['year']}, {paper['url']}",
        "edition": f"Version {cited['version']}. Text and code are under the {cited['license']} "
        "licence.",
        "print": "This is the site in print. Code that the site folds away is left out: each "
        "chapter’s notebook holds it. Folded solutions stand at the end.",
    }
    return (
        "<header class='title-page'>"
        + "".join(f"<p class='{kind}'>{entities.escape(text)}</p>" for kind, text in lines.items())
        + "</header>"
    )


def head(root: Path, pages: dict[str, Tag], prefix: str) -> str:
    """Styles, formulas and the running head of each page of the site."""
    title = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))["title"]
    links = "".join(f"<link rel='stylesheet' href='{prefix}/{style}'>" for style in STYLES)
    running = "".join(
        f'@page {slug(name)} {{ @top-left {{ content: "{_quoted(_text(first(page, "h1")))}" }} }}\n'
        for name, page in pages.items()
    )
    style = Path(__file__).with_name("print.css").read_text(encoding="utf-8")
    mathjax = (
        f"<script>window.MathJax = {NO_HIDDEN_TEXT}</script><script defer "
        f"src='{prefix}/{MATHJAX}'></script>"
    )
    return (
        "<head><meta "
        f"charset='utf-8'><title>{entities.escape(title)}</title>{links}<style>{style}\n{running}</style>{mathjax}</head>"
    )


def slug(name: str) -> str:
    """The name of a page as an identifier, such as chapters-04_toy_model."""
    return name.replace("/", "-")


def _sections(name: str, page: Tag) -> Iterator[Tag]:
    """Sections that the contents list: those of chapters."""
    if name.startswith("chapters/"):
        yield from page.select("section:has(> h2)")


def _entry(kind: str, anchor: str, heading: Tag) -> str:
    return (
        f"<p class='{kind}'><a href='#{anchor}'><span "
        f"class='name'>{heading.decode_contents().strip()}</span><span "
        "class='number'></span></a></p>"
    )


def _text(tag: Tag) -> str:
    return " ".join(tag.get_text().split())


def _quoted(text: str) -> str:
    return re.sub(r'(["\\])', r"\\\1", text)
