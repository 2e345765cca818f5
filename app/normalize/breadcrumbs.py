"""What happened before the error, oldest first."""

from __future__ import annotations

from typing import Annotated, TypedDict, cast

import msgspec
from msgspec import Meta

from app.event import Level
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
    """A breadcrumb that needs no change but its time, as nearly all do: all are checked in C at once."""

    type: Annotated[str, Meta(max_length=128)]
    category: Annotated[str, Meta(max_length=128)]
    level: Level
    message: Annotated[str, Meta(max_length=MESSAGE)]
    data: dict[str, object]
    timestamp: str | float


def breadcrumbs(value: object, shift: int, notes: Notes) -> dict[str, object] | None:
    """{"values": […]}, each with a type and a level."""
    found = objects(value, "breadcrumbs", notes, BREADCRUMBS)
    items = [item for _, item in found]
    regular = _regular(items)
    is_whole = bool(regular) and _are_whole(items, regular)
    kept = []
    for index, (path, item) in enumerate(found):
        crumb = regular[index] if regular else {}
        if not is_whole:
            crumb = _attributes(item, crumb, path, notes)
        _set_time(crumb, item.get("timestamp"), shift, path, notes)
        if crumb:
            crumb.setdefault("type", "default")
            crumb.setdefault("level", "info")
            kept.append(crumb)
    return {"values": kept} if kept else None


def _set_time(crumb: dict[str, object], at: object, shift: int, path: str, notes: Notes) -> None:
    crumb.pop("timestamp", None)
    if at is not None:
        time = shifted(at, shift)
        if time:
            crumb["timestamp"] = time
        else:
            notes.invalid(f"{path}.timestamp", at)


def _regular(items: list[dict[str, object]]) -> list[dict[str, object]]:
    """The breadcrumbs if none of them needs a closer look, nothing otherwise."""
    try:
        return cast("list[dict[str, object]]", msgspec.convert(items, list[_Crumb]))
    except msgspec.ValidationError:
        return []


def _are_whole(items: list[dict[str, object]], regular: list[dict[str, object]]) -> bool:
    """Whether the breadcrumbs can be taken as they were checked: nothing is missing or too much."""
    if list(map(len, items)) != list(map(len, regular)):
        return False
    return bags.are_plain([crumb["data"] for crumb in regular if "data" in crumb], MEDIUM)  # type: ignore[misc]


def _attributes(
    item: dict[str, object], checked: dict[str, object], path: str, notes: Notes
) -> dict[str, object]:
    """The attributes but the time, which is the caller's."""
    if len(checked) != len(item):
        old = {"type": item.get("ty"), **item} if "ty" in item else item
        return shaped(old, _CRUMB, path, notes)
    if "data" in checked:
        data = bags.bounded_object(checked.pop("data"), MEDIUM, f"{path}.data", notes)
        if data:
            checked["data"] = data
    return checked
