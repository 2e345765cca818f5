"""The message of an event, formatted without ever evaluating what stands in it."""

from __future__ import annotations

import re

from app.base.json import encode
from app.base.text import cut
from app.normalize import bags
from app.normalize.fields import text, within
from app.normalize.limits import MEDIUM, MESSAGE
from app.normalize.notes import Notes

#: %s, %d, %(name)s, %5.2f … Widths and precisions are read and ignored: "%60000000s" is a %s.
_PERCENT = re.compile(
    r"%(?:\((?P<name>\w{1,64})\))?[#0\- +]{0,5}\d{0,20}(?:\.\d{0,20})?[hlL]?(?P<kind>[diouxXeEfFgGcrsajO%])"
)
#: {}, {0}, {name}. A dot or a bracket in between is attribute access: not ours to do.
_BRACES = re.compile(r"\{(?P<name>\w{0,64})(?::[^{}]{0,32})?\}")

_text = text(MESSAGE)


def logentry(entry: object, message: object, notes: Notes) -> dict[str, object] | None:
    """{message, formatted, params} from `logentry`, or from the `message` that older clients send."""
    if isinstance(message, dict) and entry is None:
        entry, message = message, None
    kept: dict[str, object] = {}
    if isinstance(entry, str):
        message = message or entry
    elif isinstance(entry, dict):
        kept = _entry(entry, notes)
    elif entry is not None:
        notes.invalid("logentry", entry)
    if message is not None and message != kept.get("message") and "formatted" not in kept:
        plain = _text(message, "message", notes)
        if isinstance(plain, str) and plain.strip():
            kept["formatted"] = plain
    return _formatted(kept, notes)


def _entry(entry: dict[str, object], notes: Notes) -> dict[str, object]:
    kept: dict[str, object] = {}
    for name in ("message", "formatted"):
        value = entry.get(name)
        if isinstance(value, int | float | bool | list | dict) and value not in ([], {}):
            value = encode(value).decode()
        if value is not None:
            value = _text(value, f"logentry.{name}", notes)
        if isinstance(value, str) and value.strip():
            kept[name] = value
    params = entry.get("params")
    if isinstance(params, dict | list):
        if params:
            kept["params"] = bags.bounded(params, MEDIUM, "logentry.params", notes)
    elif params is not None:
        notes.invalid("logentry.params", params)
    return kept


def _formatted(kept: dict[str, object], notes: Notes) -> dict[str, object] | None:
    template = kept.get("message")
    if not isinstance(template, str):
        kept.pop("params", None)
        return kept or None
    if "formatted" not in kept:
        filled = fill(template, kept.get("params"))
        kept["formatted"] = within(filled, MESSAGE, "logentry.formatted", notes)
    return kept


def fill(template: str, params: object) -> str:
    """The template with its placeholders replaced by the parameters' texts, somewhat bounded."""
    if not isinstance(params, dict | list) or not params:
        return template
    pattern = _PERCENT if _PERCENT.search(template) else _BRACES
    values = _Values(params)
    pieces: list[str] = []
    size = end = 0
    for match in pattern.finditer(template):
        piece = template[end : match.start()] + values.of(match)
        pieces.append(piece)
        end, size = match.end(), size + len(piece)
        if size > 2 * MESSAGE:  # cut anyway
            break
    return "".join(pieces) + template[end:]


class _Values:
    """Gives each placeholder its parameter; one that has none stays as it is written."""

    def __init__(self, params: dict[str, object] | list[object]) -> None:
        self.named = params if isinstance(params, dict) else {str(i): value for i, value in enumerate(params)}
        self.unnamed = iter(params.values() if isinstance(params, dict) else params)

    def of(self, match: re.Match[str]) -> str:
        if match[0].startswith("%") and match["kind"] == "%":
            return "%" if match[0] == "%%" else match[0]
        name = match["name"]
        if name:
            return _spoken(self.named[name]) if name in self.named else match[0]
        try:
            return _spoken(next(self.unnamed))
        except StopIteration:
            return match[0]


def _spoken(value: object) -> str:
    return cut(value if isinstance(value, str) else encode(value).decode(), MESSAGE)
