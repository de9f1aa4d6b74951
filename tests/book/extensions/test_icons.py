"""The icons of a site: those in use are in the style sheet and its font, the others are not."""

import base64
import io
import re
from pathlib import Path

import pydata_sphinx_theme
import pytest
from fontTools.ttLib import TTFont

from valleys.book.extensions.icons import icon_style

THEME = (
    Path(pydata_sphinx_theme.__file__).parent
    / "theme/pydata_sphinx_theme/static/vendor/fontawesome"
)
BARS, GITHUB, INFO = 0xF0C9, 0xF09B, 0xF05A


@pytest.fixture(scope="module")
def style() -> str:
    return icon_style(
        next(THEME.glob("*/css/all.min.css")),
        names={"fa-bars", "fa-github", "fa-lg", "fa-nonsense"},
        points={INFO},
    )


def fonts(style: str) -> dict[str, set[int]]:
    found = re.findall(r'font-family:"([^"]+)"[^}]*base64,([^)]+)\)', style)
    return {
        family: set(TTFont(io.BytesIO(base64.b64decode(font))).getBestCmap() or {})
        for family, font in found
    }


def test_icons_in_use_have_a_rule_and_a_glyph(style):
    assert '.fa-bars:before,.fa-navicon:before{content:"\\f0c9"}' in style
    assert {BARS, INFO} <= fonts(style)["Font Awesome 6 Free"]
    assert fonts(style)["Font Awesome 6 Brands"] == {GITHUB}


def test_the_rest_is_left_out(style):
    assert "fa-rocket" not in style
    assert len(style) < 40_000
    assert "url(../" not in style
