"""Our own environment: .venv beside the code, filled from a locked, hash-checked list.

Standard library only: this runs before anything is installed.
"""

from __future__ import annotations

import errno
import hashlib
import importlib.util
import os
import re
import select
import shutil
import subprocess
import sys
from pathlib import Path

from app.local.progress import Progress

ROOT = Path(__file__).resolve().parent.parent.parent
VENV = ROOT / ".venv"
# Narrow to wide: what was installed for the tests is enough for `up`.
LOCKS = ("requirements-local.lock", "requirements-test.lock")
NO_VENV = (
    "Python's venv module is missing, and Tocsin keeps its packages in one. "
    "On Debian and Ubuntu: apt-get install -y python3-venv"
)
DISK_FULL = "The disk is full: Tocsin's packages need about 400 MB (800 MB with the tests') in {}."


def enter(command: str, argv: list[str], venv: Path = VENV) -> None:
    """Come back only inside our environment: else prepare it and start over in there."""
    if os.environ.get("TOCSIN_IMAGE") == "1" or Path(sys.prefix).resolve() == venv:
        return
    try:
        prepare(lock_for(command), venv)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            sys.exit(DISK_FULL.format(venv.parent))
        sys.exit(f"Tocsin could not prepare {venv}: {error.strerror}.")
    except KeyboardInterrupt:
        sys.exit("Stopped before everything was installed; the next start goes on from here.")
    python = str(interpreter(venv))
    os.execv(python, [python, str(ROOT / "manage.py"), *argv[1:]])  # noqa: S606


def lock_for(command: str) -> str:
    """Tests and benchmarks need more than what runs."""
    return LOCKS[1] if command in ("test", "bench") else LOCKS[0]


def prepare(lock: str, venv: Path) -> None:
    """Make `venv` hold what `lock` names; at once when it does already."""
    if any(is_current(venv, wide) for wide in LOCKS[LOCKS.index(lock) :]):
        return
    if not works(venv):
        shutil.rmtree(venv, ignore_errors=True)
        make(venv)
    for stamp in venv.glob("*.stamp"):
        stamp.unlink()
    fill(venv, ROOT / "docker" / lock)
    stamp_of(venv, lock).write_text(signature(venv, lock))


def interpreter(venv: Path) -> Path:
    return venv / "bin" / "python"


def stamp_of(venv: Path, lock: str) -> Path:
    return venv / f"{lock}.stamp"


def signature(venv: Path, lock: str) -> str:
    """What an installation is good for: this list, this place, this Python."""
    digest = hashlib.sha256((ROOT / "docker" / lock).read_bytes()).hexdigest()
    return f"{digest}\n{venv}\n{interpreter(venv).resolve()}\n"


def is_current(venv: Path, lock: str) -> bool:
    try:
        return stamp_of(venv, lock).read_text() == signature(venv, lock) and interpreter(venv).exists()
    except OSError:
        return False


def works(venv: Path) -> bool:
    """False when there is none, it was moved, or its Python is gone or another one by now."""
    try:
        made_for = {stamp.read_text().split("\n", 1)[1] for stamp in venv.glob("*.stamp")}
        if made_for - {signature(venv, LOCKS[0]).split("\n", 1)[1]}:
            return False
        return subprocess.run([interpreter(venv), "-c", "import pip"], capture_output=True).returncode == 0  # noqa: PLW1510
    except OSError:
        return False


def make(venv: Path) -> None:
    """A new, empty environment of the Python that runs us."""
    if not importlib.util.find_spec("venv") or not importlib.util.find_spec("ensurepip"):
        sys.exit(NO_VENV)
    with Progress("Making .venv") as progress:
        code, said = run([sys.executable, "-m", "venv", str(venv)], progress)
        if code:
            shutil.rmtree(venv, ignore_errors=True)
            sys.exit(explain(said, venv))


def fill(venv: Path, lock: Path) -> None:
    """Install exactly what the lock names: --no-deps, because it names everything."""
    total = lock.read_text().count("==")
    pip = [str(interpreter(venv)), "-m", "pip", "install", "--require-hashes", "--no-deps", "--no-input"]
    # Most modules are never imported: Python compiles those that are, when they are.
    pip += ["--no-compile", "--retries", "2", "--requirement", str(lock)]
    with Progress(f"Installing {total} packages into .venv") as progress:
        code, said = run(pip, progress, total)
        if code:
            sys.exit(explain(said, venv))


def run(command: list[str], progress: Progress, total: int = 0) -> tuple[int, str]:
    """Exit code and words of a command, while the progress goes on."""
    said = ""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as child:
        assert child.stdout is not None  # noqa: S101 - asked for above
        out = child.stdout.fileno()
        while True:
            if select.select([out], [], [], 0.25)[0]:
                if not (chunk := os.read(out, 65536)):
                    break
                said += chunk.decode(errors="replace")
            fetched = said.count("\nCollecting ")
            unpacking = "\nInstalling collected" in said
            progress.show("unpacking" if unpacking else f"{fetched} of {total} found" if fetched else "")
    return child.returncode, said


def is_full(place: Path) -> bool:
    """Asked after a failure only: venv keeps to itself what its pip said."""
    return place.exists() and shutil.disk_usage(place).free < 20 * 1024**2


def explain(said: str, venv: Path) -> str:
    """One sentence for why it did not work, out of all that pip says."""
    if "No space left on device" in said or "Disk quota exceeded" in said or is_full(venv.parent):
        return DISK_FULL.format(venv.parent)
    if "DO NOT MATCH THE HASHES" in said:
        return (
            "A downloaded package is not the one that was locked, so nothing was installed: try again, "
            "and if it stays so, please report it."
        )
    if re.search(r"Retrying|NewConnectionError|NameResolution|from versions: none|ConnectTimeout", said):
        return (
            "No package index could be reached, so nothing was installed: this machine has to be online "
            "once, or PIP_INDEX_URL has to name a mirror."
        )
    words = [line for line in said.splitlines() if line.strip()]
    errors = [line for line in words if line.lower().startswith("error")]
    return f"The packages could not be installed: {(errors or words or ['no reason was given'])[-1].strip()}"
