"""Where the cells of a sweep are computed: worker processes of this machine, or a Dask cluster.

Every worker computes with one thread, so that results do not depend on how many workers there are.
"""

import contextlib
import importlib.util
import ipaddress
import multiprocessing
import os
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from threadpoolctl import threadpool_limits

from valleys import config
from valleys.results import machine

if TYPE_CHECKING:
    from distributed.security import Security

TLS = {  # by the name that Dask has for it: the variable and the option of a file
    "tls_ca_file": (config.TLS_CA, "--tls-ca"),
    "tls_client_cert": (config.TLS_CERT, "--tls-cert"),
    "tls_client_key": (config.TLS_KEY, "--tls-key"),
}
ENCRYPTED = ("tls", "wss")
SCHEDULER_FORM = re.compile(r"(tcp|tls|ucx|ws|wss)://\S+:\d+")
PATIENCE = "10s"  # for a scheduler to answer


@contextlib.contextmanager
def workers(count: int | None = None, scheduler: str | None = None) -> Iterator[Executor | None]:
    """An executor for the cells of a sweep.

    Args:
        count: worker processes; `$VALLEYS_WORKERS` if None, else as many as this process may use
            threads.
        scheduler: address of a Dask scheduler, such as tls://10.0.0.1:8786, whose workers compute
            instead; `$VALLEYS_SCHEDULER` if None. The certificates for tls are those of
            `$VALLEYS_TLS_CA`, `$VALLEYS_TLS_CERT` and `$VALLEYS_TLS_KEY`, else of Dask's own
            settings.

    Yields:
        The executor; None where this process alone computes, with the one thread that it may use.

    Raises:
        ValueError: there are more workers than threads that this process may use, or the scheduler
            cannot be used.

    Example:
        >>> from valleys.results import compute, workers
        >>> from valleys.toy.experiments import two_valley as studies
        >>> spec = studies.FrozenSpec([0.05], [0.02], [5.0, 10.0])
        >>> with workers(1) as executor:
        ...     found = compute(studies.operator, spec, executor)
        >>> found.p_flat.shape
        (1, 1, 2)
    """
    address = scheduler or config.text(config.SCHEDULER)
    if address:
        with dask_workers(address) as executor:
            yield executor
        return
    count, granted = count or _count_from_environment(), machine.threads()
    check_count(count, granted)
    if granted == 1:
        yield None
        return
    with Processes(count or granted) as executor:
        yield executor


def check_count(count: int | None, granted: int) -> None:
    """Refuse more workers than the threads that may be used; each has one.

    Raises:
        ValueError: there are more.
    """
    if count is not None and not 1 <= count <= granted:
        raise ValueError(
            f"the number of workers must lie between 1 and {granted}, the cores that "
            f"this computation may use, got {count}"
        )


def _count_from_environment() -> int | None:
    text = config.text(config.WORKERS)
    if text and not text.isdigit():
        raise ValueError(f"{config.WORKERS} must be a whole number, got '{text}'")
    return int(text) if text else None


