"""Links to equations, figures, citations and terms show what they lead to, by pointer and by
keyboard, until Escape sends it away.
"""

import pytest

from tests.site.axe import PREVIEWED
from tests.site.browsing import needs_chromium

KINDS = {
    "chapters/01_landscape": {"equation", "figure", "citation"},
    "pages/ledger": {"figure", "term"},  # all of which stand on other pages
}


@needs_chromium
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in PREVIEWED]
)
def test_what_a_link_leads_to_is_shown_and_goes_with_escape(visits, name):
    previews = visits(name).previews
    assert set(previews) >= KINDS[name]
    for kind, seen in previews.items():
        assert len(seen.by_pointer) > 10, kind
        assert seen.by_keyboard == seen.by_pointer, kind
        assert seen.held, kind
        assert seen.described, kind
        assert seen.left == [False, False], kind
