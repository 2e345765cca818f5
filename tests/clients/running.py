"""Running a client against a Tocsin, and what the Tocsin then knows."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psycopg

from tests.flow.installation import Installation, wait_for
from tests.flow.sending import Sender

PROGRAMS = Path(__file__).parent / "programs"


#: By the beginning of its title, the newest first.
EVENT = """
select e.event_id, i.title, i.platform, coalesce(r.version, ''), coalesce(n.name, ''),
       (select array_agg(array[t.key, t.value]) from app_tagvalue t where t.id = any(e.tags))
from app_event e join app_issue i on i.id = e.issue_id
left join app_release r on r.id = e.release_id left join app_environment n on n.id = e.environment_id
where i.title like %s order by e.received desc limit 1"""


class Known(NamedTuple):
    """An event as it is stored."""

    id: str
    title: str
    platform: str
    release: str
    environment: str
    tags: dict[str, str]


class Tocsin:
    """What came to the project of an installation."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.dsn = str(installation.line["dsn"])
        self.key = self.dsn.split("://")[1].split("@")[0]
        self.url = str(installation.line["url"]).rstrip("/")
        self.project = int(self.dsn.rsplit("/", 1)[1])

    def event(self, title: str) -> Known:
        """The event of that title, once it is stored."""
        rows = wait_for(lambda: self.rows(EVENT, f"{title}%"), f"an event “{title}”", 30)
        event_id, title, platform, release, environment, tags = rows[0]
        return Known(event_id.hex, title, platform, release, environment, dict(tags))

    def counted(self, category: str, outcome: str = "accepted") -> int:
        """Of what came, as the usage page would say it."""
        (row,) = self.rows(
            "select coalesce(sum(quantity), 0) from app_outcome where category = %s and outcome = %s",
            category,
            outcome,
        )
        return int(row[0])

    def wait(self, condition: Callable[[], object], what: str) -> None:
        wait_for(condition, what, 30)

    def limit(self, number: int | None) -> None:
        """Of events an hour for the key; it holds when this returns."""
        with psycopg.connect(self.installation.database, autocommit=True) as connection:
            connection.execute("update app_dsnkey set rate_limit = %s, rate_window = 3600", [number])
        sender = Sender(self.dsn)
        wanted = 200 if number is None else 429
        self.wait(lambda: sender.envelope(b'{}\n{"type":"session"}\n{}').status == wanted, "the limit")

    @contextmanager
    def limited(self, category: str) -> Iterator[None]:
        """A category of which the project has sent too much; it holds when this begins."""
        with psycopg.connect(self.installation.database, autocommit=True) as connection:
            connection.execute(
                "insert into app_ratelimit (project_id, category, until, scope, reason)"
                " values (%s, %s, now() + interval '1 hour', 'organization', 'quota_exceeded')",
                [self.project, category],
            )
            body = b'{"event_id":"%b"}\n{"type":"%b"}\n{}' % (b"e" * 32, category.encode())
            self.wait(lambda: Sender(self.dsn).envelope(body).status == 429, "the limit")
            yield
            connection.execute("delete from app_ratelimit")

    def known(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """What is stored, once anything is."""
        found: list[tuple[Any, ...]] = wait_for(lambda: self.rows(query, *values), query, 30)
        return found

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        return self.installation.rows(query, *values)


class Client:
    """Programs of people who use Tocsin: each runs to its end."""

    def __init__(self, tocsin: Tocsin) -> None:
        self.tocsin = tocsin

    def run(self, *command: str | Path, **environment: str | Path) -> str:
        """What it printed; it must end well."""
        given = {name: str(value) for name, value in environment.items()}
        done = subprocess.run(
            [str(part) for part in command],
            env={**os.environ, "SENTRY_DSN": self.tocsin.dsn, **given},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return done.stdout

    def node(self, npm: Path, program: str, *jobs: str, **environment: str) -> str:
        packages = npm / "node_modules"
        return self.run("node", PROGRAMS / f"{program}.cjs", *jobs, NODE_PATH=packages, **environment)
