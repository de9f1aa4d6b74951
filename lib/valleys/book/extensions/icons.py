"""Sphinx extension: carry the few icons of Font Awesome that the pages show, in place of the two
megabytes that the theme brings.

The theme's style sheet is cut down to the icons in use, and its fonts to their glyphs, which are
written into the style sheet: some browsers read a font of a page on disk only from there. Measured,
the frame of every page weighs 622 kB so, of the 700 kB that it may; with the theme's style sheet
and fonts it would weigh 858 kB, and with the script that the theme adds to them 2490 kB.
"""

import base64
import io
import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

from valleys.book.extensions.written import edit_pages, is_site
from valleys.paths import html_pages
from valleys.results import atomic

STYLE = "icons.css"
LINK = re.compile(r'<link [^>]*href="([^"]*)vendor/fontawesome/[^"]*\.css[^"]*"[^>]*>')
SCRIPT = re.compile(r'\s*<script [^>]*src="[^"]*vendor/fontawesome/[^"]*"[^>]*></script>')
NAME = re.compile(r"\bfa-[a-z0-9]+(?:-[a-z0-9]+)*")
RULE = re.compile(r"((?:\.fa-[\w-]+:(?::)?before,?)+)\{content:\"\\([0-9a-f]+)\"\}")
# icons that the theme's style sheets name by their place in the font
PLACE = re.compile(r"\\(f[0-9a-f]{3})\b|([\ue000-\uf8ff])")
FACES = (
    ("Font Awesome 6 Free", 900, "solid-900"),
    ("Font Awesome 6 Free", 400, "regular-400"),
    ("Font Awesome 6 Brands", 400, "brands-400"),
)


def carry_icons(app: Sphinx, failure: Exception | None) -> None:
    """Write `_static/icons.css`, let every page use it, and remove the theme's Font Awesome from
    the site.

    Raises:
        ExtensionError: the theme no longer brings Font Awesome where it did.
    """
    static = Path(app.outdir) / "_static"
    vendor = static / "vendor" / "fontawesome"
    if not is_site(app, failure) or not vendor.is_dir():
        return
    scripts = [*html_pages(Path(app.outdir)), *static.glob("scripts/*.js")]
    styles = [path for path in static.rglob("*.css") if vendor not in path.parents]
    style = icon_style(
        _sheet(vendor),
        names={match[0] for match in _matches(NAME, scripts)},
        points={_point(match) for match in _matches(PLACE, styles)},
    )
    atomic.write(static / STYLE, style.encode())
    edit_pages(app, _with_own_icons)
    shutil.rmtree(vendor)


def _sheet(vendor: Path) -> Path:
    """The theme's style sheet of icons."""
    if sheets := sorted(vendor.glob("*/css/all.min.css")):
        return sheets[0]
    raise ExtensionError(
        f"{vendor} holds no css/all.min.css: valleys.book.extensions.icons "
        "must learn where this theme keeps its icons"
    )


def _matches(pattern: re.Pattern[str], paths: Iterable[Path]) -> Iterator[re.Match[str]]:
    """All places of a pattern in some files."""
    for path in paths:
        yield from pattern.finditer(path.read_text(encoding="utf-8"))


def _with_own_icons(text: str, _path: Path) -> str:
    """A page that uses the short style sheet in place of the theme's."""
    return SCRIPT.sub("", LINK.sub(rf'<link href="\1{STYLE}" rel="stylesheet" />', text))


def icon_style(sheet: Path, *, names: set[str], points: set[int]) -> str:
    """The part of a Font Awesome style sheet that these icons need, with its fonts inside.

    Args:
        sheet: the whole style sheet, with its fonts in `../webfonts`.
        names: classes that pages carry, such as `fa-bars`; those that are no icons do no harm.
        points: icons that are named by their place in the font.
    """
    text = sheet.read_text(encoding="utf-8")
    used = [
        (selectors, point)
        for selectors, point in RULE.findall(text)
        if names & {name.partition(":")[0] for name in selectors.replace(".", "").split(",")}
    ]
    glyphs = points | {int(point, 16) for _, point in used}
    base = re.sub(r"@font-face\{[^}]*\}", "", RULE.sub("", text))
    rules = "".join(f'{selectors}{{content:"\\{point}"}}' for selectors, point in used)
    return base + rules + "".join(_faces(sheet.parent.parent / "webfonts", glyphs))


def _point(match: re.Match[str]) -> int:
    return int(match[1], 16) if match[1] else ord(match[2])


def _faces(fonts: Path, glyphs: set[int]) -> Iterator[str]:
    """A font rule for each font that holds one of the glyphs."""
    for family, weight, name in FACES:
        font = TTFont(fonts / f"fa-{name}.ttf")
        if wanted := glyphs & set(font.getBestCmap() or {}):
            packed = base64.b64encode(_subset(font, wanted)).decode()
            source = f'url(data:font/woff;base64,{packed}) format("woff")'
            yield f'@font-face{{font-display:block;font-family:"{family}";font-style:normal;font-weight:{weight};src:{source}}}'  # noqa: E501


def _subset(font: TTFont, glyphs: set[int]) -> bytes:
    """A font with these glyphs alone, packed as WOFF."""
    cutter = subset.Subsetter(
        subset.Options(recalc_timestamp=False, layout_features=[], notdef_outline=True)
    )
    cutter.populate(unicodes=glyphs)
    cutter.subset(font)
    font.flavor = "woff"
    packed = io.BytesIO()
    font.save(packed)
    return packed.getvalue()


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx; late, so that other extensions have put their icons on the pages."""
    app.connect("build-finished", carry_icons, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
