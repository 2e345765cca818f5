"""Tags: what the client says, and what is known anyway."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from app.base.text import cut
from app.normalize.limits import TAG, TAGS
from app.normalize.notes import TOO_LONG, Notes

_KEY = re.compile(r"[A-Za-z0-9_.:-]{1,200}")
#: Known better from the event's own attributes.
_RESERVED = frozenset({"release", "dist", "user", "filename", "function"})


def own(value: object, notes: Notes) -> dict[str, str]:
    """The client's tags from an object or a list of pairs; of two with one key the first counts."""
    kept: dict[str, str] = {}
    for key, item in _items(value, notes):
        name = (_known_name if len(key) < _LONGEST_KNOWN else _name)(key) if isinstance(key, str) else ""
        if not name:
            notes.invalid("tags", key)
        elif name not in _RESERVED and name not in kept and item is not None:
            text = _value(item, f"tags.{name}", notes)
            if text:
                kept[name] = text
        if len(kept) >= TAGS:
            notes.add(TOO_LONG, "tags", f"{TAGS} kept")
            break
    return kept


def _name(key: str) -> str:
    """A tag's name as it is kept; "" when it is none."""
    name = key.strip().replace(" ", "-")
    return name if _KEY.fullmatch(name) else ""


#: The same for names that are worth remembering: those of code, which come again.
_known_name, _LONGEST_KNOWN = lru_cache(4096)(_name), 64


def _items(value: object, notes: Notes) -> list[tuple[object, object]]:
    if value is None:
        return []
    if isinstance(value, dict):
        return list(value.items())
    if not isinstance(value, list):
        notes.invalid("tags", value)
        return []
    found: list[tuple[object, object]] = []
    for item in value:
        if isinstance(item, list) and len(item) == 2:
            found.append((item[0], item[1]))
        elif isinstance(item, dict) and "key" in item:
            found.append((item["key"], item.get("value")))
        elif item is not None:
            notes.invalid("tags", item)
    return found


def _value(value: object, path: str, notes: Notes) -> str:
    if type(value) is str and len(value) <= TAG and "\n" not in value:
        return value.strip()
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, float):
        value = int(value)
    if isinstance(value, int):
        return cut(str(value), TAG)
    if not isinstance(value, str):
        notes.invalid(path, value)
        return ""
    text = " ".join(value.split("\n")).strip()
    if len(text) > TAG:
        notes.add(TOO_LONG, path, text)
    return cut(text, TAG)


def derived(data: dict[str, Any], user: str) -> dict[str, str]:
    """All tags of a normalised event: the client's own and those its attributes amount to."""
    tags = _of_contexts(data.get("contexts"))
    request = data.get("request")
    if isinstance(request, dict) and request.get("url"):
        tags["url"] = str(request["url"])
    own = data.get("tags")
    if isinstance(own, dict):
        tags.update(own)
    for name in ("level", "logger", "environment", "release", "dist", "server_name", "transaction"):
        if data.get(name):
            tags[name] = str(data[name])
    if user:
        tags["user"] = user
    tags.update(_of_mechanism(data.get("exception")))
    return {
        name: text if len(text) <= TAG and "\n" not in text else _tidy(text) for name, text in tags.items()
    }


def _tidy(text: str) -> str:
    return cut(" ".join(text.split("\n")), TAG)


def _of_contexts(contexts: object) -> dict[str, str]:
    tags: dict[str, str] = {}
    if not isinstance(contexts, dict):
        return tags
    for name in ("browser", "client_os", "os", "runtime"):
        context = contexts.get(name)
        if isinstance(context, dict) and isinstance(context.get("name"), str) and context["name"]:
            tags[name] = " ".join(str(context[part]) for part in ("name", "version") if context.get(part))
            tags[f"{name}.name"] = context["name"]
    device = contexts.get("device")
    if isinstance(device, dict):
        for tag, part in (("device", "model"), ("device.family", "family")):
            if isinstance(device.get(part), str) and device[part]:
                tags[tag] = device[part]
    return tags


def _of_mechanism(exception: dict[str, Any] | None) -> dict[str, str]:
    """How the thrown exception was caught; "handled" is "no" as soon as one of the chain was not."""
    tags: dict[str, str] = {}
    for item in exception["values"] if exception else ():
        mechanism = item.get("mechanism")
        if mechanism:
            tags["mechanism"] = str(mechanism["type"])
            handled = mechanism.get("handled")
            if isinstance(handled, bool) and tags.get("handled") != "no":
                tags["handled"] = "yes" if handled else "no"
    return tags
