"""Microseconds of one core for the pure middle: `python -m tests.benchmarks.pure`.

Ordinary 20 KB Python events: 30 frames with lines and variables, 12 breadcrumbs, a request, contexts.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from typing import Any

from app.base.json import decode
from app.grouping import group
from app.normalize import scrub, tags, titles
from app.normalize.event import Sender, normalise
from app.normalize.limits import Limits
from app.normalize.read import read
from tests.normalize.senders import RECEIVED, envelope, record

EVENTS = 200
#: One event in four has letters beyond ASCII.
NAMES = ["ada", "grace", "edsger", "Zoë Müller"]
WORDS = ["order", "cart", "price", "customer", "invoice", "ledger", "stock", "parcel", "refund", "ticket"]


def payload(seed: int, issues: int = 20) -> dict[str, Any]:
    """One event of one of so many issues."""
    some = random.Random(seed)
    issue = random.Random(seed % issues)
    return {
        "level": "error",
        "platform": "python",
        "timestamp": "2026-11-22T13:59:58.250000Z",
        "transaction": f"/api/{issue.choice(WORDS)}/{{id}}/",
        "release": "shop@1.4.2",
        "environment": "production",
        "server_name": "web-3.eu.example",
        "exception": {
            "values": [
                {
                    "type": "ValueError",
                    "value": f"cannot load {issue.choice(WORDS)} {some.randint(1, 10**6)}",
                    "module": None,
                    "mechanism": {"type": "django", "handled": False},
                    "stacktrace": {"frames": [frame(some, issue, depth) for depth in range(30)]},
                }
            ]
        },
        "breadcrumbs": {"values": [crumb(some) for _ in range(12)]},
        "request": {
            "url": f"https://shop.example.com/api/{some.randint(1, 10**6)}/",
            "method": "POST",
            "headers": {
                "Host": "shop.example.com",
                "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
                "Accept": "*/*",
                "Accept-Language": "en-GB,en;q=0.5",
                "Accept-Encoding": "gzip, deflate, br, zstd",
                "Content-Type": "application/json",
                "Referer": "https://shop.example.com/cart/?page=2",
                "Authorization": "[Filtered]",
                "Cookie": "[Filtered]",
                "X-Csrftoken": "[Filtered]",
            },
            "cookies": {"csrftoken": "[Filtered]", "theme": "dark"},
            "data": {"quantity": 3, "note": "[Filtered]"},
            "query_string": "page=2&sort=desc",
            "env": {"SERVER_NAME": "shop.example.com", "SERVER_PORT": "443"},
        },
        "user": {"id": str(some.randint(1, 50_000)), "username": some.choice(NAMES)},
        "tags": {name: some.choice(WORDS) for name in ("tenant", "plan", "region", "feature", "worker")},
        "contexts": {
            "runtime": {"name": "CPython", "version": "3.13.1", "build": "3.13.1 (main)"},
            "trace": {"trace_id": f"{some.getrandbits(128):032x}", "span_id": f"{some.getrandbits(64):016x}"},
            "order": {"id": some.randint(1, 10**6), "items": [{"sku": "SKU-1", "qty": 2}] * 4},
        },
        "extra": {"sys.argv": ["manage.py", "runserver"], "digest": f"{some.getrandbits(128):032x}"},
        "modules": {f"package-{n}": f"1.{n}.0" for n in range(60)},
        "sdk": {
            "name": "sentry.python.django",
            "version": "2.75.0",
            "integrations": ["django", "logging", "redis"],
        },
    }


def frame(some: random.Random, issue: random.Random, depth: int) -> dict[str, Any]:
    word, in_app = issue.choice(WORDS), depth % 3 == 0
    path = f"/srv/shop/shop/{word}.py" if in_app else f"/venv/lib/python3.13/site-packages/django/{word}.py"
    line = f"        result = {word}_total(request, {word}_id)"
    return {
        "filename": f"shop/{word}.py",
        "abs_path": path,
        "function": f"load_{word}_{depth}",
        "module": f"shop.{word}",
        "lineno": issue.randint(1, 400),
        "in_app": in_app,
        "context_line": line,
        "pre_context": [around(issue) for _ in range(5)],
        "post_context": [around(issue) for _ in range(5)],
        "vars": {
            f"{word}_id": str(some.randint(1, 10**6)),
            "request": "<WSGIRequest: POST '/api/'>",
            **variables(some, depth),
        },
    }


def variables(some: random.Random, depth: int) -> dict[str, Any]:
    """Structures here and there, as Python's SDK sends them: representations as text, in lists and dicts."""
    if depth % 5 == 0:
        return {
            "self": f"<shop.{some.choice(WORDS)}.Loader object at 0x7f3a{some.getrandbits(32):08x}>",
            "lines": [{"sku": f"'SKU-{some.randint(1, 999)}'", "quantity": "2"}],
            "kwargs": {"customer": {"name": "'Ada'", "groups": ["'eu'", "'new'"]}},
        }
    if depth % 7 == 0:
        return {"queryset": "<QuerySet [<Order: 1>, <Order: 2>]>", "options": "{'retry': True}", "args": []}
    return {}


