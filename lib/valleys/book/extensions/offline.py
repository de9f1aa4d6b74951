"""Sphinx extension: keep every page on the reader's machine, and light, by dropping what the
stock theme would fetch from elsewhere or for nothing.
"""

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

from valleys.book.extensions.written import edit_pages, is_site

# Thebe's scripts fetch from a CDN and fail without it; "://" is any script of another host
UNWANTED = ("thebe", "://")
FORMULAS = ("mathjax", "MathJax")  # the script, and its settings

FONT_PRELOAD = r"<link rel=\"preload\" as=\"font\"[^>]*>\n?"  # a browser refuses it from `file://`
# of use to Thebe alone
THEBE_SETTINGS = r"<script type=\"text/x-thebe-config\">.*?</script>\s*(?:<script>kernelName = '[^']*'</script>\n?)?"  # noqa: E501
LEFTOVERS = re.compile(f"{FONT_PRELOAD}|{THEBE_SETTINGS}", re.DOTALL)


def drop_unwanted_scripts(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Remove from a page's scripts those of Thebe and of other hosts, and a megabyte of MathJax
    where there is no formula.
    """
    unwanted = UNWANTED if _has_formulas(doctree) else (*UNWANTED, *FORMULAS)
    context["script_files"] = [
        script
        for script in context.get("script_files", [])
        if not any(word in _described(script) for word in unwanted)
    ]


def _has_formulas(doctree: nodes.document | None) -> bool:
    return doctree is not None and any(
        isinstance(node, nodes.math | nodes.math_block) for node in doctree.findall()
    )


def _described(script: Any) -> str:
    return (
        f"{getattr(script, 'filename', script)} {getattr(script, 'attributes', {}).get('body', '')}"
    )


def drop_leftovers(app: Sphinx, failure: Exception | None) -> None:
    """Remove from the written pages the font preloads and the settings of Thebe."""
    if is_site(app, failure):
        edit_pages(app, lambda text, _: LEFTOVERS.sub("", text))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx; late, so that other extensions have added their scripts."""
    app.connect("html-page-context", drop_unwanted_scripts, priority=900)
    app.connect("build-finished", drop_leftovers)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
