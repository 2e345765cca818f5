"""The way of a group: everything in it is stored, counted, or kept with the reason why not."""

from __future__ import annotations

import gzip
import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
import redis
from django.conf import settings
from django.db import connection

from app.base import clock
from app.models import DsnKey, Event, FailedTask, Issue, Notable, Outcome, Quarantined
from app.store import discard, names
from app.store.choices import chosen
from app.wire import windows
from app.wire.record import Accepted, frame
from tasks import events
from tests.factories import DsnKeyFactory
from tests.store.samples import fold
from tests.tasks.crews import database_url

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def nothing_before(transactional_db: None) -> Iterator[None]:
    """Django empties only the tables it made itself, and a process remembers names."""
    with connection.cursor() as cursor:
        cursor.execute("delete from app_event; delete from app_applied")
    names.forget()
    yield
    names.forget()


def request(key: DsnKey, payload: object, **fields: Any) -> bytes:
    """The frame of an accepted envelope with one event; bytes as payload stay as they are."""
    event_id = uuid.uuid4().hex
    raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    body = b"\n".join([json.dumps({"event_id": event_id}).encode(), b'{"type":"event"}', raw])
    values: dict[str, Any] = {
        "received": clock.micros(),
        "project_id": key.project_id,
        "key_id": key.pk,
        "kind": "envelope",
        "encoding": "gzip",
        "client": "sentry.python/2.75.0",
        "address": "127.0.0.1",
        "agent": "",
        "event_id": event_id,
        "body": gzip.compress(body),
    }
    return frame(Accepted(**(values | fields)))


def error(value: str = "'gross'") -> dict[str, Any]:
    frames = [{"function": "charge", "module": "shop.payments", "filename": "payments.py", "in_app": True}]
    exception = {"type": "KeyError", "value": value, "stacktrace": {"frames": frames}}
    return {"platform": "python", "exception": {"values": [exception]}, "release": "shop@1.0.0"}


def test_accepted_bytes_become_an_issue() -> None:
    key = DsnKeyFactory.create()
    events.process(request(key, error()) + request(key, error()))
    fold()
    issue = Issue.objects.get()
    assert (issue.title, issue.events) == ("KeyError: 'gross'", 2)
    assert Notable.objects.get().kind == "new"


def test_a_group_delivered_twice_is_counted_once() -> None:
    key = DsnKeyFactory.create()
    group = request(key, error()) + request(key, b"not json") + request(key, error("'net'"))
    events.process(group)
    events.process(group)
    assert Event.objects.count() == 2
    assert Quarantined.objects.count() == 1
    fold()
    assert dict(Outcome.objects.values_list("outcome", "quantity")) == {"accepted": 2, "invalid": 1}


def test_an_unreadable_event_is_quarantined_and_its_neighbours_are_stored() -> None:
    key = DsnKeyFactory.create()
    good = [request(key, error()) for _ in range(4)]
    events.process(b"".join([*good[:2], request(key, b"\xff\xfe{"), *good[2:]]))
    assert Event.objects.count() == 4
    kept = Quarantined.objects.get()
    assert kept.project == key.project
    assert kept.reason.endswith(".")


