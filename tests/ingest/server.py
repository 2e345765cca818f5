"""Starting an accepting process, talking to it, killing it, and reading what reached the queue."""

from __future__ import annotations

import http.client
import os
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil
from django.conf import settings

from app import models
from app.local.process import Process
from app.local.server import free_port
from app.wire.record import Accepted, frames
from tasks import queues
from tests.flow.sending import Sender
from tests.tasks.crews import database_url, eventually


class Server:
    """gunicorn as it is shipped, in the given folder. `environment` changes settings."""

    def __init__(self, key: models.DsnKey, folder: Path, **environment: str) -> None:
        self.key = key
        self.folder = folder
        self.port = free_port()
        self.journal = Path(environment.get("JOURNAL", folder / "journal"))
        self.environment = {
            **os.environ,
            "SERVE": "ingest",
            "DATABASE_URL": database_url(),
            "QUEUE_URL": settings.QUEUE_URL,
            "QUEUE_PREFIX": settings.QUEUE_PREFIX,
            "TOCSIN_DATA": str(folder),
            "JOURNAL": str(self.journal),
            **environment,
        }

    @property
    def dsn(self) -> str:
        return f"http://{self.key.public_key}@127.0.0.1:{self.port}/{self.key.project_id}"

    @property
    def sender(self) -> Sender:
        return Sender(self.dsn)

    def start(self) -> Self:
        command = ["-m", "gunicorn", "--config", "python:app.server", "app.asgi:application"]
        self.process = Process(
            "ingest",
            [sys.executable, *command, "--bind", f"127.0.0.1:{self.port}"],
            environment=self.environment,
            folder=settings.ROOT,
            log=self.folder / "log",
        )
        self.process.start()
        eventually(lambda: self.answers() or not self.process.is_running)
        assert self.process.is_running, self.log
        return self

    def answers(self) -> bool:
        try:
            return self.get("/_health/")[0] > 0
        except OSError:
            return False

    def get(self, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
        """Status, headers with lower-case names, and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, headers=headers)
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def worker(self) -> psutil.Process:
        """The process that answers; gunicorn's own is its parent."""
        assert self.process.child
        return psutil.Process(self.process.child.pid).children()[0]

    def stop(self) -> None:
        self.process.stop(10)

    def kill(self) -> None:
        self.process.kill()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        print(self.log)  # shown when the test fails


class Queue:
    """Takes every group out of the queue of events, as a worker would."""

    def __init__(self, url: str = "") -> None:
        self.url = url
        self.records: list[Accepted] = []
        self.groups: list[Any] = []

    def read(self) -> list[Accepted]:
        """All records that have arrived up to now, in order."""
        with queues.connect().clone(hostname=self.url or settings.QUEUE_URL) as connection:
            queues.declare(connection)
            queue = queues.consumed("events")(connection.channel())
            while message := queue.get(no_ack=True):
                ([group], _, _) = message.decode()
                self.groups.append(message)
                self.records += [accepted for _, accepted in frames(group)]
        return self.records

    def ids(self) -> set[str]:
        return {accepted.event_id for accepted in self.read()}

    def wait_for(self, ids: set[str], seconds: float = 30) -> None:
        """Until all of these have arrived."""
        eventually(lambda: ids <= self.ids(), seconds)