class Processes(Executor):
    """A pool of processes; after a worker died, the next call starts a fresh pool."""

    def __init__(self, count: int, *, threads: int = 1) -> None:
        """Prepare a number of workers with so many numerical threads each; a worker starts when
        it is needed.
        """
        self.count, self.threads = count, threads
        # Workers end when the writing end is closed, which also happens when this process is
        # killed.
        self.reader, self.writer = multiprocessing.get_context("spawn").Pipe(duplex=False)
        self.pool = self._fresh()

    def _fresh(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(
            self.count,
            mp_context=context,
            initializer=_begin_worker,
            initargs=(self.reader, self.threads),
        )

    def submit(self, function: Callable, /, *args: Any, **kwargs: Any) -> Future:
        """As of an `Executor`."""
        try:
            return self.pool.submit(function, *args, **kwargs)
        except BrokenExecutor:
            self.pool.shutdown(wait=False)
            self.pool = self._fresh()
            return self.pool.submit(function, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """As of an `Executor`."""
        self.pool.shutdown(wait, cancel_futures=cancel_futures)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Wait for what runs; after Ctrl-C end the workers at once."""
        stopped = kind is not None and not issubclass(kind, Exception)
        if stopped:
            self.writer.close()
        self.shutdown(wait=not stopped, cancel_futures=True)


def _begin_worker(alive: Connection, threads: int) -> None:
    """The number of threads, also for numerical libraries that a script has loaded by now; and
    an end when the process that asked is gone.
    """
    os.environ.update({variable: str(threads) for variable in machine.THREAD_VARIABLES})
    threadpool_limits(threads)
    threading.Thread(target=_end_with_parent, args=(alive,), daemon=True).start()


def _end_with_parent(alive: Connection) -> None:
    alive.poll(None)  # nothing is ever sent: it returns when the other end is closed
    os._exit(1)


@contextlib.contextmanager
def dask_workers(address: str) -> Iterator[Executor]:
    """An executor on the workers of a Dask scheduler, which gives the cells of a lost worker to
    another one.

    Raises:
        ValueError: the address is of another form, Dask is not installed, certificates are missing,
            or no scheduler answers.
    """
    check_scheduler(address)
    from distributed import Client

    try:
        client = Client(
            address, timeout=PATIENCE, set_as_default=False, security=_security(address)
        )
    except (OSError, TimeoutError) as error:
        raise ValueError(_why_no_answer(address, error)) from None
    with client, client.get_executor(pure=False) as executor:
        yield executor


def check_scheduler(address: str) -> None:
    """Refuse an address that no scheduler can have, and any where Dask is missing.

    Raises:
        ValueError: one of the two.
    """
    if not SCHEDULER_FORM.fullmatch(address):
        raise ValueError(
            "a scheduler's address reads tcp://HOST:PORT, or tls://HOST:PORT with "
            f"encryption, such as tls://10.0.0.1:8786; got '{address}'"
        )
    if importlib.util.find_spec("distributed") is None:
        raise ValueError(
            "a scheduler needs Dask: pip install dask distributed, in the versions of "
            "requirements.lock"
        )


def _why_no_answer(address: str, error: Exception) -> str:
    """What a failed connection came to, and where encryption may be the cause."""
    causes: list[BaseException] = [error]
    while (before := causes[-1].__cause__ or causes[-1].__context__) is not None:
        causes.append(before)
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return (
            f"the certificate of the scheduler at {address} is not of your authority; name the one "
            f"that it was started with, with {TLS['tls_ca_file'][1]}"
        )
    doubt = "that takes your certificate" if is_encrypted(address) else "without encryption"
    return (
        f"no scheduler answers at {address} {doubt} within {PATIENCE} "
        f"({type(causes[-1]).__name__}); start it, or mend the address"
    )


def is_encrypted(address: str) -> bool:
    """Whether an address asks for TLS."""
    return address.partition("://")[0] in ENCRYPTED


def lets_strangers_in(address: str) -> bool:
    """Whether who reaches a scheduler may run code there: there is no encryption, and the host
    is not this machine as only it can see itself.
    """
    if is_encrypted(address):
        return False
    host = urlsplit(address).hostname or ""
    try:
        found = {str(entry[4][0]) for entry in socket.getaddrinfo(host, None)}
    except OSError:
        return True
    return not all(_is_loopback(each) for each in found)


def _is_loopback(host: str) -> bool:
    number = ipaddress.ip_address(host)
    return (getattr(number, "ipv4_mapped", None) or number).is_loopback


def _security(address: str) -> "Security | None":
    """How to speak to a scheduler: Dask's own settings, with the certificates that the variables
    name over them; None without encryption.

    Raises:
        ValueError: certificates are missing, cannot be read, or are none.
    """
    if not is_encrypted(address):
        return None
    from distributed.security import Security

    named = {field: config.place(variable) for field, (variable, _) in TLS.items()}
    own = {field: str(place) for field, place in named.items() if place}
    security = Security(require_encryption=True, **own)
    _check_certificates(security, address)
    return security


def _check_certificates(security: "Security", address: str) -> None:
    """Refuse certificates that are missing, cannot be read, or do not fit together."""
    for field, (variable, option) in TLS.items():
        wanted = f"{address} needs {option} FILE, or {variable}"
        _check_certificate(getattr(security, field), wanted)
    try:
        security.get_connection_args("client")
    except (ssl.SSLError, OSError) as error:
        files = ", ".join(_files(security).values()) or "what Dask is set to"
        reason = f"make no certificate with its key and authority ({error.strerror or error})"
        raise ValueError(f"{files} {reason}") from None


def _files(security: "Security") -> dict[str, str]:
    """The files of certificates by field; Dask's settings may hold the texts themselves."""
    places = {field: getattr(security, field) for field in TLS}
    return {field: place for field, place in places.items() if "\n" not in place}


def _check_certificate(place: str | None, wanted: str) -> None:
    if not place:
        raise ValueError(f"{wanted}: it lets in only who has a certificate, and none is named")
    if "\n" in place:  # Dask's settings may hold the text itself
        return
    try:
        Path(place).read_bytes()
    except OSError as error:
        raise ValueError(f"{wanted}: {place} cannot be read ({error.strerror})") from None


def variables_for(address: str) -> dict[str, str]:
    """The variables by which a process with another working directory finds a scheduler, once it
    has answered.

    Raises:
        ValueError: as of `dask_workers`.
    """
    with dask_workers(address):
        security = _security(address)
    files = _files(security) if security else {}
    places = {TLS[field][0]: os.path.abspath(place) for field, place in files.items()}
    return {config.SCHEDULER: address} | places
