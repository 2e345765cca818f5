"""One look at the bytes of an event for everything that makes it worth a closer one.

All patterns are looked for in one pass (hyperscan), many times faster than a walk over what the bytes mean.
They find too much rather than too little; what they find, the exact rules in `scrub` decide.
"""

from __future__ import annotations

import re
import threading
from typing import NamedTuple

import hyperscan

from app.normalize.scrub import SENSITIVE, suspicious
from app.normalize.user import AUTO

#: What may stand in front of a number that stands alone: see `scrub`, where the exact patterns are.
_BEFORE = r"(?:[^\w%s-]|\\[bfnrt]|\\u[0-9A-Fa-f]{4}|%%[0-9A-Fa-f]{2})"
_LOOKS = (
    r"\\u0000",  # a NUL: no secret, and nothing that can be stored
    r"-----BEGIN",
    r"\\u00(?:3[0-9aA]|2[0dDfF]|40)",
    r":(?:/|\\/){2}[^/\s?#@\"'<>]{1,256}@",
    _BEFORE % "." + r"[3-6]\d{3}(?:\d{9}|[ -]\d{4}[ -]\d{4}[ -]\d|[ -]\d{6}[ -]\d{5})",
    _BEFORE % "" + r"\d{3}-\d{2}-\d{4}",
)

_WORD = (
    r"(?:passw(?:or)?d|passphrase|pwd|secret|api[-_ ]?key|token|bearer|credential|auth|private[-_ ]?key"
    r"|card[-_ ]?num|creditcard|cvv|cvc|session[-_]?id|sessid|csrf|xsrf|set-cookie|ssn|jwt)"
)
#: More blanks in front of an item are not looked behind.
_BLANKS = 8
#: Which of `_NAMES` finds whole strings.
_STRING = 0
_NAMES = (
    _WORD + r'(?:[^"\\]|\\.)*"[ \t\r\n]*[:,]',  # the name of a member, or an item of a list
    _WORD + r'[^"&\s=]*=',  # name=value
    # Letters that are written as escapes, or that are other cases of ASCII letters for Python: ı, İ, ſ, K.
    r"\\u00[0-7]|\\u(?:0130|0131|017f|212a)|\xc4[\xb0\xb1]|\xc5\xbf|\xe2\x84\xaa",
)

#: What attributes were called before 2016, and what stands for the address of the connection. As they are
#: written: looking for them apart would take as long as half of all the others.
_OLD, _ADDRESS = r'"sentry\.interfaces\.', re.escape(AUTO)

#: What a request may hide in its own forms: any sensitive word, and letters or blanks that are escaped.
_HIDDEN = (_WORD, r"%(?:[46][1-9a-f]|[57][0-9a]|5f|2d)", r"(?:api|private|card|session)(?:%20|\+)", _NAMES[2])
#: A client replaced it already.
_FILTERED = re.compile(rb'[ \t\r\n]*"\[Filtered\]"')
_FILTERED_MEMBER = re.compile(rb'"[\w-]{1,64}"[ \t\r\n]*:[ \t\r\n]*"\[Filtered\]"')


class _Scanners(threading.local):
    """Made once per thread, because a database of patterns has one place for what a search remembers."""

    def __init__(self) -> None:
        every = hyperscan.HS_FLAG_DOTALL | hyperscan.HS_FLAG_CASELESS
        first = every | hyperscan.HS_FLAG_SINGLEMATCH
        self.names = _database(dict.fromkeys(_NAMES, every))
        # Case says nothing of looks, but without it the search is a fifth slower.
        exactly = hyperscan.HS_FLAG_SINGLEMATCH
        self.all = _database(
            dict.fromkeys(_NAMES, every)
            | dict.fromkeys(_LOOKS, first)
            | dict.fromkeys((_OLD, _ADDRESS), exactly)
        )
        self.hidden = _database(dict.fromkeys(_HIDDEN, first))


def _database(patterns: dict[str, int]) -> hyperscan.Database:
    """Of patterns with their flags."""
    database = hyperscan.Database()
    database.compile(
        expressions=[pattern.encode("ascii") for pattern in patterns],
        ids=list(range(len(patterns))),
        flags=list(patterns.values()),
    )
    return database


_scanners = _Scanners()


class Sight(NamedTuple):
    """What one look at the bytes of an event tells."""

    is_clean: bool  # nothing looks like a secret or is a NUL
    # Moreover nothing stands under a sensitive name, but what the client has replaced itself, nor under one
    # that attributes had before 2016.
    may_stay: bool
    names_address: bool  # somewhere the address of the connection is asked for


#: The numbers of the first of `_LOOKS` and of the two behind them.
_FIRST_LOOK = len(_NAMES)
_IS_OLD = _FIRST_LOOK + len(_LOOKS)
_NAMES_ADDRESS = _IS_OLD + 1


def look(raw: bytes) -> Sight:
    names: list[tuple[int, int]] = []
    looks: list[int] = []

    def found(pattern: int, _: int, end: int, *__: object) -> None:
        if pattern < _FIRST_LOOK:
            names.append((pattern, end))
        else:
            looks.append(pattern)

    _scanners.all.scan(raw, match_event_handler=found)
    is_old, names_address = _IS_OLD in looks, _NAMES_ADDRESS in looks
    if len(looks) > is_old + names_address and (_FIRST_LOOK in looks or suspicious(raw)):
        return Sight(is_clean=False, may_stay=False, names_address=names_address)
    may_stay = not is_old and not any(_is_open(raw, pattern, end) for pattern, end in names)
    return Sight(is_clean=True, may_stay=may_stay, names_address=names_address)


def _is_open(raw: bytes, pattern: int, end: int) -> bool:
    """Whether a secret may stand behind this place."""
    return pattern != _STRING or (_is_secret(raw, end) and not _FILTERED.match(raw, end))


def has_words(raw: bytes) -> bool:
    """Whether a request holds a sensitive word anywhere, or what might be one once it is read.

    But for the names of what the client has replaced itself.
    """
    found: list[int] = []
    rest = _FILTERED_MEMBER.sub(b"", raw) if b'"[Filtered]"' in raw else raw
    _scanners.hidden.scan(rest, match_event_handler=lambda pattern, *_: found.append(pattern))
    return bool(found)


def secrets(joined: bytes) -> list[int]:
    """Places in JSON that are in, or just behind, what may be a sensitive name."""
    found: list[tuple[int, int]] = []
    _scanners.names.scan(
        joined, match_event_handler=lambda pattern, _, end, *__: found.append((pattern, end))
    )
    return [end for pattern, end in found if pattern != _STRING or _is_secret(joined, end)]


def _is_secret(joined: bytes, end: int) -> bool:
    """Whether the string before this colon or comma is a sensitive name, of a member or first in a list."""
    closing = joined.rindex(b'"', 0, end)
    opening = joined.rfind(b'"', 0, closing)
    text = joined[opening + 1 : closing]
    if joined[opening - 1 : opening] == b"\\" or b"\\" in text:
        return True  # its beginning would have to be looked for
    if (
        joined[end - 1 : end] == b","
        and joined[max(opening - _BLANKS, 0) : opening].rstrip()[-1:] not in b"["
    ):
        return False  # no first item of a list
    return SENSITIVE[text.decode("utf-8", "replace")]
