"""Request bodies by the million: gzipped envelopes of 20 KB Python events, each with an id of its own.

Only the first bytes of an envelope differ from event to event. They go into the gzip stream as a stored
block; the rest was compressed once, and the checksum of the whole is put together from its parts'. So a
body costs the load generator microseconds, and is for the server what an SDK sends: one gzip member.
"""

from __future__ import annotations

import json
import random
import struct
import zlib
from collections.abc import Iterator
from functools import cache

from tests.benchmarks.pure import payload

#: Bodies differ in everything but their issue: how many of each issue there are.
VARIANTS = 5
GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
POLYNOMIAL = 0xEDB88320
#: Tails are padded to a multiple of this, so that few lengths need a table.
STEP = 256

Matrix = list[int]


class Tail:
    """What follows the event id, compressed, with what its checksum needs."""

    def __init__(self, raw: bytes) -> None:
        self.length = len(raw)
        self.checksum = zlib.crc32(raw)
        packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
        self.packed = packer.compress(raw) + packer.flush()
        self.shift = shifting(self.length)

    def body(self, event_id: str) -> bytes:
        """The whole envelope of the event with this id (32 hexadecimal digits)."""
        begun = b'{"event_id":"%s"' % event_id.encode()
        head = b'{"event_id":"%s","sdk":{"name":"sentry.python"}}\n{"type":"event","length":%d}\n%s' % (
            event_id.encode(),
            len(begun) + self.length - 1,  # the line feed behind the payload is not counted
            begun,
        )
        checksum = shifted(self.shift, zlib.crc32(head)) ^ self.checksum
        stored = struct.pack("<BHH", 0, len(head), len(head) ^ 0xFFFF) + head
        return GZIP_HEADER + stored + self.packed + struct.pack("<II", checksum, len(head) + self.length)


def tails(issues: int, seed: int = 0) -> list[Tail]:
    """Tails of so many issues in an order of their own, a few of each issue."""
    mixed = [
        Tail(rest(payload(number + issues * variant, issues=issues)))
        for variant in range(VARIANTS)
        for number in range(issues)
    ]
    random.Random(seed).shuffle(mixed)
    return mixed


def rest(event: dict[str, object]) -> bytes:
    """An event's JSON behind `{"event_id":"…"`, with the line feed that ends the item."""
    event.pop("timestamp", None)  # it happened when it arrives
    raw = json.dumps(event).encode()
    padding = -(len(raw) + 16) % STEP
    event["extra"] = {"padding": "x" * padding, **event.get("extra", {})}  # type: ignore[dict-item]
    raw = json.dumps(event).encode()
    return b"," + raw[1:] + b"\n"


def bodies(issues: int, seed: int = 0) -> Iterator[bytes]:
    """For ever, each with a new random id."""
    chance, known = random.Random(), tails(issues, seed)
    while True:
        for tail in known:
            yield tail.body(f"{chance.getrandbits(128):032x}")


# -- CRC-32 of joined parts: a linear map over bits moves the first part's checksum behind the second ------


@cache
def shifting(length: int) -> list[list[int]]:
    """Four tables of 256: the effect of `length` zero bytes on each byte of a checksum."""
    one_bit = [POLYNOMIAL, *(1 << bit for bit in range(31))]
    matrix = squared(squared(squared(one_bit)))  # eight bits: one byte
    result = [1 << bit for bit in range(32)]
    while length:
        if length & 1:
            result = [times(matrix, column) for column in result]
        matrix = squared(matrix)
        length >>= 1
    return [[times(result, byte << (8 * place)) for byte in range(256)] for place in range(4)]


def times(matrix: Matrix, vector: int) -> int:
    total = 0
    for column in matrix:
        if vector & 1:
            total ^= column
        vector >>= 1
    return total


def squared(matrix: Matrix) -> Matrix:
    return [times(matrix, column) for column in matrix]


def shifted(tables: list[list[int]], checksum: int) -> int:
    a, b, c, d = tables
    return a[checksum & 255] ^ b[checksum >> 8 & 255] ^ c[checksum >> 16 & 255] ^ d[checksum >> 24]
