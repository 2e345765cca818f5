"""Records to put into a journal."""

from __future__ import annotations

from app.wire.record import Accepted, frame, frames


def accepted(number: int, size: int = 20) -> Accepted:
    """A record that is known again by its id."""
    return Accepted(
        received=1_772_359_200_000_000 + number,
        project_id=1,
        key_id=1,
        kind="envelope",
        encoding="",
        client="test/1",
        address="127.0.0.1",
        agent="",
        event_id=f"{number:032x}",
        body=bytes([number % 256]) * size,
    )


def framed(number: int, size: int = 20) -> bytes:
    return frame(accepted(number, size))


def numbers(group: bytes) -> list[int]:
    return [int(record.event_id, 16) for _, record in frames(group)]
