"""bench similar: a hundred thousand issues, a fifth of them near twins: is what resembles one found at once?

Each issue is signed and written as the task does it, from an event of 5 to 30 frames. Then issues are asked
for what resembles them: ones that are alone, ones with a single relative (one frame and one word differ; how
often it is found), near twins that came first and such that came when the bands they share were full. At last
a signed-in person asks for the pages.
"""

from __future__ import annotations

import itertools
import os
import random
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import django
import psycopg

from tests.benchmarks import report
from tests.benchmarks.scale import latencies
from tests.benchmarks.stand import shipped_services, stand_of
from tests.docker.test_processes import CLOCKED, Person

AT_ONCE = 100
#: Of five issues the first is a near twin of all such, the third a relative of the second, the others alone.
TWIN, PARENT, RELATIVE, EACH = 0, 1, 2, 5
# fmt: off
VERBS = [
    "get", "save", "load", "send", "build", "check", "find", "make", "run", "parse", "apply", "close", "read",
    "write", "list", "drop",
]
NOUNS = [
    "order", "user", "cart", "total", "rate", "page", "item", "file", "row", "mail", "stock", "till",
    "parcel", "refund", "voucher", "report",
]
WORDS = [
    "cannot", "read", "value", "of", "the", "key", "for", "user", "order", "missing", "connection", "refused",
    "timed", "out", "while", "invalid", "literal", "database", "server", "closed", "unexpectedly", "no",
    "such", "table", "column", "field", "expected", "got", "none", "type", "object",
]
TYPES = [
    "KeyError", "ValueError", "TypeError", "AttributeError", "OperationalError", "TimeoutError",
    "LookupError",
]
# fmt: on

_ISSUES = """
insert into app_issue (project_id, number, kind, level, platform, title, culprit, metadata, status, substatus,
                       created, first_seen, last_seen, events, users)
select %s, 1000 + n, 'error', 40, 'python', 'KeyError: ' || n, 'shop.pay in charge', '{}', 'unresolved',
    'new', now() - interval '1 hour', now() - interval '1 hour', now(), 1, 1
from generate_series(1, %s) n returning id"""
_NAMES = """
select o.slug, p.slug from app_project p join app_organization o on o.id = p.organization_id
where p.id = %s"""
_SIZES = """
select pg_relation_size('app_issuesignature') + coalesce(pg_relation_size(reltoastrelid), 0),
    pg_relation_size('issue_signature_bands'), pg_indexes_size('app_issuesignature')
from pg_class where oid = 'app_issuesignature'::regclass"""


def main() -> None:
    parser = report.arguments("similar", __doc__, seconds=0)
    parser.set_defaults(issues=100_000)
    parser.add_argument("--requests", type=int, default=200, help="of each kind (%(default)d)")
    report.run("similar", parser, figures)


