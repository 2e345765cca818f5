"""The envelope of SDKs: a header line, then items of a header line and a payload each.

    split(data) -> Envelope(header, items)     whole bytes; payloads are views, not copies
    spans(data) -> (header, spans)             whole bytes; where the payloads lie
    alone(beginning, size) -> (header, span)   of one that has a single item, by its first bytes
    Reader().feed(piece) … .close()            the same grammar over pieces, payloads not kept

Only LF ends a line; a CR belongs to the payload. An item without `length` runs to the next LF or the end.
Blank lines between items are passed over; item types nobody knows are items like any other.
Everything that is not an envelope raises Malformed with one clear sentence.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

#: Bytes of one header line. SDKs send a few hundred; some list every installed package.
LONGEST_HEADER = 128 * 1024
MOST_ITEMS = 1000

_decode = msgspec.json.Decoder(dict[str, Any]).decode


class Malformed(ValueError):
    """These bytes are no envelope; the message says what is wrong and at which byte."""


class Item(NamedTuple):
    headers: dict[str, Any]  # has a "type" that is a string
    payload: memoryview


class Envelope(NamedTuple):
    header: dict[str, Any]
    items: list[Item]


class Span(NamedTuple):
    """Where an item's payload lies in the envelope."""

    headers: dict[str, Any]
    start: int
    end: int

    @property
    def type(self) -> str:
        return str(self.headers["type"])

    @property
    def size(self) -> int:
        return self.end - self.start


def split(data: bytes) -> Envelope:
    """The header and the items of a whole envelope. Raises Malformed."""
    header, found = spans(data)
    view = memoryview(data)
    return Envelope(header, [Item(headers, view[start:end]) for headers, start, end in found])


