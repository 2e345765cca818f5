"""What cost another product events: one bad neighbour, a worker killed in mid-work, an item nobody knows."""

from __future__ import annotations

import gzip
import random
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from functools import partial

import pytest

from app.base import clock
from app.wire.record import Accepted, frame
from tests.faults.parts import Parts, parts
from tests.faults.storm import settle
from tests.flow.installation import ROOT, wait_for
from tests.flow.sending import Sender, at_once, dumps, envelope

PUBLISH = """
import django, sys
django.setup()
from tasks.events import process_group
process_group.publish([sys.stdin.buffer.read()])
"""


@pytest.fixture(scope="module")
def every() -> Iterator[Parts]:
    with parts() as every:
        yield every


@pytest.fixture(scope="module")
def sender(every: Parts) -> Sender:
    sender = Sender(every.dsn)
    wait_for(lambda: answers(sender), "an answer", 60)
    return sender


def answers(sender: Sender) -> bool:
    try:
        return sender.message("the first one").status == 200
    except OSError:
        return False


def stored(every: Parts, ids: list[str]) -> set[str]:
    return {each.hex for (each,) in every.rows("select event_id from app_event")} & set(ids)


def accepted(every: Parts, sender: Sender, event_id: str, body: bytes) -> bytes:
    """What the journal keeps of a request."""
    [(key,)] = every.rows("select min(id) from app_dsnkey")
    return frame(
        Accepted(
            received=clock.micros(),
            project_id=int(sender.project),
            key_id=key,
            kind="envelope",
            encoding="gzip",
            client="by-hand/1",
            address="",
            agent="",
            event_id=event_id,
            body=gzip.compress(body),
        )
    )


def test_a_malformed_event_in_a_message_of_sixty_one_costs_none_of_the_sixty(
    every: Parts, sender: Sender
) -> None:
    ids = [uuid.uuid4().hex for _ in range(60)]
    group = [accepted(every, sender, each, envelope(dumps({"message": "one"}), each)) for each in ids]
    torn = uuid.uuid4().hex
    group.insert(30, accepted(every, sender, torn, envelope(b"no JSON at all", torn)))
    subprocess.run(
        [sys.executable, "-c", PUBLISH], input=b"".join(group), env=every.environment, cwd=ROOT, check=True
    )
    wait_for(lambda: stored(every, ids) == set(ids), "sixty events stored")
    wait_for(lambda: len(every.rows("select reason from app_quarantined")) == 1, "the torn one kept")
    assert stored(every, [torn]) == set()


def test_workers_killed_in_the_midst_of_a_thousand_events_cost_seconds_and_nothing_else(
    every: Parts, sender: Sender
) -> None:
    ids = [uuid.uuid4().hex for _ in range(1000)]
    jobs = [partial(sender.message, "one of a thousand", each) for each in ids]
    answered: list[int] = []
    flood = threading.Thread(target=lambda: answered.extend(each.status for each in at_once(jobs, 8)))
    flood.start()
    wait_for(lambda: len(stored(every, ids)) > 200, "the first of a thousand")
    every.strike(every.pid("worker"), "all", random.Random())
    every.ours["worker"].kill()
    flood.join(60)
    every.ours["worker"].start()
    wait_for(lambda: stored(every, ids) == set(ids), "a thousand events stored", 30)
    assert answered == [200] * 1000
    settle(every)


@pytest.mark.parametrize(
    "unknown",
    [
        b'{"type":"no_such_item","length":7}\n{"a":1}\n',
        b'{"type":"no_such_item"}\n{"a":1}\n',
        b'{"type":"no_such_item","length":3,"content_type":"x/y","more":[1]}\n\x00\xff\n\n',
    ],
    ids=["with a length", "without a length", "with bytes that are no text"],
)
def test_an_item_nobody_knows_before_the_event_does_not_cost_the_event(
    every: Parts, sender: Sender, unknown: bytes
) -> None:
    event_id = uuid.uuid4().hex
    header, _, event = envelope(dumps({"message": "behind it"}), event_id).partition(b"\n")
    answer = sender.envelope(header + b"\n" + unknown + event)
    assert (answer.status, answer.json["id"]) == (200, event_id)
    wait_for(lambda: stored(every, [event_id]), "the event stored")
