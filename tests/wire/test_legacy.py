"""What raven and its contemporaries post to /store/."""

from __future__ import annotations

import base64
import contextlib
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.wire.compress import Damaged, TooLarge
from app.wire.legacy import unwrap

JSON = b'{"message":"disk full"}'


@pytest.mark.parametrize(
    "body",
    [
        JSON,
        b"\n " + JSON,
        base64.b64encode(JSON),
        base64.b64encode(zlib.compress(JSON)),
        base64.encodebytes(zlib.compress(JSON)),
    ],
)
def test_each_form_holds_the_same_json(body: bytes) -> None:
    assert unwrap(body, 1000).strip() == JSON


@pytest.mark.parametrize(
    "body", [b"", b"disk full!", b"\xff\xff", b"QUJD", base64.b64encode(zlib.compress(JSON)[:-3])]
)
def test_other_bytes_are_damaged(body: bytes) -> None:
    with pytest.raises(Damaged):
        unwrap(body, 1000)


def test_a_bomb_in_base64_stops_at_the_limit() -> None:
    with pytest.raises(TooLarge):
        unwrap(base64.b64encode(zlib.compress(bytes(5000))), 1000)


@given(st.binary() | st.binary().map(base64.b64encode))
def test_any_bytes_raise_nothing_else(body: bytes) -> None:
    with contextlib.suppress(Damaged, TooLarge):
        unwrap(body, 1000)
