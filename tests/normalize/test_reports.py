"""What browsers report by themselves: every kind, each way of writing it, and what cannot be read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.event import Event
from app.grouping import group
from app.item import Invalid, Whence
from app.normalize import reports
from tests.normalize.senders import ADDRESS, ANSWERED, RECEIVED, batch, envelope, record

AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/120.0.0.0 Safari/537.36"
CSP: dict[str, Any] = {
    "document-uri": "https://shop.example/cart",
    "referrer": "",
    "violated-directive": "script-src 'self'",
    "effective-directive": "script-src-elem",
    "original-policy": "script-src 'self'; report-uri /api/1/security/",
    "blocked-uri": "https://cdn.evil.example/x.js",
    "status-code": 200,
}


def events(report: Any, kind: str = "raw_security", **headers: str) -> list[Event]:
    body = envelope(({"type": kind, **headers}, json.dumps(report).encode()))
    found = batch(record(body, "envelope", agent=AGENT))
    assert not found.refused
    return found.events


def csp(**changes: Any) -> Event:
    report = {**CSP, **{name.replace("_", "-"): value for name, value in changes.items()}}
    (event,) = events({"csp-report": report})
    return event


def test_a_csp_report_is_an_event_with_the_page_the_browser_and_the_sender() -> None:
    (event,) = events({"csp-report": CSP}, sentry_release="shop@2", sentry_environment="prod")
    assert (event.kind, event.level, event.event_id) == ("csp", "error", ANSWERED)
    assert event.title == "Blocked 'script' from 'cdn.evil.example'"
    assert event.culprit == "script-src 'self'"
    assert (event.release, event.environment) == ("shop@2", "prod")
    assert event.tags["effective-directive"] == "script-src-elem"
    assert event.tags["blocked-uri"] == "cdn.evil.example"
    assert event.data["request"]["headers"] == [["User-Agent", AGENT]]
    assert event.tags["url"] == "https://shop.example/cart"
    assert event.user == f"ip:{ADDRESS}"
    assert event.data["csp"]["original_policy"] == CSP["original-policy"]
    assert event.notes == []


@pytest.mark.parametrize("is_listed", [True, False])
def test_the_reporting_api_says_the_same_in_other_words(is_listed: bool) -> None:
    report = {
        "type": "csp-violation",
        "age": 4,
        "url": "https://shop.example/cart",
        "user_agent": AGENT,
        "body": {
            "documentURL": "https://shop.example/cart",
            "blockedURL": "https://cdn.evil.example/x.js",
            "effectiveDirective": "script-src-elem",
            "originalPolicy": CSP["original-policy"],
            "statusCode": 200,
            "lineNumber": 7,
            "sample": "",
            "disposition": "enforce",
        },
    }
    found = events([report, report] if is_listed else report)
    assert len(found) == (2 if is_listed else 1)
    assert len({event.event_id for event in found}) == len(found)
    assert found[0].title == csp().title
    assert found[0].data["csp"]["document_uri"] == "https://shop.example/cart"
    assert found[0].data["csp"]["line_number"] == 7
    assert group(found[0]).hashes == group(csp()).hashes


@pytest.mark.parametrize(
    ("directive", "blocked", "title"),
    [
        ("script-src", "inline", "Blocked inline 'script'"),
        ("style-src-attr", "inline", "Blocked inline 'style'"),
        ("script-src", "eval", "Blocked unsafe eval() 'script'"),
        ("img-src", "", "Blocked 'image' from 'self'"),
        ("img-src", "data", "Blocked 'image' from 'data:'"),
        ("font-src", "https://fonts.example/a.woff", "Blocked 'font' from 'fonts.example'"),
        ("connect-src", "wss://live.example/x", "Blocked 'connection' from 'wss://live.example'"),
        ("base-uri", "https://a.example", "Blocked 'base-uri' from 'a.example'"),
    ],
)
def test_a_title_tells_what_was_blocked_and_where_it_came_from(
    directive: str, blocked: str, title: str
) -> None:
    assert csp(effective_directive=directive, blocked_uri=blocked).title == title


def test_without_an_effective_directive_the_violated_one_counts() -> None:
    report = {name: value for name, value in CSP.items() if name != "effective-directive"}
    (event,) = events({"csp-report": report})
    assert event.tags["effective-directive"] == "script-src"


def test_pages_paths_and_policies_do_not_split_an_issue_but_directives_and_hosts_do() -> None:
    first = group(csp()).hashes
    assert group(csp(document_uri="https://shop.example/other", original_policy="x")).hashes == first
    assert group(csp(blocked_uri="https://cdn.evil.example/other.js?v=2")).hashes == first
    assert group(csp(blocked_uri="http://CDN.evil.example")).hashes == first
    assert group(csp(blocked_uri="https://other.example/x.js")).hashes != first
    assert group(csp(effective_directive="img-src")).hashes != first


def test_what_violates_a_page_of_its_own_is_told_apart_by_how() -> None:
    own = {"effective_directive": "script-src", "blocked_uri": "self"}
    hashes = {
        tuple(group(csp(**own, violated_directive=violated)).hashes)
        for violated in ("script-src 'unsafe-inline'", "script-src 'unsafe-eval'", "script-src x")
    }
    assert len(hashes) == 3
    assert group(csp(effective_directive="img-src", blocked_uri="data")).hashes == (
        group(csp(effective_directive="img-src", blocked_uri="data:image/png;base64,AA")).hashes
    )


@pytest.mark.parametrize(
    ("report", "kind", "title"),
    [
        (
            {"expect-ct-report": {"hostname": "shop.example", "port": 443, "scts": []}},
            "expectct",
            "Expect-CT failed for 'shop.example'",
        ),
        (
            {"expect-staple-report": {"hostname": "shop.example", "port": 443, "response-status": "MISSING"}},
            "expectstaple",
            "Expect-Staple failed for 'shop.example'",
        ),
        (
            {"hostname": "shop.example", "port": 443, "known-pins": ["pin-sha256=x"]},
            "hpkp",
            "Public key pinning failed for 'shop.example'",
        ),
    ],
)
def test_reports_about_certificates(report: dict[str, Any], kind: str, title: str) -> None:
    (event,) = events(report)
    assert (event.kind, event.title, event.tags["hostname"]) == (kind, title, "shop.example")
    (other,) = events(json.loads(json.dumps(report).replace("443", "8443")))
    assert group(event).hashes == group(other).hashes
    (elsewhere,) = events(json.loads(json.dumps(report).replace("shop.", "www.")))
    assert group(event).hashes != group(elsewhere).hashes


def test_a_network_error_is_an_event_of_its_kind_and_host() -> None:
    def report(kind: str, url: str) -> Event:
        body = {"type": kind, "phase": "connection", "status_code": 0, "elapsed_time": 3}
        (event,) = events([{"type": "network-error", "url": url, "age": 1, "body": body}], "nel")
        return event

    event = report("tcp.refused", "https://shop.example/cart")
    assert (event.kind, event.title) == ("default", "Network error tcp.refused at shop.example")
    assert event.tags["nel.type"] == "tcp.refused"
    assert event.data["contexts"]["nel"]["error_type"] == "tcp.refused"
    assert group(event).hashes == group(report("tcp.refused", "https://shop.example/other")).hashes
    assert group(event).hashes != group(report("dns.unreachable", "https://shop.example/")).hashes
    assert report("ok", "nonsense://[").level == "info"


def test_a_security_item_of_an_sdk_is_an_event() -> None:
    payload = json.dumps({"csp": {"effective_directive": "img-src", "blocked_uri": "https://a.example/1"}})
    found = batch(record(envelope(({"type": "security"}, payload.encode())), "envelope"))
    assert found.events[0].title == "Blocked 'image' from 'a.example'"


@pytest.mark.parametrize(
    ("kind", "body", "reason"),
    [
        ("raw_security", b"{", "unreadable"),
        ("raw_security", b"[]", "no_report"),
        ("raw_security", b'{"csp-report":{}}', "no_report"),
        ("raw_security", b'{"csp-report":[1]}', "no_report"),
        ("raw_security", b'[1,null,"x"]', "no_report"),
        ("nel", b"7", "no_report"),
        ("nel", b"{", "unreadable"),
    ],
)
def test_what_is_no_report_is_counted_with_the_reason(kind: str, body: bytes, reason: str) -> None:
    found = batch(record(envelope(({"type": kind}, body)), "envelope"))
    assert (found.events, found.refused) == ([], [])
    (count,) = found.onces[0].counts
    assert (count.category, count.outcome, count.reason) == ("security", "invalid", reason)


_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from([*CSP, "type", "body", "url", ""]), inner)
    ),
)


@given(
    st.dictionaries(
        st.sampled_from(["csp-report", "expect-ct-report", "known-pins", "body", "type", "url"]), _values
    )
)
def test_any_report_is_an_event_or_invalid(report: dict[str, Any]) -> None:
    whence = Whence(1, 2, RECEIVED, ANSWERED, ADDRESS, AGENT, "", None)
    for read in (reports.security, reports.nel):
        try:
            payloads = read(json.dumps(report).encode(), {"type": "raw_security"}, whence)
        except Invalid:
            continue
        body = envelope(*(({"type": "event"}, json.dumps(each).encode()) for each in payloads))
        assert len(batch(record(body, "envelope")).events) == len(payloads)
