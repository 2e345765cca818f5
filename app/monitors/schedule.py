"""When a job is to run next. Pure."""

from __future__ import annotations

import calendar
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from app.item import Schedule

_UNITS = {
    "minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1),
    "week": timedelta(weeks=1),
}  # fmt: skip
#: Of the last year that there is.
NEVER = datetime(9999, 1, 1, tzinfo=UTC)


def next_due(schedule: Schedule, after: datetime) -> datetime:
    """The first time behind this one, by the clocks of the schedule's zone; intervals count from it."""
    zone = ZoneInfo(schedule.timezone)
    local = after.astimezone(zone)
    if schedule.crontab:
        try:
            return next(CronSim(schedule.crontab, local)).astimezone(UTC)
        except (CronSimError, StopIteration, OverflowError):
            return NEVER
    try:
        if schedule.unit in _UNITS:
            return after.astimezone(UTC) + schedule.every * _UNITS[schedule.unit]
        months = schedule.every * (12 if schedule.unit == "year" else 1)
        return _months_later(local, months).astimezone(UTC)
    except (OverflowError, ValueError):
        return NEVER


def _months_later(at: datetime, months: int) -> datetime:
    """The same day and hour, or the last day of a month that is shorter."""
    years, month = divmod(at.month - 1 + months, 12)
    year = at.year + years
    last = calendar.monthrange(year, month + 1)[1]
    return at.replace(year=year, month=month + 1, day=min(at.day, last))


def words(schedule: Schedule) -> str:
    """As people say it: "every 2 hours", "15 2 * * * (Europe/Oslo)"."""
    if schedule.crontab:
        return f"{schedule.crontab} ({schedule.timezone})"
    return f"every {schedule.unit}" if schedule.every == 1 else f"every {schedule.every} {schedule.unit}s"
