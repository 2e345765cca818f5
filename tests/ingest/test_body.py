"""Bodies come in pieces, too large, too slowly, or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from app.ingest import body
from app.ingest.answers import Refusal
from app.ingest.body import Body, Disconnected, Room

Feed = Callable[[Body], None]


def pieces(*contents: bytes, end: Exception | None = None) -> Feed:
    """A connection that brings these bytes, and then the end."""

    def feed(arriving: Body) -> None:
        for content in contents:
            arriving.add(content)
        if end:
            arriving.fail(end)
        else:
            arriving.end()

    return feed


def read(feed: Feed, room: Room, declared: int | None = None, limit: int = 100) -> bytes:
    async def story() -> bytes:
        arriving = Body(limit, room, lambda: feed(arriving), declared)
        try:
            return await arriving.read()
        finally:
            arriving.release()

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
        read(pieces(b"half", end=Disconnected()), room, 8)
    assert room.free == 1000


def test_many_large_bodies_are_refused_rather_than_held() -> None:
    room = Room(150)
    held = Body(100, room, lambda: None, 100)
    pieces(b"x" * 100)(held)
    assert len(asyncio.run(held.read())) == 100
    with pytest.raises(Refusal) as refusal:
        read(pieces(b"x" * 60), room)
    assert (refusal.value.status, refusal.value.retry_after > 0) == (503, True)
    held.release()
    assert read(pieces(b"x" * 60), room) == b"x" * 60


@pytest.mark.parametrize("begun", [[], [b"half"]])
def test_a_body_that_never_ends_is_given_up(begun: list[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "DEADLINE", 0.05)

    def feed(arriving: Body) -> None:
        for content in begun:
            arriving.add(content)

    room = Room(1000)
    with pytest.raises(Refusal) as refusal:
        read(feed, room)
    assert refusal.value.status == 408
    assert room.free == 1000
