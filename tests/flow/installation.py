"""A Tocsin of a test's own: `manage.py up` as a process, with its children within reach."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import psutil
import psycopg

ROOT = Path(__file__).resolve().parents[2]
#: What a stranger's shell would not have set, and what would point `up` at other people's services.
OURS = ("DATABASE_URL", "REDIS_URL", "QUEUE_URL", "QUEUE_PREFIX", "BASE_URL", "EMAIL_URL", "TOCSIN_DATA")
T = TypeVar("T")


def wait_for(condition: Callable[[], T], what: str, seconds: float = 30) -> T:
    """The first true answer of `condition`, asked ten times a second; fails by name when it never comes."""
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not happen in {seconds:g} s")
        time.sleep(0.1)
    return answer


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


class Installation:
    """`manage.py up --json` on its own data folder; `line` is what it printed, `log` all that it said."""

    def __init__(self, data: Path, **environment: str) -> None:
        inherited = {k: v for k, v in os.environ.items() if k not in OURS and not k.startswith("PYTEST")}
        self.log = data.parent / f"{data.name}.log"
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "up", "--json", "--port", str(free_port()), "--data", str(data)],
            cwd=ROOT,
            env=inherited | environment,
            stdout=subprocess.PIPE,
            stderr=self.log.open("ab"),
            start_new_session=True,  # a Ctrl-C at pytest stops it through us, once
        )
        assert self.process.stdout is not None
        first = self.process.stdout.readline()
        assert first, f"up ended before it was ready:\n{self.log.read_text()[-4000:]}"
        self.line: dict[str, Any] = json.loads(first)
        threading.Thread(target=self.process.stdout.read, daemon=True).start()
        self.database = self.named("gunicorn")[0].environ()["DATABASE_URL"]

    def family(self) -> list[psutil.Process]:
        """Every process below `up`, however deep."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def named(self, *words: str) -> list[psutil.Process]:
        """Those whose command line holds all the words."""
        found = []
        for process in self.family():
            with contextlib.suppress(psutil.Error):
                line = " ".join(process.cmdline())
                if all(word in line for word in words):
                    found.append(process)
        return found

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """What the database answers, on a connection of its own."""
        with psycopg.connect(self.database, autocommit=True) as connection:
            return connection.execute(query, values).fetchall()

    def stop(self) -> int:
        """Ends it as Ctrl-C does; the exit code."""
        self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(60)
        finally:
            if self.process.poll() is None:
                self.process.kill()


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """A data folder to be, where a PostgreSQL started as root may enter as well."""
    with tempfile.TemporaryDirectory(prefix="tocsin-flow-") as above:
        Path(above).chmod(0o711)
        yield Path(above) / "data"


@contextlib.contextmanager
def installation(data: Path, **environment: str) -> Iterator[Installation]:
    tocsin = Installation(data, **environment)
    try:
        yield tocsin
    finally:
        code = tocsin.stop()
    assert code == 0, tocsin.log.read_text()[-4000:]
