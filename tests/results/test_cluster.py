"""A cluster lets no stranger in: certificates reach who needs them, and what is not encrypted is
told.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.results import sweeping
from tests.results.dask_programs import scheduler_and_worker
from valleys import cli as commands
from valleys.errors import BookError
from valleys.paths import book_root
from valleys.results import executors, store

distributed = pytest.importorskip("distributed")
VARIABLES = [variable for variable, _ in executors.TLS.values()]
ADDRESS = "tls://127.0.0.1:9"


@pytest.fixture(autouse=True)
def bare(monkeypatch, tmp_path):
    for variable in [*VARIABLES, "VALLEYS_SCHEDULER"]:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(executors, "PATIENCE", "1s")
    monkeypatch.setenv("VALLEYS_RESULTS", str(tmp_path / "results"))


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate that vouches for itself, and its key, made as the README says."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl is here to make a certificate with")
    made = folder / f"{name}.crt", folder / f"{name}.key"
    kind = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=valleys"]
    command = ["openssl", *kind, "-keyout", str(made[1]), "-out", str(made[0])]
    subprocess.run(command, check=True, capture_output=True)
    return made


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    return certificate(tmp_path_factory.mktemp("own"), "own")


@pytest.fixture(scope="module")
def foreign(tmp_path_factory):
    return certificate(tmp_path_factory.mktemp("foreign"), "foreign")


def name_in(monkeypatch, authority: Path, pair: tuple[Path, Path]) -> None:
    for variable, place in zip(VARIABLES, (authority, *pair), strict=True):
        monkeypatch.setenv(variable, str(place))


@pytest.mark.parametrize(
    ("address", "open_to_strangers"),
    [
        ("tcp://127.0.0.1:8786", False),
        ("tcp://127.8.8.8:8786", False),
        ("tcp://localhost:8786", False),
        ("tcp://[::1]:8786", False),
        ("tcp://[::ffff:127.0.0.1]:8786", False),
        ("ws://127.0.0.1:8786", False),
        ("tls://10.0.0.1:8786", False),
        ("wss://10.0.0.1:8786", False),
        ("tcp://10.0.0.1:8786", True),
        ("tcp://0.0.0.0:8786", True),
        ("tcp://[fe80::1]:8786", True),
        ("tcp://[::]:8786", True),
        ("ws://10.0.0.1:8786", True),
        ("ucx://10.0.0.1:8786", True),
    ],
)
def test_what_is_not_encrypted_beyond_this_machine_is_open_to_strangers(address, open_to_strangers):
    assert executors.lets_strangers_in(address) is open_to_strangers


@pytest.mark.parametrize(
    ("found", "open_to_strangers"),
    [(["127.0.0.1", "::1"], False), (["127.0.0.1", "10.0.0.7"], True), ([], True)],
)
def test_names_count_as_what_they_stand_for(monkeypatch, found, open_to_strangers):
    def resolved(host, port):
        assert host == "head"
        if not found:
            raise socket.gaierror
        return [(None, None, None, "", (address, 0)) for address in found]

    monkeypatch.setattr(executors.socket, "getaddrinfo", resolved)
    assert executors.lets_strangers_in("tcp://head:8786") is open_to_strangers


@pytest.mark.parametrize(
    ("address", "lines"),
    [("tcp://10.0.0.1:8786", 1), ("tcp://127.0.0.1:8786", 0), ("tls://10.0.0.1:8786", 0)],
)
def test_stranger_is_warned_of_once(monkeypatch, capsys, address, lines):
    monkeypatch.setattr(executors, "dask_workers", lambda _: contextlib.nullcontext())
    monkeypatch.setattr(executors, "_security", lambda _: None)
    assert commands.where_to_compute(None, address) == {"VALLEYS_SCHEDULER": address}
    warning = capsys.readouterr().err
    assert warning.count("\n") == lines
    assert all(text in warning for text in (address, "tls://") if lines)


def refusal(address: str = ADDRESS) -> str:
    with pytest.raises(BookError) as caught:
        commands.where_to_compute(None, address)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("missing", executors.TLS)
def test_missing_certificate_is_named_with_its_option_and_variable(monkeypatch, own, missing):
    name_in(monkeypatch, own[0], own)
    monkeypatch.setenv(executors.TLS[missing][0], "")
    message = refusal()
    assert all(name in message for name in (ADDRESS, *executors.TLS[missing]))


@pytest.mark.parametrize("unreadable", executors.TLS)
def test_certificate_that_cannot_be_read_is_named(monkeypatch, own, tmp_path, unreadable):
    name_in(monkeypatch, own[0], own)
    monkeypatch.setenv(executors.TLS[unreadable][0], str(tmp_path / "nothing"))
    message = refusal()
    assert str(tmp_path / "nothing") in message
    assert executors.TLS[unreadable][1] in message


def test_files_that_are_no_certificate_or_do_not_fit_are_named(monkeypatch, own, foreign, tmp_path):
    (tmp_path / "text").write_text("none")
    for authority, pair in (
        (own[0], (own[0], foreign[1])),
        (tmp_path / "text", own),
        (own[0], (tmp_path / "text", own[1])),
    ):
        name_in(monkeypatch, authority, pair)
        message = refusal()
        assert all(str(place) in message for place in (authority, *pair))


def test_options_name_files_of_whoever_gives_the_command(monkeypatch, own):
    seen = {}
    monkeypatch.chdir(own[0].parent)
    monkeypatch.setattr(commands, "checked_work", lambda *_, **__: {})
    monkeypatch.setattr(commands, "where_to_compute", lambda *_: seen.update(os.environ) or {})
    monkeypatch.setattr(commands, "execute", lambda *_, **__: None)
    options = ["--tls-ca", "own.crt", "--tls-cert", "./own.crt", "--tls-key", "own.key"]
    commands.main(["run", "--scheduler", ADDRESS, *options], standalone_mode=False)
    assert [seen[variable] for variable in VARIABLES] == [str(own[0]), str(own[0]), str(own[1])]
    assert not set(VARIABLES) & set(os.environ)


@pytest.fixture
def cluster(own, tmp_path):
    """Address of a scheduler and a worker in processes of their own, which speak TLS alone."""
    files = {"--tls-ca-file": own[0], "--tls-cert": own[0], "--tls-key": own[1]}
    options = [text for option, place in files.items() for text in (option, str(place))]
    with scheduler_and_worker("tls", tmp_path / "worker", options) as (address, _):
        yield address


def answer(address: str) -> dict[str, str]:
    """What chapters are told of a scheduler, when it is there."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return commands.where_to_compute(None, address)
        except BookError:
            if time.monotonic() > deadline:
                raise


