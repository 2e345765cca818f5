"""The grammar of envelopes, by table and by any bytes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.wire import envelope
from app.wire.envelope import Malformed, Reader, spans, split

HEADER = b'{"event_id":"0f4e2a6c9b1d4c7f8a3b5d6e7f809102"}\n'


def payloads(data: bytes) -> list[tuple[str, bytes]]:
    return [(item.headers["type"], bytes(item.payload)) for item in split(data).items]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", []),
        (b'{"type":"event"}\n{"a":1}', [("event", b'{"a":1}')]),
        (b'{"type":"event"}\n{"a":1}\n', [("event", b'{"a":1}')]),
        (b'{"type":"event"}\n{"a":1}\n\n\n', [("event", b'{"a":1}')]),
        (b'{"type":"event","length":null}\n{"a":1}\n', [("event", b'{"a":1}')]),
        (b'{"type":"event"}', [("event", b"")]),
        (b'{"type":"event"}\n', [("event", b"")]),
        (b'{"type":"event","length":0}', [("event", b"")]),
        (b'{"type":"event","length":0}\n', [("event", b"")]),
        (b'{"type":"event","length":0}\n\n{"type":"session"}\n{}', [("event", b""), ("session", b"{}")]),
        (b'{"type":"event"}\n\n{"type":"session"}\n{}', [("event", b""), ("session", b"{}")]),
        (b'{"type":"attachment","length":6}\n100 %\n', [("attachment", b"100 %\n")]),
        (b'{"type":"attachment","length":6}\n100 %\n\n', [("attachment", b"100 %\n")]),
        (b'{"type":"event"}\r\n{"a":1}\r\n', [("event", b'{"a":1}\r')]),
        (
            b'{"type":"nobody_knows","length":3}\na\nb\n{"type":"event"}\n{}\n',
            [("nobody_knows", b"a\nb"), ("event", b"{}")],
        ),
    ],
)
def test_items_end_where_the_protocol_says(body: bytes, expected: list[tuple[str, bytes]]) -> None:
    assert payloads(HEADER + body) == expected
    assert payloads(b"{}\n" + body) == expected


def test_a_header_alone_is_an_envelope() -> None:
    assert split(b"{}").items == []
    assert split(HEADER).header == {"event_id": "0f4e2a6c9b1d4c7f8a3b5d6e7f809102"}


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "the envelope is empty"),
        (b"\n", "envelope header is not a JSON object"),
        (b"[]\n", "envelope header is not a JSON object"),
        (b'{"a":\n', "envelope header is not a JSON object"),
        (b"\xff\xfe\n", "envelope header is not a JSON object"),
        (b'{"a":"\xff"}\n', "envelope header is not a JSON object"),
        (b"{}\nnull\n", "item header is not a JSON object"),
        (b"{}\n{}\n", "without a type"),
        (b'{}\n{"type":7}\n', "without a type"),
        (b'{}\n{"type":"event","length":-1}\n', "not a number of bytes"),
        (b'{}\n{"type":"event","length":"7"}\n', "not a number of bytes"),
        (b'{}\n{"type":"event","length":true}\n', "not a number of bytes"),
        (b'{}\n{"type":"event","length":10}\n{}', "cut short by 8 bytes"),
        (b'{}\n{"type":"event","length":10}', "cut short by 10 bytes"),
        (b'{}\n{"type":"event","length":1}\n{}', "no line end behind the payload"),
        (b'{"a":' + b"[" * 10_000 + b"]" * 10_000 + b"}\n", "nested too deeply"),
        (b'{"a":"' + b"x" * envelope.LONGEST_HEADER + b'"}\n', "longer than"),
        (b"{}\n" + b'{"type":"session"}\n{}\n' * (envelope.MOST_ITEMS + 1), "more than 1000 items"),
    ],
)
def test_what_is_no_envelope_is_said_in_a_sentence(data: bytes, sentence: str) -> None:
    with pytest.raises(Malformed, match=sentence):
        split(data)


LINES = st.sampled_from(
    [
        b"{}",
        b'{"type":"event"}',
        b'{"type":"a","length":3}',
        b'{"type":"a","length":0}',
        b"",
        b"abc",
        b"\r",
        b"\xff",
    ]
)


def read_in_pieces(data: bytes, size: int) -> list[tuple[int, int]] | str:
    reader = Reader()
    try:
        for at in range(0, len(data), size):
            reader.feed(data[at : at + size])
        reader.close()
    except Malformed as error:
        return str(error)
    return [(item.start, item.end) for item in reader.items]


@given(st.lists(LINES).map(b"\n".join) | st.binary(), st.integers(1, 40))
def test_pieces_of_any_size_read_the_same(data: bytes, size: int) -> None:
    assert read_in_pieces(data, size) == read_in_pieces(data, len(data) or 1)


@given(st.binary() | st.lists(LINES | st.binary(max_size=9)).map(b"\n".join).map(lambda b: b"{}\n" + b))
def test_any_bytes_are_an_envelope_or_malformed(data: bytes) -> None:
    try:
        found = split(data)
    except Malformed:
        return
    assert sum(len(item.payload) for item in found.items) <= len(data)


def read_by(read: Callable[[bytes], object], data: bytes) -> object:
    try:
        return read(data)
    except Malformed as error:
        return str(error)


def with_a_reader(data: bytes) -> object:
    reader = Reader()
    reader.feed(data)
    reader.close()
    return reader.header, reader.items


@given(
    st.lists(LINES | st.binary(max_size=9)).map(b"\n".join).map(lambda b: b"{}\n" + b)
    | st.lists(LINES | st.just(b" ")).map(b"\n".join)
    | st.binary()
)
def test_the_quick_way_finds_and_says_what_the_reader_does(data: bytes) -> None:
    assert read_by(spans, data) == read_by(with_a_reader, data)


def test_the_quick_way_ends_where_the_reader_does() -> None:
    most = b"{}\n" + b'{"type":"session"}\n{}\n' * envelope.MOST_ITEMS
    longest = b'{"a":"' + b"x" * (envelope.LONGEST_HEADER - 8) + b'"}\n'
    for data in (most, most + b'{"type":"session"}\n{}', longest, longest[:-2] + b" }\n"):
        assert read_by(spans, data) == read_by(with_a_reader, data)


SHORT_LINES = st.sampled_from(
    [
        *(b'{"event_id":"a"}', b"{}", b"[]", b"", b"\xff", b"12345", b"1234"),
        *(b'{"type":"event","length":5}', b'{"type":"event"}', b'{"type":"event","length":null}'),
        *(b'{"type":7,"length":5}', b'{"type":"log","length":0}'),
    ]
)


@given(lines=st.lists(SHORT_LINES, max_size=7), cut=st.integers(0, 200))
def test_what_is_alone_by_its_beginning_is_alone(lines: list[bytes], cut: int) -> None:
    data = b"\n".join(lines)
    found = envelope.alone(data[:cut], len(data))
    if found:
        header, item = found
        assert len(data) - 1 <= item.end <= len(data)
        if data[item.end :] in (b"", b"\n"):  # else it is malformed
            assert spans(data) == (header, [item])


def test_an_event_is_alone_with_its_line_end_and_without() -> None:
    data = HEADER + b'{"type":"event","length":7}\n{"a":1}'
    for more in (b"", b"\n"):
        found = envelope.alone(data[:-3], len(data + more))
        assert found
        assert found == (spans(data)[0], spans(data)[1][0])
    for more in (b"\n\n", b'\n{"type":"event"}\n{}'):
        assert envelope.alone(data[:-3], len(data + more)) is None
