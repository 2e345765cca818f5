"""Forms of native crash reporters, in every way they tell the event."""

from __future__ import annotations

import bz2
import gzip
import lzma
from typing import Any

import msgspec
import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st

from app.ingest import forms, native
from app.ingest.answers import Refusal

DUMP = b"MDMP" + bytes(range(256)) * 4
BOUNDARY = "form-data;boundary"
TYPE = f'multipart/form-data; boundary="{BOUNDARY}"'
FILE = 'name="upload_file_minidump"; filename="crash.dmp"'


def form(*parts: tuple[str, bytes]) -> bytes:
    """`parts` are what stands behind `form-data; ` and the bytes."""
    pieces = [
        b"--%s\r\nContent-Disposition: form-data; %s\r\n\r\n%s\r\n"
        % (BOUNDARY.encode(), name.encode(), value)
        for name, value in parts
    ]
    return b"".join(pieces) + b"--%s--\r\n" % BOUNDARY.encode()


def event(*parts: tuple[str, bytes]) -> dict[str, Any]:
    items = native.minidump(form((FILE, DUMP), *parts), TYPE)
    assert items[0][0] == {"type": "event"}
    told: dict[str, Any] = msgspec.json.decode(items[0][1])
    return told


def test_the_dump_is_an_attachment_beside_an_event() -> None:
    items = native.minidump(form((FILE, DUMP)), TYPE)
    assert items == [
        ({"type": "event"}, b"{}"),
        ({"type": "attachment", "filename": "crash.dmp", "attachment_type": "event.minidump"}, DUMP),
    ]


def test_a_dump_may_come_without_a_form() -> None:
    for content_type in ("application/octet-stream", "application/x-dmp; charset=binary"):
        header, payload = native.minidump(DUMP, content_type)[1]
        assert (header["attachment_type"], payload) == ("event.minidump", DUMP)


def test_the_event_is_told_as_json_in_pieces_or_value_by_value() -> None:
    assert event(('name="sentry"', b'{"release":"shop@1"}')) == {"release": "shop@1"}
    cut = (('name="sentry__2"', b'"shop@1"}'), ('name="sentry__1"', b'{"release":'))
    assert event(*cut) == {"release": "shop@1"}
    by_value = event(
        ('name="sentry[release]"', b"shop@1"),
        ('name="sentry[tags][host]"', b"a1"),
        ('name="sentry[tags][zone]"', b"eu"),
    )
    assert by_value == {"release": "shop@1", "tags": {"host": "a1", "zone": "eu"}}


def test_later_ways_win_and_a_value_in_the_way_of_an_object_gives_way() -> None:
    told = event(
        ('name="sentry"', b'{"release":"a","tags":"none"}'),
        ('name="sentry[release]"', b"b"),
        ('name="sentry[tags][host]"', b"a1"),
    )
    assert told == {"release": "b", "tags": {"host": "a1"}}


def test_what_else_the_form_says_is_extra_and_nothing_is_lost() -> None:
    assert event(('name="guid"', b"4f2"), ('name="sentry"', b'{"extra":{"ver":"1"}}')) == {
        "extra": {"guid": "4f2", "ver": "1"}
    }
    assert event(('name="sentry"', b"not json \xff")) == {"extra": {"sentry": "not json �"}}


def test_other_files_are_attachments_and_some_have_a_meaning() -> None:
    told = msgspec.msgpack.encode({"event_id": "C" * 32})
    items = native.minidump(
        form(
            (FILE, DUMP),
            ('name="log"; filename="game.log"\r\nContent-Type: text/plain; charset=utf-8', b"it died"),
            ('name="__sentry-event"; filename="__sentry-event"', told),
            ('name="__sentry-breadcrumb1"; filename="b"', b""),
        ),
        TYPE,
    )
    assert items[2] == (
        {"type": "attachment", "filename": "game.log", "content_type": "text/plain"}, b"it died",
    )  # fmt: skip
    assert items[3][0]["attachment_type"] == "event.payload"
    assert items[4][0]["attachment_type"] == "event.breadcrumbs"
    assert native.named_id(items) == "c" * 32
    assert native.named_id(items[:2]) == ""


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress, zstd.compress])
def test_a_packed_dump_is_recognised(pack: Any) -> None:
    assert native.is_minidump(pack(DUMP))
    assert not native.is_minidump(pack(b"ELF" + DUMP))
    assert not native.is_minidump(pack(DUMP)[:9].ljust(20, b"\xff")) or pack is bytes


@pytest.mark.parametrize(
    ("body", "content_type", "reason"),
    [
        (form((FILE, b"ELF")), TYPE, "invalid_minidump"),
        (form((FILE, b"")), TYPE, "invalid_minidump"),
        (form(('name="other"; filename="x"', DUMP)), TYPE, "missing_minidump"),
        (b"ELF", "application/x-dmp", "invalid_minidump"),
        (form((FILE, DUMP))[:-9], TYPE, "invalid_multipart"),
        (form((FILE, DUMP)), "multipart/form-data", "invalid_multipart"),
        (form((FILE, DUMP)), "", "invalid_multipart"),
        (b"", TYPE, "invalid_multipart"),
    ],
)
def test_what_is_no_crash_is_refused_with_the_reason(body: bytes, content_type: str, reason: str) -> None:
    with pytest.raises(Refusal) as refused:
        native.minidump(body, content_type)
    assert (refused.value.status, refused.value.reason) == (400, reason)


@given(
    st.binary(),
    st.sampled_from(
        [TYPE, "multipart/form-data", "application/x-dmp", "", "multipart/form-data; boundary=\n"]
    ),
)
def test_any_bytes_are_items_or_refused(body: bytes, content_type: str) -> None:
    for whole in (body, form((FILE, DUMP), ('name="sentry"', body)), form((FILE, body))):
        try:
            native.named_id(native.minidump(whole, content_type))
        except Refusal as refusal:
            assert refusal.status == 400  # noqa: PT017


@given(st.lists(st.tuples(st.text("abc[]_", max_size=20), st.binary(max_size=40)), max_size=8))
def test_every_field_of_a_form_comes_out_as_it_went_in(fields: list[tuple[str, bytes]]) -> None:
    kept = [(name, value) for name, value in fields if b"\r\n--" not in value]
    found = forms.parts(form(*((f'name="{name}"', value) for name, value in kept)), TYPE) if kept else []
    assert [(part.name, part.value) for part in found] == kept
