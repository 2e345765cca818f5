"""Exceptions and threads."""

from __future__ import annotations

import re

from app.base.json import encode
from app.normalize.fields import Field, anything, bag, label, objects, shaped, text, truth, whole, within
from app.normalize.frames import stacktrace
from app.normalize.limits import EXCEPTIONS, LARGE, MEDIUM, MESSAGE, SHORT, SMALL, THREADS
from app.normalize.notes import MISSING, Notes

#: "ValueError: too many", which some clients send as the value of an exception without a type.
_TYPE_AND_VALUE = re.compile(r"^([A-Za-z_][\w.$]{0,127}): *(.*)$", re.DOTALL)


def _value(value: object, path: str, notes: Notes) -> object:
    """The message of an exception; what is no string is shown as JSON."""
    if not isinstance(value, str):
        value = encode(value).decode()
    return within(value, MESSAGE, path, notes)


def _mechanism(value: object, path: str, notes: Notes) -> object:
    if isinstance(value, str) and value:
        return {"type": value[:128]}
    if not isinstance(value, dict):
        notes.invalid(path, value)
        return None
    kept = shaped(value, _MECHANISM, path, notes)
    return {"type": "generic", **kept} if kept else None


_MECHANISM: dict[str, Field] = {
    "type": text(128),
    "description": text(MESSAGE),
    "help_link": text(1024),
    "handled": truth,
    "synthetic": truth,
    "exception_id": whole,
    "parent_id": whole,
    "is_exception_group": truth,
    "source": text(SHORT),
    "data": bag(MEDIUM),
    "meta": bag(MEDIUM),
}
_EXCEPTION: dict[str, Field] = {
    "type": text(SHORT),
    "value": _value,
    "module": text(SHORT),
    "thread_id": label(64),
    "mechanism": _mechanism,
}
_THREAD: dict[str, Field] = {
    "id": label(64),
    "name": text(1024),
    "crashed": truth,
    "current": truth,
    "main": truth,
    "state": label(SHORT),
    "held_locks": bag(LARGE),
    "priority": anything(SMALL),
}


def exceptions(value: object, platform: str, notes: Notes) -> dict[str, object] | None:
    """{"values": […]}, oldest cause first; what has neither type nor value nor frames is left out."""
    kept = []
    for path, item in objects(value, "exception", notes, EXCEPTIONS):
        exception = shaped(item, _EXCEPTION, path, notes)
        _split_type(exception)
        _add_traces(exception, item, platform, path, notes)
        if exception.keys() & {"type", "value", "stacktrace"}:
            kept.append(exception)
        else:
            notes.add(MISSING, f"{path}.type")
    return {"values": kept} if kept else None


def threads(value: object, platform: str, notes: Notes) -> dict[str, object] | None:
    """{"values": […]}."""
    kept = []
    for path, item in objects(value, "threads", notes, THREADS):
        thread = shaped(item, _THREAD, path, notes)
        _add_traces(thread, item, platform, path, notes)
        if thread:
            kept.append(thread)
    return {"values": kept} if kept else None


def _split_type(exception: dict[str, object]) -> None:
    value = exception.get("value")
    if exception.get("type") or not isinstance(value, str):
        return
    exception.pop("type", None)
    if match := _TYPE_AND_VALUE.match(value):
        exception["type"], exception["value"] = match[1], match[2]


def _add_traces(
    kept: dict[str, object], item: dict[str, object], platform: str, path: str, notes: Notes
) -> None:
    for name in ("stacktrace", "raw_stacktrace"):
        if item.get(name) is not None:
            trace = stacktrace(item[name], platform, f"{path}.{name}", notes)
            if trace:
                kept[name] = trace
