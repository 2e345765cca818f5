"""Items that events are made of: browsers' reports, native crashes, events under another name.

What comes out is an envelope's items again, of kinds that are read one by one. An item that no event can be
made of stays as it is, and its reader says why.
"""

from __future__ import annotations

from typing import Any

import msgspec

from app.base import json
from app.item import Invalid, Whence
from app.normalize import native, reports
from app.wire.envelope import Item

_REPORTS = {"raw_security": reports.security, "nel": reports.nel}
_OTHERS = frozenset(("security", "unreal_report"))
#: Attachments that belong into their event.
_PARTS = frozenset(("event.payload", "event.breadcrumbs"))
_TOLD = native.DUMPS | _PARTS


def unpacked(items: list[Item], whence: Whence) -> list[Item]:
    """The items to read, in their order."""
    found: list[Item] = []
    for item in items:
        kind = item.headers["type"]
        if kind in _REPORTS:
            found += _events(item, whence)
        elif kind == "security":
            found.append(Item({**item.headers, "type": "event"}, item.payload))
        elif kind == "unreal_report":
            found += native.unreal(item)
        else:
            found.append(item)
    told = [item for item in found if item.headers.get("attachment_type") in _TOLD]
    return _with_crash(found, told) if told else found


def is_needed(items: list[Item]) -> bool:
    """Whether there is anything to unpack; nearly always there is not."""
    return any(
        (kind := item.headers["type"]) in _REPORTS
        or kind in _OTHERS
        or (kind == "attachment" and item.headers.get("attachment_type") in _TOLD)
        for item in items
    )


def _events(item: Item, whence: Whence) -> list[Item]:
    try:
        made = _REPORTS[item.headers["type"]](bytes(item.payload), item.headers, whence)
    except Invalid:
        return [item]
    return [Item({"type": "event"}, memoryview(msgspec.json.encode(event))) for event in made]


def _with_crash(items: list[Item], told: list[Item]) -> list[Item]:
    """The event, which may have to be made, with what the attachments tell of it."""
    dumps = [
        str(item.headers["attachment_type"])
        for item in told
        if item.headers["attachment_type"] in native.DUMPS
    ]
    event = next((item for item in items if item.headers["type"] == "event"), None)
    payload = native.merged(_object(event) if event else {}, told)
    if not payload and not dumps:
        return items
    if dumps:
        payload = native.crash(payload, dumps[0])
    made = Item({"type": "event"}, memoryview(msgspec.json.encode(payload)))
    rest = [item for item in items if item is not event and item.headers.get("attachment_type") not in _PARTS]
    return [made, *rest]


def _object(event: Item) -> dict[str, Any]:
    """The event's JSON; one that cannot be read is told as far as it can be."""
    for read in (json.decode, json.salvage):
        try:
            told = read(bytes(event.payload)).value
        except json.NotJson:
            continue
        if isinstance(told, dict):
            return told
    return {}
