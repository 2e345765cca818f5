"""Many requests, few turns of the disk."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from app.ingest import commit
from app.ingest.commit import GroupCommit


def test_requests_that_arrive_meanwhile_share_the_next_turn() -> None:
    turns: list[list[bytes]] = []
    may_end = threading.Event()

    def append(frames: list[bytes]) -> None:
        turns.append(frames)
        may_end.wait(10)

    async def story() -> None:
        group = GroupCommit(append)
        first = asyncio.create_task(group.write(b"first"))
        await asyncio.sleep(0)
        rest = [asyncio.create_task(group.write(b"%d" % number)) for number in range(50)]
        await asyncio.sleep(0)
        assert not first.done()
        may_end.set()
        await asyncio.gather(first, *rest)
        group.close()

    asyncio.run(story())
    assert turns == [[b"first"], [b"%d" % number for number in range(50)]]


def test_a_turn_that_fails_fails_for_each_of_its_requests_and_for_no_other() -> None:
    def append(frames: list[bytes]) -> None:
        if b"bad" in frames:
            raise OSError("full")

    async def story() -> list[BaseException | None]:
        group = GroupCommit(append)
        writes = [group.write(frame) for frame in (b"good", b"bad", b"unlucky")]
        ends = await asyncio.gather(*writes, return_exceptions=True)
        await group.write(b"later")
        group.close()
        return ends

    first, bad, unlucky = asyncio.run(story())
    assert first is None
    assert isinstance(bad, OSError)
    assert isinstance(unlucky, OSError)


def test_large_bodies_are_spread_over_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commit, "TURN", 10)
    turns: list[list[bytes]] = []

    async def story() -> None:
        group = GroupCommit(turns.append)
        await asyncio.gather(*(group.write(frame) for frame in (b"1", b"x" * 30, b"2", b"3", b"y" * 8)))
        group.close()

    asyncio.run(story())
    assert turns == [[b"1"], [b"x" * 30], [b"2", b"3", b"y" * 8]]


def test_turns_keep_their_distance_and_a_request_after_a_pause_waits_for_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(commit, "EVERY", 0.2)
    begun: list[float] = []

    async def story() -> list[float]:
        group = GroupCommit(lambda _: begun.append(time.monotonic()))
        asked = []
        for pause, requests in ((0, 1), (0, 9), (0.3, 1)):
            await asyncio.sleep(pause)
            asked.append(time.monotonic())
            await asyncio.gather(*(group.write(b"%d" % each) for each in range(requests)))
        group.close()
        return asked

    asked = asyncio.run(story())
    assert len(begun) == 3
    assert begun[0] - asked[0] < 0.1
    assert begun[1] - begun[0] > 0.19
    assert begun[2] - asked[2] < 0.1
