"""What happened before the error, oldest first."""

from __future__ import annotations

from typing import Annotated, TypedDict

import msgspec
from msgspec import Meta

from app.normalize import bags
from app.normalize.fields import Field, bag, objects, shaped, text
from app.normalize.levels import level
from app.normalize.limits import BREADCRUMBS, MEDIUM, MESSAGE
from app.normalize.notes import Notes
from app.normalize.times import shifted

_CRUMB: dict[str, Field] = {
    "type": text(128),
    "category": text(128),
    "level": lambda value, path, notes: level(value, path, notes, "info"),
    "message": text(MESSAGE),
    "data": bag(MEDIUM),
    "event_id": text(64),
    "origin": text(128),
}


class _Crumb(TypedDict, total=False):
    """A breadcrumb that needs no change but its time, as nearly all do: checked in C."""

    type: Annotated[str, Meta(max_length=128)]
    category: Annotated[str, Meta(max_length=128)]
    level: Annotated[str, Meta(pattern="^(fatal|error|warning|info|debug)$")]
    message: Annotated[str, Meta(max_length=MESSAGE)]
    data: dict[str, object]
    timestamp: str | float


def breadcrumbs(value: object, shift: int, notes: Notes) -> dict[str, object] | None:
    """{"values": […]}, each with a type and a level."""
    kept = []
    for path, item in objects(value, "breadcrumbs", notes, BREADCRUMBS):
        crumb = _checked(item, path, notes)
        at = item.get("timestamp")
        if at is not None:
            time = shifted(at, shift)
            if time:
                crumb["timestamp"] = time
            else:
                notes.invalid(f"{path}.timestamp", at)
        if crumb:
            crumb.setdefault("type", "default")
            crumb.setdefault("level", "info")
            kept.append(crumb)
    return {"values": kept} if kept else None


def _checked(item: dict[str, object], path: str, notes: Notes) -> dict[str, object]:
    """The attributes but the time, which is the caller's."""
    try:
        kept: dict[str, object] = dict(msgspec.convert(item, _Crumb))
    except msgspec.ValidationError:
        kept = {}
    if len(kept) != len(item):
        old = {"type": item.get("ty"), **item} if "ty" in item else item
        return shaped(old, _CRUMB, path, notes)
    kept.pop("timestamp", None)
    if "data" in kept:
        data = bags.bounded_object(kept.pop("data"), MEDIUM, f"{path}.data", notes)
        if data:
            kept["data"] = data
    return kept
