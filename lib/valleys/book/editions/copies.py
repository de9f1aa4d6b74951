"""Two copies of the project to hand out: one for students, without solutions, and one for
instructors, with all of them.
"""

import contextlib
import fnmatch
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import nbformat
import yaml

from valleys.book.chapters import all_exercises, page_names, read_notebook, unexecuted_patterns
from valleys.book.editions.student import answers, student_notebook
from valleys.book.run import folders, locks
from valleys.errors import BookError
from valleys.results import atomic

EDITIONS = ("student", "instructor")
SCRATCH = ".laid-out-"  # how the folders begin in which editions are laid out
MARKER = ".edition"  # in each edition; only what has it is ever replaced
FOR_STUDENTS = (
    *(
        "chapters",
        "lib",
        "params",
        "results/paper",
        "pages",
        "_static",
        "_extra",
        "index.md",
        "references.bib",
        "_config.yml",
        "_toc.yml",
    ),
    *(
        "pyproject.toml",
        "requirements.lock",
        "environment.yml",
        "tools/install.py",
        "LICENSE",
        "CITATION.cff",
        ".gitignore",
    ),
)  # all that a student needs and nothing that tells an answer; exercises are added without their solutions  # noqa: E501
NOT_HANDED_OUT = (".ci", ".gitattributes")
OF_THE_PROJECT = (
    *(
        ".ci",
        ".gitattributes",
        ".gitignore",
        "CHANGELOG.md",
        "CITATION.cff",
        "CONTRIBUTING.md",
        "LICENSE",
        "Makefile",
        "README.md",
        "_config.yml",
        "_extra",
    ),
    *(
        "_static",
        "_toc.yml",
        "chapters",
        "docs",
        "editions",
        "environment.yml",
        "exercises",
        "index.md",
        "lib",
        "pages",
        "params",
        "postBuild",
        "pyproject.toml",
    ),
    *("references.bib", "requirements.lock", "results", "tests", "tools"),
)  # in the root; what else lies there belongs to somebody who works in it
MADE_HERE = (
    "__pycache__",
    "*.egg-info",
    ".*",
    "data",
    "cache",
    "node_modules",
    "*.partial",
    "my-run*",
    "out.ipynb",
)
OWN_FILES = "editions/student"  # README and Makefile of the student edition
OF_A_COURSE = "editions/course"  # settings of nbgrader
COURSE = "course"  # in the instructor edition
TEACHERS_PAGE = Path("pages/teach.md")
UNEXECUTED = "exercises/*"
NO_TEACHERS_PAGE = """# For teachers

This is the edition for students.
Plans for teaching, with the answers to expect, are in the full edition.
"""


def write_editions(root: Path, target: Path) -> list[Path]:
    """Write both editions into `target`, each as a folder and as a zip file, and return these four.

    An edition is laid out beside its place and then renamed, so that an interrupted run leaves the
    earlier one; an earlier edition is replaced.

    Raises:
        BookError: a notebook of exercises breaks the contract of its cells, a page is unknown to
            git, the target holds something else, or others write there.
    """
    if unexecuted_patterns(root):
        raise BookError(
            f"{root} is a student edition already, and holds no solutions; make "
            "editions from the full book"
        )
    with folders.usable(target, "--target"):
        check_target(root, target)
        target.mkdir(parents=True, exist_ok=True)
    with (
        locks.alone(target / "editions", "another writing of editions"),
        _scratch(target) as laid_out,
    ):
        for edition, lay_out in zip(EDITIONS, (lay_out_student, lay_out_instructor), strict=True):
            lay_out(root, Path(laid_out) / edition)
            atomic.write(Path(laid_out) / edition / MARKER, f"{edition}\n".encode())
        return [path for edition in EDITIONS for path in _put(Path(laid_out), edition, target)]


def _put(laid_out: Path, edition: str, target: Path) -> list[Path]:
    """Put an edition in its place, and its zip file beside it."""
    archive = shutil.make_archive(str(laid_out / f"{edition}-packed"), "zip", laid_out, edition)
    return [
        folders.put(laid_out / edition, target / edition),
        folders.put(Path(archive), target / f"{edition}.zip"),
    ]


@contextlib.contextmanager
def _scratch(target: Path) -> Iterator[str]:
    """A folder in the target to lay editions out in, where what killed runs left of theirs is
    removed.
    """
    folders.sweep(target, SCRATCH)
    with folders.usable(target, "--target"):
        scratch = tempfile.TemporaryDirectory(dir=target, prefix=SCRATCH)
    with scratch as laid_out:
        yield laid_out


