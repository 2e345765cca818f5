"""Globs over whole values, as people write them in rules; matched by RE2, which no pattern can make slow.

    *  any characters      ?  any one character      [a-z], [!a-z]  one of these, none of these

Of paths the case does not count, a backslash is a slash, the first slash may be left out, `*` stays within a
directory and `**` does not: "**/vendor/**" is in any directory of that name, at the top too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

#: Characters of one pattern.
LONGEST = 400


def text(pattern: str, *, ignore_case: bool = False) -> str:
    """The RE2 expression of a glob."""
    return _flags(ignore_case) + _translated(pattern, ".*", ".")


def path(pattern: str) -> str:
    """The RE2 expression of a glob over paths, which are compared in small letters with slashes only."""
    anywhere, pattern = "", as_path(pattern)
    if pattern.startswith("**/"):
        anywhere, pattern = "(?:.*/)?", pattern[3:]
    return _flags(ignore_case=True) + anywhere + _translated(pattern, "[^/]*", "[^/]")


def as_path(value: str) -> str:
    """A path as patterns are compared with it."""
    return value.replace("\\", "/").removeprefix("/")


class Patterns:
    """Many expressions at once: which of them a text matches costs one pass over it."""

    def __init__(self, expressions: Iterable[str]) -> None:
        self._numbers: list[int] = []
        self._set: Any = None
        listed = list(expressions)
        if listed:
            # RE2 is loaded where there is a rule, which is not in every process.
            import re2  # noqa: PLC0415

            self._set = re2.Set.FullMatchSet()
            for expression in listed:
                self._set.Add(expression)
            self._set.Compile()

    def matching(self, value: str) -> list[int]:
        """The places of the expressions that match the whole text."""
        return (self._set.Match(value) or []) if self._set is not None else []


@lru_cache(4096)
def _alone(pattern: str, ignore_case: bool) -> Patterns:
    return Patterns([text(pattern, ignore_case=ignore_case)])


def matches(pattern: str, value: str, *, ignore_case: bool = False) -> bool:
    """Whether one glob matches the whole text."""
    return bool(_alone(pattern, ignore_case).matching(value))


def _flags(ignore_case: bool) -> str:
    return "(?is)" if ignore_case else "(?s)"


_PIECES = re.compile(r"\*+|\?|\[!?\]?[^\]]*\]|.", re.DOTALL)


def _translated(pattern: str, star: str, one: str) -> str:
    return "".join(_piece(piece, star, one) for piece in _PIECES.findall(pattern[:LONGEST]))


def _piece(piece: str, star: str, one: str) -> str:
    if piece[0] == "*":
        return star if len(piece) == 1 else ".*"
    if piece == "?":
        return one
    if len(piece) > 2 and piece[0] == "[":
        inner = piece[1:-1]
        negation = "^" if inner[0] == "!" else ""
        members = re.sub(r"([\\\[\]^&~|])", r"\\\1", inner[len(negation) :])
        return f"[{negation}{members}]" if _is_class(members) else re.escape(piece)
    return re.escape(piece)


def _is_class(members: str) -> bool:
    """Whether all ranges in it go upwards."""
    try:
        re.compile(f"[{members}]")
    except re.error:
        return False
    return bool(members)
