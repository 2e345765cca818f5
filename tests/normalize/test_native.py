"""Native crashes: minidumps beside an event or alone, and Unreal's archives."""

from __future__ import annotations

import json
import struct
import zlib
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.event import Event
from app.normalize import native
from app.wire.envelope import Item
from tests.normalize.senders import ANSWERED, batch, envelope, record

DUMP = ({"type": "attachment", "attachment_type": "event.minidump", "filename": "a.dmp"}, b"MDMP....")
CONTEXT = b"""<?xml version="1.0" encoding="UTF-8"?>
<FGenericCrashContext><RuntimeProperties><ErrorMessage>Access violation</ErrorMessage>
<CrashType>Crash</CrashType><GameName>UE-Game</GameName><BuildVersion>game/1.2</BuildVersion></RuntimeProperties>
<GameData><__sentry>{"environment":"prod","tags":{"map":"arena"}}</__sentry></GameData></FGenericCrashContext>\0"""


def read(*items: tuple[dict[str, Any], bytes]) -> list[Event]:
    found = batch(record(envelope(*items), "envelope"))
    assert not found.refused
    return found.events


def packed(told: Any, kind: str) -> tuple[dict[str, Any], bytes]:
    return ({"type": "attachment", "attachment_type": kind}, msgspec.msgpack.encode(told))


def string(text: str) -> bytes:
    return struct.pack("<I", 260) + text.encode().ljust(260, b"\0")


def archive(*files: tuple[str, bytes], is_old: bool = False) -> bytes:
    """As Unreal writes it."""
    listed = b"".join(
        struct.pack("<I", number) + string(name) + struct.pack("<I", len(content)) + content
        for number, (name, content) in enumerate(files)
    )
    names, counts = string("UE4CC"), struct.pack("<ii", len(listed), len(files))
    header = names + string("UE4CC.ue4crash")
    if is_old:
        return zlib.compress(header + bytes(8) + listed + header + counts)
    return zlib.compress(b"CR1" + header + counts + listed)


def test_a_dump_alone_is_a_fatal_native_event() -> None:
    (event,) = read(DUMP)
    assert (event.event_id, event.platform, event.level, event.title) == (
        ANSWERED, "native", "fatal", "Minidump",
    )  # fmt: skip
    assert event.data["exception"]["values"][0]["mechanism"]["handled"] is False


def test_what_the_client_says_of_a_crash_stands() -> None:
    told = {"release": "game@1", "level": "error", "exception": [{"type": "SIGSEGV", "value": "bad"}]}
    (event,) = read(({"type": "event"}, json.dumps(told).encode()), DUMP)
    assert (event.release, event.level, event.title) == ("game@1", "error", "SIGSEGV: bad")


def test_files_of_messagepack_are_part_of_the_event() -> None:
    told = {"release": "game@1", "tags": {"map": "arena"}, "extra": {"raw": b"\1\2", 7: float("nan")}}
    first = [{"timestamp": "2026-11-22T13:59:02Z", "message": "second"}]
    second = {"timestamp": "2026-11-22T13:59:01Z", "message": "first"}
    (event,) = read(
        packed(told, "event.payload"),
        packed(first, "event.breadcrumbs"),
        packed(second, "event.breadcrumbs"),
        packed(None, "event.breadcrumbs"),
        DUMP,
    )
    assert (event.release, event.tags["map"], event.title) == ("game@1", "arena", "Minidump")
    crumbs = event.data["breadcrumbs"]["values"]
    assert [crumb["message"] for crumb in crumbs] == ["first", "second"]


def test_ordinary_attachments_make_no_event() -> None:
    assert read(({"type": "attachment", "filename": "a.txt"}, b"hello")) == []
    assert read(packed("nonsense", "event.payload")) == []


@pytest.mark.parametrize("is_old", [False, True])
def test_an_archive_of_unreal_is_an_event_with_files(is_old: bool) -> None:
    whole = archive(
        ("CrashContext.runtime-xml", CONTEXT),
        ("Game.log", b"it died"),
        ("UE4.dmp", b"MDMP...."),
        is_old=is_old,
    )
    (event, *files) = native.unreal(
        Item({"type": "unreal_report", "user_id": "login||machine"}, memoryview(whole))
    )
    assert [
        (one.headers["filename"], one.headers.get("attachment_type"), bytes(one.payload)) for one in files
    ] == [
        ("CrashContext.runtime-xml", "unreal.context", CONTEXT),
        ("Game.log", "unreal.logs", b"it died"),
        ("UE4.dmp", "event.minidump", b"MDMP...."),
    ]
    (found,) = read(({"type": "unreal_report", "user_id": "login||machine"}, whole))
    assert found.event_id == ANSWERED
    assert (found.title, found.level, found.platform) == ("Crash: Access violation", "fatal", "native")
    assert (found.environment, found.tags["map"], found.release) == ("prod", "arena", "game-1.2")
    assert (found.user, found.data["user"]["data"]["machine_id"]) == ("id:login", "machine")
    assert found.data["contexts"]["unreal"]["GameName"] == "UE-Game"
    assert event.headers["type"] == "event"


@pytest.mark.parametrize(
    "body",
    [
        b"", b"no zlib", zlib.compress(b""), zlib.compress(b"CR1"), zlib.compress(bytes(600)),
        archive(("a", b"x" * 99))[:-9], zlib.compress(zlib.decompress(archive(("a", b"x" * 99)))[:-9]),
        zlib.compress(b"CR1" + string("") * 2 + struct.pack("<ii", 1, 2**31 - 1)),
    ],
)  # fmt: skip
def test_an_archive_that_cannot_be_read_is_kept_whole(body: bytes) -> None:
    (event, *files) = native.unreal(Item({"type": "unreal_report"}, memoryview(body)))
    assert event.headers["type"] == "event"
    assert [bytes(one.payload) for one in files] in ([body], [])
    (found,) = read(({"type": "unreal_report"}, body))
    assert (found.level, found.platform) == ("fatal", "native")


@pytest.mark.parametrize(
    "context", [b"<a", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', b"\xff\xfe", b"<a>" * 5000, b"<a/>"]
)
def test_a_context_that_cannot_be_read_costs_nothing_else(context: bytes) -> None:
    (event,) = read(({"type": "unreal_report"}, archive(("CrashContext.runtime-xml", context))))
    assert event.title == "Minidump"


@given(st.binary(), st.binary())
def test_any_bytes_become_an_event(body: bytes, content: bytes) -> None:
    for whole in (body, zlib.compress(b"CR1" + body), archive(("a.runtime-xml", content), ("b.log", body))):
        assert len(read(({"type": "unreal_report"}, whole))) == 1
    kinds = ("event.payload", "event.breadcrumbs", "event.minidump")
    files = [({"type": "attachment", "attachment_type": kind}, body) for kind in kinds]
    assert len(read(*files)) == 1
