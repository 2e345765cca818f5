"""The only place that asks what time it is, so that tests can set it."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime

_EPOCH = date(1970, 1, 1).toordinal()
_DAY = 24 * 60 * 60 * 1_000_000  # µs


def now() -> datetime:
    """The present moment, in UTC."""
    return datetime.now(UTC)


def micros() -> int:
    """Microseconds since the epoch."""
    return time.time_ns() // 1000


def from_micros(value: int) -> datetime:
    """Exact: floats would lose the last digit."""
    seconds, micro = divmod(value, 1_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=micro)


def read_micros(text: str) -> datetime | None:
    """Of digits in an address; None for what is no moment that there can be."""
    try:
        return from_micros(int(text)) if text.isdecimal() and len(text) < 20 else None
    except (OverflowError, ValueError, OSError):
        return None


def to_micros(at: datetime) -> int:
    return int(at.timestamp()) * 1_000_000 + at.microsecond


def day_of(micro: int) -> date:
    """The partition an event received then belongs to."""
    return date.fromordinal(_EPOCH + micro // _DAY)
