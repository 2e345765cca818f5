"""Native crashes: an event for a minidump, and the files of an Unreal Engine crash archive. Pure.

The stack is in the dump, and only symbols make it legible: until it is processed the event says that there is
one, and the dump lies beside it.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import msgspec

from app.base import json
from app.wire.envelope import Item

Payload = dict[str, Any]

#: Bytes of an unpacked crash archive, and files in it.
LARGEST, MOST_FILES = 100 * 1024**2, 200
#: Bytes of the context that are parsed.
CONTEXT = 4 * 1024**2
DUMPS = frozenset(("event.minidump", "event.applecrashreport"))
_STRING = struct.Struct("<I")
_COUNTS = struct.Struct("<ii")
_NAMES = {"event.minidump": "Minidump", "event.applecrashreport": "AppleCrashReport"}


class Unreadable(ValueError):
    """These bytes are no crash archive."""


def crash(payload: Payload, kind: str) -> Payload:
    """The event of a dump, whatever the client said of it."""
    known = payload.get("exception")
    if not known:
        name = _NAMES.get(kind, "NativeCrash")
        mechanism = {"type": name.lower(), "handled": False, "synthetic": True}
        payload = {**payload, "exception": {"values": [{"type": name, "mechanism": mechanism}]}}
    return {"platform": "native", "level": "fatal", **payload}


def merged(payload: Payload, attachments: list[Item]) -> Payload:
    """The event with what files of MessagePack add: an event, and breadcrumbs in two files by turns."""
    for item in attachments:
        if item.headers.get("attachment_type") == "event.payload":
            told = _unpacked(item)
            if isinstance(told, dict):
                payload = {**told, **payload}
    crumbs = [
        crumb
        for item in attachments
        if item.headers.get("attachment_type") == "event.breadcrumbs"
        for crumb in _crumbs(item)
    ]
    if crumbs and not payload.get("breadcrumbs"):
        crumbs.sort(key=lambda crumb: str(crumb.get("timestamp", "")))
        payload = {**payload, "breadcrumbs": {"values": crumbs}}
    return payload


def unreal(item: Item) -> list[Item]:
    """An event and attachments of an archive; one that cannot be read is an attachment itself."""
    try:
        files = list(_files(_inflated(bytes(item.payload))))
    except Unreadable as error:
        event = crash({"extra": {"crash archive": str(error)}}, "unreal")
        whole = Item({"type": "attachment", "filename": "crash.ue4crash"}, item.payload)
        return [_event(event), whole]
    event = {}
    attachments = []
    for name, content in files:
        header = {"type": "attachment", "filename": name[:255]}
        if content[:4] in (b"MDMP", b"PMDM"):
            header["attachment_type"] = "event.minidump"
        elif name.lower().endswith(".runtime-xml"):
            header["attachment_type"] = "unreal.context"
            event |= _context(content)
        elif name.lower().endswith(".log"):
            header["attachment_type"] = "unreal.logs"
        attachments.append(Item(header, memoryview(content)))
    _add_user(event, item.headers.get("user_id"))
    return [_event(crash(event, "event.minidump")), *attachments]


def _event(payload: Payload) -> Item:
    return Item({"type": "event"}, memoryview(msgspec.json.encode(payload)))


def _unpacked(item: Item) -> object:
    try:
        # Through JSON, so that nothing is left in it that JSON does not know.
        told = msgspec.msgpack.decode(item.payload)
        return msgspec.json.decode(msgspec.json.encode(told, enc_hook=str))
    except (msgspec.MsgspecError, TypeError, ValueError, RecursionError, OverflowError):
        return None


def _crumbs(item: Item) -> Iterator[Payload]:
    """Of a list, or of maps one after another, as crashing programs append them."""
    told = _unpacked(item)
    if isinstance(told, list):
        yield from (crumb for crumb in told if isinstance(crumb, dict))
    elif isinstance(told, dict):
        yield told


# -- Unreal ------------------------------------------------------------------------------------------------


def _inflated(packed: bytes) -> bytes:
    inflate = zlib.decompressobj()
    try:
        whole = inflate.decompress(packed, LARGEST)
    except zlib.error as error:
        raise Unreadable("it is not packed as Unreal packs it") from error
    if inflate.unconsumed_tail or not inflate.eof:
        raise Unreadable("it is cut off, or too large")
    return whole


def _files(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each file. The directory's header stands in front, in old engines at the end as well.

    After "CR1": the folder and the file's name (strings of a fixed field, their length in front), the size
    unpacked, the number of files; then of each file its number, name, size and bytes. Little endian.
    """
    if data[:3] == b"CR1":
        at = _past_string(data, _past_string(data, 3))
        _, count = _read(_COUNTS, data, at)
        at += _COUNTS.size
    else:  # before 4.22: the counts in front are zeros, the true ones are the last thing in the file
        at = _past_string(data, _past_string(data, 0)) + _COUNTS.size
        _, count = _read(_COUNTS, data, len(data) - _COUNTS.size)
    if not 0 <= count <= MOST_FILES:
        raise Unreadable("its directory makes no sense")
    for _ in range(count):
        name_at = at + 4
        at = _past_string(data, name_at)
        name = data[name_at + 4 : at].split(b"\0")[0].decode("utf-8", "replace")
        (size,) = _read(_STRING, data, at)
        at += 4
        if size > len(data) - at:
            raise Unreadable("a file in it is cut off")
        yield name, data[at : at + size]
        at += size


