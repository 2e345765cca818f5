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

from tests.docker.test_processes import CLOCKED, VARIABLES, Installed
from tests.flow.installation import Installation, folder, installation

Families = dict[str, list[psutil.Process]]


def spent(families: Families) -> dict[str, float]:
    """Seconds of CPU of each family, its ended children included."""
    used = dict.fromkeys(families, 0.0)
    for role, processes in families.items():
        for process in processes:
            with contextlib.suppress(psutil.Error):
                times = process.cpu_times()
                used[role] += times.user + times.system + times.children_user + times.children_system
    return used


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
        """Seconds of CPU each role has used so far, by processes that have ended since as well."""
        return spent(self.families())

    def memory(self) -> dict[str, Any]:
        """MB by role: the proportional size of all its processes, the resident size of each; and the sum."""
        roles: dict[str, dict[str, Any]] = {}
        for role, processes in self.families().items():
            found = []
            for process in processes:
                with contextlib.suppress(psutil.Error):
                    found.append(process.memory_full_info())
            roles[role] = {
                "pss_mb": round(sum(one.pss for one in found) / 1024**2, 1),
                "rss_mb_each": sorted((round(one.rss / 1024**2) for one in found), reverse=True),
                "pss_mb_each": sorted((round(one.pss / 1024**2) for one in found), reverse=True),
            }
        return {"all_pss_mb": round(sum(role["pss_mb"] for role in roles.values()), 1), "by_role": roles}


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
def shipped(workers: int = 0) -> Iterator[Stand]:
    """Requests go to nginx as shipped. `workers` is the number of event workers, when not the shipped one."""
    with shipped_services() as installed:
        command = installed.stage.services["worker"]["command"]
        if workers:
            command[command.index("--events") + 1] = str(workers)
        for name in CLOCKED:
            installed.stage.begin(name)
        yield stand_of(installed)


@contextlib.contextmanager
def shipped_services() -> Iterator[Installed]:
    """Everything that answers, without the workers and the clock."""
    installed = Installed()
    try:
        installed.up()
        yield installed
    finally:
        installed.stage.close()


def stand_of(installed: Installed) -> Stand:
    port, password = installed.stage.ports["postgres"], VARIABLES["POSTGRES_PASSWORD"]
    return Stand(
        installed.stage.address("nginx"),
        installed.word("DSN"),
        f"postgres://tocsin:{password}@127.0.0.1:{port}/tocsin",
        lambda: shipped_families(installed),
    )


def shipped_families(installed: Installed) -> Families:
    families = {}
    for name, process in installed.stage.running.items():
        assert process.child
        with contextlib.suppress(psutil.Error):
            parent = psutil.Process(process.child.pid)
            families[name] = [parent, *parent.children(recursive=True)]
    return families