def test_an_event_that_cannot_be_grouped_is_quarantined_and_its_neighbours_are_stored(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    key = DsnKeyFactory.create()
    poison = request(key, error("poison"))

    def place(event: Any, chosen: Any) -> None:
        if event.metadata["value"] == "poison":
            raise RecursionError("too deep")
        as_usual(event, chosen)

    as_usual = events.place
    monkeypatch.setattr(events, "place", place)
    events.process(request(key, error()) + poison + request(key, error()))
    assert Event.objects.count() == 2
    kept = Quarantined.objects.get()
    assert bytes(kept.frame) == poison
    assert kept.reason == "Grouping failed with RecursionError: too deep"


def test_an_event_that_cannot_be_stored_is_quarantined_and_its_neighbours_are_stored(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    key = DsnKeyFactory.create()
    poison = request(key, error("poison"))

    def place(event: Any, chosen: Any) -> None:
        as_usual(event, chosen)
        if event.metadata["value"] == "poison":
            event.title = "a lone surrogate \ud800 that normalising would have replaced"

    as_usual = events.place
    monkeypatch.setattr(events, "place", place)
    good = [request(key, error()) for _ in range(9)]
    events.process(b"".join([*good[:5], poison, *good[5:]]))
    fold()
    assert Event.objects.count() == Issue.objects.get().events == 9
    kept = Quarantined.objects.get()
    assert bytes(kept.frame) == poison
    assert "UnicodeEncodeError" in kept.reason


def test_what_was_quarantined_is_stored_when_it_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    key = DsnKeyFactory.create()
    with monkeypatch.context() as broken:
        broken.setattr(events, "place", lambda event, chosen: 1 / 0)
        events.process(request(key, error()))
    kept = Quarantined.objects.get()
    events.replay_quarantined([kept.pk])
    events.replay_quarantined([kept.pk])
    kept.refresh_from_db()
    assert kept.replayed is not None
    fold()
    assert Event.objects.count() == Issue.objects.get().events == 1


def test_a_replay_that_fails_again_stays_in_quarantine() -> None:
    key = DsnKeyFactory.create()
    events.process(request(key, b"not json"))
    kept = Quarantined.objects.get()
    events.replay_quarantined([kept.pk])
    kept.refresh_from_db()
    assert kept.replayed is None
    assert Quarantined.objects.count() == 1


def test_damaged_bytes_are_kept_and_the_records_around_them_are_stored() -> None:
    key = DsnKeyFactory.create()
    damaged = bytearray(request(key, error()))
    damaged[-5] ^= 0xFF
    group = request(key, error()) + bytes(damaged) + request(key, error())
    events.process(group)
    events.process(group)
    assert Event.objects.count() == 2
    assert bytes(FailedTask.objects.get().body or b"") == bytes(damaged)


def test_items_without_a_home_are_counted_once_per_request() -> None:
    key = DsnKeyFactory.create()
    body = b'{}\n{"type":"statsd"}\na:1|c\n{"type":"statsd"}\na:2|c\n{"type":"a_new_thing"}\n{}'
    group = request(key, {}, body=gzip.compress(body))
    events.process(group)
    events.process(group)
    fold()
    counted = Outcome.objects.values_list("outcome", "category", "quantity")
    assert set(counted) == {("filtered", "metric_bucket", 2), ("filtered", "default", 1)}


def test_counts_of_the_accepting_side_are_folded_once() -> None:
    key = DsnKeyFactory.create()
    at = clock.micros()
    rows = [[key.project_id, key.pk, "error", "rate_limited", "key", at, 40]]
    group = request(key, {}, kind="counts", encoding="", body=json.dumps(rows).encode())
    events.process(group)
    events.process(group + request(key, error()))
    fold()
    assert dict(Outcome.objects.values_list("outcome", "quantity")) == {"rate_limited": 40, "accepted": 1}


def test_while_postgresql_is_away_the_group_waits_and_then_is_stored(broken: Callable[[bool], None]) -> None:
    key = DsnKeyFactory.create()
    events.process(request(key, error()))
    group = b"".join(request(key, error()) for _ in range(5))
    broken(True)

    def work() -> None:
        events.process(group)
        connection.close()

    worker = threading.Thread(target=work)
    worker.start()
    worker.join(timeout=0.5)
    assert worker.is_alive()
    broken(False)
    worker.join(timeout=30)
    fold()
    assert Event.objects.count() == Issue.objects.get().events == 6


def test_a_connection_that_was_cut_is_made_again() -> None:
    key = DsnKeyFactory.create()
    events.process(request(key, error()))
    with connection.cursor() as cursor:
        cursor.execute("select pg_backend_pid()")
        pid = cursor.fetchone()[0]
    with psycopg.connect(database_url(), autocommit=True) as other:
        other.execute("select pg_terminate_backend(%s)", [pid])
    events.process(request(key, error()))
    fold()
    assert Event.objects.count() == Issue.objects.get().events == 2


@pytest.fixture
def broken(transactional_db: None) -> Iterator[Callable[[bool], None]]:
    """Cuts everyone off from the database, or lets them in again."""
    name = connection.settings_dict["NAME"]
    outside = psycopg.conninfo.make_conninfo(database_url(), dbname="postgres")

    def cut(away: bool) -> None:
        connection.close()
        with psycopg.connect(outside, autocommit=True) as other:
            other.execute(f"alter database {name} allow_connections {not away}")
            if away:
                other.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", [name]
                )

    yield cut
    cut(False)


def test_what_a_filter_met_uses_up_nothing_of_its_key_s_limit() -> None:
    key = DsnKeyFactory.create(rate_limit=5, rate_window=86400)
    other = DsnKeyFactory.create(project=key.project)
    key.project.options = {"filters": {"messages": ["boring*"]}}
    key.project.save()
    chosen.forget()
    cache = settings.CACHES["default"]
    name = f"{cache['KEY_PREFIX']}:{windows.name(key.pk, 86400, time.time())}"
    with redis.Redis.from_url(cache["LOCATION"]) as client:
        client.set(name, 4)
        group = [request(key, {"message": "boring thing"}) for _ in range(3)]
        events.process(b"".join([*group, request(key, error()), request(other, {"message": "boring too"})]))
        assert client.get(name) == b"1"
        assert 0 < client.ttl(name) <= 2 * 86400
        assert not client.keys(f"{cache['KEY_PREFIX']}:quota:{other.pk}:*")
        client.delete(name)
    chosen.forget()


def test_filtered_events_are_counted_also_while_redis_is_away(settings: Any) -> None:
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}}
    key = DsnKeyFactory.create(rate_limit=5, rate_window=60)
    key.project.options = {"off": ["error"]}
    key.project.save()
    chosen.forget()
    events.process(request(key, error()))
    chosen.forget()
    fold()
    assert Outcome.objects.get().reason == "disabled"


def test_what_is_discarded_uses_up_nothing_of_its_key_s_limit() -> None:
    key = DsnKeyFactory.create(rate_limit=5, rate_window=86400)
    events.process(request(key, error()))
    discard.discard([Issue.objects.get().pk], None, "user:1:a")
    cache = settings.CACHES["default"]
    name = f"{cache['KEY_PREFIX']}:{windows.name(key.pk, 86400, int(time.time()))}"
    with redis.Redis.from_url(cache["LOCATION"]) as client:
        client.set(name, 3)
        events.process(request(key, error()))
        left = client.get(name)
        client.delete(name)
    assert left == b"2"
    assert Event.objects.count() == 1
