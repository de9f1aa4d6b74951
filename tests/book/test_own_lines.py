"""The lines that the page on a network of one's own shows run as they stand, outside the clone, on
a folder of images.
"""

import os
import re
import subprocess
import sys

import nbformat
import numpy as np
import pytest
from PIL import Image

from tests.sharing import copied_library
from valleys.paths import book_root

MOST_LINES = 15
# What the lines leave to the defaults: half as many runs and looks answer as well.
FEWER = """
from valleys.nets import ask
ask.__wrapped__.__kwdefaults__.update(n_runs=2, n_records=6)
"""
ANSWERS = ["flattening", "flattening_at_loss", "delay", "wall", "sharpness", "gain"]


def shown_lines() -> str:
    """The program of the page."""
    page = nbformat.read(book_root() / "chapters" / "own_network.ipynb", as_version=4)
    texts = [cell.source for cell in page.cells if cell.cell_type == "markdown"]
    (program,) = re.findall(r"```python\n(.*?)```", "\n".join(texts), re.DOTALL)
    return program


def draw_photos(folder) -> None:
    """Discs and stripes in colour, of several sizes."""
    rng = np.random.default_rng(0)
    for index in range(24):
        height, width = rng.integers(30, 60, size=2)
        y, x = np.mgrid[-1 : 1 : 1j * height, -1 : 1 : 1j * width]
        disc = x**2 + y**2 < rng.uniform(0.3, 0.8)
        stripes = np.sin(12 * x + rng.uniform(0, 6)) > 0
        for name, bright in (("discs", disc), ("stripes", stripes)):
            pixels = (60 + 140 * bright)[..., None] + rng.integers(-50, 50, size=(height, width, 3))
            (folder / name).mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels.astype(np.uint8)).save(folder / name / f"{index}.png")


def test_they_are_few():
    assert len([line for line in shown_lines().splitlines() if line.strip()]) <= MOST_LINES


@pytest.mark.slow
def test_they_answer_for_a_folder_of_images(tmp_path):
    library = copied_library(tmp_path / "lib")
    draw_photos(tmp_path / "here" / "photos")
    environment = {name: value for name, value in os.environ.items() if "VALLEYS" not in name}
    found = subprocess.run(
        [sys.executable, "-c", FEWER + shown_lines()],
        cwd=tmp_path / "here",
        env=environment | {"PYTHONPATH": str(library), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    answers = dict(line.split(": ", 1) for line in found.stdout.splitlines())
    assert list(answers) == ANSWERS
    assert float(answers["flattening_at_loss"].split()[0]) > 0
    assert "start 3, batch size 4" in found.stderr
