"""The pages that tell the story to everybody come first, and no number on them is typed."""

import re

import pytest

from valleys.book.chapters import page_names
from valleys.paths import book_root

FIVE_MINUTES, UNEXPECTED = "pages/five_minutes", "pages/unexpected"
LONGEST = 900  # words that are read aloud in five minutes and a bit
YEAR = "2026"  # of the paper
ROLE = re.compile(r"\{\w+\}`[^`]*`")
DIRECTIVE = re.compile(r"^```\{.*?^```$", re.MULTILINE | re.DOTALL)
HEAD = re.compile(r"\A---\n.*?^---\n", re.MULTILINE | re.DOTALL)


def prose(name: str) -> str:
    """What a page says in words of its own."""
    text = (book_root() / f"{name}.md").read_text(encoding="utf-8")
    for pattern in (HEAD, DIRECTIVE, ROLE):
        text = pattern.sub("", text)
    return text


def test_a_reader_meets_the_story_first():
    names = page_names()
    assert names[1] == FIVE_MINUTES
    assert names.index(UNEXPECTED) < names.index("chapters/01_landscape")


@pytest.mark.parametrize("name", [FIVE_MINUTES, UNEXPECTED])
def test_no_number_is_typed(name):
    assert re.findall(r"\d+", prose(name).replace(YEAR, "")) == []


def test_five_minutes_are_no_more():
    assert len(prose(FIVE_MINUTES).split()) <= LONGEST
