"""The event rows themselves, copied in PostgreSQL's binary form."""

from __future__ import annotations

import struct
from datetime import date
from functools import cache

from app.event import LEVELS
from app.store.database import Cursor
from app.store.pending import Pending

_COPY = """
copy app_event (day, project_id, event_id, issue_id, received, "timestamp", level, environment_id, release_id,
                user_hash, title, tags, dictionary, body) from stdin (format binary)"""
_HEADER = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
_TRAILER = b"\xff\xff"
#: Every field is its length and its bytes; this is the part of a row whose lengths never change.
_FIXED = struct.Struct(">h iiiqi16siqiqiqihiq")
_NULL = struct.pack(">i", -1)
_INT4 = struct.Struct(">ii")
_INT8 = struct.Struct(">iq")
_LENGTH = struct.Struct(">i")
_INT8_TYPE = 20
_NO_NUMBERS = struct.pack(">iiii", 12, 0, 0, _INT8_TYPE)
#: PostgreSQL counts days and microseconds from 2000.
_EPOCH_DAY = date(2000, 1, 1).toordinal()
_EPOCH = 946_684_800_000_000


def copy(statements: Cursor, rows: list[Pending]) -> None:
    """Inserts the rows, in the order of their key, so that two groups with the same events meet once."""
    if not rows:
        return
    ordered = sorted(rows, key=lambda row: (row.day, row.event.project_id, row.event.event_id))
    with statements.copy(_COPY) as copying:
        copying.write(b"".join([_HEADER, *map(_row, ordered), _TRAILER]))


def _row(row: Pending) -> bytes:
    event = row.event
    title = event.title[:300].encode()
    return b"".join(
        (
            _FIXED.pack(
                14,
                4,
                row.day.toordinal() - _EPOCH_DAY,
                8,
                event.project_id,
                16,
                bytes.fromhex(event.event_id),
                8,
                row.issue_id,
                8,
                event.received - _EPOCH,
                8,
                event.timestamp - _EPOCH,
                2,
                LEVELS[event.level],
                8,
                row.environment_id,
            ),
            _NULL if row.release_id is None else _INT8.pack(8, row.release_id),
            _NULL if row.user_hash is None else _INT8.pack(8, row.user_hash),
            _LENGTH.pack(len(title)),
            title,
            _numbers(row.tag_ids),
            _NULL if row.dictionary is None else _INT4.pack(4, row.dictionary),
            _LENGTH.pack(len(row.body)),
            row.body,
        )
    )


def _numbers(values: list[int]) -> bytes:
    """A bigint[]."""
    count = len(values)
    if not count:
        return _NO_NUMBERS
    elements = [8] * (2 * count)
    elements[1::2] = values
    return _array(count).pack(20 + 12 * count, 1, 0, _INT8_TYPE, count, 1, *elements)


@cache
def _array(count: int) -> struct.Struct:
    """Its length, dimensions, nulls, type, elements and lower bound; then each element's length and value."""
    return struct.Struct(">iiiiii" + "iq" * count)
