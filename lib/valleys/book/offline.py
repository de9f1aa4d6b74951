"""Sphinx extension: keep every page on the reader's machine, by dropping what the stock theme would fetch from elsewhere."""

import re
from typing import Any

from sphinx.application import Sphinx

from valleys.book.written import edit_pages, is_site

UNWANTED = ("thebe", "://")  # Thebe's scripts fetch from a CDN and fail without it; "://" is any script of another host

FONT_PRELOAD = re.compile(r"<link rel=\"preload\" as=\"font\"[^>]*>\n?")


def drop_external_scripts(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Remove from a page's scripts those of Thebe and of other hosts."""
    context["script_files"] = [script for script in context.get("script_files", []) if not _unwanted(script)]


def _unwanted(script: Any) -> bool:
    described = f"{getattr(script, 'filename', script)} {getattr(script, 'attributes', {}).get('body', '')}"
    return any(word in described for word in UNWANTED)


def drop_font_preloads(app: Sphinx, failure: Exception | None) -> None:
    """Remove from the written pages the font preloads, which a browser refuses from `file://`."""
    if is_site(app, failure):
        edit_pages(app, lambda text, _: FONT_PRELOAD.sub("", text))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx; late, so that other extensions have added their scripts."""
    app.connect("html-page-context", drop_external_scripts, priority=900)
    app.connect("build-finished", drop_font_preloads)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