IN_A_CHAPTER = """
import sys
from tests.results import sweeping
from valleys.results import executors, store
specs = sweeping.specs(4, log=sys.argv[1])
with executors.workers() as executor:
    results = store.load_or_compute_all(sweeping.cell, specs, executor=executor)
print([int(result.attrs["seed"]) for result in results])
"""


def run_in_a_chapter(log: Path, variables: dict[str, str]) -> subprocess.CompletedProcess:
    """Four cells, by a process that is given these variables and no others of ours."""
    rest = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    command = [sys.executable, "-c", IN_A_CHAPTER, str(log)]
    options = {"capture_output": True, "text": True, "check": False, "timeout": 120}
    return subprocess.run(command, cwd=book_root(), env=rest | variables, **options)


@contextlib.contextmanager
def settings_of_dask(own: tuple[Path, Path]) -> Iterator[None]:
    """Dask's own way to name certificates, which our variables go over."""
    places = {"ca-file": own[0], "client.cert": own[0], "client.key": own[1]}
    settings = {f"distributed.comm.tls.{name}": str(place) for name, place in places.items()}
    with distributed.client.dask.config.set(settings):
        yield


@pytest.mark.slow
def test_cells_are_computed_behind_tls_and_strangers_stay_outside(
    cluster, own, foreign, tmp_path, monkeypatch
):
    monkeypatch.setattr(executors, "PATIENCE", "5s")
    name_in(monkeypatch, own[0], own)
    variables = answer(cluster)
    assert list(variables) == ["VALLEYS_SCHEDULER", *VARIABLES]
    done = run_in_a_chapter(tmp_path / "log", variables)
    assert done.stdout == "[0, 1, 2, 3]\n", done.stderr
    workers = {line.split()[1] for line in (tmp_path / "log").read_text().splitlines()}
    assert len(workers) == 1, "one worker did it all"
    name_in(monkeypatch, own[0], foreign)
    assert cluster in refusal(cluster)
    name_in(monkeypatch, foreign[0], own)
    assert "--tls-ca" in refusal(cluster)
    assert "no scheduler answers" in refusal(cluster.replace("tls://", "tcp://"))


@pytest.mark.slow
def test_certificates_of_dasks_own_settings_do_as_well(cluster, own, monkeypatch):
    monkeypatch.setattr(executors, "PATIENCE", "5s")
    name_in(monkeypatch, own[0], own)
    variables = answer(cluster)
    for variable in VARIABLES:
        monkeypatch.delenv(variable)
    with settings_of_dask(own):
        assert commands.where_to_compute(None, cluster) == variables
    (result,) = store.load_or_compute_all(sweeping.cell, sweeping.specs(1))
    assert result.attrs["seed"] == 0
