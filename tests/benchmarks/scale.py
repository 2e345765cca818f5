"""bench scale: many stored events: does storing get slower, are the pages still quick, how many bytes is one?

Several processes store by the store's own function, spread over the last days, until --events are there; the
rate is told for every tenth of them. Then a signed-in person asks for the pages, one after the other.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.parse
from typing import Any

import psycopg

from app.base.shortid import short_id
from tests.benchmarks import floors, report
from tests.benchmarks.measure import count, settled
from tests.benchmarks.stand import Stand, shipped_services, stand_of
from tests.docker.test_processes import CLOCKED, Person
from tests.flow.installation import ROOT

WRITERS = 2
WARM = 10
#: Bytes of each table and index; the partitions of a table are one.
SIZES = """
with parts as (
    select c.oid, coalesce(p.relname, c.relname) as name, c.reltoastrelid
    from pg_class c left join pg_inherits i on i.inhrelid = c.oid left join pg_class p on p.oid = i.inhparent
    where c.relkind = 'r' and c.relname like 'app\\_%'
)
select name, sum(pg_relation_size(oid))::bigint,
       sum(coalesce(pg_total_relation_size(nullif(reltoastrelid, 0)), 0))::bigint,
       sum(pg_indexes_size(oid))::bigint
from parts group by 1 order by 2 desc"""
INDEXES = """
select coalesce(p.relname, i.indexrelname), sum(pg_relation_size(i.indexrelid))::bigint
from pg_stat_user_indexes i
left join pg_inherits h on h.inhrelid = i.indexrelid left join pg_class p on p.oid = h.inhparent
where i.relname like 'app\\_%' group by 1 order by 2 desc limit 12"""


def main() -> None:
    parser = report.arguments("scale", __doc__, seconds=0)
    parser.set_defaults(issues=1000)
    parser.add_argument("--events", type=int, default=50_000, help="to store (%(default)d)")
    parser.add_argument("--requests", type=int, default=100, help="of each page (%(default)d)")
    report.run("scale", parser, figures)


def figures(options: report.Options) -> dict[str, Any]:
    with shipped_services() as installed:
        stand = stand_of(installed)
        floor = floors.process(stand.database, corpus=options.corpus, issues=options.issues)
        filled = fill(stand, options)
        for name in CLOCKED:  # what is counted later, is counted by them
            installed.stage.begin(name)
        with psycopg.connect(stand.database, autocommit=True) as connection:
            counters, rows = settled(connection), count(connection)
            connection.execute("vacuum analyze")
            sizes = disk(connection, rows["rows"])
            addresses = pages(connection)
        person = Person(stand.url)
        person.sign_in(installed.word("E-mail"), installed.word("Password"))
        asked = {name: latencies(person, address, options.requests) for name, address in addresses.items()}
        memory = stand.memory()
    return {
        "events": rows["rows"],
        "bytes_per_event": sizes["all"],
        "events_per_s": filled["events_per_s"],
        "us_per_event": filled["us_per_event"],
        "us_per_event_by_role": filled["us_per_event_by_role"],
        "lost": options.events - rows["distinct"],
        "doubled": rows["rows"] - rows["distinct"],
        "counters": counters,
        "floors": {"process": floor},
        "ratios": {"last_to_first_tenth_us": filled["last_to_first"]},
        "tenths": filled["tenths"],
        "pages_ms": asked,
        "bytes": sizes,
        "memory": memory,
    }


def fill(stand: Stand, options: report.Options) -> dict[str, Any]:
    """Stores them all; the rate and the cost of each tenth, over all writers."""
    with psycopg.connect(stand.database, autocommit=True) as connection:
        (key,) = connection.execute("select min(id) from app_dsnkey").fetchone() or (1,)
    share = options.events // WRITERS
    command = [
        sys.executable, "-m", "tests.benchmarks.fill", stand.database, str(stand.project), str(key),
        f"--events={share}", f"--every={max(100, share // 10)}", f"--issues={options.issues}",
        f"--corpus={options.corpus}",
    ]  # fmt: skip
    before = stand.cpu()
    began = time.monotonic()
    writers = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(WRITERS)]
    told = [[json.loads(line) for line in writer.communicate()[0].splitlines()] for writer in writers]
    assert all(writer.returncode == 0 for writer in writers)
    taken, after = time.monotonic() - began, stand.cpu()
    tenths = [tenth(lines) for lines in zip(*told, strict=True)]
    for number in range(len(tenths) - 1, 0, -1):
        tenths[number]["seconds"] -= tenths[number - 1]["seconds"]
    for each in tenths:
        each["events_per_s"] = round(options.events / len(tenths) / each.pop("seconds"), 1)
    python = sum(each["us_python"] for each in tenths) / len(tenths)
    postgres = (after["postgres"] - before["postgres"]) / options.events * 1e6
    return {
        "tenths": tenths,
        "events_per_s": round(options.events / taken, 1),
        "us_per_event": round(python + postgres, 1),
        "us_per_event_by_role": {"writer": round(python, 1), "postgres": round(postgres, 1)},
        "last_to_first": report.ratio(cost(tenths[-1]), cost(tenths[0])),
    }


def tenth(lines: tuple[dict[str, Any], ...]) -> dict[str, Any]:
    """What the writers told at the same point of their way."""
    python, postgres = (sum(line["us"][at] for line in lines) / len(lines) for at in (0, 1))
    return {
        "seconds": max(line["at"] for line in lines),
        "us_python": round(python, 1),
        "us_postgresql": round(postgres, 1),
    }


def cost(one: dict[str, Any]) -> float:
    return float(one["us_python"] + one["us_postgresql"])


def pages(connection: psycopg.Connection[Any]) -> dict[str, str]:
    """Addresses of what a person looks at."""
    sql = (
        "select o.slug, p.slug, i.number, i.title from app_issue i join app_project p on p.id = i.project_id"
        " join app_organization o on o.id = p.organization_id order by i.events desc limit 1"
    )
    organization, project, number, title = connection.execute(sql).fetchone() or ("", "", 0, "")
    word = urllib.parse.quote(title.split()[-2] if len(title.split()) > 2 else title)
    return {
        "issue list": f"/{organization}/issues/",
        "list by events": f"/{organization}/issues/?sort=events&environment=production",
        "search": f"/{organization}/issues/?q={word}",
        "issue page": f"/{organization}/issues/{short_id(project, number)}/",
    }


def latencies(person: Person, address: str, requests: int) -> dict[str, float]:
    """Milliseconds of the answers, warm."""
    for _ in range(WARM):
        person.get(address)
    taken = []
    for _ in range(requests):
        begun = time.perf_counter()
        person.get(address)
        taken.append(time.perf_counter() - begun)
    times = sorted(taken)
    at = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
    return {
        name: round(times[min(len(times) - 1, int(len(times) * part))] * 1000, 1) for name, part in at.items()
    }


def disk(connection: psycopg.Connection[Any], rows: int) -> dict[str, Any]:
    """Bytes per stored event, by table and by index."""
    tables = {
        name: {
            "heap": round(heap / rows, 1),
            "toast": round(toast / rows, 1),
            "indexes": round(own / rows, 1),
        }
        for name, heap, toast, own in connection.execute(SIZES).fetchall()
        if heap + toast + own > rows / 10
    }
    found = connection.execute(INDEXES).fetchall()
    return {
        "all": round(sum(sum(sizes.values()) for sizes in tables.values()), 1),
        "tables": tables,
        "indexes": {name: round(size / rows, 1) for name, size in found if size > rows / 10},
    }


if __name__ == "__main__":
    main()
