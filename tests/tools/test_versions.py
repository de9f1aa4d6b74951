"""pyproject.toml, requirements.lock and environment.yml name the same versions, and the lock
names no place.
"""

import re
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement

from valleys.paths import book_root

PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)(?: *; *([^\\]+?))?(?: *\\)?$", re.MULTILINE)


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(text: str) -> dict[tuple[str, str], str]:
    """Version by package and environment marker."""
    return {
        (canonical(name), marker.strip()): version for name, version, marker in PIN.findall(text)
    }


@pytest.fixture(scope="module")
def lock() -> str:
    return (book_root() / "requirements.lock").read_text()


@pytest.fixture(scope="module")
def project() -> dict:
    return tomllib.loads((book_root() / "pyproject.toml").read_text())["project"]


def test_every_requirement_of_the_project_is_locked(lock, project):
    """But for the peers of benchmarks, which nobody else installs."""
    extras = {**project["optional-dependencies"], "bench": []}
    wanted = [*project["dependencies"], *(item for extra in extras.values() for item in extra)]
    locked = pins(lock)
    for requirement in map(Requirement, wanted):
        found = {
            version for (name, _), version in locked.items() if name == canonical(requirement.name)
        }
        assert found, f"{requirement.name} is not locked"
        assert all(version in requirement.specifier for version in found), (
            f"pyproject says {requirement}, the lock says {found}"
        )


def test_conda_environment_gives_the_locked_versions(lock):
    conda = yaml.safe_load((book_root() / "environment.yml").read_text())
    listed = next(item["pip"] for item in conda["dependencies"] if isinstance(item, dict))
    assert listed[-1] == "-e ."
    assert pins("\n".join(listed[:-1])) == pins(lock)


def test_python_of_conda_environment_is_one_the_project_allows(project):
    conda = yaml.safe_load((book_root() / "environment.yml").read_text())
    python = next(item for item in conda["dependencies"] if str(item).startswith("python="))
    oldest = re.search(r">=\s*3\.(\d+)", project["requires-python"])
    assert int(python.rpartition(".")[2]) >= int(oldest.group(1))


def test_lock_names_no_host_and_no_build(lock):
    assert not re.search(r"https?://|file:|--index|--find-links|\+cpu|\+cu", lock)


def test_everything_but_torch_carries_hashes(lock):
    entries = re.split(r"\n(?=[A-Za-z])", lock)[1:]
    bare = [entry.split("==")[0] for entry in entries if "--hash=sha256:" not in entry]
    assert bare == ["torch"]


def test_citations_name_the_version_of_the_project(project):
    cited = yaml.safe_load((book_root() / "CITATION.cff").read_text())
    page = (book_root() / "pages" / "cite.md").read_text()
    assert cited["version"] == project["version"]
    assert f"version = {{{project['version']}}}" in page
    assert cited["title"] in page


def test_page_on_citing_shows_the_entry_of_the_paper():
    page, entries = (
        (book_root() / name).read_text() for name in ("pages/cite.md", "references.bib")
    )
    first, last = map(int, re.search(r":lines: (\d+)-(\d+)", page).groups())
    shown = entries.splitlines()[first - 1 : last]
    assert shown[0].startswith("@article{yang2026transient")
    assert shown[-1] == "}"
