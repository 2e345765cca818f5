"""Fingerprints that clients and rules set: values and variables in {{ braces }}."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

DEFAULT = "{{ default }}"
_VARIABLE = re.compile(r"\{\{\s*([^\s{}]{1,200})\s*\}\}")

_OF_FRAME = {
    "function": "function",
    "stack.function": "function",
    "path": "abs_path",
    "stack.abs_path": "abs_path",
    "stack.filename": "filename",
    "module": "module",
    "stack.module": "module",
    "package": "package",
    "stack.package": "package",
}
_OF_EXCEPTION = {"type": "type", "error.type": "type", "value": "value", "error.value": "value"}
#: What stands for something the event does not have.
_SHORT = {"abs_path": "abs-path"}


def variable(text: str) -> str:
    """The name of the variable that this value is, "" when it is plain text."""
    match = _VARIABLE.fullmatch(text.strip())
    return match[1] if match else ""


def is_default(text: str) -> bool:
    return text == DEFAULT or variable(text) == "default"


def resolved(
    fingerprint: list[str], data: dict[str, Any], tags: dict[str, str], frame: dict[str, Any]
) -> list[str]:
    """The values with their variables filled in; {{ default }} stays for the caller."""
    return [
        text
        if not (name := variable(text))
        else DEFAULT
        if name == "default"
        else _value(name, data, tags, frame)
        for text in fingerprint
    ]


def expanded(
    text: str,
    data: dict[str, Any],
    tags: dict[str, str],
    frame: dict[str, Any],
    shorten: Callable[[str], str],
) -> str:
    """A text of a rule with the variables in it filled in; messages are shortened to what does not vary."""

    def value(match: re.Match[str]) -> str:
        found = _value(match[1], data, tags, frame)
        return shorten(found) if match[1] in ("message", "value", "error.value") else found

    return _VARIABLE.sub(value, text)


def _value(name: str, data: dict[str, Any], tags: dict[str, str], frame: dict[str, Any]) -> str:
    if name in _OF_FRAME:
        attribute = _OF_FRAME[name]
        text = str(frame.get(attribute) or "")
        if attribute == "package":
            text = re.split(r"[/\\]", text)[-1]
        return text or f"<no-{_SHORT.get(attribute, attribute)}>"
    thrown = data["exception"]["values"][-1] if "exception" in data else {}
    if name in _OF_EXCEPTION:
        attribute = _OF_EXCEPTION[name]
        return str(thrown.get(attribute) or f"<no-{attribute}>")
    if name == "message":
        entry = data.get("logentry", {})
        return str(entry.get("formatted") or entry.get("message") or thrown.get("value") or "<no-message>")
    if name in ("transaction", "level", "logger"):
        return str(data.get(name) or f"<no-{name}>")
    if name.startswith("tags."):
        return tags.get(name[5:]) or f"<no-value-for-tag-{name[5:]}>"
    return f"<unrecognized-variable-{name}>"
