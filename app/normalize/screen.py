"""One look at the bytes of an event for everything that makes it worth a closer one.

All patterns are looked for in one pass (hyperscan), many times faster than a walk over what the bytes mean.
They find too much rather than too little; what they find, the exact rules in `scrub` decide.
"""

from __future__ import annotations

import threading

import hyperscan

from app.normalize.scrub import SENSITIVE, suspicious

#: What may stand in front of a number that stands alone: see `scrub`, where the exact patterns are.
_BEFORE = r"(?:[^\w%s-]|\\[bfnrt]|\\u[0-9A-Fa-f]{4}|%%[0-9A-Fa-f]{2})"
_LOOKS = (
    r"\\u0000",  # a NUL: no secret, and nothing that can be stored
    r"-----BEGIN",
    r"\\u00(?:3[0-9aA]|2[0dDfF]|40)",
    r":(?:/|\\/){2}[^/\s?#@\"'<>]{1,256}@",
    _BEFORE % "." + r"[3-6]\d{12}",
    _BEFORE % "." + r"[3-6]\d{3}[ -]\d{4}[ -]\d{4}[ -]\d",
    _BEFORE % "." + r"3[47]\d{2}[ -]\d{6}[ -]\d{5}",
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


class _Scanners(threading.local):
    """Made once per thread, because a database of patterns has one place for what a search remembers."""

    def __init__(self) -> None:
        flags = hyperscan.HS_FLAG_DOTALL | hyperscan.HS_FLAG_CASELESS
        self.names = _database(_NAMES, flags)
        # Case says nothing here, but without it the search is a fifth slower.
        self.looks = _database(_LOOKS, flags | hyperscan.HS_FLAG_SINGLEMATCH)


def _database(patterns: tuple[str, ...], flags: int) -> hyperscan.Database:
    database = hyperscan.Database()
    database.compile(
        expressions=[pattern.encode("ascii") for pattern in patterns],
        ids=list(range(len(patterns))),
        flags=[flags] * len(patterns),
    )
    return database


_scanners = _Scanners()


def is_clean(raw: bytes) -> bool:
    """Whether nothing in the bytes of an event looks like a secret or is a NUL."""
    found: list[int] = []
    _scanners.looks.scan(raw, match_event_handler=lambda pattern, *_: found.append(pattern))
    return not found or (0 not in found and not suspicious(raw))


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
