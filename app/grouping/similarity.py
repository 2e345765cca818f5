"""How alike two events are: MinHash signatures over what tells where and how something went wrong.

An event becomes a set of short texts (`shingles`): types, frames, neighbouring frames, words of the message.
Of 80 hash functions each keeps its least value over the set (`signature`). Two sets agree in as large a share
of these values as they share of all their texts, give or take 0.05. Signatures are found again by their
`bands`: numbers that each stand for four values at once, of which alike events share at least one.

Nothing here depends on the process or the machine, because signatures are stored. Whoever changes what comes
out counts VERSION up; the stored ones are then made again.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterable, Iterator
from hashlib import blake2b, shake_128
from itertools import pairwise
from operator import eq
from typing import Any

from app.event import Component
from app.grouping.frames import frame as grouped
from app.grouping.parameters import TABLES, parameterised, shortened

VERSION = 1
#: Alike by 0.5 is found with 73 % certainty, by 0.6 with 94 %, by 0.7 with 99.6 %; by 0.1 with 0.2 %.
BANDS, ROWS = 20, 4
SIZE = BANDS * ROWS

#: Frames nearest to the crash, and words of a message, that are looked at.
MOST_FRAMES, MOST_WORDS = 40, 24
#: How much more the type of an exception and a frame say than a word does.
_TYPE, _FRAME = 3, 2

_MESSAGES = TABLES["2026-11"]
_WORD = re.compile(r"<\w+>|\w+")
_same: Callable[[int, int], bool] = eq
_UNPACK = struct.Struct(f"<{SIZE}I").unpack
_PACK = struct.Struct(f"<{SIZE}I").pack


def signature(data: dict[str, Any]) -> bytes:
    """320 bytes, empty for an event of which nothing is known. `data` is a stored, normalised event."""
    rows = [_hashes(text) for text in shingles(data)]
    if not rows:
        return b""
    return _PACK(*(map(min, *rows) if len(rows) > 1 else rows[0]))


def bands(signature: bytes, project_id: int) -> list[int]:
    """The signed 64-bit numbers it is found by, which mean this version and this project alone."""
    step = ROWS * 4
    return [
        _number(b"%d %d %d " % (VERSION, project_id, place) + signature[place : place + step])
        for place in range(0, len(signature), step)
    ]


def similarity(one: bytes, other: bytes) -> float:
    """From 0 to 1, as estimated from two signatures."""
    if len(one) != len(other) or not one:
        return 0.0
    return sum(map(_same, _UNPACK(one), _UNPACK(other))) / SIZE


def shingles(data: dict[str, Any]) -> set[str]:
    """What is compared. Each text begins with its kind; heavy ones stand in several copies."""
    found: set[str] = set()
    thrown = _values(data, "exception")
    stacks = [one["stacktrace"] for one in thrown if one.get("stacktrace")]
    for one in thrown:
        found.update(f"type{copy} {one['type']}" for copy in range(_TYPE) if one.get("type"))
    platform = str(data.get("platform") or "other")
    for stack in stacks or _other_stacks(data):
        found.update(_of_stack(stack, platform))
    for text in _messages(data, thrown):
        found.update(_of_message(text))
    return found


def _of_stack(stack: dict[str, Any], platform: str) -> Iterator[str]:
    """Frames of the application alone, where there are any, without what varies in them."""
    frames = [frame for frame in stack.get("frames") or () if frame]
    frames = ([frame for frame in frames if frame.get("in_app")] or frames)[-MOST_FRAMES:]
    places = [place for frame in frames if (place := _place(frame, platform))]
    for place in places:
        yield from (f"frame{copy} {place}" for copy in range(_FRAME))
    for caller, called in pairwise(places):
        yield f"call {caller} {called}"


def _place(frame: dict[str, Any], platform: str) -> str:
    """Module or file and function as they would be grouped by; the line itself where there is no more."""
    tree, texts = grouped(frame, platform).system
    named = [
        str(part.values[0])
        for part in tree.values
        if isinstance(part, Component) and part.contributes and part.id != "context-line"
    ]
    return ":".join(named or texts)


def _of_message(text: str) -> Iterator[str]:
    words = _WORD.findall(parameterised(shortened(text), _MESSAGES).lower())[:MOST_WORDS]
    yield from (f"word {word}" for word in words)
    for pair in pairwise(words):
        yield f"words {' '.join(pair)}"


def _messages(data: dict[str, Any], thrown: list[dict[str, Any]]) -> Iterator[str]:
    yield from (str(one["value"]) for one in thrown if one.get("value"))
    entry = data.get("logentry") or {}
    yield str(entry.get("message") or entry.get("formatted") or "")
    for name in ("csp", "hpkp", "expectct", "expectstaple"):
        report = data.get(name)
        if isinstance(report, dict):
            yield " ".join(f"{key} {value}" for key, value in sorted(report.items()))


def _other_stacks(data: dict[str, Any]) -> Iterable[dict[str, Any]]:
    """Of an event without an exception: its own, else that of the thread that crashed, else of every one."""
    if data.get("stacktrace"):
        return [data["stacktrace"]]
    threads = [one for one in _values(data, "threads") if one.get("stacktrace")]
    return [one["stacktrace"] for one in [one for one in threads if one.get("crashed")] or threads]


def _values(data: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return [one for one in (data.get(name) or {}).get("values") or () if one]


def _hashes(text: str) -> tuple[int, ...]:
    """What each hash function makes of a text, in C: pieces of one long digest."""
    return _UNPACK(shake_128(text.encode("utf-8", "replace")).digest(SIZE * 4))


def _number(text: bytes) -> int:
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big", signed=True)
