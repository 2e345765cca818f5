"""The write side of the journal: what `append` returned from is on disk.

Zeros are laid in front of the records, and records are written over them. To sync a file that grows, the
file system commits its own journal, and that waits for whatever PostgreSQL and RabbitMQ sync on the same
disk: in a burst of 3,000 events/s the 99th percentile of accepting was 130 to 680 ms for it, now 20 to 110.
To sync what was written over, only its own bytes go to the disk. The zeros are cut off when a segment ends;
those of a process that was killed are read as the end of its segment (app/ingest/tail.py).
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import time
from pathlib import Path

from app.ingest import folder
from app.ingest.folder import Folder, Position

logger = logging.getLogger(__name__)

#: Bytes after which a new segment is begun.
SEGMENT = 16 * 1024 * 1024
#: Bytes of zeros laid at a time, and of room on the disk without which none are.
LAID, ROOM = 2 * 1024 * 1024, 64 * 1024 * 1024
#: Seconds for which the size of other processes' folders is believed.
LOOK_EVERY = 1.0


class Full(OSError):
    """As many bytes wait for the broker as the journal may hold."""


class Journal:
    """One process's journal. `append` is for one thread; `end` and `folder` may be read by another.

    Nothing is created before the first append, so that a full disk refuses requests and not the start.
    """

    def __init__(self, root: Path, limit: int) -> None:
        self.root = root
        self.limit = limit
        self.folder: Folder | None = None
        self.end = Position(1, 0)  # behind the last durable byte
        self.confirmed = 0  # bytes, told by the shipper
        self.appended = 0  # bytes
        self._file = -1
        self._laid = 0  # bytes of the open segment that are records or zeros
        self._others = 0
        self._looked = 0.0
        self._works = True

    def append(self, frames: list[bytes]) -> None:
        """Writes the frames and syncs them. Raises Full or another OSError; then none of them is kept."""
        data = b"".join(frames)
        try:
            self._make_room(len(data))
            self._open()
            self._write(data)
        except OSError as error:
            self._report(error)
            raise
        if data:
            self._report(None)

    @property
    def waiting(self) -> int:
        """Bytes of this process that the broker has not confirmed."""
        return self.appended - self.confirmed

    def close(self) -> None:
        """No more appends; the folder stays held until it is released or removed."""
        self._seal()

    def _make_room(self, size: int) -> None:
        now = time.monotonic()
        if now - self._looked > LOOK_EVERY:
            self._looked = now
            self._others = folder.waiting(self.root, self.folder.path if self.folder else None)
        if self._others + self.waiting + size > self.limit:
            raise Full(f"the journal holds {self._others + self.waiting} bytes that wait for the broker")

    def _open(self) -> None:
        if self.folder is None:
            self.folder = folder.create(self.root)
        if self.end.offset >= SEGMENT:
            self._seal()
        if self._file < 0:
            flags = os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC | os.O_TRUNC
            self._file = os.open(self.folder.segment(self.end.segment), flags, 0o600)
            try:
                folder.sync_directory(self.folder.path)
            except OSError:
                self._seal()
                raise

    def _write(self, data: bytes) -> None:
        view, offset = memoryview(data), self.end.offset
        try:
            while view:
                written = os.pwrite(self._file, view, offset)
                view, offset = view[written:], offset + written
            self._lay(offset)
            os.fdatasync(self._file)
        except OSError:
            # In a new segment what follows lies apart from what may not be cut, and the shipper deletes the
            # old one, which on a full disk is the only way to room.
            self._seal()
            raise
        self.end = Position(self.end.segment, self.end.offset + len(data))
        self.appended += len(data)

    def _lay(self, end: int) -> None:
        """Lays zeros behind the records when these, up to `end`, have used up the last ones. Where room is
        scarce the file grows with its records: zeros would take what other records could have.
        """
        if end <= self._laid:
            return
        self._laid = end
        with contextlib.suppress(OSError):
            if shutil.disk_usage(self.root).free > ROOM:
                self._laid += os.pwrite(self._file, bytes(LAID), end)

    def _seal(self) -> None:
        """Cuts the segment off behind its last record; without one it is begun again under its number."""
        if self._file >= 0:
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, self.end.offset)
                os.fdatasync(self._file)
            os.close(self._file)
            self._file, self._laid = -1, 0
        if self.end.offset:
            self.end = Position(self.end.segment + 1, 0)

    def _report(self, error: OSError | None) -> None:
        """One line when writing begins to fail and one when it works again."""
        if self._works != (error is None):
            self._works = error is None
            if error:
                logger.error("accepting stops, the journal cannot be written: %s", error)
            else:
                logger.warning("the journal can be written again")
