"""How much of an event is kept."""

from __future__ import annotations

import msgspec


class Limits(msgspec.Struct, frozen=True):
    """What the settings allow, in bytes."""

    max_envelope: int = 100 * 1024**2  # decompressed
    max_event: int = 1024**2  # one event's JSON


#: Characters of short texts. Those that fill a column of the database are cut exactly there.
SHORT = 256
EMAIL = 75
ENVIRONMENT = 64
RELEASE = 250
LOGGER = 64
TAG = 200
TRANSACTION = 200
MESSAGE = 8192

FRAMES = 250
#: Frames that keep their variables and surrounding lines.
DETAILED_FRAMES = 50
EXCEPTIONS = 50
THREADS = 250
BREADCRUMBS = 100
IMAGES = 2000
TAGS = 200


class Bag(msgspec.Struct, frozen=True):
    """The most that is kept of a structure of any shape."""

    depth: int
    size: int  # bytes as JSON


SMALL = Bag(3, 1024)
MEDIUM = Bag(5, 2048)
LARGE = Bag(7, 8192)
LARGER = Bag(7, 16 * 1024)
#: Extra data in all; each value of it is a LARGER one.
EXTRA = Bag(8, 256 * 1024)
