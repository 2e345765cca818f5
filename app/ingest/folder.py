"""The journal's folders: one per process, held by a lock that ends with its process, whatever ends it.

<root>/<name>/lock         flock of the owner
<root>/<name>/00000001.seg records one after the other (app.wire.record), numbered without gaps
<root>/<name>/offset       how far the broker has confirmed them
<root>/aside/              what was damaged or refused by the broker, for a person to look at
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct
import time
import uuid
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ASIDE = "aside"
#: Seconds after which a folder still hidden was left by a process that died while making it.
BEING_MADE = 60
_OFFSET = struct.Struct("<QQ")


class Position(NamedTuple):
    """A byte of the journal: the segment's number and the offset in it."""

    segment: int
    offset: int


class Folder:
    """A folder that this process holds."""

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self._lock = lock

    def segment(self, number: int) -> Path:
        return self.path / f"{number:08d}.seg"

    def segments(self) -> list[int]:
        """The numbers of the segments that are there, in order."""
        return sorted(int(path.stem) for path in self.path.glob("*.seg"))

    def confirmed(self) -> Position:
        """Where shipping goes on; the beginning when that was never written or is damaged."""
        try:
            stored = (self.path / "offset").read_bytes()
            packed, checksum = stored[:-4], stored[-4:]
            if zlib.crc32(packed).to_bytes(4, "little") == checksum:
                return Position(*_OFFSET.unpack(packed))
        except (OSError, struct.error):
            pass
        return Position(0, 0)

    def confirm(self, position: Position) -> None:
        """Neither synced nor required: an old offset ships something twice, and the store knows it already.

        Written in place, because a full disk has no room for a new file.
        """
        packed = _OFFSET.pack(*position)
        with contextlib.suppress(OSError):
            file = os.open(self.path / "offset", os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600)
            os.pwrite(file, packed + zlib.crc32(packed).to_bytes(4, "little"), 0)
            os.close(file)

    def release(self) -> None:
        """Leaves the folder to whoever adopts it."""
        os.close(self._lock)

    def remove(self) -> None:
        """Nothing in it is needed any more. The lock goes last, or what a crash left would have no finder."""
        for path in self.path.iterdir():
            if path.name != "lock":
                path.unlink(missing_ok=True)
        (self.path / "lock").unlink(missing_ok=True)
        self.path.rmdir()
        self.release()


def create(root: Path) -> Folder:
    """A new folder. Raises OSError when the journal cannot be written."""
    if not root.exists():
        root.mkdir(parents=True, exist_ok=True)
        sync_directory(root.parent)
    name = uuid.uuid4().hex
    hidden = root / f".{name}"
    hidden.mkdir(mode=0o700)
    # Locked before anybody can see it, so that nobody adopts it in between.
    lock = os.open(hidden / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    Folder(hidden, lock).confirm(Position(0, 0))
    path = hidden.rename(root / name)
    sync_directory(root)
    return Folder(path, lock)


def adopt(root: Path) -> Iterator[Folder]:
    """The folders whose processes are gone; each is held from here on."""
    for path in sorted(root.glob("*/lock")):
        if path.parent.name.startswith(".") and time.time() - _changed(path) < BEING_MADE:
            continue
        try:
            lock = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            continue
        if os.fstat(lock).st_nlink == 0:  # its owner emptied and removed it while we waited
            os.close(lock)
            continue
        yield Folder(path.parent, lock)


def waiting(root: Path, but: Path | None = None) -> int:
    """Bytes of all folders but one that are not confirmed yet, as near as it can be seen from outside."""
    total = 0
    for path in root.glob("[0-9a-f]*"):
        if path == but or path.name == ASIDE:
            continue
        other = Folder(path, -1)
        confirmed = other.confirmed()
        for number in other.segments():
            skipped = confirmed.offset if number == confirmed.segment else 0
            if number >= confirmed.segment:
                total += max(0, _written(other.segment(number)) - skipped)
    return total


def put_aside(root: Path, name: str, data: bytes) -> Path:
    """Keeps bytes that cannot be shipped where a person finds them."""
    folder = root / ASIDE
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_bytes(data)
    return path


def sync_directory(path: Path) -> None:
    """A new name in a folder is on disk only after this."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _written(path: Path) -> int:
    """Bytes of a segment before the zeros that are laid for its next records; 0 when it is gone."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return 0
    try:
        end = os.fstat(file).st_size
        while end:
            begin = max(0, end - len(_ZEROS))
            piece = os.pread(file, end - begin, begin)
            if piece != _ZEROS[: len(piece)]:
                return begin + len(piece.rstrip(b"\0"))
            end = begin
        return 0
    finally:
        os.close(file)


_ZEROS = bytes(64 * 1024)


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return time.time()
