"""The install script tells in one line what it lacks."""

import importlib.util
import sys

import pytest

from valleys.paths import book_root


@pytest.fixture
def install(tmp_path, monkeypatch):
    spec = importlib.util.spec_from_file_location("install", book_root() / "tools" / "install.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "ROOT", str(tmp_path))
    monkeypatch.setattr(module, "LOG", str(tmp_path / "install.log"))
    monkeypatch.setattr(module, "STAMP", str(tmp_path / "installed"))
    for name in ("requirements.lock", "pyproject.toml"):
        (tmp_path / name).write_text((book_root() / name).read_text())
    return module


def one_line(stopped) -> str:
    message = str(stopped.value.code)
    assert "\n" not in message
    return message


def test_old_python_is_named_with_the_way_out(install, monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 9, 2, "final", 0))
    with pytest.raises(SystemExit) as stopped:
        install.main()
    assert "Python 3.11 or newer is needed" in one_line(stopped)
    assert "is 3.9" in str(stopped.value)


def test_full_disk_is_named(install, monkeypatch):
    monkeypatch.setattr(install, "FREE_GIB", 1e9)
    with pytest.raises(SystemExit) as stopped:
        install.main()
    assert "GiB free" in one_line(stopped)


def test_missing_network_is_named(install):
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--no-cache-dir",
        "--retries",
        "1",
        "--timeout",
        "2",
        "--isolated",
        "-i",
        "http://127.0.0.1:9/simple",
        "six",
    ]
    with pytest.raises(SystemExit) as stopped:
        install.call("packages", command)
    assert "could not be reached" in one_line(stopped)


def test_failed_step_gives_its_error(install):
    with pytest.raises(SystemExit) as stopped:
        install.call(
            "packages", [sys.executable, "-c", "import sys; sys.exit('ERROR: no such package')"]
        )
    assert "ERROR: no such package" in one_line(stopped)


def test_second_install_does_nothing(install, tmp_path, monkeypatch):
    steps = []
    monkeypatch.setattr(install, "call", lambda *step: steps.append(step))
    (tmp_path / "installed").write_text(install.fingerprint())
    install.main()
    assert steps == []


def test_changed_lock_installs_again(install, tmp_path):
    (tmp_path / "installed").write_text(install.fingerprint())
    (tmp_path / "requirements.lock").write_text("torch==1.0\n")
    assert not install.installed()
