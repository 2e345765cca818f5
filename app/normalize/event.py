"""One client's JSON to one Event: every attribute by its own rule, none of them able to lose the others."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from msgspec import Raw

from app.base.text import cut
from app.event import Event, Kind, Note
from app.normalize import agents, contexts, labels, rules, scrub, tags, times, titles, user
from app.normalize import notes as kinds
from app.normalize.breadcrumbs import breadcrumbs
from app.normalize.exceptions import exceptions, threads
from app.normalize.fields import Field, anything, bag, label, lines, shaped, text, whole
from app.normalize.frames import stacktrace
from app.normalize.glance import Glance
from app.normalize.levels import level, platform
from app.normalize.limits import LARGE, LOGGER, SHORT, SMALL, TRANSACTION
from app.normalize.message import logentry
from app.normalize.notes import Notes
from app.normalize.request import request
from app.normalize.shortcut import ShortWay, infer_ip
from app.options import DEFAULT, Scrubbing

_ID = re.compile(r"[0-9a-f]{32}")
_NIL = "0" * 32
_DIST = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_REPORTS: dict[str, Kind] = {
    "csp": "csp",
    "hpkp": "hpkp",
    "expectct": "expectct",
    "expectstaple": "expectstaple",
}

#: What attributes were called before 2016.
_OLD_NAMES = {
    "sentry.interfaces.Exception": "exception",
    "sentry.interfaces.Stacktrace": "stacktrace",
    "sentry.interfaces.Http": "request",
    "sentry.interfaces.User": "user",
    "sentry.interfaces.Message": "logentry",
    "sentry.interfaces.Template": "template",
    "sentry.interfaces.Breadcrumbs": "breadcrumbs",
    "sentry.interfaces.Contexts": "contexts",
    "sentry.interfaces.Threads": "threads",
    "sentry.interfaces.Query": "query",
    "sentry.interfaces.Csp": "csp",
}
#: Known, and not kept: they say nothing about an error.
_PASSED_OVER = frozenset((
    "_meta", "_metrics", "_metrics_summary", "_performance_issues_spans", "breakdowns", "errors",
    "event_id", "key_id", "measurements", "message", "project", "received", "repos", "site", "spans",
    "start_timestamp", "time_spent", "timestamp", "type", "version", "grouping_config", "ingest_path",
    "environment", "level", "platform", "logentry", "exception", "stacktrace", "threads", "breadcrumbs",
    "request", "user", "tags", "contexts", "extra", "modules", "sdk", "debug_meta", "release", "dist",
    "query", "scraping_attempts", "location", "title", "metadata", "nodestore_insert",
))  # fmt: skip


def _fingerprint(value: object, path: str, notes: Notes) -> object:
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list):
        notes.invalid(path, value)
        return None
    kept: list[str] = []
    for part in value[:50]:
        if isinstance(part, str | int | float):
            kept.append(cut(str(part), 1024))
        elif part is not None:
            notes.invalid(path, part)
    return kept or None


def _logger(value: object, path: str, notes: Notes) -> object:
    name = text(LOGGER)(value, path, notes)
    return " ".join(name.split()) or None if isinstance(name, str) else None


_TEMPLATE: dict[str, Field] = {
    **dict.fromkeys(("filename", "abs_path", "context_line"), text(SHORT)),
    "lineno": whole,
    "pre_context": lines(SHORT),
    "post_context": lines(SHORT),
}


def _template(value: object, path: str, notes: Notes) -> object:
    if isinstance(value, dict):
        return shaped(value, _TEMPLATE, path, notes) or None
    notes.invalid(path, value)
    return None


#: Attributes that stand on their own.
_PLAIN: dict[str, Field] = {
    "logger": _logger,
    "transaction": label(TRANSACTION),
    "transaction_info": bag(SMALL),
    "culprit": text(TRANSACTION),
    "server_name": label(SHORT),
    "fingerprint": _fingerprint,
    "checksum": label(128),
    "template": _template,
    **dict.fromkeys(_REPORTS, bag(LARGE)),
    "geo": anything(SMALL),
}


class Sender(NamedTuple):
    """What is known of an event from outside its JSON."""

    project_id: int
    key_id: int
    received: int
    event_id: str  # the one that was answered
    address: str = ""
    sent_at: object = None
    remarks: tuple[str, ...] = ()  # on reading its bytes
    looks_clean: bool = False  # nothing in its bytes looks like a secret
    scrubbing: Scrubbing = DEFAULT.scrubbing


def normalise(payload: dict[str, Any], sender: Sender, way: ShortWay | Glance | None = None) -> Event:
    """The event of a decoded payload, or of a regular one. What is wrong with it stands in its notes.

    Raises Irregular where a payload that was thought regular is not.
    """
    notes = Notes()
    for remark in sender.remarks:
        notes.add(kinds.INVALID, "", remark)
    payload = payload if way else _renamed(payload)
    _take_errors(payload.get("errors"), notes)
    shift = times.drift(sender.received, sender.sent_at, notes)
    timestamp = times.happened(payload.get("timestamp"), shift, sender.received, notes)
    data: dict[str, Any] = {
        "event_id": sender.event_id,
        "timestamp": "" if isinstance(way, Glance) else times.written(timestamp, payload.get("timestamp")),
        "platform": platform(payload.get("platform"), notes),
    }
    _add_attributes(data, payload, way, shift, notes)
    _add_user(data, payload, sender.address, notes)
    agents.add(data, way.agent if isinstance(way, Glance) else None)
    if way:
        way.finish(data, notes)
    elif sender.scrubbing is DEFAULT.scrubbing:
        scrub.scrub(data, not sender.looks_clean)
    else:
        rules.apply(data, sender.scrubbing, looks_clean=sender.looks_clean)
    identity = user.identity(data.get("user", {}))
    return Event(
        project_id=sender.project_id,
        key_id=sender.key_id,
        event_id=sender.event_id,
        kind=_kind(data),
        received=sender.received,
        timestamp=timestamp,
        level=data["level"],
        platform=data["platform"],
        title=titles.title(data),
        culprit=titles.culprit(data),
        metadata=titles.metadata(data),
        environment=data.get("environment", ""),
        release=data.get("release", ""),
        transaction=data.get("transaction", ""),
        tags=tags.derived(data, identity),
        user=identity,
        data=data,
        notes=[_scrubbed(note) for note in notes.kept],
    )


def event_id(value: object) -> str:
    """32 lowercase hex characters of an id with or without dashes; "" when it is none."""
    if not isinstance(value, str):
        return ""
    if _ID.fullmatch(value) and value != _NIL:  # as nearly all clients write it
        return value
    text = value.strip().replace("-", "").lower()
    return text if _ID.fullmatch(text) and text != _NIL else ""


def _renamed(payload: dict[str, Any]) -> dict[str, Any]:
    if any(name.startswith("sentry.") for name in payload):
        renamed = {_OLD_NAMES.get(name, name): value for name, value in payload.items() if name in _OLD_NAMES}
        return {**renamed, **{name: value for name, value in payload.items() if name not in _OLD_NAMES}}
    return payload


def _take_errors(errors: object, notes: Notes) -> None:
    """What the client, or an earlier server, had to say about the event."""
    for error in errors[:20] if isinstance(errors, list) else ():
        if isinstance(error, dict) and isinstance(error.get("type"), str):
            notes.add(cut(error["type"], 64), str(error.get("name") or ""), error.get("value") or "")


def _add_attributes(
    data: dict[str, Any], payload: dict[str, Any], way: ShortWay | Glance | None, shift: int, notes: Notes
) -> None:
    """Everything but the user, whose address depends on the others. Absent attributes cost nothing."""
    name = data["platform"]
    data["level"] = level(payload.get("level"), "level", notes)
    data.update(shaped(payload, _PLAIN, "", notes))
    found = {
        "logentry": logentry(payload.get("logentry"), payload.get("message"), notes),
        "tags": tags.own(payload.get("tags"), notes),
    }
    for attribute, value in payload.items():
        if value is not None and attribute in _READERS:
            if way and attribute in way.READERS:
                found[attribute] = way.READERS[attribute](way, value, name, shift, notes)
            else:
                found[attribute] = _READERS[attribute](value, name, shift, notes)
    data.update({attribute: value for attribute, value in found.items() if value})
    _add_names(data, payload, notes)
    if way is None:  # which knows no others
        for attribute in payload.keys() - _PASSED_OVER - _PLAIN.keys():
            notes.add(kinds.UNKNOWN, attribute)


_READERS: dict[str, Any] = {
    "exception": lambda value, name, _, notes: exceptions(value, name, notes),
    "stacktrace": lambda value, name, _, notes: stacktrace(value, name, "stacktrace", notes),
    "threads": lambda value, name, _, notes: threads(value, name, notes),
    "breadcrumbs": lambda value, _, shift, notes: breadcrumbs(value, shift, notes),
    "request": lambda value, _, __, notes: request(value, notes),
    "contexts": lambda value, _, __, notes: contexts.contexts(value, notes),
    "extra": lambda value, _, __, notes: contexts.more(value, notes),
    "modules": lambda value, _, __, notes: contexts.modules(value, notes),
    "sdk": lambda value, _, __, notes: contexts.sdk(value, notes),
    "debug_meta": lambda value, _, __, notes: contexts.debug_meta(value, notes),
}


def _add_names(data: dict[str, Any], payload: dict[str, Any], notes: Notes) -> None:
    """Release, dist and environment; the environment may come as a tag."""
    release = labels.release(payload.get("release"), notes)
    own = data.get("tags", {})
    tagged = own.pop("environment", None)
    if not own:
        data.pop("tags", None)
    environment = payload.get("environment")
    environment = labels.environment(tagged if environment in (None, "") else environment, notes)
    if environment:
        data["environment"] = environment
    if release:
        data["release"] = release
        dist = payload.get("dist")
        dist = label(64)(dist, "dist", notes) if dist is not None else None
        if isinstance(dist, str) and _DIST.fullmatch(dist):
            data["dist"] = dist
        elif dist is not None:
            notes.invalid("dist", dist)


def _add_user(data: dict[str, Any], payload: dict[str, Any], address: str, notes: Notes) -> None:
    found = user.user(payload.get("user"), notes)
    sdk = payload.get("sdk")
    infer = infer_ip(bytes(sdk)) if isinstance(sdk, Raw) else contexts.infer_ip(sdk)
    user.add_address(found, data.get("request"), data["platform"], infer, address)
    if found:
        data["user"] = found


def _kind(data: dict[str, Any]) -> Kind:
    if "exception" in data:
        return "error"
    return next((kind for name, kind in _REPORTS.items() if name in data), "default")


def _scrubbed(note: Note) -> Note:
    """A note must not tell what scrubbing hid."""
    if scrub.SENSITIVE[note.name.rpartition(".")[2]] and note.value:
        return Note(note.type, note.name, scrub.FILTERED)
    return Note(note.type, note.name, scrub.text(note.value))
