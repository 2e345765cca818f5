"""Names of releases and environments: none that would break an address or mean something else."""

from __future__ import annotations

import re

from app.normalize.fields import label
from app.normalize.limits import ENVIRONMENT, RELEASE
from app.normalize.notes import Notes

_NO_RELEASE = re.compile(r"[\r\n\t/\\]|^(?:\.|\.\.|latest|)$", re.IGNORECASE)
_NO_ENVIRONMENT = re.compile(r"[\r\n/]|^none$", re.IGNORECASE)


def release(value: object, notes: Notes) -> str:
    """The version; "" for none and for what cannot be one."""
    return _named(value, "release", RELEASE, _NO_RELEASE, notes)


def environment(value: object, notes: Notes) -> str:
    return _named(value, "environment", ENVIRONMENT, _NO_ENVIRONMENT, notes)


def _named(value: object, path: str, limit: int, forbidden: re.Pattern[str], notes: Notes) -> str:
    if value is None or value == "":
        return ""
    name = label(limit)(value, path, notes)
    if not isinstance(name, str):
        return ""
    if forbidden.search(name):
        notes.invalid(path, name)
        return ""
    return name
