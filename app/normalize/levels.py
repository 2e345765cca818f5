"""Severities and platforms under all the names they have been given."""

from __future__ import annotations

from typing import cast

from app.event import LEVELS, Level
from app.normalize.notes import Notes

_ALIASES = {
    "log": "info",
    "critical": "fatal",
    "warn": "warning",
    "err": "error",
    "trace": "debug",
    "notice": "info",
}
#: Python's numbers, which raven sends.
_NUMBERS = {10: "debug", 20: "info", 30: "warning", 40: "error", 50: "fatal"}

PLATFORMS = frozenset((
    "as3", "c", "cfml", "clojure", "cocoa", "csharp", "dart", "elixir", "go", "groovy", "haskell", "java",
    "javascript", "kotlin", "lua", "native", "node", "objc", "other", "perl", "php", "powershell", "python",
    "ruby", "rust", "scala", "swift",
))  # fmt: skip


def level(value: object, path: str, notes: Notes, default: Level = "error") -> Level:
    """One of the five levels; what is none of them is the default, with a note."""
    if value is None:
        return default
    name = _NUMBERS.get(value) if isinstance(value, int) else value
    if isinstance(name, str):
        name = name.strip().lower()
        if name.isdigit():
            name = _NUMBERS.get(int(name[:4]), name)
        name = _ALIASES.get(name, name)
        if name in LEVELS:
            return cast("Level", name)
    notes.invalid(path, value)
    return default


def platform(value: object, notes: Notes) -> str:
    """A platform we know, or "other"."""
    if value is None:
        return "other"
    if isinstance(value, str):
        name = value.strip().lower()
        return name if name in PLATFORMS else "other"
    notes.invalid("platform", value)
    return "other"
