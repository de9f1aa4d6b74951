"""Measure how the chapters read: their words, the numbers in their sentences, and what they show.

`python tools/prose.py [FOLDER]` reads the notebooks of a folder, `chapters` if none is named, and
prints a line for each. The smallest text of a chapter's figures is measured in
`_build/executed/paper`, where the chapter lies there.

Prose is what a reader reads on in: no boxes, tables, headings, formulas or code. A number that is
put in when the page is built counts as one, and so does a written one; numbers of figures, tables,
equations and chapters, years, and numbers inside formulas do not count.
"""

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from figure_look import drawings, look_of

from valleys.paths import book_root

REPORTED = re.compile(r"\{number\}`[^`]*`")
# boxes and tables, headings, attributes of a block, roles and code, formulas
APART = re.compile(
    r"^(`{3,}).*?^\1\s*$|^#[^\n]*$|^\|[^\n]*$|^\{[^}]*\}$|\{[\w:]+\}`[^`]*`|`[^`]*`|\$\$.*?\$\$|\$[^$]*\$",
    re.MULTILINE | re.DOTALL,
)
PLACE = re.compile(
    r"\b(?:Chapters?|Eqs?\.|Figs?\.|Secs?\.|Tables?)\s+[A-Z]?\d+(?:(?:,| and| to)\s+[A-Z]?\d+)*"
)
YEAR = re.compile(r"\b(?:19|20)\d\d\b")
LISTED = re.compile(r"^\s*(?:\d+\.|[-*])\s+", re.MULTILINE)
END = re.compile(r"(?<=[.?!:])\s+|\n+")
NUMBER = re.compile(r"(?<![\w.])[+−-]?\d[\d.,]*")
WORD = re.compile(r"[A-Za-z]{2,}")
ONE = " 0 "  # stands for a reported number
MOST = 2  # numbers that a sentence may hold
LIVE = re.compile(r"data-explorer=|\breplay\.\w+\(")
HEAD = ("chapter", "words", "mean", "most", "busy", "text", "figures", "drawings", "live")


@dataclass(frozen=True)
class Reading:
    """What was counted in one chapter."""

    name: str
    words: int
    numbers: tuple[int, ...]  # of each sentence
    text: float  # the smallest of a figure, in pixels; infinite where none is drawn
    figures: int
    drawings: int
    live: int

    def row(self) -> tuple[str, ...]:
        """Its cells in the order of `HEAD`."""
        mean = sum(self.numbers) / max(len(self.numbers), 1)
        busy = sum(number > MOST for number in self.numbers)
        text = f"{self.text:.1f}" if self.text < float("inf") else "-"
        counts = (max(self.numbers, default=0), busy, text, self.figures, self.drawings, self.live)
        return (self.name, str(self.words), f"{mean:.2f}", *map(str, counts))


def main(arguments: list[str]) -> int:
    """Print the table."""
    folder = Path(arguments[0]) if arguments else book_root() / "chapters"
    executed = book_root() / "_build" / "executed" / "paper"
    rows = [HEAD] + [reading(path, executed).row() for path in sorted(folder.glob("*.ipynb"))]
    for name, *counts in rows:
        print(f"{name:32}", *(f"{count:>8}" for count in counts))
    return 0 if rows[1:] else 1


def reading(notebook: Path, executed: Path) -> Reading:
    """Count one chapter."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    texts = {
        kind: "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == kind)
        for kind in ("markdown", "code")
    }
    prose, whole = prose_of(texts["markdown"]), "\n".join(texts.values())
    return Reading(
        notebook.stem,
        len(WORD.findall(prose)),
        tuple(len(NUMBER.findall(sentence)) for sentence in sentences(prose)),
        smallest_text(executed / notebook.name),
        sum("figure" in cell["metadata"].get("mystnb", {}) for cell in cells),
        whole.count("_static/drawings/"),
        len(LIVE.findall(whole)),
    )


def prose_of(markdown: str) -> str:
    """The running text, with a mark for each number that is put in."""
    text = APART.sub(" ", REPORTED.sub(ONE, markdown))
    return YEAR.sub(" ", PLACE.sub(" ", LISTED.sub("", text)))


def sentences(prose: str) -> Iterator[str]:
    """Each sentence with a word in it; a line is one at least."""
    return (part for part in END.split(prose) if WORD.search(part))


def smallest_text(notebook: Path) -> float:
    """Of the figures of an executed chapter, in pixels."""
    looks = (look_of(*drawing) for drawing in drawings(notebook)) if notebook.exists() else ()
    return min((look.text for look in looks), default=float("inf"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
