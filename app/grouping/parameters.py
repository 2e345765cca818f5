"""What differs between two messages of one kind: ids, numbers, addresses, times. Ordered tables, by version.

Each table is tried from left to right at every position; a hit reads `<name>`. A released table is never
changed: a new one gets a new version, because every change makes new issues.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*"
_DAY = r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*"
_TIME = r"\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?"
_ZONE = r"(?:\ ?(?:Z|UTC|GMT|[+-]\d{2}:?\d{2})\b)?"

_2026_11: tuple[tuple[str, str], ...] = (
    ("email", r"\b[\w.!\#$%&'*+/=?^`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}"),
    ("url", r"\b(?:https?|wss?|ftp)://[^\s'\"<>)\]]+"),
    (
        "hostname",
        r"\b(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,8}"
        r"(?:com|org|net|io|dev|app|edu|gov|mil|info|biz|cloud|local|internal|uk|de|fr|nl|eu|ch|at|it|es|pl|se|no|fi|dk"
        r"|ru|ua|jp|cn|kr|in|au|nz|ca|us|br|mx|za)\b(?![.(\w])",
    ),
    (
        "ip",
        r"(?<![\w:.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.]|:[0-9a-f]*:)"
        r"|(?<![\w:])(?:[0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}(?![\w:])"
        r"|(?<![\w:])(?:(?:[0-9A-Fa-f]{1,4}:){0,6}[0-9A-Fa-f]{1,4})?::(?:(?:[0-9A-Fa-f]{1,4}:){0,6}[0-9A-Fa-f]{1,4}"
        r"|(?:ffff:)?(?:\d{1,3}\.){3}\d{1,3})(?![\w:])",
    ),
    ("traceparent", r"\b00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]\b|\b1-[0-9a-f]{8}-[0-9a-f]{24}\b"),
    ("uuid", r"\b[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\b"),
    ("sha1", r"\b[0-9A-Fa-f]{40}\b"),
    ("md5", r"\b[0-9A-Fa-f]{32}\b"),
    (
        "date",
        rf"\b\d{{4}}-[01]\d-[0-3]\d(?:[T\ ]{_TIME}{_ZONE})?(?![\w-])"
        rf"|\b(?:{_DAY},?\ )?{_MONTH}\.?\ \d{{1,2}},?\ (?:{_TIME}\ )?\d{{4}}(?:\ {_TIME})?{_ZONE}"
        rf"|\b(?:{_DAY},?\ )?\d{{1,2}}[\ -]{_MONTH}[\ -]\d{{2,4}}(?:\ {_TIME})?{_ZONE}"
        rf"|\b\d{{1,2}}/\d{{1,2}}/\d{{2,4}}\b|\bdatetime\.(?:datetime|date|time)\([^)]{{0,99}}\)"
        rf"|\b\d{{1,2}}:\d{{2}}(?::\d{{2}}(?:[.,]\d{{1,9}})?)?(?:\ ?[AaPp][Mm]\b)?{_ZONE}(?![\w:])",
    ),
    ("duration", r"\b\d+(?:\.\d+)?(?:ns|us|µs|ms|sec|secs|seconds|min|mins|s|m|h|d)\b"),
    (
        "hex",
        r"\b0[xX][0-9A-Fa-f]+\b|\b(?=\d*[a-f])(?=[a-f]*\d)[0-9a-f]{8,128}\b|\b(?=\d*[A-F])(?=[A-F]*\d)[0-9A-F]{8,128}\b",
    ),
    ("git_sha", r"\b(?=\d*[a-f])(?=[a-f]*\d)[0-9a-f]{7}\b"),
    ("float", r"(?<![\w.])-?\d+\.\d+(?:[eE][+-]?\d+)?\b(?!\.\d)"),
    ("int", r"(?<![\w.])-?\d+\b|\b\d+\b"),
    ("quoted_str", r"(?<==)'[^'\n]{1,256}'|(?<==)\"[^\"\n]{1,256}\""),
    ("bool", r"(?<==)(?:[Tt]rue|[Ff]alse)\b"),
)


class Table(NamedTuple):
    """One compiled table."""

    version: str
    pattern: re.Pattern[str]


def _compiled(version: str, rows: tuple[tuple[str, str], ...]) -> Table:
    pattern = "|".join(f"(?P<{name}>{expression})" for name, expression in rows)
    return Table(version, re.compile(pattern))


TABLES = {"2026-11": _compiled("2026-11", _2026_11)}

#: Without one of these nothing in a table can match.
_any_sign: Callable[[str], object] = re.compile(r"\d|@|://|::|=['\"TtFf]|\.[A-Za-z]{2}").search


def parameterised(text: str, table: Table) -> str:
    """The message with everything that varies replaced by what it is."""
    if not _any_sign(text):
        return text
    return table.pattern.sub(lambda match: f"<{match.lastgroup}>", text)


def shortened(text: str) -> str:
    """The first two lines that say something; "..." when there was more."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    short = "\n".join(lines[:2])
    return short + "..." if len(lines) > 2 else short
