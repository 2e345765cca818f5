"""What jobs say of their runs."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.item import CheckIn, Invalid, Read, Schedule, Whence
from app.normalize import checkins
from tests.normalize.senders import ADDRESS, ANSWERED, RECEIVED

WHENCE = Whence(1, 2, RECEIVED, ANSWERED, ADDRESS, "", "", None)
RUN = "83a7c03ed0a04e1b97e2e3b18d38f244"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def read(payload: Any) -> Read:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return checkins.read(body, {"type": "check_in"}, WHENCE)


def one(**changes: Any) -> CheckIn:
    (found,) = read(
        {"check_in_id": RUN, "monitor_slug": "nightly-dump", "status": "in_progress", **changes}
    ).items
    assert isinstance(found, CheckIn)
    return found


def planned(schedule: Any, **config: Any) -> Schedule | None:
    return one(monitor_config={"schedule": schedule, **config}).schedule


def test_a_check_in() -> None:
    found = one(
        status="ok", duration=1.5, environment="prod", release="shop@1",
        contexts={"trace": {"trace_id": TRACE}},
        monitor_config={
            "schedule": {"type": "crontab", "value": "15 2 * * *"}, "checkin_margin": 5, "max_runtime": 40,
            "timezone": "Europe/Oslo", "failure_issue_threshold": 2, "recovery_threshold": 3,
        },
    )  # fmt: skip
    assert found == CheckIn(
        project_id=1, received=RECEIVED, check_in_id=RUN, slug="nightly-dump", status="ok", duration=1500,
        environment="prod", release="shop@1", trace_id=TRACE,
        schedule=Schedule(crontab="15 2 * * *", timezone="Europe/Oslo", margin=5, max_runtime=40, failures=2,
                          recoveries=3),
    )  # fmt: skip
    assert read({"monitor_slug": "a", "status": "ok"}).counts == {("monitor", "accepted", ""): 1}


def test_what_is_not_said_has_its_default() -> None:
    found = one()
    assert (found.environment, found.release, found.duration, found.schedule) == (
        "production",
        "",
        None,
        None,
    )
    assert planned({"type": "interval", "value": 2, "unit": "hour"}) == Schedule(every=2, unit="hour")


@pytest.mark.parametrize("told", ["00000000-0000-0000-0000-000000000000", "", None, "x", 7])
def test_a_check_in_that_names_no_run(told: Any) -> None:
    assert one(check_in_id=told).check_in_id == ""


@pytest.mark.parametrize(
    ("told", "slug"),
    [("Nightly Dump!", "nightly-dump"), ("a_b-c", "a_b-c"), ("x" * 60, "x" * 50), ("--a--", "a"), (7, "7")],
)
def test_slugs(told: Any, slug: str) -> None:
    assert one(monitor_slug=told).slug == slug


@pytest.mark.parametrize(
    "told", [("1.25", 1250), (0, 0), (-1, None), ("x", None), (True, None), ({}, None), (1e99, None)]
)
def test_durations(told: Any) -> None:
    assert one(duration=told[0]).duration == told[1]


@pytest.mark.parametrize(
    ("macro", "fields"),
    [("@daily", "0 0 * * *"), ("@Hourly", "0 * * * *"), ("@weekly", "0 0 * * 0"), ("@monthly", "0 0 1 * *"),
     ("@yearly", "0 0 1 1 *"), ("@annually", "0 0 1 1 *"), (" 5  4 * *  mon ", "5 4 * * mon")],
)  # fmt: skip
def test_crontabs(macro: str, fields: str) -> None:
    assert planned({"type": "crontab", "value": macro}) == Schedule(crontab=fields)


@pytest.mark.parametrize("schedule", [
    None, {}, {"type": "crontab"}, {"type": "crontab", "value": "* * * *"},
    {"type": "crontab", "value": "99 * * * *"},
    {"type": "crontab", "value": 7}, {"type": "interval", "value": 0, "unit": "day"},
    {"type": "interval", "value": 1, "unit": "fortnight"}, {"type": "interval", "value": "1", "unit": "day"},
    {"type": "moon", "value": 1}, [], "x",
])  # fmt: skip
def test_a_schedule_that_makes_no_sense_does_not_lose_the_check_in(schedule: Any) -> None:
    assert planned(schedule) is None


@pytest.mark.parametrize("config", [
    {"timezone": "Mars/Olympus"}, {"timezone": 7}, {"timezone": "../etc/passwd"}, {"checkin_margin": -1},
    {"checkin_margin": "soon"}, {"max_runtime": 10**9}, {"recovery_threshold": True},
])  # fmt: skip
def test_nonsense_beside_the_schedule_has_its_default(config: dict[str, Any]) -> None:
    assert planned({"type": "interval", "value": 1, "unit": "day"}, **config) == Schedule(every=1)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ({"status": "ok"}, "no_monitor"),
        ({"status": "ok", "monitor_slug": "!!"}, "no_monitor"),
        ({"status": "fine", "monitor_slug": "a"}, "unknown_status"),
        ({"monitor_slug": "a"}, "unknown_status"),
        (b"{", "unreadable"),
        ([], "unreadable"),
        (b" " * 100_001, "too_large"),
    ],
)
def test_what_is_no_check_in(payload: Any, reason: str) -> None:
    with pytest.raises(Invalid, match=reason):
        read(payload)


@given(value=st.text(max_size=40))
def test_any_crontab_is_taken_or_not(value: str) -> None:
    found = planned({"type": "crontab", "value": value})
    assert found is None or len(found.crontab.split()) == 5
