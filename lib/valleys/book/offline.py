"""Sphinx extension: keep every page on the reader's machine, by dropping what the stock theme would fetch from elsewhere."""

from typing import Any

from sphinx.application import Sphinx

UNWANTED = ("thebe", "://")  # Thebe's scripts fetch from a CDN and fail without it; "://" is any script of another host


def drop_external_scripts(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Remove from a page's scripts those of Thebe and of other hosts."""
    context["script_files"] = [script for script in context.get("script_files", []) if not _unwanted(script)]


def _unwanted(script: Any) -> bool:
    described = f"{getattr(script, 'filename', script)} {getattr(script, 'attributes', {}).get('body', '')}"
    return any(word in described for word in UNWANTED)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx; late, so that other extensions have added their scripts."""
    app.connect("html-page-context", drop_external_scripts, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
