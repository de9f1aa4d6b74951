"""Next and Previous pass by the pages of exercises, which stand below their chapters."""

from valleys.book.extensions.ways import NEXT, PREVIOUS, neighbour

RELATIONS = {
    "index": [None, None, "one"],
    "one": ["index", "index", "exercises/one"],
    "exercises/one": ["one", "one", "two"],
    "two": ["index", "exercises/one", "exercises/two"],
    "exercises/two": ["two", "two", None],
}


def way(page: str) -> tuple[str | None, str | None]:
    return neighbour(RELATIONS, page, PREVIOUS), neighbour(RELATIONS, page, NEXT)


def test_chapters_lead_to_chapters():
    assert way("index") == (None, "one")
    assert way("one") == ("index", "two")
    assert way("two") == ("one", None)


def test_exercises_lead_to_their_chapter_and_to_the_next():
    assert way("exercises/one") == ("one", "two")
    assert way("exercises/two") == ("two", None)


def test_a_page_out_of_the_contents_leads_nowhere():
    assert way("search") == (None, None)
