"""The data folder: where it is, who may use it, and the secrets in it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
from pathlib import Path

from app.local.install import ROOT
from app.local.process import NotReady, until

ENVIRONMENT = "environment.json"
LEFTOVERS = 20  # seconds the processes of a killed `up` may take to end


def default() -> Path:
    """Beside the code; for root where the unprivileged PostgreSQL can read it."""
    if named := os.environ.get("TOCSIN_DATA"):
        return Path(named)
    return Path("/var/lib/tocsin") if os.geteuid() == 0 else ROOT / ".tocsin"


class Folder:
    """A data folder in use by this process alone, until it ends.

    Two locks tell two things apart. `up.lock` is ours: while it is held, somebody's `up` runs.
    `children.lock` is inherited by all we start: while it is held, processes of a killed `up` still end.
    """

    def __init__(self, place: Path) -> None:
        self.place = place.resolve()
        self.place.mkdir(parents=True, exist_ok=True)
        # PostgreSQL, which refuses root, has to pass through to its own folder.
        self.place.chmod(0o711 if os.geteuid() == 0 else 0o700)
        os.umask(0o077)  # what we and our children write from here on is nobody else's business
        self.own = self.open("up.lock")
        self.inherited = self.open("children.lock")

    def open(self, name: str) -> int:
        return os.open(self.place / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def take(self) -> None:
        """Raises NotReady when another `up` runs here."""
        if not taken(self.own):
            pid = os.pread(self.own, 20, 0).decode().strip()
            raise NotReady(
                f"Tocsin is running already with the data in {self.place} (process {pid}): "
                "stop it, or choose another folder with --data."
            )
        os.truncate(self.own, 0)
        os.pwrite(self.own, f"{os.getpid()}\n".encode(), 0)
        until(
            lambda: taken(self.inherited),
            LEFTOVERS,
            lambda: f"Processes of an earlier start still use {self.place}: end them, or use another --data.",
        )

    def publish(self, environment: dict[str, str]) -> None:
        """Leave word how our servers are reached, for other commands of the same owner (see `join`)."""
        place = self.place / ENVIRONMENT
        place.write_text(json.dumps(environment))
        place.chmod(0o600)

    def withdraw(self) -> None:
        """The servers are about to stop."""
        (self.place / ENVIRONMENT).unlink(missing_ok=True)

    def secret_key(self) -> str:
        """Django's SECRET_KEY, made once."""
        place = self.place / "secret_key"
        if not place.exists():
            unfinished = os.open(self.place / "secret_key.unfinished", os.O_WRONLY | os.O_CREAT, 0o600)
            os.write(unfinished, secrets.token_urlsafe(48).encode())
            os.close(unfinished)
            (self.place / "secret_key.unfinished").rename(place)
        return place.read_text()


def join() -> None:
    """Let a command such as `manage.py queues` use the servers of an `up` that runs with the usual folder."""
    with contextlib.suppress(OSError, ValueError):
        for name, value in json.loads((default() / ENVIRONMENT).read_text()).items():
            os.environ.setdefault(name, value)


def taken(lock: int) -> bool:
    """True when we hold it now."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
