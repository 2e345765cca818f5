"""Bodies come in pieces, too large, too slowly, or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest

from app.ingest import body
from app.ingest.answers import Refusal
from app.ingest.body import Body, Disconnected, Receive, Room

Message = MutableMapping[str, Any]


def pieces(*contents: bytes, end: str = "http.request") -> Receive:
    """An ASGI `receive` that gives these bodies, and then the end."""
    messages: list[Message] = [
        {"type": "http.request", "body": content, "more_body": True} for content in contents
    ]
    messages.append(
        {"type": end, "body": b"", "more_body": False} if end == "http.request" else {"type": end}
    )

    async def receive() -> Message:
        return messages.pop(0)

    return receive


def read(receive: Receive, room: Room, declared: int | None = None, limit: int = 100) -> bytes:
    async def story() -> bytes:
        reading = Body(receive, limit, room)
        try:
            return await reading.read(declared)
        finally:
            reading.release()

    return asyncio.run(story())


def test_pieces_become_one_body() -> None:
    room = Room(1000)
    assert read(pieces(b"ab", b"", b"c"), room) == b"abc"
    assert read(pieces(), room) == b""
    assert room.free == 1000


@pytest.mark.parametrize("declared", [None, 60, 101, 10**12])
def test_a_body_over_the_limit_is_refused_as_soon_as_it_shows(declared: int | None) -> None:
    room = Room(10**15)
    with pytest.raises(Refusal) as refusal:
        read(pieces(b"x" * 60, b"x" * 41), room, declared)
    assert refusal.value.status == 413
    assert room.free == 10**15


def test_a_client_that_goes_away_leaves_nothing() -> None:
    room = Room(1000)
    with pytest.raises(Disconnected):
        read(pieces(b"half", end="http.disconnect"), room, 8)
    assert room.free == 1000


def test_many_large_bodies_are_refused_rather_than_held() -> None:
    room = Room(150)
    held = Body(pieces(b"x" * 100), 100, room)
    assert len(asyncio.run(held.read(100))) == 100
    with pytest.raises(Refusal) as refusal:
        read(pieces(b"x" * 60), room)
    assert (refusal.value.status, refusal.value.retry_after > 0) == (503, True)
    held.release()
    assert read(pieces(b"x" * 60), room) == b"x" * 60


@pytest.mark.parametrize("begun", [[], [b"half"]])
def test_a_body_that_never_ends_is_given_up(begun: list[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "DEADLINE", 0.05)

    async def receive() -> Message:
        if begun:
            return {"type": "http.request", "body": begun.pop(), "more_body": True}
        await asyncio.Event().wait()
        raise AssertionError

    room = Room(1000)
    with pytest.raises(Refusal) as refusal:
        read(receive, room)
    assert refusal.value.status == 408
    assert room.free == 1000
