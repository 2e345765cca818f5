"""Uploads of native crash reporters: a minidump, files beside it, and what they know of the event. Pure.

Breakpad, Crashpad and Electron send a form; other programs send the dump alone. Fields of the form tell the
event in one of four ways, which may be mixed, the later ones winning:

    __sentry-event                a file of MessagePack (stays an attachment, which the worker reads)
    sentry                        JSON
    sentry__1, sentry__2, …       the same JSON, cut into pieces that a short field could take
    sentry[release], sentry[tags][a]   one value each

Other fields become `extra`, other files attachments. The dump itself is an attachment of its own type.
"""

from __future__ import annotations

import bz2
import lzma
import re
import zlib
from collections.abc import Callable
from typing import Any

import msgspec

from app.base import json
from app.base.zstandard import zstd
from app.ingest.answers import Refusal
from app.ingest.forms import Part, parts

Item = tuple[dict[str, Any], bytes]

DUMP = "upload_file_minidump"
RAW_TYPES = frozenset(("application/octet-stream", "application/x-dmp"))
#: Files with a meaning of their own, and the type of attachment that says so.
TYPES = {
    DUMP: "event.minidump",
    "__sentry-event": "event.payload",
    "__sentry-breadcrumb1": "event.breadcrumbs",
    "__sentry-breadcrumb2": "event.breadcrumbs",
}
_PIECE = re.compile(r"sentry__(\d{1,4})")
_KEY = re.compile(r"sentry((?:\[[^\[\]]{1,200}\]){1,8})")


def minidump(body: bytes, content_type: str) -> list[Item]:
    """The items of an upload, the event first. Raises Refusal 400."""
    if content_type.partition(";")[0].strip().lower() in RAW_TYPES:
        fields = [Part(DUMP, "minidump.dmp", "application/octet-stream", body)]
    else:
        fields = parts(body, content_type)
    dump = next((each for each in fields if each.name == DUMP), None)
    if dump is None:
        raise Refusal(400, f"the form has no file {DUMP!r}", reason="missing_minidump")
    if not is_minidump(dump.value):
        raise Refusal(400, "the file is no minidump", reason="invalid_minidump")
    files = [each for each in fields if each.filename is not None or each.name in TYPES]
    event = _event([each for each in fields if each not in files])
    return [({"type": "event"}, msgspec.json.encode(event)), *map(attachment, files)]


def attachment(part: Part) -> Item:
    """A file of a form as an item of an envelope."""
    header = {"type": "attachment", "filename": (part.filename or part.name)[:255]}
    if part.content_type:
        header["content_type"] = part.content_type[:100]
    if kind := TYPES.get(part.name):
        header["attachment_type"] = kind
    return header, part.value


def named_id(items: list[Item]) -> str:
    """The event's id when the upload names one (32 hex), otherwise ""."""
    for header, payload in items:
        try:
            if header.get("attachment_type") == "event.payload":
                event = msgspec.msgpack.decode(payload)
            elif header["type"] == "event":
                event = msgspec.json.decode(payload)
            else:
                continue
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            continue
        named = event.get("event_id") if isinstance(event, dict) else None
        text = named.replace("-", "").lower() if isinstance(named, str) else ""
        if re.fullmatch(r"[0-9a-f]{32}", text):
            return text
    return ""


def is_minidump(file: bytes) -> bool:
    """Whether its first bytes are a minidump's, through the packings that reporters use."""
    return _start(file)[:4] in {b"MDMP", b"PMDM"}


def _start(file: bytes) -> bytes:
    for magic, unpack in _UNPACK.items():
        if file.startswith(magic):
            try:
                return unpack(file[: 64 * 1024])
            except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError, zstd.ZstdError):
                return b""
    return file[:4]


_UNPACK: dict[bytes, Callable[[bytes], bytes]] = {
    b"\x1f\x8b": lambda start: zlib.decompressobj(31).decompress(start, 4),
    b"BZh": lambda start: bz2.BZ2Decompressor().decompress(start, 4),
    b"\xfd7zXZ": lambda start: lzma.LZMADecompressor(memlimit=1 << 26).decompress(start, 4),
    b"\x28\xb5\x2f\xfd": lambda start: zstd.ZstdDecompressor().decompress(start, 4),
}


def _event(fields: list[Part]) -> dict[str, Any]:
    """What the fields tell; a value that is no JSON is kept as `extra`."""
    event: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    pieces = sorted((int(found[1]), each.value) for each in fields if (found := _PIECE.fullmatch(each.name)))
    whole = b"".join(value for _, value in pieces)
    for text in [*(each.value for each in fields if each.name == "sentry"), *([whole] if whole else [])]:
        told = _json(text)
        if isinstance(told, dict):
            event |= told
        else:
            extra["sentry"] = _text(text)
    for each in fields:
        if found := _KEY.fullmatch(each.name):
            _put(event, re.findall(r"\[([^\[\]]+)\]", found[1]), _text(each.value))
        elif each.name != "sentry" and not _PIECE.fullmatch(each.name):
            extra[each.name[:200]] = _text(each.value)
    if extra:
        told = event.get("extra")
        event["extra"] = {**extra, **told} if isinstance(told, dict) else extra
    return event


def _put(event: dict[str, Any], path: list[str], value: str) -> None:
    for name in path[:-1]:
        inner = event.get(name)
        if not isinstance(inner, dict):
            inner = event[name] = {}
        event = inner
    event[path[-1]] = value


def _json(text: bytes) -> object:
    try:
        return json.decode(text).value
    except json.NotJson:
        return None


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")
