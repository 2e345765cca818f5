"""Spans: those inside a transaction, single ones, and containers of the streamed kind.

{"spans": [{span_id, parent_span_id, op, description, start_timestamp, timestamp, …}]}   in a transaction
{"items": [{trace_id, span_id, name, status, is_segment, start_timestamp, end_timestamp, attributes}]}
{trace_id, span_id, op, description, start_timestamp, timestamp, …}                      a single one
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from app.base.text import cut, storable
from app.item import Headers, Invalid, Read, Span, Whence
from app.normalize import filters, labels, payloads, rules, scrub, times
from app.normalize.bags import bounded_object
from app.normalize.limits import LARGE
from app.normalize.logs import identifier, plain
from app.normalize.notes import Notes
from app.options import DEFAULT, Scrubbing

#: Spans of one container or transaction; characters of names; µs of the longest thing that is believed.
MOST, NAME, OP, DESCRIPTION, LONGEST = 1000, 200, 64, 2048, 30 * 86400 * times.SECOND
#: What gRPC and OpenTelemetry call statuses, in the words of the protocol.
_STATUSES = frozenset((
    "ok", "cancelled", "unknown", "unknown_error", "invalid_argument", "deadline_exceeded", "not_found",
    "already_exists", "permission_denied", "resource_exhausted", "failed_precondition", "aborted",
    "out_of_range", "unimplemented", "internal_error", "unavailable", "data_loss", "unauthenticated",
))  # fmt: skip
_OTHER_STATUSES = {
    "error": "internal_error",
    "canceled": "cancelled",
    "failure": "internal_error",
    "unset": "",
}
#: Those that are nobody's failure.
FINE = frozenset(("", "ok", "cancelled", "unknown"))


def read(payload: bytes, headers: Headers, whence: Whence) -> Read:  # noqa: ARG001 what every reader gets
    """The spans that make sense; the others are counted as invalid. Raises Invalid."""
    told = payloads.told(payload)
    listed = told.get("items", [told])
    if not isinstance(listed, list):
        raise Invalid("unreadable")
    return kept((one(each, whence) for each in listed[:MOST]), len(listed), whence)


def kept(found: Iterable[Span | None], sent: int, whence: Whence) -> Read:
    """Of so many that were sent those that are wanted; None are those that make no sense."""
    result = Read()
    for span in found:
        if span is None:
            continue
        category = "transaction" if span.is_segment else "span"
        unwanted = span.is_segment and filters.unwanted_transaction(
            span.name, span.release, whence.options.filters
        )
        if unwanted or not whence.options.wants(category):
            result.counts["span", "filtered", unwanted or "disabled"] += 1
            continue
        result.items.append(span)
        result.counts["span", "accepted", ""] += 1
        if span.is_segment:
            result.counts["transaction", "accepted", ""] += 1
    counted = sum(quantity for (category, *_), quantity in result.counts.items() if category == "span")
    if sent > counted:
        result.counts["span", "invalid", "unreadable"] += sent - counted
    return result


def one(told: object, whence: Whence) -> Span | None:
    """A span that stands for itself, of either form; None of what is none."""
    if not isinstance(told, dict):
        return None
    attributes = plain(told.get("attributes") or told.get("data"))
    description = told.get("name") or told.get("description") or attributes.get("sentry.description") or ""
    op = told.get("op") or attributes.get("sentry.op") or "default"
    return made(
        whence,
        trace_id=identifier(told.get("trace_id"), 32),
        span_id=identifier(told.get("span_id"), 16),
        parent_id=identifier(told.get("parent_span_id"), 16),
        name=str(description),
        op=str(op),
        status=status(told.get("status")),
        begins=times.micros(told.get("start_timestamp")),
        ends=times.micros(told.get("end_timestamp", told.get("timestamp"))),
        is_segment=told.get("is_segment") is True,
        attributes=attributes,
    )


def made(
    whence: Whence, *, begins: int | None, ends: int | None, attributes: dict[str, Any], **values: Any
) -> Span | None:
    """A span with nothing secret and nothing endless in it; None without ids or a sensible time."""
    if not (values["trace_id"] and values["span_id"]) or begins is None or ends is None:
        return None
    shift = times.drift(whence.received, whence.sent_at, Notes())
    begins, ends = begins + shift, ends + shift
    if not 0 <= ends - begins <= LONGEST or not is_near(begins, whence.received):
        return None
    release = labels.release(attributes.pop("sentry.release", None), Notes())
    environment = labels.environment(attributes.pop("sentry.environment", None), Notes())
    told = scrubbed({"description": values["name"], "data": attributes}, whence.options.scrubbing)
    values["name"] = cut(storable(str(told.get("description") or "")), DESCRIPTION)
    values["op"] = cut(storable(values["op"]), OP)
    return Span(
        project_id=whence.project_id,
        received=whence.received,
        started=begins,
        duration=ends - begins,
        environment=storable(environment),
        release=storable(release),
        attributes=told.get("data") or {},
        **values,
    )


def is_near(at: int, received: int) -> bool:
    return received - times.BEHIND <= at <= received + times.AHEAD


def inner(listed: object, shift: int, begins: int, scrubbing: Scrubbing) -> tuple[list[dict[str, Any]], int]:
    """A transaction's spans as they are shown, in order of their beginning; how many make no sense."""
    if not isinstance(listed, list):
        return [], 0
    found = [span for each in listed[:MOST] if (span := _inner(each, shift, begins, scrubbing))]
    found.sort(key=lambda span: int(span["start"]))
    return found, len(listed) - len(found)


def _inner(told: object, shift: int, begins: int, scrubbing: Scrubbing) -> dict[str, Any] | None:
    if not isinstance(told, dict):
        return None
    span_id = identifier(told.get("span_id"), 16)
    first, last = times.micros(told.get("start_timestamp")), times.micros(told.get("timestamp"))
    if not span_id or first is None or last is None or not 0 <= last - first <= LONGEST:
        return None
    data = told.get("data")
    tags = told.get("tags")
    span: dict[str, Any] = {
        "span_id": span_id,
        "parent_span_id": identifier(told.get("parent_span_id"), 16),
        "op": cut(storable(str(told.get("op") or "default")), OP),
        "description": cut(storable(str(told.get("description") or "")), DESCRIPTION),
        "status": status(told.get("status")),
        "start": first + shift - begins,
        "duration": last - first,
        "data": bounded_object(data, LARGE, "data", Notes()) if isinstance(data, dict) else None,
        "tags": bounded_object(tags, LARGE, "tags", Notes()) if isinstance(tags, dict) else None,
    }
    return scrubbed({name: value for name, value in span.items() if value not in ("", None)}, scrubbing)


def scrubbed(span: dict[str, Any], chosen: Scrubbing) -> dict[str, Any]:
    """Without the secrets in its description, data and tags."""
    if chosen is not DEFAULT.scrubbing:
        data = {"spans": [span]}
        rules.apply(data, chosen, looks_clean=False)
    if chosen.defaults:
        if "description" in span:
            span["description"] = scrub.parameters(scrub.text(str(span["description"])))
        for name in ("data", "tags"):
            if name in span:
                scrub.bag(span[name], by_looks=True)
                scrub.addresses(span[name])
    return span


def status(value: object) -> str:
    """In the words of the protocol; "" when nothing, or nothing known, was said."""
    if isinstance(value, int) and not isinstance(value, bool):
        return "ok" if value < 2 else "internal_error"
    text = str(value).lower() if isinstance(value, str) else ""
    text = _OTHER_STATUSES.get(text, text)
    return text if text in _STATUSES else ""
