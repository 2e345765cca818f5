"""Containers of log records: `{"items": [{"timestamp", "trace_id", "level", "body", "attributes"}]}`."""

from __future__ import annotations

import re
from typing import Any

from app.base.text import cut, storable
from app.item import Headers, Invalid, Log, Read, Whence, accepted
from app.normalize import filters, payloads, rules, scrub, times
from app.normalize.notes import Notes
from app.options import DEFAULT

#: Records of one container; characters of one body; attributes of one record and characters of a value.
MOST, BODY, ATTRIBUTES, VALUE = 1000, 32_768, 128, 4096
#: The first of the four numbers OpenTelemetry has for each level.
SEVERITIES = {"trace": 1, "debug": 5, "info": 9, "warn": 13, "warning": 13, "error": 17, "fatal": 21}

_HEX = re.compile(r"[0-9a-f]+")


def read(payload: bytes, headers: Headers, whence: Whence) -> Read:  # noqa: ARG001 what every reader gets
    """The records that make sense; the others are counted as invalid. Raises Invalid."""
    told = payloads.told(payload)
    records = told.get("items")
    if not isinstance(records, list):
        raise Invalid("unreadable")
    shift = times.drift(whence.received, whence.sent_at, Notes())
    return kept([_log(record, shift, whence) for record in records[:MOST]], len(records), whence)


def kept(found: list[Log | None], sent: int, whence: Whence) -> Read:
    """Of so many that were sent those that are wanted; None are those that make no sense."""
    result = accepted("log_item", [])
    for one in found:
        if one is None:
            continue
        if reason := filters.unwanted_log(one.body, one.release, whence.options.filters):
            result.counts["log_item", "filtered", reason] += 1
        else:
            result.items.append(one)
            result.counts["log_item", "accepted", ""] += 1
    if lost := sent - sum(result.counts.values()):
        result.counts["log_item", "invalid", "unreadable"] += lost
    return result


def _log(record: object, shift: int, whence: Whence) -> Log | None:
    if not isinstance(record, dict) or not isinstance(record.get("body"), str):
        return None
    attributes = plain(record.get("attributes"))
    return made(
        whence,
        times.happened(record.get("timestamp"), shift, whence.received, Notes()),
        identifier(record.get("trace_id"), 32),
        identifier(record.get("span_id"), 16),
        severity(record.get("severity_number"), record.get("level")),
        record["body"],
        attributes,
    )


def made(  # noqa: PLR0917 a record of two protocols, in one order
    whence: Whence,
    timestamp: int,
    trace_id: str,
    span_id: str,
    number: int,
    body: str,
    attributes: dict[str, Any],
) -> Log:
    """A record with nothing secret and nothing endless in it."""
    body = cut(storable(body), BODY)
    if whence.options.scrubbing is DEFAULT.scrubbing:
        scrub.bag(attributes, by_looks=True)
        body = scrub.text(body)
    else:
        data = {"extra": attributes, "logentry": {"formatted": body}}
        rules.apply(data, whence.options.scrubbing, looks_clean=False)
        body = str(data["logentry"]["formatted"])
    environment = attributes.pop("sentry.environment", "")
    release = attributes.pop("sentry.release", "")
    return Log(
        project_id=whence.project_id,
        received=whence.received,
        timestamp=timestamp,
        trace_id=trace_id,
        span_id=span_id,
        severity=number,
        body=body,
        environment=environment[:64] if isinstance(environment, str) else "",
        release=release[:250] if isinstance(release, str) else "",
        attributes=attributes,
    )


def plain(attributes: object) -> dict[str, Any]:
    """`{"till": {"value": "north", "type": "string"}}` is `{"till": "north"}`."""
    found: dict[str, Any] = {}
    for name, typed in attributes.items() if isinstance(attributes, dict) else ():
        if len(found) == ATTRIBUTES:
            break
        value = typed.get("value") if isinstance(typed, dict) else typed
        if isinstance(value, str):
            value = cut(storable(value), VALUE)
        elif isinstance(value, list | dict):
            value = value if len(str(value)) <= VALUE else cut(storable(str(value)), VALUE)
        if value is not None and name:
            found[storable(name)[:200]] = value
    return found


def identifier(value: object, length: int) -> str:
    """So many hexadecimal digits, "" for anything else and for zeros."""
    text = value.replace("-", "").lower() if isinstance(value, str) else ""
    return text if len(text) == length and _HEX.fullmatch(text) and text.strip("0") else ""


def severity(number: object, level: object) -> int:
    """OpenTelemetry's number, from the number or the word; info when neither says anything."""
    if isinstance(number, int) and not isinstance(number, bool) and 1 <= number <= 24:
        return number
    return SEVERITIES.get(level.lower() if isinstance(level, str) else "", 9)
