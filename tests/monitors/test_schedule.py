"""When jobs are due, by the clocks of their zones."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.item import Schedule
from app.monitors.schedule import NEVER, next_due, words


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("schedule", "after", "due"),
    [
        (Schedule(crontab="15 2 * * *"), "2026-11-22 14:00", "2026-11-23 02:15"),
        (Schedule(crontab="15 2 * * *"), "2026-11-22 02:15", "2026-11-23 02:15"),
        (Schedule(crontab="15 2 * * *", timezone="Europe/Oslo"), "2026-11-22 14:00", "2026-11-23 01:15"),
        (Schedule(crontab="15 2 * * *", timezone="Europe/Oslo"), "2026-07-01 14:00", "2026-07-02 00:15"),
        # 02:30 does not exist on the day the clocks go forward.
        (Schedule(crontab="30 2 * * *", timezone="Europe/Oslo"), "2026-03-28 12:00", "2026-03-29 01:00"),
        # 02:30 comes twice on the day the clocks go back; the job runs once.
        (Schedule(crontab="30 2 * * *", timezone="Europe/Oslo"), "2026-10-24 12:00", "2026-10-25 00:30"),
        (Schedule(crontab="30 2 * * *", timezone="Europe/Oslo"), "2026-10-25 00:30", "2026-10-26 01:30"),
        (Schedule(crontab="0 0 31 2 *"), "2026-01-01 00:00", ""),
        (Schedule(every=90, unit="minute"), "2026-01-01 00:00", "2026-01-01 01:30"),
        (Schedule(every=2, unit="week"), "2026-01-01 00:00", "2026-01-15 00:00"),
        (Schedule(every=1, unit="month"), "2026-01-31 10:00", "2026-02-28 10:00"),
        (Schedule(every=1, unit="year"), "2024-02-29 10:00", "2025-02-28 10:00"),
        (Schedule(every=1_000_000, unit="year"), "2026-01-01 00:00", ""),
    ],
)
def test_when_a_job_is_due(schedule: Schedule, after: str, due: str) -> None:
    assert next_due(schedule, at(after)) == (at(due) if due else NEVER)


@given(
    schedule=st.builds(
        Schedule,
        every=st.integers(1, 1_000_000),
        unit=st.sampled_from(["year", "month", "week", "day", "hour", "minute"]),
        timezone=st.sampled_from(["UTC", "Europe/Oslo", "Asia/Kathmandu", "America/St_Johns"]),
    ),
    after=st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)),  # noqa: DTZ001 its zone follows
)
def test_what_is_due_is_behind(schedule: Schedule, after: datetime) -> None:
    assert next_due(schedule, after.replace(tzinfo=UTC)) > after.replace(tzinfo=UTC)


def test_words() -> None:
    assert words(Schedule(crontab="15 2 * * *", timezone="Europe/Oslo")) == "15 2 * * * (Europe/Oslo)"
    assert words(Schedule(every=1, unit="day")) == "every day"
    assert words(Schedule(every=2, unit="hour")) == "every 2 hours"