def around(issue: random.Random) -> str:
    """A line of code, the same in every event of an issue, of about the length that lines have."""
    word, other = issue.choice(WORDS), issue.choice(WORDS)
    return issue.choice(("", f"    if {word} > {other}:", f"    {word} = self.{other}_of({word})"))


def crumb(some: random.Random) -> dict[str, Any]:
    return {
        "timestamp": "2026-11-22T13:59:57.100000Z",
        "type": "query",
        "category": "query",
        "level": "info",
        "message": f'SELECT "id", "state" FROM "shop_{some.choice(WORDS)}" WHERE "id" = %s LIMIT 21',
        "data": {"db.params": [some.randint(1, 10**6)]},
    }


def per_event(work: Callable[[int], object], events: int = EVENTS, rounds: int = 5) -> float:
    """The best of some rounds, in microseconds per event."""
    best = float("inf")
    for _ in range(rounds):
        begun = time.process_time()
        for index in range(events):
            work(index)
        best = min(best, (time.process_time() - begun) / events * 1e6)
    return best


def main() -> None:
    raws = [json.dumps(payload(seed)).encode() for seed in range(EVENTS)]
    records = [
        record(envelope(({"type": "event"}, raw), event_id=f"{n:032x}"), "envelope")
        for n, raw in enumerate(raws)
    ]
    sender = Sender(1, 2, RECEIVED, "a" * 32, looks_clean=True)
    normalised = [normalise(decode(raw).value, sender) for raw in raws]  # type: ignore[arg-type]
    payloads = [[decode(raw).value for raw in raws] for _ in range(6)]
    used = iter(range(10**9))
    suspicious = sum(scrub.suspicious(raw) for raw in raws)
    figures = {
        "decode": per_event(lambda n: decode(raws[n])),
        "look for secrets in the bytes": per_event(lambda n: scrub.suspicious(raws[n])),
        "normalise, scrub, tags, titles": per_event(
            lambda n: normalise(payloads[next(used) // EVENTS][n], sender)  # type: ignore[arg-type]
        ),
        "  of it scrub by name": per_event(lambda n: scrub.scrub(normalised[n].data, by_looks=False)),
        "  of it tags": per_event(lambda n: tags.derived(normalised[n].data, "id:7")),
        "  of it titles": per_event(
            lambda n: (titles.title(normalised[n].data), titles.culprit(normalised[n].data))
        ),
        "scrub by looks as well": per_event(lambda n: scrub.scrub(normalised[n].data, by_looks=True)),
        "group": per_event(lambda n: group(normalised[n])),
        "read, all of it (without gunzip)": per_event(lambda n: read(records[n], Limits())),
    }
    print(f"{len(raws[0])} bytes of JSON, {suspicious} of {EVENTS} events look suspicious")
    for name, micros in figures.items():
        print(f"{micros:8.1f} µs  {name}")


if __name__ == "__main__":
    main()
