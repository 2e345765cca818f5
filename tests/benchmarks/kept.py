"""bench kept: logs, traces, sessions and check-ins by the hundred thousand: are their pages still quick?

The rows are made by PostgreSQL itself, over the last days, in the shapes that the store writes; then a
signed-in person asks for the pages, one after the other.
"""

from __future__ import annotations

import re
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psycopg

from tests.benchmarks import report
from tests.benchmarks.scale import latencies
from tests.benchmarks.stand import shipped_services, stand_of
from tests.docker.test_processes import CLOCKED, Person

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
#: Name, rows for each row of logs, statement with :project, :organization, :days and :rows.
_STATEMENT = re.compile(r"^-- ([\w -]+): ([\d.e-]+)\n(.*?);$", re.MULTILINE | re.DOTALL)
FILL = _STATEMENT.findall(Path(__file__).with_suffix(".sql").read_text())
PAGES = {
    "logs": "logs/?period=7d",
    "logs by a word": "logs/?period=7d&q=expired",
    "logs by a rare word": "logs/?period=7d&q=a1b2c3d",
    "logs of errors": "logs/?period=7d&level=error",
    "logs of a trace": "logs/?period=7d&trace=c4ca4238a0b923820dcc509a6f75849b",
    "performance": "performance/?period=7d",
    "performance by p95": "performance/?period=7d&sort=p95",
    "endpoint": "performance/{slug}/?period=7d&name=/api/7&op=http.server",
    "trace of 800 spans": f"traces/{TRACE}/",
    "releases": "releases/?period=7d",
    "release": "releases/shop@1.0/?period=7d",
    "crons": "crons/",
    "job": "crons/{slug}/job-1/",
    "feedback": "feedback/",
    "usage": "usage/?period=30d",
}


def main() -> None:
    parser = report.arguments("kept", __doc__, seconds=0)
    parser.add_argument(
        "--rows", type=int, default=100_000, help="of logs; others in proportion (%(default)d)"
    )
    parser.add_argument("--days", type=int, default=7, help="that they are spread over (%(default)d)")
    parser.add_argument("--requests", type=int, default=30, help="of each page (%(default)d)")
    report.run("kept", parser, figures)


def figures(options: report.Options) -> dict[str, Any]:
    with shipped_services() as installed:
        stand = stand_of(installed)
        with psycopg.connect(stand.database, autocommit=True) as connection:
            organization, slug, rows, seconds = fill(connection, stand.project, options)
        for name in CLOCKED:
            installed.stage.begin(name)
        person = Person(stand.url)
        person.sign_in(installed.word("E-mail"), installed.word("Password"))
        asked = {
            name: latencies(person, f"/{organization}/{page.format(slug=slug)}", options.requests)
            for name, page in PAGES.items()
        }
    return {
        "rows": rows,
        "fill_s": seconds,
        "pages_ms": asked,
        "slowest_p95_ms": max(times["p95"] for times in asked.values()),
    }


def fill(
    connection: psycopg.Connection[Any], project: int, options: report.Options
) -> tuple[str, str, dict[str, int], float]:
    """Names for addresses, the rows of each table, and the seconds that took."""
    sql = "select o.id, o.slug, p.slug from app_project p join app_organization o on o.id = p.organization_id"
    names = connection.execute(f"{sql} where p.id = %s", [project]).fetchone()
    assert names, "there is no project"
    began = time.monotonic()
    for table in ("app_log", "app_transaction", "app_span", "app_sessionuser"):
        for back in range(options.days + 2):
            day = date.today() - timedelta(days=back)  # noqa: DTZ011 the machine's and the database's
            connection.execute(
                f"create table if not exists {table}_{day:%Y%m%d} partition of {table}"
                f" for values from ('{day}') to ('{day + timedelta(days=1)}')"
            )
    given = {"project": project, "organization": names[0], "days": options.days}
    rows = {}
    for name, share, statement in FILL:
        values = {**given, "rows": max(1, round(options.rows * float(share)))}
        for word, value in values.items():
            statement = re.sub(rf"(?<!:):{word}\b", str(value), statement)  # noqa: PLW2901
        rows[name] = connection.execute(statement).rowcount
    connection.execute("vacuum analyze")
    return names[1], names[2], rows, round(time.monotonic() - began, 1)


if __name__ == "__main__":
    main()
