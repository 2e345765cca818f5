"""Transactions, spans and OpenTelemetry: what is kept of them, what is counted, what is hidden."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.item import Invalid, Read, Span, Told, Transaction, Whence
from app.normalize import spans
from app.normalize.items import READERS
from app.normalize.transactions import plain_name, unpacked
from app.options import Filters, Options, Rule, Scrubbing
from tests.normalize.senders import ADDRESS, ANSWERED, RECEIVED, batch, envelope, record

WHENCE = Whence(1, 2, RECEIVED, ANSWERED, ADDRESS, "", "", None)
TRACE, ROOT, CHILD = "4bf92f3577b34da6a3ce929d0e0e4736", "a" * 16, "b" * 16
AT = RECEIVED / 1e6 - 10
PROTOBUF = "application/x-protobuf"


def read(kind: str, payload: Any, whence: Whence = WHENCE, **headers: Any) -> Read:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return READERS[kind](body, {"type": kind, **headers}, whence)


def payload(**changes: Any) -> dict[str, Any]:
    return {
        "type": "transaction", "transaction": "/pay", "start_timestamp": AT, "timestamp": AT + 0.25,
        "release": "shop@1", "environment": "prod", "transaction_info": {"source": "route"},
        "contexts": {"trace": {"trace_id": TRACE, "span_id": ROOT, "op": "http.server", "status": "ok"}},
        "spans": [
            {"span_id": CHILD, "parent_span_id": ROOT, "op": "db", "description": "select 1",
             "start_timestamp": AT + 0.01, "timestamp": AT + 0.03, "data": {"db.system": "postgresql"}},
        ],
        "measurements": {"lcp": {"value": 12.5, "unit": "millisecond"}},
        **changes,
    }  # fmt: skip


def one(**changes: Any) -> tuple[Transaction, Told]:
    (found,) = read("transaction", payload(**changes)).items
    assert isinstance(found, Transaction)
    return found, unpacked(found.body)


def traced(**changes: Any) -> dict[str, Any]:
    return {"trace": {"trace_id": TRACE, "span_id": ROOT, **changes}}


def streamed(**changes: Any) -> dict[str, Any]:
    return {
        "trace_id": TRACE, "span_id": CHILD, "parent_span_id": ROOT, "name": "GET /pay", "status": "ok",
        "is_segment": False, "start_timestamp": AT, "end_timestamp": AT + 0.5,
        "attributes": {
            "sentry.op": {"value": "http.client", "type": "string"},
            "sentry.release": {"value": "shop@1", "type": "string"},
            "till": {"value": 7, "type": "integer"},
        },
        **changes,
    }  # fmt: skip


def span(**changes: Any) -> Span:
    (found,) = read("span", {"items": [streamed(**changes)]}).items
    assert isinstance(found, Span)
    return found


# -- transactions ------------------------------------------------------------------------------------------


def test_a_transaction_and_its_spans() -> None:
    found, told = one()
    assert (found.name, found.op, found.status) == ("/pay", "http.server", "ok")
    assert (found.trace_id, found.span_id, found.parent_id) == (TRACE, ROOT, "")
    assert (found.duration, found.spans) == (250_000, 1)
    assert (found.release, found.environment, found.event_id) == ("shop@1", "prod", ANSWERED)
    assert told.spans == [
        {"span_id": CHILD, "parent_span_id": ROOT, "op": "db", "description": "select 1", "start": 10_000,
         "duration": 20_000, "data": {"db.system": "postgresql"}},
    ]  # fmt: skip
    assert told.measurements == {"lcp": {"value": 12.5, "unit": "millisecond"}}
    assert told.data["release"] == "shop@1"


def test_it_is_counted_with_its_spans() -> None:
    assert read("transaction", payload()).counts == {
        ("transaction", "accepted", ""): 1, ("span", "accepted", ""): 2,
    }  # fmt: skip


def test_a_transaction_may_come_as_an_event_or_to_store() -> None:
    raw = json.dumps(payload()).encode()
    for frame in (record(envelope(({"type": "event"}, raw)), kind="envelope"), record(raw)):
        found = batch(frame)
        assert found.events == []
        (item,) = found.onces[0].items
        assert isinstance(item, Transaction)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"contexts": {}}, "no_trace"),
        ({"contexts": None}, "no_trace"),
        ({"contexts": traced(trace_id="0" * 32)}, "no_trace"),
        ({"contexts": traced(span_id="x")}, "no_trace"),
        ({"start_timestamp": None}, "no_timestamp"),
        ({"timestamp": "soon"}, "no_timestamp"),
        ({"timestamp": AT - 1}, "no_timestamp"),
        ({"start_timestamp": AT - 40 * 86400, "timestamp": AT - 40 * 86400 + 1}, "invalid_timestamp"),
        ({"start_timestamp": AT + 4000, "timestamp": AT + 4001}, "invalid_timestamp"),
    ],
)
def test_what_is_no_transaction(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(Invalid, match=reason):
        read("transaction", payload(**changes))


def test_spans_that_make_no_sense_do_not_touch_their_neighbours() -> None:
    odd = [7, {}, {"span_id": CHILD}, {"span_id": "x", "start_timestamp": AT, "timestamp": AT},
           {"span_id": CHILD, "start_timestamp": AT + 2, "timestamp": AT}]  # fmt: skip
    found = read("transaction", payload(spans=[*odd, *payload()["spans"]]))
    assert found.counts["span", "invalid", "unreadable"] == len(odd)
    assert found.counts["span", "accepted", ""] == 2


def test_too_many_spans_are_cut() -> None:
    found, told = one(spans=payload()["spans"] * (spans.MOST + 1))
    assert found.spans == len(told.spans) == spans.MOST


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("/users/7/orders/12?x=1", "/users/*/orders/*"),
        ("/a/83a7c03e-d0a0-4e1b-97e2-e3b18d38f244", "/a/*"),
        ("https://shop.example/cart", "https://shop.example/cart"),
        ("GET /pay", "GET /pay"),
        ("/v2/items", "/v2/items"),
        ("/dashboard-of-the-whole-company", "/dashboard-of-the-whole-company"),
    ],
)
def test_addresses_lose_what_varies(name: str, plain: str) -> None:
    assert plain_name(name) == plain
    assert one(transaction=name, transaction_info={"source": "url"})[0].name == plain
    assert one(transaction=name, transaction_info=None)[0].name == plain
    assert one(transaction=name)[0].name == name


@pytest.mark.parametrize(
    ("sent", "kept"),
    [("ok", "ok"), ("Internal_Error", "internal_error"), ("error", "internal_error"), ("weird", ""),
     (None, ""), (2, "internal_error"), (0, "ok"), (True, ""), ({}, "")],
)  # fmt: skip
def test_statuses(sent: Any, kept: str) -> None:
    assert one(contexts=traced(status=sent))[0].status == kept


def test_secrets_are_hidden_in_spans() -> None:
    _, told = one(spans=[{
        "span_id": CHILD, "start_timestamp": AT, "timestamp": AT + 1, "op": "http.client",
        "description": "GET https://ada:pw@a.example/?token=abc",
        "data": {"password": "p", "url": "https://a.example/?api_key=abc"}, "tags": {"secret": "s"},
    }])  # fmt: skip
    (found,) = told.spans
    assert found["description"] == "GET https://[Filtered]@a.example/?token=[Filtered]"
    assert found["data"] == {"password": "[Filtered]", "url": "https://a.example/?api_key=[Filtered]"}
    assert found["tags"] == {"secret": "[Filtered]"}


def test_a_project_s_rules_hold_for_spans() -> None:
    chosen = Scrubbing(
        fields=["till"], rules=[Rule(type="regex", pattern="north", source="$span.description")]
    )
    whence = WHENCE._replace(options=Options(scrubbing=chosen))
    sent = [{"span_id": CHILD, "start_timestamp": AT, "timestamp": AT, "description": "at north",
             "data": {"till": "x"}}]  # fmt: skip
    (found,) = read("transaction", payload(spans=sent), whence).items
    assert isinstance(found, Transaction)
    (kept,) = unpacked(found.body).spans
    assert (kept["description"], kept["data"]) == ("at [Filtered]", {"till": "[Filtered]"})
    (single,) = read("span", {"items": [streamed(name="at north")]}, whence).items
    assert isinstance(single, Span)
    assert (single.name, single.attributes["till"]) == ("at [Filtered]", "[Filtered]")


def test_filters_and_what_is_switched_off() -> None:
    whence = WHENCE._replace(options=Options(filters=Filters(transactions=["/p*"])))
    assert read("transaction", payload(), whence).counts == {
        ("transaction", "filtered", "filtered-transaction"): 1,
        ("span", "filtered", "filtered-transaction"): 2,
    }  # fmt: skip
    assert read("transaction", payload(transaction="/healthz")).items == []
    options = Options(off=frozenset({"transaction"}))
    frame = record(envelope(({"type": "transaction"}, json.dumps(payload()).encode())), kind="envelope")
    from app.normalize.limits import Limits
    from app.normalize.read import read as read_all

    (once,) = read_all(frame, Limits(), lambda _: options).onces
    assert [(each.category, each.reason) for each in once.counts] == [("transaction", "disabled")]


# -- streamed spans ----------------------------------------------------------------------------------------


def test_a_streamed_span() -> None:
    assert span() == Span(
        project_id=1, received=RECEIVED, trace_id=TRACE, span_id=CHILD, parent_id=ROOT, name="GET /pay",
        op="http.client", status="ok", started=round(AT * 1e6), duration=500_000, is_segment=False,
        environment="", release="shop@1", attributes={"sentry.op": "http.client", "till": 7},
    )  # fmt: skip


def test_the_first_span_of_a_service_is_a_transaction_too() -> None:
    counts = read("span", {"items": [streamed(is_segment=True), streamed()]}).counts
    assert counts == {("span", "accepted", ""): 2, ("transaction", "accepted", ""): 1}


def test_a_single_span_of_the_older_kind() -> None:
    old = {"trace_id": TRACE, "span_id": CHILD, "op": "ui.interaction.click", "description": "button",
           "start_timestamp": AT, "timestamp": AT + 0.1, "data": {"sentry.release": "shop@1"}}  # fmt: skip
    (found,) = read("span", old).items
    assert isinstance(found, Span)
    assert (found.name, found.op, found.duration, found.release) == (
        "button",
        "ui.interaction.click",
        100_000,
        "shop@1",
    )


def test_spans_without_ids_or_times_are_counted() -> None:
    odd = [streamed(trace_id="x"), streamed(span_id=None), streamed(end_timestamp=None), 7,
           streamed(start_timestamp=AT - 1e9, end_timestamp=AT)]  # fmt: skip
    assert read("span", {"items": [*odd, streamed()]}).counts == {
        ("span", "accepted", ""): 1, ("span", "invalid", "unreadable"): len(odd),
    }  # fmt: skip


@pytest.mark.parametrize("body", [b"{", b"[]", {"items": 7}])
def test_containers_that_cannot_be_read(body: Any) -> None:
    for kind in ("span", "otlp_traces", "otlp_logs"):
        if kind == "span" or body != {"items": 7}:
            with pytest.raises(Invalid, match="unreadable"):
                read(kind, body)


# -- OpenTelemetry -----------------------------------------------------------------------------------------

NANOS = round(AT * 1e9)


def exported(**changes: Any) -> dict[str, Any]:
    told = {
        "traceId": TRACE, "spanId": ROOT, "name": "GET /pay", "kind": 2, "startTimeUnixNano": str(NANOS),
        "endTimeUnixNano": str(NANOS + 2_000_000), "status": {"code": 2},
        "attributes": [
            {"key": "http.request.method", "value": {"stringValue": "GET"}},
            {"key": "n", "value": {"intValue": "7"}},
            {"key": "list", "value": {"arrayValue": {"values": [{"boolValue": True}, {"doubleValue": 1.5}]}}},
        ],
        **changes,
    }  # fmt: skip
    about = [
        {"key": "service.name", "value": {"stringValue": "shop"}},
        {"key": "service.version", "value": {"stringValue": "1.2"}},
        {"key": "deployment.environment.name", "value": {"stringValue": "prod"}},
    ]
    return {"resourceSpans": [{"resource": {"attributes": about}, "scopeSpans": [{"spans": [told]}]}]}


def as_protobuf(told: dict[str, Any]) -> bytes:
    """What an exporter sends: the ids as bytes."""
    from google.protobuf.json_format import ParseDict
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
        ExportTraceServiceRequest,
    )

    for each in told["resourceSpans"][0]["scopeSpans"][0]["spans"]:
        for name in {"traceId", "spanId", "parentSpanId"} & each.keys():
            each[name] = base64.b64encode(bytes.fromhex(each[name])).decode()
    return bytes(ParseDict(told, ExportTraceServiceRequest()).SerializeToString())


def test_an_exporter_s_spans_in_both_forms() -> None:
    (plain,) = read("otlp_traces", exported()).items
    (packed,) = read("otlp_traces", as_protobuf(exported()), content_type=PROTOBUF).items
    assert plain == packed
    assert plain == Span(
        project_id=1, received=RECEIVED, trace_id=TRACE, span_id=ROOT, parent_id="", name="GET /pay",
        op="http.server", status="internal_error", started=NANOS // 1000, duration=2000, is_segment=True,
        environment="prod", release="shop@1.2",
        attributes={"http.request.method": "GET", "n": 7, "list": [True, 1.5], "service.name": "shop"},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "op", "is_segment"),
    [
        ({"kind": 3, "parentSpanId": CHILD}, "http.client", False),
        ({"kind": "SPAN_KIND_SERVER", "parentSpanId": CHILD}, "http.server", True),
        ({"kind": 1, "attributes": []}, "default", True),
        ({"kind": 3, "attributes": [{"key": "db.system", "value": {"stringValue": "x"}}]}, "db", True),
        ({"kind": 5, "parentSpanId": CHILD,
          "attributes": [{"key": "messaging.system", "value": {"stringValue": "x"}}]}, "queue.process", True),
    ],
)  # fmt: skip
def test_what_an_exporter_s_span_is(changes: dict[str, Any], op: str, is_segment: bool) -> None:
    (found,) = read("otlp_traces", exported(**changes)).items
    assert isinstance(found, Span)
    assert (found.op, found.is_segment) == (op, is_segment)


def test_an_exporter_s_logs() -> None:
    record_ = {
        "timeUnixNano": str(NANOS), "severityNumber": 17, "severityText": "ERROR",
        "body": {"stringValue": "the drawer is stuck"}, "traceId": TRACE, "spanId": CHILD,
        "attributes": [{"key": "password", "value": {"stringValue": "p"}}],
    }  # fmt: skip
    told = {"resourceLogs": [{"scopeLogs": [{"logRecords": [record_, {"body": None}, 7]}]}]}
    found = read("otlp_logs", told)
    (log,) = found.items
    assert (log.body, log.severity, log.trace_id, log.timestamp) == (  # type: ignore[attr-defined]
        "the drawer is stuck", 17, TRACE, NANOS // 1000,
    )  # fmt: skip
    assert log.attributes == {"password": "[Filtered]"}  # type: ignore[attr-defined]
    assert found.counts == {("log_item", "accepted", ""): 1, ("log_item", "invalid", "unreadable"): 2}


_words = st.sampled_from([
    "resourceSpans", "resource", "scopeSpans", "spans", "attributes", "key", "value", "stringValue",
    "intValue", "traceId", "spanId", "status", "items", "contexts", "trace", "trace_id", "span_id",
    "start_timestamp", "timestamp", "spans", "resourceLogs", "scopeLogs", "logRecords", "body",
    "measurements", "kvlistValue", "arrayValue", "values", "aggregates", "attrs", "release", "started", "sid",
])  # fmt: skip
_json: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from([TRACE, ROOT, AT]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_words, inner, max_size=6),
)


@pytest.mark.parametrize("kind", ["transaction", "span", "otlp_traces", "otlp_logs", "session", "sessions"])
@given(body=st.binary() | _json.map(lambda value: json.dumps(value).encode()), packed=st.booleans())
def test_any_bytes_are_read_or_invalid(kind: str, body: bytes, packed: bool) -> None:
    try:
        found = read(kind, body, content_type=PROTOBUF if packed else "")
    except Invalid:
        return
    assert all(quantity > 0 for quantity in found.counts.values())


@given(told=_json, attributes=_json)
def test_odd_spans_never_lose_the_good_one(told: Any, attributes: Any) -> None:
    sent = {"items": [told, streamed(attributes=attributes), streamed()]}
    assert read("span", sent).counts["span", "accepted", ""] >= 1
    found = read("transaction", payload(spans=[told, *payload()["spans"]], measurements=attributes))
    assert found.counts["transaction", "accepted", ""] == 1
