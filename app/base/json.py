"""JSON as real clients write it: fast when it is right, patient when it is nearly right, bounded always."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import NamedTuple

import msgspec

#: Levels of nesting that are kept; nobody reads deeper.
DEEPEST = 100
#: Digits of an integer that are kept as a number; beyond, it is kept as text.
LONGEST_INTEGER = 40

encode: Callable[[object], bytes] = msgspec.json.Encoder().encode
_fast: Callable[[bytes], object] = msgspec.json.Decoder().decode

_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a pair: one good character
    rb"|(u0000|u[dD][89a-fA-F][0-9a-fA-F]{2})"  # NUL, or half a pair
    rb"|.)",
    re.DOTALL,
)
#: Strings are matched whole, so that brackets inside them are not counted; an open one runs to the end.
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[{]|[\]}]', re.DOTALL)

_BLANKS = re.compile(r"[ \t\n\r]*")


class NotJson(ValueError):
    """These bytes cannot be read as JSON, not even leniently; the message says where."""


class Decoded(NamedTuple):
    value: object
    remarks: list[str]  # what had to be changed to read it, one short sentence each


def decode(data: bytes) -> Decoded:
    """The value of a JSON text, without NUL, lone surrogates, NaN or endless nesting. Raises NotJson."""
    remarks: list[str] = []
    if b"\\u0000" in data:
        data = _mended(data, remarks)
    try:
        return Decoded(_fast(data), remarks)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Decoded(_patient(data, remarks), remarks)


def salvage(data: bytes) -> Decoded:
    """The members in front of the place where a JSON object breaks, with a remark on where that is.

    Raises NotJson when the bytes do not even begin as an object.
    """
    remarks: list[str] = []
    text = _cleaned(data, remarks)
    at = _past_blanks(text, 0)
    if text[at : at + 1] != "{":
        raise NotJson("not a JSON object")
    scan = _lenient(remarks).raw_decode
    members: dict[str, object] = {}
    try:
        while text[at] in "{,":
            key, at = scan(text, _past_blanks(text, at + 1))
            at = _past_blanks(text, at)
            if not isinstance(key, str) or text[at] != ":":
                break
            value, end = scan(text, _past_blanks(text, at + 1))
            end = _past_blanks(text, end)
            if text[end] not in ",}":
                break  # a number may have been cut
            members[key], at = value, end
    except (ValueError, IndexError, RecursionError):
        pass  # this is the place
    remarks.append(f"the JSON is damaged about character {at}, what follows was lost")
    return Decoded(members, remarks)


def _patient(data: bytes, remarks: list[str]) -> object:
    """What strict JSON forbids and clients send all the same."""
    try:
        return _lenient(remarks).decode(_cleaned(data, remarks))
    except (ValueError, RecursionError) as error:
        raise NotJson(f"not JSON: {error}"[:200]) from error


def _cleaned(data: bytes, remarks: list[str]) -> str:
    """The text without what no reader takes: NUL, lone surrogates, endless nesting, what is not UTF-8."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("utf-8-sig", "replace")
        remarks.append("bytes that are not UTF-8 were replaced")
    data = text.encode()
    if b"\0" in data:
        data = data.replace(b"\0", b"\\ufffd")
        remarks.append("NUL characters were replaced")
    return _shallow(_mended(data, remarks), remarks).decode()


def _lenient(remarks: list[str]) -> json.JSONDecoder:
    numbers = _Numbers(remarks)
    return json.JSONDecoder(
        strict=False, parse_constant=numbers.constant, parse_float=numbers.real, parse_int=numbers.whole
    )


def _past_blanks(text: str, at: int) -> int:
    return _BLANKS.match(text, at).end()  # type: ignore[union-attr] # it matches nothing as well


class _Numbers:
    """Reads numbers that JSON has no room for, and remembers that it did."""

    def __init__(self, remarks: list[str]) -> None:
        self.remarks = remarks

    def constant(self, _text: str) -> None:
        self._say("NaN and infinite numbers became null")

    def real(self, text: str) -> float | None:
        value = float(text)
        if math.isfinite(value):
            return value
        self._say("NaN and infinite numbers became null")
        return None

    def whole(self, text: str) -> int | str:
        if len(text) <= LONGEST_INTEGER:
            return int(text)
        self._say("very long integers became text")
        return text

    def _say(self, remark: str) -> None:
        if remark not in self.remarks:
            self.remarks.append(remark)


def _mended(data: bytes, remarks: list[str]) -> bytes:
    """The same text with the escapes of NUL and of lone surrogates replaced."""
    mended = _ESCAPE.sub(lambda match: rb"\ufffd" if match[1] else match[0], data)
    if mended != data:
        remarks.append("NUL characters and lone surrogates were replaced")
    return mended


def _shallow(data: bytes, remarks: list[str]) -> bytes:
    """The same text with whatever is nested too deeply replaced by "..."."""
    kept: list[bytes] = []
    depth = position = 0
    for match in _TOKEN.finditer(data):
        first = data[match.start()]
        if first in b"[{":
            depth += 1
            if depth == DEEPEST + 1:
                kept.append(data[position : match.start()] + b'"..."')
        elif first in b"]}":
            depth -= 1
            if depth == DEEPEST:
                position = match.end()
    if not kept:
        return data
    remarks.append(f"what was nested more than {DEEPEST} levels deep was left out")
    return b"".join(kept) + (data[position:] if depth <= DEEPEST else b"")