def figures(options: report.Options) -> dict[str, Any]:
    with shipped_services() as installed:
        stand = stand_of(installed)
        os.environ["DATABASE_URL"] = stand.database
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "app.settings")
        django.setup()
        with psycopg.connect(stand.database, autocommit=True) as connection:
            names = connection.execute(_NAMES, [stand.project]).fetchone()
            assert names, "there is no project"
            written = fill(connection, stand.project, options.issues)
            connection.execute("vacuum analyze")
            told = {**written, **asked(connection, options), "size": size(connection, options.issues)}
        for name in CLOCKED:
            installed.stage.begin(name)
        person = Person(stand.url)
        person.sign_in(installed.word("E-mail"), installed.word("Password"))
        pages = {
            name: latencies(person, f"/{names[0]}/issues/{names[1].upper()}-{page}/", options.requests // 4)
            for name, page in addresses(options.issues).items()
        }
    return {**told, "pages_ms": pages}


def fill(connection: psycopg.Connection[Any], project: int, issues: int) -> dict[str, Any]:
    """Makes the issues and their signatures; what that cost each."""
    from app.grouping import similarity
    from app.models import Issue
    from app.store import similar

    ids = [issue_id for (issue_id,) in connection.execute(_ISSUES, [project, issues]).fetchall()]
    connection.execute("analyze app_issue")
    chance = random.Random(7)
    made = events(chance)
    signing = writing = 0.0
    for start in range(0, len(ids), AT_ONCE):
        batch = []
        for issue_id, data in zip(ids[start : start + AT_ONCE], made, strict=False):
            before = time.perf_counter()
            batch.append((Issue(pk=issue_id, project_id=project), similarity.signature(data)))
            signing += time.perf_counter() - before
        before = time.perf_counter()
        similar.write(batch)
        writing += time.perf_counter() - before
    return {
        "issues": issues,
        "us_per_signature": by_frames(chance),
        "us_per_issue": {"signing": round(signing / issues * 1e6), "writing": round(writing / issues * 1e6)},
    }


def events(chance: random.Random) -> Iterator[dict[str, Any]]:
    """One for each issue, in the order of the kinds above."""
    twin = event(chance, 20)
    for place in itertools.count():
        if place % EACH == TWIN:
            yield like(twin, chance)
            continue
        alone = event(chance, chance.randint(5, 30))
        if place % EACH == PARENT:
            parent = alone
        yield like(parent, chance) if place % EACH == RELATIVE else alone


def event(chance: random.Random, frames: int) -> dict[str, Any]:
    """An error somewhere in a program of 4,096 functions."""
    value = " ".join(chance.choices(WORDS, k=8))
    made = [frame(chance) for _ in range(frames)]
    one = {"type": chance.choice(TYPES), "value": value, "stacktrace": {"frames": made}}
    return {"platform": "python", "exception": {"values": [one]}}


def frame(chance: random.Random) -> dict[str, Any]:
    verb, noun, module = chance.choice(VERBS), chance.choice(NOUNS), chance.choice(NOUNS)
    path = f"shop/{module}.py"
    return {
        "function": f"{verb}_{noun}",
        "module": f"shop.{module}",
        "filename": path,
        "abs_path": f"/srv/{path}",
        "context_line": f"    return {noun}",
        "lineno": chance.randint(1, 400),
        "in_app": True,
    }


def like(twin: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """The same error with one frame and one word changed."""
    (one,) = twin["exception"]["values"]
    frames, words = list(one["stacktrace"]["frames"]), one["value"].split()
    frames[chance.randrange(len(frames))] = frame(chance)
    words[chance.randrange(len(words))] = chance.choice(WORDS)
    changed = {**one, "value": " ".join(words), "stacktrace": {"frames": frames}}
    return {**twin, "exception": {"values": [changed]}}


def by_frames(chance: random.Random) -> dict[str, int]:
    from app.grouping import similarity

    told = {}
    for count in (5, 20, 40):
        events = [event(chance, count) for _ in range(200)]
        best = min(seconds(lambda: [similarity.signature(each) for each in events]) for _ in range(5))  # noqa: B023
        told[f"{count} frames"] = round(best / len(events) * 1e6)
    return told


def asked(connection: psycopg.Connection[Any], options: report.Options) -> dict[str, Any]:
    """Milliseconds of `similar` by kind of issue, and of the sweep when it finds nothing to do."""
    from app.models import Issue
    from app.store import similar

    rows = connection.execute("select id from app_issue where number > 1000 order by id").fetchall()
    ids = [issue_id for (issue_id,) in rows]
    twins, chance = ids[TWIN::EACH], random.Random(8)
    kinds = {
        "alone": ids[RELATIVE + 1 :: EACH],
        "with a relative": ids[RELATIVE::EACH],
        "near twins, the first": twins[: similar.LISTED],
        "near twins, later": twins[len(twins) // 2 :],
    }
    parents = dict(zip(ids[RELATIVE::EACH], ids[PARENT::EACH], strict=False))
    times, counts, met = {}, {}, []
    for name, some in kinds.items():
        issues = list(Issue.objects.filter(pk__in=chance.sample(some, min(options.requests, len(some)))))
        found = {issue.pk: dict(similar.similar(issue, [issue.project_id]) or ()) for issue in issues}
        counts[name] = [len(each) for each in found.values()]
        met += [parents[pk] in each for pk, each in found.items() if pk in parents]
        times[name] = spread(
            [seconds(lambda: similar.similar(issue, [issue.project_id])) for issue in issues]  # noqa: B023
        )
    return {
        "similar_ms": times,
        "found": {name: round(sum(each) / len(each), 1) for name, each in counts.items()},
        "relatives_found": round(sum(met) / len(met), 3),
        "missing_ms": spread([seconds(lambda: similar.missing(AT_ONCE)) for _ in range(20)]),
    }


def seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def spread(taken: Sequence[float]) -> dict[str, float]:
    times = sorted(taken)
    at = {"p50": times[len(times) // 2], "p95": times[int(len(times) * 0.95)], "max": times[-1]}
    return {name: round(value * 1000, 2) for name, value in at.items()}


def size(connection: psycopg.Connection[Any], issues: int) -> dict[str, float]:
    row = connection.execute(_SIZES).fetchone()
    assert row
    table, bands, indexes = row
    return {
        "table_mb": round(table / 1e6, 1),
        "bands_mb": round(bands / 1e6, 1),
        "indexes_mb": round(indexes / 1e6, 1),
        "bytes_per_issue": round((table + indexes) / issues),
    }


def addresses(issues: int) -> dict[str, str]:
    """Pages by name, behind the project's slug."""
    from app.base.shortid import encode

    first, late = 1001 + TWIN, 1001 + TWIN + (issues - 1) // EACH * EACH
    return {
        "alone": f"{encode(1001 + RELATIVE + 1)}/similar",
        "with a relative": f"{encode(1001 + RELATIVE)}/similar",
        "near twin, the first": f"{encode(first)}/similar",
        "near twin, the last": f"{encode(late)}/similar",
    }


if __name__ == "__main__":
    main()
