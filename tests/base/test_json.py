"""JSON as real clients write it."""

from __future__ import annotations

import json as stdlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.base.json import DEEPEST, NotJson, decode, encode, salvage


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b'{"a": NaN, "b": [Infinity, -Infinity, 1e999, 1.5]}', {"a": None, "b": [None, None, None, 1.5]}),
        (rb'{"a\u0000b": "c\u0000"}', {"a�b": "c�"}),
        (rb'"\\u0000"', "\\u0000"),
        (rb'"\ud800"', "�"),
        (rb'{"\udfff": "\ud83d\ude00 \ude00\ud83d"}', {"�": "😀 ��"}),
        (b'"\xff\xfe"', "��"),
        (b'"a\x00b"', "a�b"),
        (b'"two\nlines\tand a tab"', "two\nlines\tand a tab"),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (b"1180591620717411303424", 2**70),
        (b"[" + b"9" * 5000 + b"]", ["9" * 5000]),
        (b'{"a": 1, "a": 2}', {"a": 2}),
    ],
)
def test_what_is_nearly_json_is_read(text: bytes, value: object) -> None:
    assert decode(text).value == value


def test_strict_json_needs_no_remark() -> None:
    assert decode(b'{"a": [1, 2.5, "\xc3\xa4", true, null]}') == ({"a": [1, 2.5, "ä", True, None]}, [])


@pytest.mark.parametrize(
    "text", [b"{'a': 1}", b'{"a": ', b"", b"[1, 2", b'{"a"}', b'{"a": 1} x', b'"abc', b"nul"]
)
def test_what_is_no_json_is_refused_with_a_sentence(text: bytes) -> None:
    with pytest.raises(NotJson, match=r"^not JSON: "):
        decode(text)


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}"), (b'[{"]":', b"}]")])
def test_ten_thousand_levels_leave_a_note_and_their_neighbours(opening: bytes, closing: bytes) -> None:
    text = b'{"deep": ' + opening * 10_000 + b"1" + closing * 10_000 + b', "message": "kept"}'
    value, remarks = decode(text)
    assert isinstance(value, dict)
    assert value["message"] == "kept"
    assert any(f"more than {DEEPEST} levels" in remark for remark in remarks)
    encode(value)


@pytest.mark.parametrize(
    "text", [b"[" * 500_000, b'{"a":' * 200_000, b'\\"' * 500_000, b'"' + b'\\"' * 500_000]
)
def test_a_megabyte_of_brackets_or_quotes_is_refused_quickly(text: bytes) -> None:
    begun = time.process_time()
    with pytest.raises(NotJson):
        decode(text)
    assert time.process_time() - begun < 3


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        value = decode(data).value
    except NotJson:
        return
    encode(value)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters()), inner),
    max_leaves=10,
)


@given(_json)
def test_whatever_the_standard_library_writes_can_be_stored(value: object) -> None:
    text = encode(decode(stdlib.dumps(value).encode()).value)
    assert b"\\u0000" not in text.replace(rb"\\", b"")
    text.decode()


WORDS = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF), max_size=5)


@given(st.dictionaries(WORDS, st.one_of(st.integers(), WORDS, st.lists(st.booleans()))), st.data())
def test_of_an_object_cut_anywhere_the_whole_members_before_the_cut_are_read(
    members: dict[str, object], data: st.DataObject
) -> None:
    whole = stdlib.dumps(members).encode()
    found = salvage(whole[: data.draw(st.integers(1, len(whole)))]).value
    assert isinstance(found, dict)
    assert [*found.items()] == [*members.items()][: len(found)]
    assert salvage(whole).value == members


def test_of_a_broken_object_everything_before_the_break_is_read() -> None:
    found, remarks = salvage(b'{"message": "disk full", "n": 12, "level": oops, "release": "1"}')
    assert found == {"message": "disk full", "n": 12}
    assert remarks == ["the JSON is damaged about character 41, what follows was lost"]


@given(st.binary(max_size=300))
def test_whatever_the_bytes_salvaging_gives_an_object_or_says_that_there_is_none(data: bytes) -> None:
    try:
        assert isinstance(salvage(b"{" + data).value, dict)
        salvage(data)
    except NotJson:
        assert not data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")
