"""Check-ins of jobs that run by the clock."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, cast
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from app.base.text import storable
from app.item import CheckIn, Headers, Invalid, Read, Schedule, Whence
from app.normalize import labels, payloads
from app.normalize.logs import identifier
from app.normalize.notes import Notes
from app.normalize.quantities import number

SLUG, LARGEST = 50, 100_000
STATUSES = frozenset(("in_progress", "ok", "error"))
UNITS = frozenset(("year", "month", "week", "day", "hour", "minute"))
#: Minutes that a job may run at most, and that it may be late at most.
LONGEST_RUN, LATEST = 40_320, 40_320
_MACROS = {
    "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
}  # fmt: skip
_NO_SLUG = re.compile(r"[^a-z0-9_-]+")
_NIL = "0" * 32


def read(payload: bytes, headers: Headers, whence: Whence) -> Read:  # noqa: ARG001 what every reader gets
    """One check-in. Raises Invalid."""
    if len(payload) > LARGEST:
        raise Invalid("too_large")
    told = payloads.told(payload)
    return Read([check_in(told, whence)], Counter({("monitor", "accepted", ""): 1}))


def check_in(told: dict[str, Any], whence: Whence) -> CheckIn:
    """Of an object in the words of the protocol. Raises Invalid."""
    status = told.get("status")
    if status not in STATUSES:
        raise Invalid("unknown_status")
    contexts = told.get("contexts")
    trace = contexts.get("trace") if isinstance(contexts, dict) else None
    return CheckIn(
        project_id=whence.project_id,
        received=whence.received,
        check_in_id=_id(told.get("check_in_id")),
        slug=slug(told.get("monitor_slug")),
        status=cast("Any", status),
        duration=_duration(told.get("duration")),
        environment=storable(labels.environment(told.get("environment"), Notes())) or "production",
        release=storable(labels.release(told.get("release"), Notes())),
        trace_id=identifier(trace.get("trace_id"), 32) if isinstance(trace, dict) else "",
        schedule=schedule(told.get("monitor_config")),
    )


def slug(value: object) -> str:
    """Lower case, dashes for what is no letter, digit, dash or underscore. Raises Invalid."""
    text = _NO_SLUG.sub("-", str(value).lower()).strip("-")[:SLUG] if isinstance(value, str | int) else ""
    if not text:
        raise Invalid("no_monitor")
    return text


def schedule(config: object) -> Schedule | None:
    """When the job is to run, as far as that makes sense; None when it does not."""
    told = config.get("schedule") if isinstance(config, dict) else None
    if not isinstance(config, dict) or not isinstance(told, dict):
        return None
    crontab, every, unit = "", 0, str(told.get("unit"))
    if told.get("type") == "crontab":
        crontab = _crontab(told.get("value"))
    elif told.get("type") == "interval" and unit in UNITS:
        every = number(told.get("value"))
    if not crontab and not every:
        return None
    return Schedule(
        crontab=crontab,
        every=every,
        unit=cast("Any", unit if every else "day"),
        timezone=_timezone(config.get("timezone")),
        margin=_minutes(config.get("checkin_margin"), 1, LATEST),
        max_runtime=_minutes(config.get("max_runtime"), 30, LONGEST_RUN),
        failures=_minutes(config.get("failure_issue_threshold"), 1, 720),
        recoveries=_minutes(config.get("recovery_threshold"), 1, 720),
    )


def _crontab(value: object) -> str:
    """Five fields that mean something; "" for anything else."""
    text = _MACROS.get(value.strip().lower(), " ".join(value.split())) if isinstance(value, str) else ""
    return text if len(text.split()) == 5 and _is_crontab(text) else ""


@lru_cache(1024)
def _is_crontab(text: str) -> bool:
    from cronsim import CronSim, CronSimError  # noqa: PLC0415 for those who meet check-ins

    try:
        next(CronSim(text, datetime(2026, 1, 1, tzinfo=UTC)))
    except (CronSimError, StopIteration):
        return False
    return len(text) <= 200


def _timezone(value: object) -> str:
    try:
        return ZoneInfo(value).key if isinstance(value, str) and value else "UTC"
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return "UTC"


def _minutes(value: object, default: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        return default
    return int(value)


def _id(value: object) -> str:
    try:
        found = UUID(str(value)).hex
    except ValueError:
        return ""
    return "" if found == _NIL else found


def _duration(value: object) -> int | None:
    """Seconds, as a number or a text, in milliseconds."""
    try:
        seconds = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else -1
    except ValueError:
        return None
    return round(seconds * 1000) if 0 <= seconds < 90 * 86400 else None
