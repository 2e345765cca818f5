"""Any value of an event as text a person reads. Nothing here makes HTML."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

Pairs = list[tuple[str, str]]


def text(value: Any) -> str:
    """Strings as they are, everything else as JSON; nested things over several lines."""
    if isinstance(value, str):
        return value
    nested = isinstance(value, dict | list) and any(isinstance(each, dict | list) for each in _inner(value))
    long = isinstance(value, dict | list) and len(value) > 4
    return json.dumps(value, ensure_ascii=False, indent=2 if nested or long else None, default=str)


def pairs(value: Any, leave_out: frozenset[str] = frozenset()) -> Pairs:
    """A mapping, or a list of pairs, as names and texts; anything else is no pair at all."""
    items: Iterable[Any]
    if isinstance(value, dict):
        items = value.items()
    else:
        items = [each for each in value if _is_pair(each)] if isinstance(value, list) else []
    return [(str(name), text(each)) for name, each in items if name not in leave_out]


def reprs(value: Any) -> str:
    """What Python's clients send of a variable: strings in it are written as Python would, so they stay."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {reprs(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(reprs(each) for each in value) + "]"
    return str(value)


def _is_pair(value: Any) -> bool:
    return isinstance(value, list | tuple) and len(value) == 2


def _inner(value: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value
