"""The parts of a Tocsin, each of which can be killed: its servers, its web server, workers and scheduler.

The programs and commands are those of `up`. What is different is who starts again what died: we, at once.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg

from app.local import processes
from app.local.postgres import Postgres
from app.local.process import NotReady, Process
from app.local.rabbitmq import RabbitMQ
from app.local.server import free_port
from app.local.valkey import Valkey
from tests.flow.installation import OURS, ROOT, folder, wait_for

Server = Postgres | Valkey | RabbitMQ
COMMANDS: dict[str, Callable[[int], list[str]]] = {
    "web": processes.web,
    "worker": lambda port: processes.worker(),
    "scheduler": lambda port: processes.scheduler(),
}


class Parts:
    """`servers` and `ours` by name; `kill` is `kill -9`, with everything started again before it returns."""

    def __init__(self, data: Path, servers: dict[str, Server], journal: Path) -> None:
        self.data = data
        self.servers = servers
        self.port = free_port()
        self.ours: dict[str, Process] = {}
        self.journal = journal
        self.dsn = ""

    def start(self) -> None:
        for server in self.servers.values():
            server.start()
        self.environment = self.surroundings()
        told = subprocess.run(
            processes.prepare(), env=self.environment, cwd=ROOT, check=True, capture_output=True, text=True
        )
        self.dsn = json.loads(told.stdout.splitlines()[-1])["dsn"]
        for name, command in COMMANDS.items():
            log = self.data / "log" / f"{name}.log"
            self.ours[name] = Process(
                name, command(self.port), environment=self.environment, folder=ROOT, log=log
            )
            self.ours[name].start()

    def surroundings(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if name not in OURS}
        valkey, postgres = self.servers["valkey"], self.servers["postgres"]
        assert isinstance(valkey, Valkey)
        assert isinstance(postgres, Postgres)
        broker = self.servers.get("rabbitmq")
        return {
            **inherited,
            "DJANGO_SETTINGS_MODULE": "app.settings",
            "SECRET_KEY": "of-nobody",
            "BASE_URL": f"http://127.0.0.1:{self.port}",
            "TOCSIN_DATA": str(self.data),
            "JOURNAL": str(self.journal),
            "DATABASE_URL": postgres.url,
            "QUEUE_URL": broker.url if isinstance(broker, RabbitMQ) else valkey.queue_url,
            "REDIS_URL": valkey.cache_url,
        }

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.environment["DATABASE_URL"], autocommit=True) as connection:
            return connection.execute(query).fetchall()

    def stored(self) -> int:
        """Rows of events; -1 while the database does not say."""
        with contextlib.suppress(psycopg.Error):
            return int(self.rows("select count(*) from app_event")[0][0])
        return -1

    # -- the faults --------------------------------------------------------------------------------

    def kill(self, name: str, chance: random.Random) -> None:
        """The whole of a part or its first process; of our own, or as "backend" of PostgreSQL, a child."""
        how = chance.choice(("all", "parent") if name in self.servers else ("all", "parent", "child"))
        if name == "backend":
            name, how = "postgres", "child"
        server = self.servers.get(name)
        process = server.process if server else self.ours[name]
        assert process
        assert process.child
        if name not in ("web", "scheduler"):
            self.hurry(chance)
        if process.child.pid in self.strike(process.child.pid, how, chance):
            process.child.wait(30)  # on a busy machine dying takes its time
        if server:
            self.revive(server)
        elif not process.is_running:
            process.kill()  # as with its first process a container ends
            process.start()

    def hurry(self, chance: random.Random) -> None:
        """Lets work pile up before the workers, so that they have their hands full when somebody is hit."""
        children = psutil.Process(self.pid("worker")).children()
        for stroke, longest in ((psutil.Process.suspend, 0.2), (psutil.Process.resume, 0.03)):
            for child in children:
                with contextlib.suppress(psutil.NoSuchProcess):
                    stroke(child)
            time.sleep(chance.uniform(0, longest))  # the moment is what is drawn here

    def pid(self, name: str) -> int:
        child = self.ours[name].child
        assert child
        return child.pid

    def strike(self, parent: int, how: str, chance: random.Random) -> list[int]:
        """`kill -9`: whom it met."""
        children = psutil.Process(parent).children(recursive=True)
        victims = {
            "all": [parent, *(child.pid for child in children)],
            "parent": [parent],
            "child": [chance.choice(children).pid] if children else [parent],
        }[how]
        for pid in victims:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return victims

    def revive(self, server: Server) -> None:
        """Started until it stays up: PostgreSQL refuses while a process of the old one still ends."""
        assert server.process
        deadline = time.monotonic() + 120
        while not server.process.is_running:
            server.kill()
            try:
                server.start()
            except NotReady:
                assert time.monotonic() < deadline

    def mend(self) -> None:
        """Starts what ended by itself or stands still, as its supervisor would."""
        for server in self.servers.values():
            if server.process and server.process.stands_still():
                server.kill()
                self.revive(server)
        for process in self.ours.values():
            if not process.is_running:
                process.kill()
                process.start()

    def is_whole(self) -> bool:
        return all(process.is_running for process in self.ours.values())

    def stop(self) -> None:
        for process in self.ours.values():
            process.stop(10)
        for server in reversed(self.servers.values()):
            server.stop(10)

    def logs(self) -> str:
        files = sorted((self.data / "log").glob("*.log"))
        return "\n".join(f"== {path.name}\n{path.read_text(errors='replace')[-3000:]}" for path in files)


@contextlib.contextmanager
def parts(broker: type[RabbitMQ] | None = None, journal: Path | None = None) -> Iterator[Parts]:
    """Everything of a small installation: on Valkey alone as `up` runs it, or with a RabbitMQ as broker."""
    with folder() as data:
        data.mkdir(mode=0o711)
        (data / "log").mkdir()
        servers: dict[str, Server] = {"postgres": Postgres(data), "valkey": Valkey(data)}
        if broker:
            servers["rabbitmq"] = broker(data)
        every = Parts(data, servers, journal or data / "journal")
        try:
            every.start()
            wait_for(every.is_whole, "everything running")
            yield every
        except BaseException:
            print(every.logs())
            raise
        finally:
            every.stop()
