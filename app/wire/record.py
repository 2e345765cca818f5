"""One accepted request as bytes: the unit of the journal, of the broker's message and of a replay.

    frame   = length (u32, little endian) + CRC-32 of what follows (u32) + MessagePack of Accepted
    group   = frames one after the other: a slice of a journal segment *is* a broker message

The body stays as the client sent it, compression included.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Literal

import msgspec
from isal import isal_zlib

HEADER = struct.Struct("<II")
#: A length beyond this is a torn or foreign file, never a record (largest body and room for the rest).
LARGEST = 128 * 1024 * 1024


class Accepted(msgspec.Struct, array_like=True, frozen=True):
    """What is known of a request when it is answered. Fields are only added at the end, with defaults."""

    received: int  # µs since the epoch, UTC; decides the partition, so it travels with the record
    project_id: int
    key_id: int
    kind: Literal["envelope", "store", "counts"]
    encoding: str  # "", "gzip", "deflate", "br", "zstd"
    client: str  # sentry_client, "sentry.python/2.75.0"
    address: str  # of the sender, "" when unknown
    agent: str  # User-Agent
    event_id: str  # the id that was answered, 32 hex; an event without one of its own gets this
    body: bytes
    # Categories of which nothing is kept, with the reason: the sender was told so, as it had sent others too.
    limited: dict[str, str] = {}


class TornRecord(Exception):
    """The bytes at this offset are not a whole record: a crash cut the file here."""

    def __init__(self, offset: int, why: str):
        super().__init__(f"{why} at byte {offset}")
        self.offset = offset


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Accepted).decode


def frame(accepted: Accepted) -> bytes:
    """The record as bytes with length and checksum."""
    payload = _encode(accepted)
    return HEADER.pack(len(payload), isal_zlib.crc32(payload)) + payload


def frame_at(data: bytes | memoryview, offset: int) -> int:
    """The offset just behind the frame that begins at `offset`; raises TornRecord if it is not whole."""
    if offset + HEADER.size > len(data):
        raise TornRecord(offset, "header cut short")
    length: int
    length, checksum = HEADER.unpack_from(data, offset)
    end = offset + HEADER.size + length
    if length > LARGEST or end > len(data):
        raise TornRecord(offset, "record cut short")
    if not length:
        raise TornRecord(offset, "zeros instead of a record")
    if isal_zlib.crc32(data[offset + HEADER.size : end]) != checksum:
        raise TornRecord(offset, "checksum differs")
    return end


def frames(group: bytes | memoryview) -> Iterator[tuple[bytes, Accepted]]:
    """Each record of a group, with its own frame bytes. Raises TornRecord where the group is damaged."""
    view, offset = memoryview(group), 0
    while offset < len(view):
        end = frame_at(view, offset)
        yield bytes(view[offset:end]), _decode(view[offset + HEADER.size : end])
        offset = end
