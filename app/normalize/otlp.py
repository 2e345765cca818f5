"""OpenTelemetry's own protocol: traces and logs, as protobuf or as JSON.

Facts of the wire: opentelemetry-proto, OTLP 1.x; its JSON writes ids in hexadecimal, 64-bit numbers as texts.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import Any

from app.item import Headers, Invalid, Log, Read, Span, Whence
from app.normalize import logs, payloads, spans
from app.normalize.logs import identifier

PROTOBUF = "application/x-protobuf"
MOST = 10_000
Told = dict[str, Any]
#: By OpenTelemetry's number and name: what starts the work of a service, and what asks another one.
_KINDS = {
    1: "internal", 2: "server", 3: "client", 4: "producer", 5: "consumer",
    "SPAN_KIND_INTERNAL": "internal", "SPAN_KIND_SERVER": "server", "SPAN_KIND_CLIENT": "client",
    "SPAN_KIND_PRODUCER": "producer", "SPAN_KIND_CONSUMER": "consumer",
}  # fmt: skip
_BEGINNERS = frozenset(("server", "consumer"))
_STATUSES = {1: "ok", 2: "internal_error", "STATUS_CODE_OK": "ok", "STATUS_CODE_ERROR": "internal_error"}


def traces(payload: bytes, headers: Headers, whence: Whence) -> Read:
    """The spans of all resources. Raises Invalid."""
    told = _message(payload, headers, "trace")
    listed = list(_records(told, "resourceSpans", "scopeSpans", "spans"))
    return spans.kept((_span(one, shared, whence) for one, shared in listed[:MOST]), len(listed), whence)


def records(payload: bytes, headers: Headers, whence: Whence) -> Read:
    """The log records of all resources. Raises Invalid."""
    told = _message(payload, headers, "logs")
    listed = list(_records(told, "resourceLogs", "scopeLogs", "logRecords"))
    return logs.kept([_log(one, shared, whence) for one, shared in listed[:MOST]], len(listed), whence)


def _message(payload: bytes, headers: Headers, kind: str) -> Told:
    if headers.get("content_type") == PROTOBUF:
        return _protobuf(payload, kind)
    return payloads.told(payload)


def _protobuf(payload: bytes, kind: str) -> Told:
    """The same shape as the JSON, but for ids, which are in base64."""
    from google.protobuf.json_format import MessageToDict  # noqa: PLC0415 for those who meet OTLP
    from google.protobuf.message import DecodeError  # noqa: PLC0415
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (  # noqa: PLC0415
        ExportLogsServiceRequest,
    )
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (  # noqa: PLC0415
        ExportTraceServiceRequest,
    )

    message = ExportTraceServiceRequest() if kind == "trace" else ExportLogsServiceRequest()
    try:
        message.ParseFromString(payload)
    except DecodeError as error:
        raise Invalid("unreadable") from error
    found: Told = MessageToDict(message, use_integers_for_enums=True)
    return found


def _records(told: Told, resources: str, scopes: str, records: str) -> Iterator[tuple[object, Told]]:
    """Each record with the attributes of its resource."""
    for resource in _listed(told.get(resources)):
        about = resource.get("resource")
        shared = _attributes(about.get("attributes")) if isinstance(about, dict) else {}
        for scope in _listed(resource.get(scopes)):
            found = scope.get(records)
            for record in found if isinstance(found, list) else ():
                yield record, shared


def _listed(value: object) -> list[Told]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _span(told: object, shared: Told, whence: Whence) -> Span | None:
    if not isinstance(told, dict):
        return None
    attributes = _with_names({**_attributes(told.get("attributes"))}, shared)
    kind = _KINDS.get(told.get("kind") or 1, "internal")
    status = told.get("status")
    parent = _id(told.get("parentSpanId"), 16)
    return spans.made(
        whence,
        trace_id=_id(told.get("traceId"), 32),
        span_id=_id(told.get("spanId"), 16),
        parent_id=parent,
        name=str(told.get("name") or ""),
        op=_op(kind, attributes),
        status=_STATUSES.get(status.get("code") or 0, "") if isinstance(status, dict) else "",
        begins=_micros(told.get("startTimeUnixNano")),
        ends=_micros(told.get("endTimeUnixNano")),
        is_segment=not parent or kind in _BEGINNERS,
        attributes=attributes,
    )


def _log(told: object, shared: Told, whence: Whence) -> Log | None:
    if not isinstance(told, dict):
        return None
    body = _value(told.get("body"))
    at = _micros(told.get("timeUnixNano")) or _micros(told.get("observedTimeUnixNano"))
    if body is None:
        return None
    return logs.made(
        whence,
        at if at and spans.is_near(at, whence.received) else whence.received,
        _id(told.get("traceId"), 32),
        _id(told.get("spanId"), 16),
        logs.severity(told.get("severityNumber"), told.get("severityText")),
        body if isinstance(body, str) else str(body),
        _with_names(_attributes(told.get("attributes")), shared),
    )


def _with_names(attributes: Told, shared: Told) -> Told:
    """A resource's version and deployment are our release and environment."""
    service, version = shared.get("service.name"), shared.get("service.version")
    if version:
        attributes.setdefault("sentry.release", f"{service}@{version}" if service else str(version))
    environment = shared.get("deployment.environment.name") or shared.get("deployment.environment")
    if environment:
        attributes.setdefault("sentry.environment", str(environment))
    if service:
        attributes.setdefault("service.name", service)
    return attributes


def _op(kind: str, attributes: Told) -> str:
    if "http.request.method" in attributes or "http.method" in attributes:
        return f"http.{kind}" if kind in ("server", "client") else "http"
    if "db.system" in attributes or "db.system.name" in attributes:
        return "db"
    if "rpc.system" in attributes:
        return "rpc"
    if "messaging.system" in attributes:
        return "queue.process" if kind == "consumer" else "queue.publish"
    return "default" if kind == "internal" else kind


def _attributes(listed: object) -> Told:
    """[{"key": …, "value": {"stringValue": …}}] as {key: value}, within the bounds of logs."""
    plain = {
        str(each["key"]): {"value": _value(each.get("value"))} for each in _listed(listed) if each.get("key")
    }
    return logs.plain(plain)


def _value(typed: object, depth: int = 0) -> Any:
    if not isinstance(typed, dict) or depth > 5:
        return None
    for name, value in typed.items():
        match name:
            case "stringValue" | "boolValue" | "doubleValue" | "bytesValue":
                return value
            case "intValue":
                return int(value) if isinstance(value, int) or str(value).lstrip("-").isdigit() else None
            case "arrayValue":
                inner = value.get("values") if isinstance(value, dict) else None
                return [_value(each, depth + 1) for each in inner] if isinstance(inner, list) else []
            case "kvlistValue":
                inner = value.get("values") if isinstance(value, dict) else None
                return {str(each.get("key")): _value(each.get("value"), depth + 1) for each in _listed(inner)}
    return None


def _id(value: object, length: int) -> str:
    """From hexadecimal digits, or from protobuf's bytes."""
    if isinstance(value, str) and len(value) != length:
        try:
            value = base64.b64decode(value, validate=True).hex()
        except (binascii.Error, ValueError):
            return ""
    return identifier(value, length)


def _micros(value: object) -> int | None:
    """From nanoseconds, as a number or a text; None for nothing."""
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    return int(text) // 1000 if text.isdecimal() and 0 < len(text) < 20 and int(text) else None
