"""bench grouping: what it costs to make an event's hashes, over events of many platforms.

Every stack trace is one that was never seen before, though of frames that were, as in a program that fails in
new ways: the worst that is usual. `known` is an event of an issue that was seen before, as most are.

`issues_of_errors`: how many issues the events of five errors fall into on each platform, and should.
"""

from __future__ import annotations

import copy
import gc
import random
import time
from collections.abc import Callable, Iterator
from typing import Any

from app.base.json import encode
from app.event import Event
from app.grouping import grouped, memory
from app.grouping.configs import Config, config
from app.normalize.limits import Limits
from app.normalize.read import parts
from tasks.processes import COLLECT_AFTER
from tests.benchmarks import report
from tests.events import NAMES, payload
from tests.grouping import corpus
from tests.normalize.senders import envelope, record

#: Frames of every event, in all of its exceptions together.
FRAMES = 20
GROUP = 50


def main() -> None:
    parser = report.arguments("grouping", __doc__, seconds=0)
    parser.add_argument("--events", type=int, default=4000, help="of all platforms (%(default)d)")
    parser.add_argument("--rules", type=int, default=100, help="of the project (%(default)d)")
    report.run("grouping", parser, figures)


def figures(options: report.Options) -> dict[str, Any]:
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)  # as in a worker
    frames = records(options.events)
    builtin, own = config(), config("", *rules(options.rules))
    rounds = [_round(frames, builtin, own) for _ in range(3)]
    best = {name: min(one[name] for one in rounds) for name in rounds[0]}
    return {
        "us_per_event": best["fresh"],
        "with_project_rules": best["ruled"],
        "ratio": report.ratio(best["ruled"], best["fresh"]),
        "known": best["known"],
        "without_rules": best["bare"],
        "events": len(frames),
        "issues_of_errors": {
            name: f"{len(set.union(*found.values()))} of {len(found)}"
            for name, found in ((name, corpus.found(name, options.events // len(NAMES))) for name in NAMES)
        },
    }


def _round(frames: list[bytes], builtin: Config, own: Config) -> dict[str, float]:
    return {
        "bare": _timed(frames, config("2026-11"), is_fresh=True),
        "fresh": _timed(frames, builtin, is_fresh=True),
        "ruled": _timed(frames, own, is_fresh=True),
        "known": _timed(frames, builtin, is_fresh=False),
    }


def _timed(frames: list[bytes], chosen: Config, *, is_fresh: bool) -> float:
    """Microseconds of one core per event, in groups as in a worker; every frame came before."""
    for group in _groups(frames):
        for event in group:
            grouped(event, chosen)
    spent = 0.0
    for group in _groups(frames):
        began = time.process_time()
        for event in group:
            if is_fresh:
                memory.forget()
            grouped(event, chosen)
        spent += time.process_time() - began
    return round(spent / len(frames) * 1e6, 1)


def records(count: int) -> list[bytes]:
    """Events of all platforms, with FRAMES frames each."""
    made = [_lengthened(payload(name), random.Random(number)) for number, name in _numbered(count)]
    return [
        record(envelope(({"type": "event"}, encode(one)), event_id=f"{number:032x}"), kind="envelope")
        for number, one in enumerate(made)
    ]


def _numbered(count: int) -> list[tuple[int, str]]:
    names = [name for name in NAMES if _traces(payload(name))]
    return [(number, names[number % len(names)]) for number in range(count)]


def _traces(event: dict[str, Any]) -> list[dict[str, Any]]:
    found = event.get("exception") or event.get("sentry.interfaces.Exception") or []
    values = found.get("values", [found]) if isinstance(found, dict) else found
    return [one["stacktrace"] for one in values if one.get("stacktrace")]


def _lengthened(event: dict[str, Any], some: random.Random) -> dict[str, Any]:
    """The event with its frames in another order and number, each still of its own language."""
    event = copy.deepcopy(event)
    traces = _traces(event)
    for trace in traces:
        own = trace["frames"]
        trace["frames"] = [
            {**own[some.randrange(len(own))], "lineno": some.randrange(1, 900)}
            for _ in range(FRAMES // len(traces))
        ]
    return event


def _groups(frames: list[bytes]) -> Iterator[list[Event]]:
    for at in range(0, len(frames), GROUP):
        yield [event for part in parts(b"".join(frames[at : at + GROUP]), Limits()) for event in part.events]


def rules(count: int) -> tuple[str, str]:
    """A project's own rules: half about stack traces, half fingerprints; one in ten matches something."""
    makes: list[Callable[[int], str]] = [
        lambda n: f"path:**/legacy{n}/** -group",
        lambda n: f"module:shop.module{n}.* -app",
        lambda n: f"function:handle_{n}* ^-group",
        lambda n: f"[ function:run_{n} ] | module:shop.* +app",
        lambda n: "function:main category=entry" if n % 2 else f"error.type:Timeout{n} max-frames=1",
    ]
    named: list[Callable[[int], str]] = [
        lambda n: f"type:Unavailable{n} -> unavailable-{n}",
        lambda n: f'value:"*timeout {n}*" -> timeout-{n}',
        lambda n: f"function:charge_{n} -> {{{{ default }}}} charge",
        lambda n: f"logger:shop.{n} level:error -> {{{{ logger }}}}",
        lambda n: f"tags.server:web-{n} message:*lost* -> lost, {{{{ tags.server }}}}",
    ]
    half = count // 2
    return (
        "\n".join(makes[n % len(makes)](n) for n in range(half)),
        "\n".join(named[n % len(named)](n) for n in range(count - half)),
    )


if __name__ == "__main__":
    main()
