"""Stores events by the store's own function, a process of its own: `python -m tests.benchmarks.fill …`.

What is stored was read and grouped once for each body of the corpus, and is then recorded again and again
under new ids, at times that are spread over the days before today. Prints a line for every so many events:
seconds since the start, and microseconds of CPU per event here and in the database session.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import time
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.event import Event

GROUP = 100
#: Events after which the dictionaries are trained, as a task does in the first ten minutes.
TRAINED = 2000
DAY = 86_400_000_000  # µs


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("database")
    parser.add_argument("project", type=int)
    parser.add_argument("key", type=int)
    parser.add_argument("--events", type=int, required=True)
    parser.add_argument("--every", type=int, required=True)
    parser.add_argument("--issues", type=int, default=200)
    parser.add_argument("--corpus", default="python")
    parser.add_argument("--days", type=int, default=10)
    given = parser.parse_args()
    os.environ |= {"DATABASE_URL": given.database, "DJANGO_SETTINGS_MODULE": "app.settings"}
    import django

    django.setup()
    fill(given)


def fill(given: argparse.Namespace) -> None:
    import psutil
    from django.db import connection

    from app.base import clock
    from app.store import bodies, training
    from app.store.record import record

    known, chance, now = read(given), random.Random(os.getpid()), clock.micros()
    with connection.cursor() as cursor:
        cursor.execute("select pg_backend_pid()")
        session = psutil.Process(cursor.fetchone()[0])
    begun, here, there = time.monotonic(), time.process_time(), sum(session.cpu_times()[:2])
    done = told = 0
    while done < given.events:
        group = [again(chance.choice(known), chance, now, given.days) for _ in range(GROUP)]
        record(group)
        done += GROUP
        if done == TRAINED:
            training.train()
            bodies.forget()
        if done - told >= given.every or done >= given.events:
            spent = time.process_time() - here, sum(session.cpu_times()[:2]) - there
            micros = [round(seconds / (done - told) * 1e6, 1) for seconds in spent]
            print(json.dumps({"at": time.monotonic() - begun, "done": done, "us": micros}))
            sys.stdout.flush()
            here, there, told = time.process_time(), sum(session.cpu_times()[:2]), done


def read(given: argparse.Namespace) -> list[Event]:
    """Every body of the corpus as the workers make it of a request."""
    from app.base import clock
    from app.grouping import group
    from app.normalize.limits import Limits
    from app.normalize.read import parts
    from app.wire.record import Accepted, frame
    from tests.benchmarks.bodies import VARIANTS, bodies

    events = []
    for body in islice(bodies(given.issues, corpus=given.corpus), VARIANTS * given.issues):
        record = Accepted(
            received=clock.micros(),
            project_id=given.project,
            key_id=given.key,
            kind="envelope",
            encoding="gzip",
            client="bench",
            address="",
            agent="",
            event_id="0" * 32,
            body=body,
        )
        [event] = [event for part in parts(frame(record), Limits()) for event in part.events]
        event.grouping = group(event)
        events.append(event)
    return events


def again(event: Event, chance: random.Random, now: int, days: int) -> Event:
    """The same under a new id, received at some time of the last days."""
    from msgspec.structs import replace

    received = now - chance.randrange(days * DAY)
    user = f"id:{chance.randrange(50_000)}"
    return replace(
        event, event_id=f"{chance.getrandbits(128):032x}", received=received, timestamp=received, user=user
    )


if __name__ == "__main__":
    main()
