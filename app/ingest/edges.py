"""Addresses that take something else than an envelope: what comes there is made one before it is kept.

So the journal, the broker and the worker know envelopes only, and what an old browser or a cron job sends is
as durable as an event. Each item is of a type of its own and holds the bytes as they were sent; what the
address and the headers say of them stands in the item's header.

    security, csp-report   raw_security   reports of browsers, sent by themselves
    nel                    nel            network errors, likewise
    cron/<slug>[/<key>]    check_in       by GET with a query, or by POST with a JSON object
    unreal/<key>           unreal_report  an Unreal Engine crash, packed
    minidump               event and attachment, see app.ingest.native
    events/<id>/attachments                         attachment, of an event that came or will come
    …/otlp/v1/traces|logs  otlp_traces, otlp_logs
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import msgspec

from app.base import json
from app.ingest import answers, forms, native
from app.ingest.answers import Answer, Refusal

#: Content types of security reports; without one of them a page could send anything here without asking.
REPORTS = frozenset((
    "application/json",
    "application/csp-report",
    "application/expect-ct-report",
    "application/expect-ct-report+json",
    "application/expect-staple-report",
    "application/reports+json",
))  # fmt: skip
PROTOBUF = "application/x-protobuf"
STATUSES = frozenset(("in_progress", "ok", "error"))


class Came(NamedTuple):
    """A request to one of these addresses, whole."""

    method: str
    rest: str  # of the address: the slug of a monitor, the id of an event
    query: str
    content_type: str
    body: bytes  # decompressed

    @property
    def essence(self) -> str:
        """The content type without parameters, in lower case."""
        return essence(self.content_type)

    def asked(self, name: str) -> str:
        """A parameter of the address, "" when it is not there."""
        return dict(parse_qsl(self.query[:8192])).get(name, "")


Item = tuple[dict[str, Any], bytes]


class Edge(NamedTuple):
    """What becomes of requests to an address."""

    category: str  # what a refused one counts as
    items: Callable[[Came], list[Item]]  # raises Refusal
    answer: Callable[[Came, str], Answer]  # to what came, with the event's id
    methods: frozenset[str] = frozenset(("POST",))
    types: frozenset[str] | None = None  # of content that are taken
    #: Crash reporters and cron jobs would try again for ever: what is too much is taken and thrown away.
    is_never_limited: bool = False
    #: The id (32 hex) of the event that the items are or belong to, "" when there is none. Raises Refusal.
    event_id: Callable[[Came, list[Item]], str] = lambda came, items: ""  # noqa: ARG005
    is_event: bool = False


def envelope(event_id: str, items: list[Item]) -> bytes:
    """The envelope of these items."""
    lines = [_encode({"event_id": event_id} if event_id else {})]
    for header, payload in items:
        lines += [_encode({**header, "length": len(payload)}), payload]
    return b"\n".join([*lines, b""])


def refuse_unwanted(edge: Edge, method: str, content_type: str) -> None:
    """Raises Refusal 405 or 415."""
    if method not in edge.methods:
        methods = sorted(edge.methods)
        raise Refusal(
            405, f"this address is for {' and '.join(methods)}", allow=", ".join([*methods, "OPTIONS"])
        )
    if edge.types is not None and content_type not in edge.types:
        raise Refusal(415, f"a report's content type is not {content_type[:60]!r}", reason="content_type")


def essence(content_type: str) -> str:
    """`Text/HTML; charset=utf-8` is `text/html`."""
    return content_type.partition(";")[0].strip().lower()


# -- what comes to items -----------------------------------------------------------------------------------


def _security(came: Came) -> list[Item]:
    _refuse_no_json(came)
    header: dict[str, Any] = {"type": "raw_security", "content_type": came.essence}
    for name in ("sentry_release", "sentry_environment"):
        if value := came.asked(name):
            header[name] = value[:250]
    return [(header, came.body)]


def _refuse_no_json(came: Came) -> None:
    """By its ends, as with events: it is decoded by a worker. Raises Refusal."""
    body = came.body.strip()
    if (body[:1], body[-1:]) not in ((b"{", b"}"), (b"[", b"]")):
        raise Refusal(400, "the report is not JSON: neither an object nor a list", reason="invalid_json")


def _network_errors(came: Came) -> list[Item]:
    _refuse_no_json(came)
    return _as_sent("nel")(came)


def _as_sent(kind: str) -> Callable[[Came], list[Item]]:
    return lambda came: [({"type": kind, "content_type": came.essence}, came.body)]


def _unreal(came: Came) -> list[Item]:
    return [({"type": "unreal_report", "user_id": came.asked("UserID")[:200]}, came.body)]


def _check_in(came: Came) -> list[Item]:
    """A JSON object as SDKs put it into envelopes, or the same in the query."""
    told: object = dict(parse_qsl(came.query[:8192]))
    if came.body.strip():
        try:
            told = json.decode(came.body).value
        except json.NotJson as error:
            raise Refusal(400, f"the check-in is not JSON: {error}"[:300], reason="invalid_json") from error
    if not isinstance(told, dict) or told.get("status") not in STATUSES:
        raise Refusal(400, "a check-in's status is in_progress, ok or error", reason="check_in")
    payload = {name: value for name, value in told.items() if not name.startswith("sentry_")}
    payload["monitor_slug"] = came.rest
    if not isinstance(payload.get("check_in_id"), str) or not payload["check_in_id"]:
        payload["check_in_id"] = "0" * 32  # the newest one that is in progress
    return [({"type": "check_in"}, _encode(payload))]


def _attachments(came: Came) -> list[Item]:
    if came.essence != "multipart/form-data":
        raise Refusal(400, "attachments come as multipart/form-data", reason="invalid_multipart")
    return [native.attachment(part) for part in forms.parts(came.body, came.content_type) if part.filename]


# -- ids ---------------------------------------------------------------------------------------------------


def _new_id(came: Came, items: list[Item]) -> str:  # noqa: ARG001
    return uuid.uuid4().hex


def _own_id(came: Came, items: list[Item]) -> str:  # noqa: ARG001
    return native.named_id(items) or uuid.uuid4().hex


def _id_in_address(came: Came, items: list[Item]) -> str:  # noqa: ARG001
    try:
        return uuid.UUID(came.rest).hex
    except ValueError:
        raise Refusal(400, "the event's id in the address is none", reason="event_id") from None


# -- answers -----------------------------------------------------------------------------------------------


def _nothing(status: int) -> Callable[[Came, str], Answer]:
    return lambda came, event_id: answers.plain(status, b"")  # noqa: ARG005 nothing of it is answered


def _hyphenated(came: Came, event_id: str) -> Answer:  # noqa: ARG001
    return answers.plain(200, str(uuid.UUID(event_id)).encode())


def _otlp(came: Came, event_id: str) -> Answer:  # noqa: ARG001
    """An exporter wants an empty message of the kind it sent."""
    if came.essence == PROTOBUF:
        return answers.plain(200, b"", PROTOBUF)
    return answers.plain(200, b"{}", "application/json")


EDGES: dict[str, Edge] = {
    "security": Edge("security", _security, _nothing(200), types=REPORTS),
    "nel": Edge("security", _network_errors, _nothing(200)),
    "cron": Edge(
        "monitor", _check_in, _nothing(202), methods=frozenset(("GET", "POST")), is_never_limited=True
    ),
    "unreal": Edge("error", _unreal, _hyphenated, is_never_limited=True, event_id=_new_id, is_event=True),
    "minidump": Edge(
        "error",
        lambda came: native.minidump(came.body, came.content_type),
        _hyphenated,
        is_never_limited=True,
        event_id=_own_id,
        is_event=True,
    ),
    "attachments": Edge("attachment", _attachments, _nothing(201), event_id=_id_in_address),
    "otlp_traces": Edge("span", _as_sent("otlp_traces"), _otlp),
    "otlp_logs": Edge("log_item", _as_sent("otlp_logs"), _otlp),
}
_encode = msgspec.json.encode
