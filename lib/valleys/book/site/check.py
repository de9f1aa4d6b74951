"""Checks of a built site: every page is there, images speak, headings nest, nothing warns, links
lead somewhere, nothing comes from elsewhere.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from urllib.parse import unquote, urlparse

from bs4 import BeautifulSoup, Tag

from valleys.book.chapters import page_names
from valleys.paths import book_root, html_pages

SHORTEST_ALT = 15  # characters; less than this tells a listener nothing
FILE_NAME = re.compile(
    r"^[\w./-]*\.(png|svg|jpe?g|gif|webp)$|^(_images/)?[0-9a-f]{16,}", re.IGNORECASE
)
HEADINGS = ", ".join(f"article h{level}" for level in range(1, 7))
ASSETS = {
    "script": "src",
    "img": "src",
    "iframe": "src",
    "source": "src",
    "video": "src",
    "audio": "src",
    "object": "data",
}
FETCHED_LINKS = {
    "stylesheet",
    "preload",
    "modulepreload",
    "prefetch",
    "icon",
    "preconnect",
    "dns-prefetch",
    "manifest",
}
STYLE_URL = re.compile(r"""(?:url\(|@import)\s*['"]?((?:https?:)?//[^'")\s]+)""")


def parsed(path: Path) -> BeautifulSoup:
    """A page as a tree."""
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


def check_site(
    html: Path, root: Path | None = None, *, read: Callable[[Path], BeautifulSoup] = parsed
) -> list[str]:
    """Everything that is wrong with a site, one line each; empty if all is well.

    Args:
        html: folder of the built pages.
        root: folder of `_toc.yml`; the book's if None.
        read: gives the tree of a page, for who has read the pages already.
    """
    pages = {path: read(path) for path in html_pages(html)}
    places = {path: anchors(page) for path, page in pages.items()}
    found = list(missing_pages(html, root or book_root()))
    for path, page in pages.items():
        name = path.relative_to(html)
        problems = [
            *mute_images(page),
            *skipped_headings(page),
            *warnings_on(page),
            *broken_links(path, page, places),
            *external_assets(page),
        ]
        found += [f"{name}: {problem}" for problem in problems]
    return found + list(external_styles(html))


def missing_pages(html: Path, root: Path) -> Iterator[str]:
    """Pages of the table of contents that were not written."""
    yield from (
        f"{name}.html is in _toc.yml but was not built"
        for name in page_names(root)
        if not (html / f"{name}.html").is_file()
    )


def mute_images(page: BeautifulSoup) -> Iterator[str]:
    """Content images whose alt text is missing, a file name, a hash or too short to tell
    anything.
    """
    content = page.find("article") or page
    for image in content.find_all("img"):
        alt = " ".join(str(image.get("alt") or "").split())
        if len(alt) < SHORTEST_ALT or FILE_NAME.match(alt):
            yield f"image {image.get('src')} has no real alt text ({alt!r})"


def skipped_headings(page: BeautifulSoup) -> Iterator[str]:
    """Headings of the content that stand more than one level below the one before; the first
    must be the title, and the only one of its level.
    """
    level = 0
    for heading in page.select(HEADINGS):
        before, level = level, int(heading.name[1])
        if level > before + 1 or (level == 1) != (before == 0):
            yield (
                f"heading '{' '.join(heading.get_text().split()).rstrip('#')}' of level {level} "
                f"follows one of level {before}"
            )


def warnings_on(page: BeautifulSoup) -> Iterator[str]:
    """What a notebook complained of while it ran."""
    yield from (
        f"a cell printed a warning: {' '.join(output.get_text().split())[:120]}"
        for output in page.select(".output.stderr")
    )


def anchors(page: BeautifulSoup) -> set[str]:
    """Places of a page that a link may name."""
    return {str(tag[key]) for key in ("id", "name") for tag in page.find_all(True, {key: True})}


def broken_links(path: Path, page: BeautifulSoup, places: Mapping[Path, set[str]]) -> Iterator[str]:
    """Links and images of a page that lead to no file or no anchor of the site.

    Args:
        path: where the page stands.
        page: its tree.
        places: the anchors of each page; in other files any may be named.
    """
    for tag in page.find_all(["a", "img", "script", "link"]):
        target = str(tag.get("href") or tag.get("src") or "")
        parts = urlparse(target)
        if not target or parts.scheme or parts.netloc:
            continue
        file = (path.parent / unquote(parts.path)).resolve() if parts.path else path.resolve()
        if not file.exists():
            yield f"link to {target} leads nowhere"
        elif (
            tag.name == "a"
            and parts.fragment
            and unquote(parts.fragment) not in places.get(file, {unquote(parts.fragment)})
        ):
            yield f"link to {target} names no anchor of that page"


def external_assets(page: BeautifulSoup) -> Iterator[str]:
    """Scripts, styles, images and inline styles that a browser would fetch from another host."""
    for tag in page.find_all([*ASSETS, "link"]):
        url = _fetched(tag)
        if re.match(r"(https?:)?//", url):
            yield f"{tag.name} fetches {url}"
    for style in page.find_all("style"):
        yield from (f"style fetches {url}" for url in STYLE_URL.findall(style.get_text()))


def external_styles(html: Path) -> Iterator[str]:
    """Style sheets of the site that fetch from another host."""
    for path in sorted(html.rglob("*.css")):
        for url in STYLE_URL.findall(path.read_text(encoding="utf-8", errors="replace")):
            yield f"{path.relative_to(html)} fetches {url}"


def _fetched(tag: Tag) -> str:
    if tag.name == "link":
        relations = {relation.lower() for relation in tag.get("rel") or []}
        return str(tag.get("href") or "") if relations & FETCHED_LINKS else ""
    return str(tag.get(ASSETS[tag.name]) or "")
