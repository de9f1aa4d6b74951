"""Build `.venv` from `requirements.lock`: `python3 tools/install.py`, or `make install`.

Standard library only and old syntax, so that an old interpreter can still say what it lacks.
"""

import contextlib
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
STAMP = os.path.join(VENV, ".installed")
LOG = os.path.join(ROOT, "install.log")
OLDEST_PYTHON = (3, 11)
FREE_GIB = 4.0  # .venv takes about 2 GiB with a CPU build of torch; the rest is room to unpack
NETWORK_WORDS = (
    "ConnectionError",
    "NewConnectionError",
    "NameResolutionError",
    "Temporary failure in name",
    "ProxyError",
    "Max retries",
    "timed out",
)


def stop(message):
    """End with one line on stderr, never a traceback."""
    sys.exit("install: " + message)


def read(name):
    with open(os.path.join(ROOT, name), encoding="utf-8") as file:
        return file.read()


def fingerprint():
    """Hash of everything that decides what is installed."""
    wanted = "".join(read(name) for name in ("requirements.lock", "pyproject.toml")) + sys.version
    return hashlib.sha256(wanted.encode()).hexdigest()


def installed():
    try:
        with open(STAMP, encoding="utf-8") as file:
            return file.read() == fingerprint()
    except OSError:
        return False


def check_python():
    if sys.version_info[:2] < OLDEST_PYTHON:
        wanted, found = (
            ".".join(map(str, version)) for version in (OLDEST_PYTHON, sys.version_info[:2])
        )
        stop(
            "Python %s or newer is needed, %s is %s. Name a newer one: make install "
            "PYTHON=python3.12" % (wanted, sys.executable, found)
        )


def check_disk():
    free = shutil.disk_usage(ROOT).free / 2**30
    if free < FREE_GIB:
        stop(
            "%.1f GiB free on the disk of %s, %.0f GiB are needed. Make room and run it "
            "again." % (free, ROOT, FREE_GIB)
        )


def why_it_failed():
    """The last error pip wrote, or that the network is missing, in one line."""
    text = read("install.log")
    if any(word in text for word in NETWORK_WORDS):
        return (
            "the package index could not be reached. Connect to a network and run it again "
            "(details: install.log)"
        )
    errors = [line.strip() for line in text.splitlines() if "error" in line.lower()]
    return (errors[-1] if errors else "see its output") + " (details: install.log)"


def begin_log():
    try:
        open(LOG, "w").close()
    except OSError as error:
        stop(
            "%s cannot be written (%s). Run it in a copy of the folder that can "
            "be." % (ROOT, error.strerror)
        )


def call(what, command):
    """Run one step with its output in the log; stop with one line if it fails."""
    print("install: " + what, flush=True)
    with open(LOG, "a", encoding="utf-8") as log:
        failed = subprocess.call(command, stdout=log, stderr=subprocess.STDOUT, cwd=ROOT)
    if failed:
        stop("%s failed: %s" % (what, why_it_failed()))


def pip(*arguments):
    return [
        os.path.join(VENV, "bin", "python"),
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
        "--no-input",
        *arguments,
    ]


def torch_requirement(lock):
    """The line of torch, which carries no hash so that CPU and CUDA builds both satisfy it."""
    (line,) = re.findall(r"^torch==\S+", lock, re.MULTILINE)
    return line


def install_packages():
    lock = read("requirements.lock")
    with tempfile.TemporaryDirectory() as folder:
        hashed = os.path.join(folder, "hashed.txt")
        with open(hashed, "w", encoding="utf-8") as file:
            file.write(lock.replace(torch_requirement(lock) + "\n", ""))
        call("packages of requirements.lock", pip("--no-deps", "--require-hashes", "-r", hashed))
    call("torch", pip(torch_requirement(lock)))
    call("valleys", pip("--no-deps", "--no-build-isolation", "-e", "."))


def main():
    check_python()
    if installed():
        with contextlib.suppress(OSError):  # a clone that cannot be written is as good
            os.utime(STAMP)  # make compares times: the requirements may be younger and yet the same
        return
    check_disk()
    begin_log()
    call("virtual environment .venv", [sys.executable, "-m", "venv", VENV])
    install_packages()
    with open(STAMP, "w", encoding="utf-8") as file:
        file.write(fingerprint())
    os.remove(LOG)


if __name__ == "__main__":
    main()
