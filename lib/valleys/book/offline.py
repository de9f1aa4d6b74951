"""Sphinx extension: keep every page on the reader's machine, by dropping what the stock theme would fetch from elsewhere."""

import re
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

UNWANTED = ("thebe", "://")  # Thebe's scripts fetch from a CDN and fail without it; "://" is any script of another host

FONT_PRELOAD = re.compile(r"<link rel=\"preload\" as=\"font\"[^>]*>\n?")


def drop_external_scripts(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Remove from a page's scripts those of Thebe and of other hosts."""
    context["script_files"] = [script for script in context.get("script_files", []) if not _unwanted(script)]


def _unwanted(script: Any) -> bool:
    described = f"{getattr(script, 'filename', script)} {getattr(script, 'attributes', {}).get('body', '')}"
    return any(word in described for word in UNWANTED)


def drop_font_preloads(app: Sphinx, failure: Exception | None) -> None:
    """Remove from the written pages the font preloads, which a browser refuses from `file://`; the icons come as a script anyway."""
    if failure is None and app.builder.format == "html":
        for page in Path(app.outdir).rglob("*.html"):
            written = page.read_text(encoding="utf-8")
            if FONT_PRELOAD.search(written):
                page.write_text(FONT_PRELOAD.sub("", written), encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx; late, so that other extensions have added their scripts."""
    app.connect("html-page-context", drop_external_scripts, priority=900)
    app.connect("build-finished", drop_font_preloads)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