def check_target(root: Path, target: Path) -> None:
    """Refuse a target where editions would stand among the sources or in the stead of something
    else.

    Raises:
        BookError: the target is inside the project but not in dist, or holds a folder or zip file
            that is no edition.
    """
    root, target = root.resolve(), target.resolve()
    if target.is_relative_to(root) and not target.is_relative_to(root / "dist"):
        raise BookError(
            f"{target} is among the sources of the book; leave out --target for "
            f"{root / 'dist'}, or name a folder outside of {root}"
        )
    for place in (target / f"{edition}{ending}" for edition in EDITIONS for ending in ("", ".zip")):
        if root.is_relative_to(place) or (place.exists() and not _is_edition(place)):
            raise BookError(
                f"{place} is no edition, or one of before editions were marked; move "
                "or delete it, or name another folder with --target"
            )


def _is_edition(place: Path) -> bool:
    """Whether a folder, or a zip file, carries the mark of editions."""
    if place.is_dir():
        return (place / MARKER).is_file()
    if not zipfile.is_zipfile(place):
        return False
    with zipfile.ZipFile(place) as packed:
        return f"{place.stem}/{MARKER}" in packed.namelist()


def lay_out_student(root: Path, target: Path) -> None:
    """The student edition in an empty folder: what it is made of, exercises without solutions, its
    own README and Makefile.

    Raises:
        BookError: as in `write_editions`.
    """
    _copy(
        root,
        target,
        [path for path in files(root) if _is_under(path, FOR_STUDENTS) and path != TEACHERS_PAGE],
    )
    for name, notebook in _without_solutions(root).items():
        atomic.write(target / "exercises" / f"{name}.ipynb", notebook)
    for path in sorted((root / OWN_FILES).glob("*")):
        shutil.copy(path, target / path.name)
    if (root / TEACHERS_PAGE).exists():
        atomic.write(target / TEACHERS_PAGE, NO_TEACHERS_PAGE.encode())
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    config["execute"] = config.get("execute", {}) | {"exclude_patterns": [UNEXECUTED]}
    atomic.write(
        target / "_config.yml", yaml.safe_dump(config, sort_keys=False, allow_unicode=True).encode()
    )
    _refuse_missing_pages(target)


def lay_out_instructor(root: Path, target: Path) -> None:
    """The instructor edition in an empty folder: the whole project, all answers in one file, and
    a course for nbgrader.

    Raises:
        BookError: as in `write_editions`.
    """
    _copy(root, target, [path for path in files(root) if not _is_under(path, NOT_HANDED_OUT)])
    told = [
        answers(read_notebook(exercises.path), f"exercises/{name}.ipynb")
        for name, exercises in all_exercises(root).items()
    ]
    atomic.write(target / "ANSWERS.md", "\n".join(["# Answers to the exercises\n", *told]).encode())
    lay_out_course(root, target / COURSE)
    _refuse_missing_pages(target)


def lay_out_course(root: Path, target: Path) -> None:
    """A course in an empty folder, as nbgrader wants it: its settings, and for each notebook of
    exercises an assignment, which is what students get of it.

    Raises:
        BookError: a notebook of exercises breaks the contract of its cells.
    """
    for name, notebook in _without_solutions(root).items():
        assignment = name.removesuffix("_exercises")
        atomic.write(target / "source" / assignment / f"{name}.ipynb", notebook)
    for path in sorted((root / OF_A_COURSE).glob("*.py")):
        shutil.copy(path, target / path.name)


def _without_solutions(root: Path) -> dict[str, bytes]:
    """The files of all notebooks of exercises as students get them, by name."""
    bare = {
        name: student_notebook(read_notebook(exercises.path), f"exercises/{name}.ipynb")
        for name, exercises in all_exercises(root).items()
    }
    return {
        name: (nbformat.writes(notebook, indent=1) + "\n").encode()
        for name, notebook in bare.items()
    }


def files(root: Path) -> list[Path]:
    """The files of the project, relative to its root: those that git knows, or where there is no
    git those in its folders that were not made here.
    """
    command = ["git", "-C", str(root), "ls-files", "-z", "--cached"]
    with contextlib.suppress(OSError):  # git is not installed
        listed = subprocess.run(command, capture_output=True, check=False)
        known = [
            Path(name)
            for name in listed.stdout.decode().split("\0")
            if name and (root / name).is_file()
        ]
        if listed.returncode == 0 and known:
            return known
    found = [
        path
        for name in OF_THE_PROJECT
        for path in ([root / name] if (root / name).is_file() else _walk(root / name))
    ]
    return sorted(path.relative_to(root) for path in found)


def _walk(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir() if folder.is_dir() else ():
        if any(fnmatch.fnmatch(path.name, pattern) for pattern in MADE_HERE):
            continue
        if path.is_dir():
            yield from _walk(path)
        elif path.is_file():
            yield path


def _is_under(path: Path, places: tuple[str, ...]) -> bool:
    return any(path == Path(place) or Path(place) in path.parents for place in places)


def _copy(root: Path, target: Path, names: list[Path]) -> None:
    for name in names:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / name, target / name)


def _refuse_missing_pages(target: Path) -> None:
    for name in page_names(target):
        if not any((target / f"{name}{ending}").exists() for ending in (".md", ".ipynb")):
            raise BookError(
                f"{name} is in _toc.yml, but git does not know its file; add it with `git add`"
            )
