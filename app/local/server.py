"""What the servers we start ourselves have in common: a folder, a log, and being ready."""

from __future__ import annotations

import contextlib
import hashlib
import os
import pwd
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path

from app.local.process import NotReady, Process, nothing, until

LONGEST_SOCKET_PATH = 90  # of 107 bytes, with room for the file's name
LARGEST_LOG = 10 * 1024**2


def socket_folder(folder: Path) -> Path:
    """Where `folder`'s Unix socket goes: in it, or in the temporary folder when its path is too long."""
    if len(os.fsencode(folder)) < LONGEST_SOCKET_PATH:
        return folder
    digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"tocsin-{os.geteuid()}-{digest}"


def make_private(folder: Path, owner: pwd.struct_passwd | None = None) -> None:
    """Make `folder` readable by its owner only; a stranger's folder of that name is refused."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_uid not in {os.geteuid(), owner.pw_uid if owner else os.geteuid()}:
        raise NotReady(f"{folder} belongs to somebody else.")
    if owner is not None:
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    folder.chmod(0o700)


def make_passable(folder: Path) -> None:
    """Make `folder` one that others may pass through to what is theirs in it, and not list."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o711)


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def launch(
    process: Process,
    is_ready: Callable[[], bool],
    seconds: float = 60,
    meanwhile: Callable[[], None] = nothing,
) -> None:
    """Start a server that writes a log; back when it answers, NotReady with its reason when it does not."""
    log = process.log
    assert log is not None  # noqa: S101 - a server without a log cannot say why it failed
    if log.exists() and log.stat().st_size > LARGEST_LOG:
        log.replace(log.with_suffix(".old.log"))
    begin = log.stat().st_size if log.exists() else 0
    process.start()
    with contextlib.ExitStack() as failing:
        failing.callback(process.stop, 2)
        until(
            lambda: not process.is_running or is_ready(),
            seconds,
            lambda: f"{process.name} did not answer within {seconds:.0f} s (see {log}).",
            meanwhile,
        )
        if not process.is_running:
            raise NotReady(why(process.name, log.read_bytes()[begin:].decode(errors="replace"), log))
        failing.pop_all()


def why(name: str, said: str, log: Path) -> str:
    """The one line of a server's last words that says why it ended."""
    if "No space left on device" in said:
        return f"{name} could not start: the disk is full."
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    telling = [line for line in lines if "FATAL" in line or "rror" in line] or lines[-1:]
    return f"{name} could not start: {telling[0] if telling else 'it said nothing'} (see {log})"