def spans(data: bytes) -> tuple[dict[str, Any], list[Span]]:
    """The header and where the items lie in a whole envelope. Raises Malformed."""
    try:
        found = _usual(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = None
    if found is None:
        reader = Reader()
        reader.feed(data)
        reader.close()
        found = reader.header, reader.items
    return found


def _usual(data: bytes) -> tuple[dict[str, Any], list[Span]] | None:
    """What Reader would find, with one look per line; None when it has to say what is wrong."""
    size, find = len(data), data.find
    end = find(b"\n", 0, LONGEST_HEADER + 1)
    if end < 0:
        return None
    items: list[Span] = []
    header, at = _decode(data[:end]), end + 1
    while at < size:
        end = find(b"\n", at, at + LONGEST_HEADER + 1)
        if end < 0:
            return None
        line = data[at:end]
        if not line or line.isspace():
            at = end + 1
            continue
        headers, start = _decode(line), end + 1
        length = headers.get("length")
        if length is None:
            stop = find(b"\n", start)
            stop = size if stop < 0 else stop
        elif type(length) is int and length >= 0:
            stop = start + length
            if stop > size or data[stop : stop + 1] not in _LINE_END:
                return None
        else:
            return None
        if type(headers.get("type")) is not str or len(items) >= MOST_ITEMS:
            return None
        items.append(Span(headers, start, stop))
        at = stop + 1
    return header, items


_LINE_END = (b"\n", b"")


def alone(beginning: bytes, size: int) -> tuple[dict[str, Any], Span] | None:
    """The header and the only item of an envelope of `size` bytes; None unless its first bytes tell both."""
    end = beginning.find(b"\n")
    stop = beginning.find(b"\n", end + 1)
    if end < 0 or stop < 0:
        return None
    try:
        header, headers = _decode(beginning[:end]), _decode(beginning[end + 1 : stop])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    length, start = headers.get("length"), stop + 1
    if type(length) is not int or type(headers.get("type")) is not str or length < 0:
        return None
    # With the line end behind the payload or without.
    return (header, Span(headers, start, start + length)) if 0 <= size - start - length <= 1 else None


class Reader:
    """Reads an envelope in pieces of any size and keeps its headers and where the payloads lie."""

    def __init__(self) -> None:
        self.header: dict[str, Any] = {}
        self.items: list[Span] = []
        self._offset = 0  # of the byte that comes next, in the whole envelope
        self._line = bytearray()  # a header line that is not whole yet
        self._line_start = 0
        self._step = self._read_header
        self._item: dict[str, Any] = {}
        self._start = 0
        self._missing = 0  # bytes of the payload still to come

    def feed(self, piece: bytes) -> None:
        """Takes the next bytes. Raises Malformed as soon as they cannot be an envelope."""
        position = 0
        while position < len(piece):
            taken = self._step(piece, position)
            position += taken
            self._offset += taken

    def close(self) -> None:
        """Says that nothing more comes. Raises Malformed when something is missing."""
        if self._step == self._read_header:
            if not self._line:
                raise Malformed("the envelope is empty")
            self._take_header()
        elif self._step == self._read_item and self._line:
            self._take_item()
        if self._step in (self._read_length, self._read_line):
            if self._missing:
                raise Malformed(f"the payload of {self._named()} is cut short by {self._missing} bytes")
            self._end_item(self._offset)

    # -- one step each: takes bytes of `piece` from `position` on, says how many ---------------------------

    def _read_header(self, piece: bytes, position: int) -> int:
        taken, whole = self._read_to_newline(piece, position)
        if whole:
            self._take_header()
        return taken

    def _read_item(self, piece: bytes, position: int) -> int:
        taken, whole = self._read_to_newline(piece, position)
        if whole:
            if self._line.isspace() or not self._line:
                self._line.clear()
            else:
                self._take_item(self._offset + taken)
        return taken

    def _read_length(self, piece: bytes, position: int) -> int:
        taken = min(self._missing, len(piece) - position)
        self._missing -= taken
        if taken == 0:  # the payload was whole already: here is the byte behind it
            if piece[position] != 0x0A:
                raise Malformed(f"no line end behind the payload of {self._named()} at byte {self._offset}")
            self._end_item(self._offset)
            return 1
        return taken

    def _read_line(self, piece: bytes, position: int) -> int:
        end = piece.find(b"\n", position)
        if end < 0:
            return len(piece) - position
        self._end_item(self._offset + end - position)
        return end + 1 - position

    # -- what a whole line or payload means ----------------------------------------------------------------

    def _read_to_newline(self, piece: bytes, position: int) -> tuple[int, bool]:
        if not self._line:
            self._line_start = self._offset
        end = piece.find(b"\n", position)
        stop = len(piece) if end < 0 else end
        if len(self._line) + stop - position > LONGEST_HEADER:
            raise Malformed(f"a header line is longer than {LONGEST_HEADER} bytes")
        self._line += piece[position:stop]
        return (stop - position, False) if end < 0 else (stop + 1 - position, True)

    def _take_header(self) -> None:
        self.header = self._json("envelope header")
        self._step = self._read_item

    def _take_item(self, start: int | None = None) -> None:
        headers = self._json("item header")
        if not isinstance(headers.get("type"), str):
            raise Malformed(f"an item header without a type at byte {self._line_start}")
        if len(self.items) >= MOST_ITEMS:
            raise Malformed(f"an envelope of more than {MOST_ITEMS} items")
        self._item, self._start = headers, self._offset if start is None else start
        length = headers.get("length")
        if length is None:
            self._step = self._read_line
        elif type(length) is int and length >= 0:
            self._missing, self._step = length, self._read_length
        else:
            raise Malformed(f"the length of {self._named()} is not a number of bytes: {length!r}"[:200])

    def _named(self) -> str:
        return f"a {self._item['type'][:40]!r} item"

    def _end_item(self, end: int) -> None:
        self.items.append(Span(self._item, self._start, end))
        self._step = self._read_item

    def _json(self, what: str) -> dict[str, Any]:
        line = bytes(self._line)
        self._line.clear()
        try:
            return _decode(line)
        except RecursionError:
            raise Malformed(f"the {what} is nested too deeply") from None
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Malformed(f"the {what} is not a JSON object: {error}"[:300]) from error
