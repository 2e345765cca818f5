"""Text as strangers send it, made safe to store and short enough to show."""

from __future__ import annotations

import re

#: What stands for a character that cannot be stored.
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
#: PostgreSQL stores no NUL; no lone surrogate can be written as UTF-8.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def storable(text: str) -> str:
    """The text with every character that a database refuses replaced."""
    return _UNSTORABLE.sub(REPLACEMENT, text)


def cut(text: str, limit: int) -> str:
    """At most `limit` characters, ending with "..." when something is missing."""
    return text if len(text) <= limit else text[: limit - 3] + "..."


def like(words: str) -> str:
    """A pattern of SQL's LIKE for what holds these words, in which nothing of them means anything else."""
    literal = words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{literal}%"


def first_line(text: str) -> str:
    """The first line that says something, without the blanks around it."""
    return text.lstrip().partition("\n")[0].strip()
