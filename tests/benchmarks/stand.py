"""What is measured: an installation that runs, its processes by role, and how far it got.

`embedded()` is `manage.py up`, the default of a small server. `shipped()` is the compose file's services with
its own commands and environment, as plain processes behind its own nginx.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import psutil
import psycopg

from tests.docker.test_processes import CLOCKED, VARIABLES, Installed
from tests.flow.installation import Installation, folder, installation, wait_for

Families = dict[str, list[psutil.Process]]


@dataclass
class Stand:
    """`families` gives the processes of each role anew: workers come and go."""

    url: str  # where requests go
    dsn: str
    database: str  # for psycopg
    families: Callable[[], Families]

    @property
    def key(self) -> str:
        return urlsplit(self.dsn).username or ""

    @property
    def project(self) -> int:
        return int(urlsplit(self.dsn).path.strip("/"))

    def cpu(self) -> dict[str, float]:
        """Seconds of CPU each role has used so far."""
        used = {}
        for role, processes in self.families().items():
            used[role] = 0.0
            for process in processes:
                with contextlib.suppress(psutil.Error):
                    spent = process.cpu_times()
                    used[role] += spent.user + spent.system
        return used

    def memory(self) -> dict[str, dict[str, Any]]:
        """MB of each role: proportional size of all, resident size of the largest."""
        sizes: dict[str, dict[str, Any]] = {}
        for role, processes in self.families().items():
            found = []
            for process in processes:
                with contextlib.suppress(psutil.Error):
                    found.append(process.memory_full_info())
            sizes[role] = {
                "pss_mb": round(sum(one.pss for one in found) / 1024**2, 1),
                "largest_rss_mb": round(max((one.rss for one in found), default=0) / 1024**2, 1),
            }
        return sizes

    def stored(self, connection: psycopg.Connection[Any]) -> int:
        """Events that are visible now: the usage page's count, written in the events' own transaction."""
        sql = "select coalesce(sum(quantity), 0) from app_outcome where outcome = 'accepted'"
        (count,) = connection.execute(sql).fetchone() or (0,)
        return int(count)


@contextlib.contextmanager
def embedded() -> Iterator[Stand]:
    with folder() as data, installation(data) as tocsin:
        url = str(tocsin.line["url"])
        yield Stand(url, str(tocsin.line["dsn"]), tocsin.database, lambda: embedded_families(tocsin))


def embedded_families(tocsin: Installation) -> Families:
    found = {role: tocsin.named(word) for role, word in EMBEDDED.items()}
    below = {
        role: [child for one in each for child in one.children(recursive=True)]
        for role, each in found.items()
    }
    families = {role: list(dict.fromkeys([*each, *below[role]])) for role, each in found.items()}
    return {"up": [psutil.Process(tocsin.process.pid)], **families}


EMBEDDED = {
    "web": "gunicorn",
    "worker": "manage.py work",
    "scheduler": "manage.py schedule",
    "postgres": "postgres",
    "valkey": "valkey-server",
}


@contextlib.contextmanager
def shipped(entrance: str = "nginx") -> Iterator[Stand]:
    """Requests go to `entrance`: nginx as shipped, or "ingest" to measure accepting alone."""
    installed = Installed()
    try:
        installed.up()
        for name in CLOCKED:
            installed.stage.begin(name)
        wait_for(lambda: installed.stage.check("worker").returncode == 0, "the workers at work", 120)
        port, password = installed.stage.ports["postgres"], VARIABLES["POSTGRES_PASSWORD"]
        yield Stand(
            installed.stage.address(entrance),
            installed.word("DSN"),
            f"postgres://tocsin:{password}@127.0.0.1:{port}/tocsin",
            lambda: shipped_families(installed),
        )
    finally:
        installed.stage.close()


def shipped_families(installed: Installed) -> Families:
    families = {}
    for name, process in installed.stage.running.items():
        assert process.child
        with contextlib.suppress(psutil.Error):
            parent = psutil.Process(process.child.pid)
            families[name] = [parent, *parent.children(recursive=True)]
    return families
