"""A book of one small chapter, for tests of what handles chapters; and the chapters of this
book.
"""

from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from valleys.book.chapters import all_chapters
from valleys.paths import book_root

PARAMETERS = """n_runs: int = 20  # simulated runs [runs]
learning_rate: float = 0.1  # size of a step [1]
sizes: list = [1.0, 2.0]  # sizes [m]
pair: list = [50, 0.02]  # batch and rate [images, 1]"""
DERIVED = (
    "if learning_rate <= 0:\n    raise ValueError(f'learning_rate must be positive, got "
    "{learning_rate}')"
)


def small_chapter(path: Path, *, parameters: str = PARAMETERS, work: str = "print(n_runs)") -> Path:
    """Write a notebook in the agreed shape."""
    cells = [
        new_markdown_cell("# Small"),
        new_code_cell("import time"),
        new_code_cell(parameters, metadata={"tags": ["parameters"]}),
        new_code_cell(DERIVED, metadata={"tags": ["derived"]}),
        new_code_cell(work),
    ]
    kernel = {
        "kernelspec": {
            "name": "python3",
            "display_name": "Python 3 (ipykernel)",
            "language": "python",
        }
    }
    nbformat.write(new_notebook(cells=cells, metadata=kernel), path)
    return path


@pytest.fixture
def small_book(tmp_path):
    """Folder of a book with one chapter, 01_small."""
    (tmp_path / "chapters").mkdir()
    (tmp_path / "params").mkdir()
    small_chapter(tmp_path / "chapters" / "01_small.ipynb")
    (tmp_path / "_toc.yml").write_text(
        "root: index\nparts:\n  - chapters:\n      - file: chapters/01_small\n"
    )
    (tmp_path / "params" / "smoke.yml").write_text(
        "global: {n_runs: 2}\nchapters: {01_small: {learning_rate: 1e-3}}\n"
    )
    (tmp_path / "params" / "quick.yml").write_text("global: {}\nchapters: {}\n")
    return tmp_path


@pytest.fixture(scope="session")
def chapters():
    """The chapters of this book by name."""
    return all_chapters(book_root())
