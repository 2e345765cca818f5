"""The read side of the journal: whole records that the broker has not confirmed, in bounded slices."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from app.ingest import folder
from app.ingest.folder import Folder, Position
from app.wire import record

logger = logging.getLogger(__name__)

#: One message holds at most this many records and, unless a single one is larger, this many bytes.
RECORDS, BYTES = 200, 512 * 1024


class Slice(NamedTuple):
    """A group: whole frames as they lie in the journal."""

    data: bytes
    records: int
    end: Position


class Tail:
    """What is unshipped in one folder. `end` tells how far its writer is, None when it has none any more."""

    def __init__(self, held: Folder, end: Callable[[], Position] | None = None) -> None:
        self.folder = held
        self._end = end
        self._position = held.confirmed()
        self.passed = 0  # bytes that were confirmed, cut or put aside
        self._file = -1
        self._open_number = 0

    def take(self, most: int = RECORDS) -> Slice | None:
        """The next records, None when there are none (yet). The same ones again until `advance`."""
        while (size := self._find()) is not None:
            data = self._read(size)
            count, length = whole_frames(memoryview(data), most)
            if count:
                number, offset = self._position
                return Slice(
                    data if length == len(data) else data[:length], count, Position(number, offset + length)
                )
            self._pass_over(size)
        return None

    def advance(self, to: Position) -> None:
        """Everything before `to` is confirmed: remembered, and finished segments are deleted."""
        self.folder.confirm(to)
        self.passed += to.offset - self._position.offset
        self._position = to

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _find(self) -> int | None:
        """Moves to the segment with the next byte; its readable size, or None at the end of all."""
        end = self._end() if self._end else None
        if end and end.segment == self._position.segment:  # nearly always: no look at the folder
            return end.offset if self._position.offset < end.offset else None
        for number in self.folder.segments():
            if number < self._position.segment:
                self._delete(number)
                continue
            if end and number > end.segment:
                return None
            size = end.offset if end and number == end.segment else self.folder.segment(number).stat().st_size
            if number > self._position.segment:
                self._position = Position(number, 0)
            if self._position.offset < size:
                return size
            if end is None or number < end.segment:
                self._position = Position(number + 1, 0)
                self._delete(number)
        return None

    def _delete(self, number: int) -> None:
        """Closed first: an open file would go on taking room on the disk."""
        if number == self._open_number:
            self.close()
        self.folder.segment(number).unlink(missing_ok=True)

    def _read(self, size: int) -> bytes:
        """The next bytes of the segment, more than BYTES only when the first record is larger."""
        left = size - self._position.offset
        data = self._at(self._position.offset, min(BYTES, left))
        if len(data) >= record.HEADER.size:
            first = record.HEADER.size + record.HEADER.unpack_from(data)[0]
            if len(data) < first <= left:
                data = self._at(self._position.offset, first)
        return data

    def _at(self, offset: int, length: int) -> bytes:
        if self._open_number != self._position.segment or self._file < 0:
            self.close()
            self._file = os.open(self.folder.segment(self._position.segment), os.O_RDONLY | os.O_CLOEXEC)
            self._open_number = self._position.segment
        return os.pread(self._file, length, offset)

    def _pass_over(self, size: int) -> None:
        """The next record is not whole: what is damaged is kept aside, shipping goes on behind it."""
        number, offset = self._position
        rest = self._at(offset, size - offset)
        written = rest.rstrip(b"\0")  # behind it lies what a killed process had laid for its next records
        skipped = next_frame(rest)
        if skipped == len(rest) and is_cut_short(written):
            if written:
                segment = self.folder.segment(number)
                logger.warning("cut %d bytes of an unfinished write off %s", len(written), segment)
        else:
            kept = folder.put_aside(self.folder.path.parent, self._name(), rest[:skipped])
            logger.error("%d damaged bytes of the journal are kept in %s", skipped, kept)
        self.advance(Position(number, offset + skipped))

    def put_aside(self, group: Slice) -> Path:
        """Keeps a group that the broker will never take, and goes on behind it."""
        kept = folder.put_aside(self.folder.path.parent, self._name(), group.data)
        self.advance(group.end)
        return kept

    def _name(self) -> str:
        return f"{self.folder.path.name}-{self._position.segment:08d}-{self._position.offset}"


def whole_frames(view: memoryview, most: int) -> tuple[int, int]:
    """How many whole records `view` begins with, counted up to `most`, and their bytes."""
    count = offset = 0
    while count < most and offset < len(view):
        try:
            offset = record.frame_at(view, offset)
        except record.TornRecord:
            break
        count += 1
    return count, offset


def is_cut_short(rest: bytes) -> bool:
    """Whether these bytes could be the beginning of a record whose writing was interrupted, or nothing."""
    return len(rest) < record.HEADER.size or (
        record.HEADER.size + record.HEADER.unpack_from(rest)[0] > len(rest)
    )


def next_frame(rest: bytes) -> int:
    """Where the first whole record behind a damaged one begins; the length of `rest` when there is none."""
    view = memoryview(rest)
    at = 0
    while (at := rest.find(_FIRST_FIELD, at + 1)) >= 0:
        begin = at - 1 - record.HEADER.size
        # A record is a MessagePack array whose first field is a 64-bit number.
        if begin > 0 and rest[at - 1] & 0xF0 == 0x90:
            try:
                record.frame_at(view, begin)
            except record.TornRecord:
                continue
            return begin
    return len(rest)


_FIRST_FIELD = b"\xcf"
