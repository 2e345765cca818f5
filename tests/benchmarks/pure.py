"""Microseconds of one core for the pure middle: `python -m tests.benchmarks.pure [--json]`.

Ordinary 20 KB Python events: 30 frames with lines and variables, 12 breadcrumbs, a request, contexts.
"""

from __future__ import annotations

import gzip
import json
import random
import sys
import time
from collections.abc import Callable
from typing import Any

import msgspec

from app.base.json import decode, encode
from app.event import Event
from app.grouping import group
from app.normalize import glance, regular, screen
from app.normalize.event import Sender, normalise
from app.normalize.glance import Glance
from app.normalize.limits import Limits
from app.normalize.opaque import Irregular
from app.normalize.read import parts
from app.normalize.shortcut import ShortWay
from app.wire import compress
from app.wire.envelope import split
from tests.events import NAMES as PLATFORMS
from tests.events import payload as sent_by
from tests.normalize.senders import RECEIVED, envelope, record

EVENTS = 200
MANY = 50
SENDER = Sender(1, 2, RECEIVED, "a" * 32, looks_clean=True)
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


def mixed(seed: int) -> dict[str, Any]:
    """An event of one of many languages, with as many frames and breadcrumbs as they have in the wild."""
    some = random.Random(seed)
    event: dict[str, Any] = sent_by(PLATFORMS[seed % len(PLATFORMS)])
    for thrown in listed(event.get("exception")):
        if trace := thrown.get("stacktrace"):
            calls = [*trace["frames"]] * (20 // len(trace["frames"]) + 1)
            trace["frames"] = [{**one, "lineno": some.randint(1, 900)} for one in calls]
    if crumbs := listed(event.get("breadcrumbs")):
        event["breadcrumbs"] = {"values": crumbs * (20 // len(crumbs) + 1)}
    return event


def listed(value: Any) -> list[dict[str, Any]]:
    """The values of an attribute that comes as {"values": […]}, as a list or not at all."""
    found = value["values"] if isinstance(value, dict) and "values" in value else value
    return found if isinstance(found, list) else []


class Load:
    """Events as they come: gzipped envelopes of one event each."""

    def __init__(self, payloads: list[dict[str, Any]]) -> None:
        self.raws = [json.dumps(one).encode() for one in payloads]
        self.bodies = [
            envelope(({"type": "event"}, raw), event_id=f"{n:032x}") for n, raw in enumerate(self.raws)
        ]
        self.zipped = [gzip.compress(body, 6) for body in self.bodies]
        self.records = [record(body, "envelope", encoding="gzip") for body in self.zipped]
        self.kept = [glanced_event(raw) for raw in self.raws]
        self.short = [regular_event(raw) for raw in self.raws]

    def process(self, n: int) -> None:
        """All of the pure middle, up to the JSON that is compressed."""
        self._process(self.records[n])

    def process_many(self, n: int) -> None:
        """The same, so many at a time as a message brings."""
        if n % MANY == 0:
            self._process(b"".join(self.records[n : n + MANY]))

    def _process(self, group_bytes: bytes) -> None:
        for part in parts(group_bytes, Limits()):
            for event in part.events:
                event.grouping = group(event)
                encode(event.came or event.data)


def glanced_event(raw: bytes) -> Event | None:
    """The event if it can be stored as it came."""
    payload = glance.decoded(raw) if screen.look(raw).may_stay else None
    try:
        return None if payload is None else normalise(payload, SENDER, Glance())
    except Irregular:
        return None


def regular_event(raw: bytes) -> Event | None:
    """The event if it takes the short way."""
    payload = regular.decoded(raw) if screen.look(raw).is_clean else None
    try:
        return None if payload is None else normalise(payload, SENDER, ShortWay())
    except Irregular:
        return None


def figures(events: int = EVENTS) -> dict[str, float]:
    """Microseconds per event of every stage, and shares in percent."""
    load, many = Load([payload(n) for n in range(events)]), Load([mixed(n) for n in range(events)])
    raws, kept = load.raws, [event for event in load.kept if event is not None]
    stages: dict[str, Callable[[int], object]] = {
        "plain decode, to compare": lambda n: msgspec.json.decode(raws[n]),
        "gunzip": lambda n: compress.decompress(load.zipped[n], "gzip", Limits().max_envelope),
        "envelope": lambda n: split(load.bodies[n]),
        "screen": lambda n: screen.look(raws[n]),
        "decode": lambda n: glance.decoded(raws[n]),
        "decode and normalise": lambda n: glanced_event(raws[n]),
        "group": lambda n: group(kept[n % len(kept)]),
        "all of it": load.process,
        f"all of it, {MANY} at a time": load.process_many,
        "all of it, many languages": many.process,
        "screen to JSON, the short way": lambda n: encode(regular_event(raws[n])),
        "all of it, the long way": lambda n: encode(the_long_way(load, n)),
    }
    found = measured(stages, events)
    found["normalise"] = found.pop("decode and normalise") - found["screen"] - found["decode"]
    for name, one in (("", load), (", many languages", many)):
        found[f"kept as they came{name}, percent"] = 100 - 100 * one.kept.count(None) / events
        found[f"short way{name}, percent"] = 100 - 100 * one.short.count(None) / events
    return found


def the_long_way(load: Load, n: int) -> Event:
    event = normalise(decode(load.raws[n]).value, SENDER)  # type: ignore[arg-type]
    event.grouping = group(event)
    return event


def measured(stages: dict[str, Callable[[int], object]], events: int, rounds: int = 5) -> dict[str, float]:
    """The best round of each; the stages take turns, so that a noisy minute spoils none of them."""
    best = dict.fromkeys(stages, float("inf"))
    for _ in range(rounds):
        for name, work in stages.items():
            best[name] = min(best[name], per_event(work, events, rounds=1))
    return best


def main() -> None:
    found = figures()
    if "--json" in sys.argv:
        print(json.dumps({name: round(value, 1) for name, value in found.items()}))
        return
    for name, value in found.items():
        print(f"{value:8.1f}  {name}")


if __name__ == "__main__":
    main()
