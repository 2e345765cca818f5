"""Request bodies by the million: gzipped envelopes of 20 KB events, each with an id of its own.

The corpus `python` holds events of one platform, `mixed` those of every client in tests/events at that size.
Only the first bytes of an envelope differ from event to event. They go into the gzip stream as a stored
block; the rest was compressed once, and the checksum of the whole is put together from its parts'. So a
body costs the load generator microseconds, and is for the server what an SDK sends: one gzip member.
"""

from __future__ import annotations

import itertools
import json
import random
import struct
import zlib
from collections.abc import Iterator
from functools import cache
from typing import Any

from tests.benchmarks.pure import payload
from tests.events import NAMES
from tests.events import payload as example

#: Bodies differ in everything but their issue: how many of each issue there are.
VARIANTS = 5
GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
POLYNOMIAL = 0xEDB88320
BEGUN = b'{"event_id":"%s"' % bytes(32)
#: Bytes of JSON that an event of the mixed corpus has at least.
SIZE = 20_000
#: Tails are padded to a multiple of this, so that few lengths need a table.
STEP = 256

Matrix = list[int]


class Tail:
    """What follows the event id, compressed, with what its checksum needs, and who sends it."""

    def __init__(self, raw: bytes, sdk: str) -> None:
        self.sdk = sdk
        self.length = len(raw)
        self.checksum = zlib.crc32(raw)
        packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
        self.packed = packer.compress(raw) + packer.flush()
        self.shift = shifting(self.length)
        self.head = (
            b'{"event_id":"%%s","sdk":{"name":"%s"}}\n{"type":"event","length":%d}\n{"event_id":"%%s"'
            % (sdk.encode(), len(BEGUN) + self.length - 1)  # the line feed behind the payload is not counted
        )

    def body(self, event_id: str) -> bytes:
        """The whole envelope of the event with this id (32 hexadecimal digits)."""
        name = event_id.encode()
        head = self.head % (name, name)
        checksum = shifted(self.shift, zlib.crc32(head)) ^ self.checksum
        stored = struct.pack("<BHH", 0, len(head), len(head) ^ 0xFFFF) + head
        return GZIP_HEADER + stored + self.packed + struct.pack("<II", checksum, len(head) + self.length)


def tails(issues: int, seed: int = 0, corpus: str = "python") -> list[Tail]:
    """Tails of so many issues in an order of their own, a few of each issue."""
    events = CORPORA[corpus](issues)
    mixed = [Tail(rest(event), sdk(event)) for event in events]
    random.Random(seed).shuffle(mixed)
    return mixed


def rest(event: dict[str, Any]) -> bytes:
    """An event's JSON behind `{"event_id":"…"`, with the line feed that ends the item."""
    event.pop("timestamp", None)  # it happened when it arrives
    event.pop("event_id", None)
    extra = event.get("extra") or {}
    event["extra"] = {"padding": "", **extra}
    padding = -(len(json.dumps(event)) + 1) % STEP
    event["extra"] = {"padding": "x" * padding, **extra}
    return b"," + json.dumps(event).encode()[1:] + b"\n"


def sdk(event: dict[str, Any]) -> str:
    return str((event.get("sdk") or {}).get("name") or "sentry.python")


def python_events(issues: int) -> Iterator[dict[str, Any]]:
    for variant, number in itertools.product(range(VARIANTS), range(issues)):
        yield payload(number + issues * variant, issues=issues)


def mixed_events(issues: int) -> Iterator[dict[str, Any]]:
    """Every client in turn: its own event, with as many frames and breadcrumbs as make 20 KB."""
    for variant, number in itertools.product(range(VARIANTS), range(issues)):
        event = example(NAMES[number % len(NAMES)])
        like = payload(number + issues * variant, issues=issues)
        deepen(event, number, variant)
        event["breadcrumbs"] = like["breadcrumbs"]
        event["tags"] = like["tags"]
        event["contexts"] = {**(event.get("contexts") or {}), **like["contexts"]}
        event["fingerprint"] = ["{{ default }}", f"issue {number}"]
        filler = event["extra"] = {**(event.get("extra") or {})}
        for count in itertools.count():
            if len(json.dumps(event)) >= SIZE:
                break
            filler[f"record-{count}"] = like["exception"]["values"][0]["stacktrace"]["frames"][count % 30]
        yield event


def deepen(event: dict[str, Any], issue: int, variant: int) -> None:
    """Thirty frames in each stack trace: what is there once, repeated with other lines."""
    found = event.get("exception")
    values = found.get("values", []) if isinstance(found, dict) else found or []
    for value in values:
        frames = (value.get("stacktrace") or {}).get("frames") or []
        if frames:
            again = itertools.islice(itertools.cycle(frames), max(0, 30 - len(frames)))
            extra = [{**frame, "lineno": issue + at} for at, frame in enumerate(again)]
            value["stacktrace"]["frames"] = [*extra, *frames]
        value["value"] = f"{value.get('value')} {variant}"


CORPORA = {"python": python_events, "mixed": mixed_events}


def numbered(issues: int, seed: int = 0, corpus: str = "python") -> Iterator[tuple[str, Tail]]:
    """For ever: a new random id, and the tail that it is to stand before."""
    chance, known = random.Random(), tails(issues, seed, corpus)
    while True:
        for tail in known:
            yield f"{chance.getrandbits(128):032x}", tail


def bodies(issues: int, seed: int = 0, corpus: str = "python") -> Iterator[bytes]:
    """For ever, each with a new random id."""
    return (tail.body(event_id) for event_id, tail in numbered(issues, seed, corpus))


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
