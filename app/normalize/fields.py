"""The kinds of attributes an event has: each takes what a client sent and gives what is kept, or None.

A field is a function (value, path, notes); it never sees None and never raises.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from app.base.text import cut
from app.normalize import bags
from app.normalize.limits import Bag
from app.normalize.notes import TOO_LONG, Notes

Field = Callable[[object, str, Notes], object]


class Attributes(Protocol):
    """What has named attributes: a dict, or what the short way decodes into."""

    def get(self, name: str, default: Any = None, /) -> Any: ...
    def pop(self, name: str, default: Any, /) -> Any: ...
    def __getitem__(self, name: str, /) -> Any: ...
    def __setitem__(self, name: str, value: Any, /) -> None: ...
    def __contains__(self, name: str, /) -> bool: ...


#: Long texts have this much give; short ones fill a column and have none.
GIVE_FROM = 512
MOST_LINES = 100
#: What every language that may read it can hold exactly.
LARGEST = 2**53


def shaped(
    source: Mapping[str, object], fields: Mapping[str, Field], path: str, notes: Notes
) -> dict[str, object]:
    """The attributes of `source` that `fields` knows, each as its field keeps it; others are left out."""
    kept: dict[str, object] = {}
    for name, value in source.items():
        if value is not None and name in fields:
            read = fields[name](value, f"{path}.{name}" if path else name, notes)
            if read is not None:
                kept[name] = read
    return kept


def text(limit: int) -> Field:
    """A string, cut at `limit`."""

    def field(value: object, path: str, notes: Notes) -> object:
        if isinstance(value, str):
            return within(value, limit, path, notes)
        notes.invalid(path, value)
        return None

    return field


def label(limit: int) -> Field:
    """A string that some clients send as a number: ids and names."""

    def field(value: object, path: str, notes: Notes) -> object:
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = str(value)
        if isinstance(value, str):
            return within(value.strip(), limit, path, notes) or None
        notes.invalid(path, value)
        return None

    return field


def within(value: str, limit: int, path: str, notes: Notes) -> str:
    """The text, cut with a note when it is longer than allowed."""
    if len(value) <= (limit * bags.GIVE if limit >= GIVE_FROM else limit):
        return value
    notes.add(TOO_LONG, path, value)
    return cut(value, limit)


def whole(value: object, path: str, notes: Notes) -> object:
    """A whole number that is not negative, also written as text."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19:
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST:
        return value
    notes.invalid(path, value)
    return None


def truth(value: object, path: str, notes: Notes) -> object:
    if isinstance(value, bool):
        return value
    notes.invalid(path, value)
    return None


def bag(limit: Bag) -> Field:
    """An object of any shape."""

    def field(value: object, path: str, notes: Notes) -> object:
        return bags.bounded_object(value, limit, path, notes)

    return field


def anything(limit: Bag) -> Field:
    """Any JSON."""

    def field(value: object, path: str, notes: Notes) -> object:
        return bags.bounded(value, limit, path, notes)

    return field


def lines(limit: int) -> Field:
    """A list of strings; a null among them is an empty line."""

    def field(value: object, path: str, notes: Notes) -> object:
        if not isinstance(value, list):
            notes.invalid(path, value)
            return None
        kept = []
        for line in value[:MOST_LINES]:
            if isinstance(line, str):
                kept.append(cut(line, limit))
            else:
                kept.append("")
                if line is not None:
                    notes.invalid(path, line)
        return kept or None

    return field


def objects(value: object, path: str, notes: Notes, most: int) -> list[tuple[str, dict[str, object]]]:
    """The objects of {"values": […]}, of a bare list or a single one, each with its path.

    Of more than `most` the middle is left out, with a note.
    """
    if isinstance(value, dict):
        inner = value.get("values")
        value = [value] if inner is None and value and "values" not in value else inner
    if value is None:
        return []
    if not isinstance(value, list):
        notes.invalid(path, value)
        return []
    found: list[tuple[str, dict[str, object]]] = []
    for index, item in enumerate(ends(value, most, path, notes)):
        if isinstance(item, dict):
            found.append((f"{path}.values.{index}", item))
        elif item is not None:
            notes.invalid(f"{path}.values.{index}", item)
    return found


def ends(items: list[object], most: int, path: str, notes: Notes) -> list[object]:
    """The first and the last of too many: how it began and how it ended."""
    if len(items) <= most:
        return items
    notes.add(TOO_LONG, path, f"{len(items)} items, {most} kept")
    return items[: most // 2] + items[most // 2 - most :]
