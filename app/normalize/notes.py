"""What was changed or dropped in an event, collected while it is normalised."""

from __future__ import annotations

from app.base.text import cut
from app.event import Note

#: Notes of one event; a client that gets everything wrong is understood by then.
MOST = 100
LONGEST_VALUE = 80

INVALID = "invalid_data"
TOO_LONG = "value_too_long"
MISSING = "missing_attribute"
UNKNOWN = "unknown_attribute"
FUTURE = "future_timestamp"
PAST = "past_timestamp"
DRIFT = "clock_drift"


class Notes:
    """The notes of one event."""

    def __init__(self) -> None:
        self.kept: list[Note] = []

    def add(self, kind: str, path: str, value: object = "") -> None:
        """Remembers one change; `value` is what the client sent, shown in short."""
        if len(self.kept) < MOST:
            self.kept.append(Note(kind, cut(path, 200), _in_short(value)))

    def invalid(self, path: str, value: object) -> None:
        self.add(INVALID, path, value)


def _in_short(value: object) -> str:
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    return cut(str(value), LONGEST_VALUE)
