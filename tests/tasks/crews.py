"""Starting, killing and looking at worker processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psutil
from django.conf import settings
from django.db import connection
from kombu import Connection

from tasks import queues
from tasks.catalogue import QUEUES


def eventually(claim: Callable[[], Any], seconds: float = 30) -> Any:
    """The claim's value once it is true; fails the test when it is not within these seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := claim():
            return value
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {claim}")


def database_url() -> str:
    """The test's database for another process or another driver; a socket's folder is a parameter."""
    given = connection.get_connection_params()
    parts = {name: given[name] for name in ("host", "port", "user", "password") if given.get(name)}
    return f"postgres:///{given['dbname']}?{urlencode(parts)}"


class Crew:
    """One `work --with-scheduler` command and its children."""

    def __init__(self, folder: Path, **environment: str):
        self.folder = folder
        self.environment = {
            **os.environ,
            "DATABASE_URL": database_url(),
            "QUEUE_URL": settings.QUEUE_URL,
            "QUEUE_PREFIX": settings.QUEUE_PREFIX,
            "TOCSIN_DATA": str(folder),
            "DJANGO_SETTINGS_MODULE": "app.settings",
            **environment,
        }

    def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            self.process = psutil.Popen(
                [sys.executable, "-m", "django", "work", "--with-scheduler", "--grace", "5"],
                env=self.environment,
                cwd=settings.ROOT,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def children(self) -> list[psutil.Process]:
        return list(self.process.children())

    def kill_children(self) -> None:
        for child in self.children():
            child.send_signal(signal.SIGKILL)

    def log(self) -> str:
        return (self.folder / "log").read_text()

    def stop(self) -> int:
        children = self.children() if self.process.is_running() else []
        self.process.terminate()
        code = self.process.wait(15)
        assert not any(child.is_running() for child in children)
        return int(code)


def forget_queues(broker: Connection) -> None:
    """Deletes everything of this test's from the broker."""
    channel: Any = broker.channel()
    if queues.is_amqp():
        for name in (queues.dead_name(), *(queues.queue_name(queue.name) for queue in QUEUES)):
            channel.queue_delete(name)
        channel.exchange_delete(queues.queue_name("tasks"))
        channel.exchange_delete(queues.dead_name())
        return
    with channel.conn_or_acquire() as client:
        for key in client.scan_iter(match=f"{settings.QUEUE_PREFIX}*"):
            client.execute_command("UNLINK", key.decode().removeprefix(channel.global_keyprefix))
