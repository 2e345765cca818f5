"""The envelope of SDKs: a header line, then items of a header line and a payload each.

    split(data) -> Envelope(header, items)     whole bytes; payloads are views, not copies
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
    return _usual(data) or _any(data)


def _usual(data: bytes) -> Envelope | None:
    """The same for what clients really send, at a quarter of the cost; None for what needs a closer look."""
    try:
        header, position = _line(data, 0)
        items: list[Item] = []
        while position < len(data):
            item, position = _item(data, position)
            items.append(item)
    except (_Odd, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return Envelope(header, items) if len(items) <= MOST_ITEMS else None


class _Odd(Exception):
    """Not how clients usually write."""


def _line(data: bytes, start: int) -> tuple[dict[str, Any], int]:
    """The headers in this line, and where the next one begins."""
    end = data.find(b"\n", start)
    if not start < end <= start + LONGEST_HEADER:
        raise _Odd
    return _decode(memoryview(data)[start:end]), end + 1


def _item(data: bytes, position: int) -> tuple[Item, int]:
    """The item whose header begins here, and where the next one does."""
    headers, start = _line(data, position)
    length = headers.get("length")
    if length is None:
        end = data.find(b"\n", start)
        end = len(data) if end < 0 else end
    elif type(length) is int and 0 <= length <= len(data) - start:
        end = start + length
    else:
        raise _Odd
    if data[end : end + 1] not in (b"\n", b"") or type(headers.get("type")) is not str:
        raise _Odd
    return Item(headers, memoryview(data)[start:end]), end + 1


def _any(data: bytes) -> Envelope:
    reader = Reader()
    reader.feed(data)
    reader.close()
    view = memoryview(data)
    return Envelope(reader.header, [Item(span.headers, view[span.start : span.end]) for span in reader.items])


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
