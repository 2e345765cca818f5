"""Bags that stay the client's bytes: all of an event's are checked, and searched for secrets, at once."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from itertools import accumulate
from operator import attrgetter
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import Meta, Raw

from app.base.json import encode
from app.normalize.limits import MEDIUM
from app.normalize.notes import Notes
from app.normalize.regular import NOTHING, Regular
from app.normalize.screen import secrets

#: Reads a bag the long way: (value, path, notes) to what is kept of it, without secrets, or None.
Reader = Callable[[object, str, Notes], object]

_Leaf = str | int | float | bool
_Depth1 = _Leaf | None
_Depth2 = _Depth1 | list[_Depth1] | dict[str, _Depth1]
_Depth3 = _Depth1 | list[_Depth2] | dict[str, _Depth2]
_Depth4 = _Depth1 | list[_Depth3] | dict[str, _Depth3]
#: Objects that are neither empty nor too deep, without null: what `bags` leaves as it is.
_Bag = Annotated[dict[str, _Leaf | list[_Depth4] | dict[str, _Depth4]], Meta(min_length=1)]
_check_all = msgspec.json.Decoder(list[_Bag]).decode
_check = msgspec.json.Decoder(_Bag).decode
_decode = msgspec.json.Decoder().decode
#: Nothing is lost with them, and nobody is told.
_EMPTY = frozenset((b"null", b"{}", b"[]"))
_LONGEST_EMPTY = 4


_GETTERS = {name: attrgetter(name) for name in ("vars", "data", "bag")}


class Irregular(Exception):
    """This event must go the long way after all."""


def plain(text: Raw | bytes) -> Any:
    """What the JSON says. Raises Irregular where only the long way can tell, as with 1e999."""
    try:
        return _decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Irregular from error


def reads(decode: Callable[[Raw], object], text: Raw) -> bool:
    """Whether this decoder takes it."""
    try:
        decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return True


class _Spot(NamedTuple):
    """Bags that stand in the same place of like holders; the first one's number, and how one is read."""

    first: int
    holders: Sequence[Regular]
    name: str
    path: str
    read: Reader


class Opaque:
    """The opaque bags of one event. What is wrong with one, or secret in it, touches no other."""

    def __init__(self) -> None:
        self._texts: list[Raw] = []
        self._spots: list[_Spot] = []
        self._suspects: set[int] = set()  # numbers of bags that are to be read

    def add(
        self, holders: Sequence[Regular], name: str, path: str, read: Reader, most: int = MEDIUM.size
    ) -> None:
        """The bags called `name` of some holders; `path` has a {} for the holder's index."""
        first = len(self._texts)
        found: list[Raw] = list(map(_GETTERS[name], holders))
        sizes = list(map(len, found))
        if sizes and min(sizes) <= _LONGEST_EMPTY:
            found = _without_empty(holders, name)
        if sizes and max(sizes) > most:
            self._suspects.update(first + at for at, text in enumerate(found) if len(text) > most)
        self._texts += found
        self._spots.append(_Spot(first, holders, name, path, read))

    def settle(self, notes: Notes) -> None:
        """Reads the bags that need it. Raises Irregular when one cannot be read as plain JSON."""
        if not self._texts:
            return
        joined = b",".join(self._texts)
        suspects = self._suspects
        try:
            _check_all(b"[%b]" % joined)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            suspects.update(number for number, text in enumerate(self._texts) if not reads(_check, text))
        places = secrets(joined)
        if places:
            ends = list(accumulate(len(text) + 1 for text in self._texts))
            suspects.update(bisect_left(ends, place) for place in places)
        for spot, index in [self._place(number) for number in sorted(suspects)]:
            self._read(spot, index, notes)

    def _place(self, number: int) -> tuple[_Spot, int]:
        spot = next(spot for spot in reversed(self._spots) if spot.first <= number)
        present = [
            index for index, holder in enumerate(spot.holders) if getattr(holder, spot.name) is not NOTHING
        ]
        return spot, present[number - spot.first]

    def _read(self, spot: _Spot, index: int, notes: Notes) -> None:
        holder = spot.holders[index]
        value = plain(getattr(holder, spot.name))
        kept = None if value is None else spot.read(value, spot.path.format(index), notes)
        setattr(holder, spot.name, NOTHING if kept is None else Raw(encode(kept)))


def _without_empty(holders: Sequence[Regular], name: str) -> list[Raw]:
    """The bags that are there and not empty; empty ones are taken away."""
    kept: list[Raw] = []
    for holder in holders:
        text: Raw = getattr(holder, name)
        if text is NOTHING:
            continue
        if len(text) <= _LONGEST_EMPTY and bytes(text) in _EMPTY:
            setattr(holder, name, NOTHING)
        else:
            kept.append(text)
    return kept
