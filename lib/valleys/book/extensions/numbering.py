"""Sphinx extension: leave without a number what is no step of the argument: checks, summary and
references, and pages of exercises.

Figures keep their numbers: those are given before any is withdrawn here.
"""

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

UNNUMBERED = ("Checks", "Summary", "References")
EXERCISES = "exercises/"
# in the environment: all numbers, so that Sphinx sees which of them a change has touched
KEPT = "valleys_secnumbers"


def restore(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Give Sphinx the numbers that it gave itself in the last build, so that it writes anew only
    pages whose numbers changed.
    """
    env.toc_secnumbers = getattr(env, KEPT, env.toc_secnumbers)
    return []


def withdraw(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Take the numbers of such sections and pages."""
    setattr(env, KEPT, {page: dict(numbers) for page, numbers in env.toc_secnumbers.items()})
    for page, contents in env.tocs.items():
        if is_exercises(page):
            env.titles[page]["secnumber"] = None
        for entry in contents.findall(nodes.reference):
            if "secnumber" in entry and (is_exercises(page) or entry.astext() in UNNUMBERED):
                entry["secnumber"] = None
                numbers = env.toc_secnumbers[page]
                numbers[entry["anchorname"]] = None  # pyright: ignore[reportArgumentType]  # none
    return []


def is_exercises(page: str) -> bool:
    """Whether a page is one of exercises, by its name."""
    return page.startswith(EXERCISES)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx; once before and once after Sphinx gives the numbers."""
    app.connect("env-get-updated", restore, priority=100)
    app.connect("env-get-updated", withdraw, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