def _past_string(data: bytes, at: int) -> int:
    (length,) = _read(_STRING, data, at)
    if length > len(data) - at - 4:
        raise Unreadable("a name in it is cut off")
    return at + 4 + int(length)


def _read(kind: struct.Struct, data: bytes, at: int) -> tuple[int, ...]:
    try:
        return kind.unpack_from(data, at)
    except struct.error as error:
        raise Unreadable("it is cut off") from error


def _context(content: bytes) -> Payload:
    """What the engine knew when it crashed, as far as it can be read."""
    if len(content) > CONTEXT or b"<!" in content.replace(b"<!--", b""):
        return {}  # entities could grow without end, and the engine writes none
    try:
        root = ElementTree.fromstring(content.rstrip(b"\0"))  # noqa: S314 it declares nothing
    except ElementTree.ParseError:
        return {}
    known = {each.tag: (each.text or "").strip() for each in root.iterfind("RuntimeProperties/*")}
    told = root.findtext("GameData/__sentry") or root.findtext("RuntimeProperties/__sentry")
    event: Payload = _sentry(told) if told else {}
    known = {name: value for name, value in known.items() if value and name != "__sentry"}
    contexts = event.get("contexts")
    event["contexts"] = {**(contexts if isinstance(contexts, dict) else {}), "unreal": known}
    if message := known.get("ErrorMessage"):
        mechanism = {"type": "unreal", "handled": False, "synthetic": True}
        thrown = {"type": known.get("CrashType") or "Crash", "value": message, "mechanism": mechanism}
        event.setdefault("exception", {"values": [thrown]})
    if build := known.get("BuildVersion"):
        event.setdefault("release", build.replace("/", "-"))
    return event


def _sentry(text: str) -> Payload:
    try:
        told = json.decode(text.encode()).value
    except json.NotJson:
        return {}
    return told if isinstance(told, dict) else {}


def _add_user(event: Payload, who: object) -> None:
    """Login, account and machine, as the crash reporter names them: "login|epic|machine"."""
    parts = who.split("|") if isinstance(who, str) else []
    names = dict(zip(("login_id", "epic_account_id", "machine_id"), parts, strict=False))
    names = {name: value for name, value in names.items() if value}
    if names and not event.get("user"):
        event["user"] = {"id": next(iter(names.values())), **names}
