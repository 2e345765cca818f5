"""Times as clients write them, corrected when their clock is wrong: microseconds since the epoch, UTC."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from app.base import clock
from app.normalize import notes as kinds
from app.normalize.notes import Notes

SECOND = 1_000_000
#: A smaller difference is the way through the network, not a wrong clock.
LEAST_DRIFT = 55 * 60 * SECOND
#: What lies beyond cannot be right, whatever the clock said.
AHEAD = 60 * SECOND
BEHIND = 30 * 86400 * SECOND
#: 9999-12-31, the last day a datetime can say; and no event is older than the epoch.
LAST = 253_402_300_799 * SECOND

_CANONICAL = re.compile(r"(?:19[7-9]|2\d\d)\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


#: The same many times over, each a day that there is; 29 February, which is rare, is looked at one by one.
_ALL_CANONICAL = re.compile(
    r"(?:(?:19[7-9]|2\d\d)\d-"
    r"(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
    r"T(?:[01]\d|2[0-3])(?::[0-5]\d){2}\.\d{6}Z(?:\n|\Z))*+",
    re.ASCII,
)


def are_canonical(values: Sequence[object]) -> bool:
    """Whether `shifted` would leave all of these as they are."""
    try:
        return "" not in values and _ALL_CANONICAL.fullmatch("\n".join(values)) is not None  # type: ignore[arg-type]
    except TypeError:  # some are numbers, or missing
        return False


def micros(value: object) -> int | None:
    """The moment, from RFC 3339 (no zone means UTC) or seconds since the epoch; None if it is neither."""
    if isinstance(value, str):
        return _written(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= LAST / SECOND:
        return round(value * SECOND)
    return None


def _written(text: str) -> int | None:
    try:
        if len(text) > 40 or "-" not in text:
            return micros(float(text)) if len(text) < 30 else None
        at = datetime.fromisoformat(text.strip())
        micro = clock.to_micros(at if at.tzinfo else at.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        return None
    return micro if 0 <= micro <= LAST else None


def iso(micro: int) -> str:
    """ "2026-11-22T14:03:07.120000Z": always with six digits, so that texts sort like times."""
    return clock.from_micros(micro).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def written(micro: int, text: object) -> str:
    """The same as `iso`; `text`, if it says that already, is taken for it."""
    if isinstance(text, str) and _CANONICAL.fullmatch(text) and micros(text) == micro:
        return text
    return iso(micro)


def drift(received: int, sent_at: object, notes: Notes) -> int:
    """What must be added to the client's times: 0 unless its clock is off by about an hour or more."""
    sent = micros(sent_at)
    if sent is None or abs(received - sent) < LEAST_DRIFT:
        return 0
    notes.add(kinds.DRIFT, "sent_at", sent_at)
    return received - sent


def happened(value: object, shift: int, received: int, notes: Notes) -> int:
    """When the event happened; when that cannot be right, when it was received."""
    if value is None:
        return received
    micro = micros(value)
    if micro is None:
        notes.invalid("timestamp", value)
        return received
    micro += shift
    if micro > received + AHEAD:
        notes.add(kinds.FUTURE, "timestamp", value)
        return received
    if micro < received - BEHIND:
        notes.add(kinds.PAST, "timestamp", value)
        return received
    return micro


def shifted(value: object, shift: int) -> str | None:
    """A time beside the event's own, as ISO text; None when it is no time."""
    if shift == 0 and isinstance(value, str) and _CANONICAL.fullmatch(value):
        try:
            datetime.fromisoformat(value)
        except ValueError:
            return None
        return value
    micro = micros(value)
    if micro is None or not 0 <= micro + shift <= LAST:
        return None
    return iso(micro + shift)
