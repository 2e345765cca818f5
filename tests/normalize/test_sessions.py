"""Sessions as SDKs send them: updates of one, and buckets of many."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from app.item import ENDINGS, Invalid, Read, Session, Sessions, Whence
from app.normalize import items, sessions
from app.normalize.items import READERS
from app.normalize.times import iso
from app.options import Filters, Options
from app.wire import envelope
from tests.normalize.senders import ADDRESS, ANSWERED, RECEIVED

WHENCE = Whence(1, 2, RECEIVED, ANSWERED, ADDRESS, "", "", None)
MINUTE = 60_000_000
STARTED = RECEIVED - MINUTE
SID = "7c7b6585-f901-4351-bf8d-02711b721929"


def read(kind: str, payload: Any, whence: Whence = WHENCE) -> Read:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return READERS[kind](body, {"type": kind}, whence)


def update(**changes: Any) -> dict[str, Any]:
    return {
        "sid": SID, "did": "u1", "init": True, "started": iso(STARTED), "status": "ok", "errors": 0,
        "attrs": {"release": "shop@2.1.0+4", "environment": "prod"}, **changes,
    }  # fmt: skip


def one(**changes: Any) -> Session:
    (found,) = read("session", update(**changes)).items
    assert isinstance(found, Session)
    return found


def bucket(**changes: Any) -> dict[str, Any]:
    return {"started": iso(STARTED), "exited": 5, "errored": 2, "crashed": 1, **changes}


def buckets(*found: Any, **attrs: Any) -> dict[str, Any]:
    return {"aggregates": list(found), "attrs": {"release": "shop@1", **attrs}}


def test_an_update() -> None:
    assert one() == Session(
        project_id=1, received=RECEIVED, started=STARTED, sid=SID.replace("-", ""), user="u1",
        release="shop@2.1.0+4", environment="prod", is_first=True, ending=0,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "ending"),
    [
        ({}, "healthy"),
        ({"status": "exited"}, "healthy"),
        ({"errors": 3}, "errored"),
        ({"status": "exited", "errors": 1}, "errored"),
        ({"status": "errored"}, "errored"),
        ({"status": "unhandled"}, "unhandled"),
        ({"status": "abnormal", "abnormal_mechanism": "anr_foreground"}, "abnormal"),
        ({"status": "crashed"}, "crashed"),
        ({"status": "Crashed", "errors": 0}, "crashed"),
        ({"status": None}, "healthy"),
    ],
)
def test_how_a_session_ends(changes: dict[str, Any], ending: str) -> None:
    assert ENDINGS[one(**changes).ending] == ending


def test_only_the_first_update_makes_a_session_count() -> None:
    assert one().is_first
    assert not one(init=False).is_first
    assert one(init=None, seq=0).is_first
    assert not one(init=None, seq=7).is_first
    assert not one(init=None).is_first


def test_a_nil_id_is_nobody_s() -> None:
    assert one(sid="00000000-0000-0000-0000-000000000000").sid == ""


@pytest.mark.parametrize("user", [None, "", True, {"a": 1}])
def test_a_user_that_is_none(user: Any) -> None:
    assert one(did=user).user == ""


def test_the_clock_of_a_client_is_corrected() -> None:
    hours = 5 * 3600 * 1_000_000
    late = WHENCE._replace(sent_at=iso(RECEIVED - hours))
    (found,) = read("session", update(started=iso(STARTED - hours)), late).items
    assert isinstance(found, Session)
    assert found.started == STARTED


@pytest.mark.parametrize(
    ("kind", "payload", "reason"),
    [
        ("session", update(attrs={}), "no_release"),
        ("session", update(attrs={"release": "latest"}), "no_release"),
        ("session", update(attrs=None), "no_release"),
        ("session", update(sid="x"), "no_session_id"),
        ("session", update(sid=None), "no_session_id"),
        ("session", update(status="asleep"), "unknown_status"),
        ("session", update(started=None), "no_timestamp"),
        ("session", update(started=iso(RECEIVED + 2 * MINUTE)), "future_timestamp"),
        ("session", update(started=iso(RECEIVED - 6 * 86400 * 1_000_000)), "past_timestamp"),
        ("session", b"{", "unreadable"),
        ("session", [], "unreadable"),
        ("sessions", buckets(bucket(), release=""), "no_release"),
        ("sessions", {"attrs": {"release": "a"}}, "unreadable"),
    ],
)
def test_what_is_no_session(kind: str, payload: Any, reason: str) -> None:
    with pytest.raises(Invalid, match=reason):
        read(kind, payload)


def test_buckets_that_a_server_counted() -> None:
    found = read("sessions", buckets(bucket(did="u1"), bucket(exited=None, abnormal=4), environment="prod"))
    first, second = found.items
    assert first == Sessions(
        project_id=1, received=RECEIVED, started=STARTED, user="u1", release="shop@1", environment="prod",
        counts=(5, 2, 0, 0, 1),
    )  # fmt: skip
    assert isinstance(second, Sessions)
    assert second.counts == (0, 2, 0, 4, 1)
    assert found.counts == {("session", "accepted", ""): 2}


def test_a_bucket_that_makes_no_sense_does_not_touch_its_neighbours() -> None:
    found = read("sessions", buckets(bucket(), 7, bucket(started="soon"), bucket(crashed=-3)))
    assert len(found.items) == 2
    assert found.counts == {
        ("session", "accepted", ""): 2,
        ("session", "invalid", "unreadable"): 1,
        ("session", "invalid", "no_timestamp"): 1,
    }


def test_too_many_buckets_are_cut() -> None:
    found = read("sessions", buckets(*[bucket()] * (sessions.MOST + 5)))
    assert len(found.items) == sessions.MOST
    assert found.counts["session", "invalid", "too_many"] == 5


def test_an_envelope_holds_a_hundred_updates() -> None:
    item = envelope.Item({"type": "session"}, memoryview(json.dumps(update()).encode()))
    once = items.read("k", [item] * 103, WHENCE)
    assert len(once.items) == 100
    assert {(one.outcome, one.reason, one.quantity) for one in once.counts} == {
        ("accepted", "", 100), ("invalid", "too_many", 3),
    }  # fmt: skip


def test_releases_that_are_filtered() -> None:
    whence = WHENCE._replace(options=Options(filters=Filters(releases=["shop@*"])))
    filtered = Counter({("session", "filtered", "release-version"): 1})
    assert read("session", update(), whence) == Read([], filtered)
    assert read("sessions", buckets(bucket()), whence) == Read([], filtered)
