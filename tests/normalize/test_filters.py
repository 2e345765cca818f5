"""Inbound filters: what each of them meets, and what it must not meet."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.normalize import filters, limits
from app.normalize.filters import LEGACY, problem, unwanted_log, unwanted_transaction
from app.normalize.read import Batch, read
from app.options import Filters, Options
from tests.normalize.senders import ADDRESS, envelope, record

CHROME = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
)
GOOGLE = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
IE9 = "Mozilla/5.0 (compatible; MSIE 9.0; Windows NT 6.1; Trident/5.0)"


def processed(payload: dict[str, Any], options: Options, *others: Any, agent: str = "") -> Batch:
    items = [({"type": "event"}, json.dumps(payload).encode()), *others]
    frame = record(envelope(*items), kind="envelope", agent=agent)
    return read(frame, limits.Limits(), lambda _: options)


def met(payload: dict[str, Any], agent: str = "", **chosen: Any) -> str:
    """The reason for which an event was not kept; "" when it was."""
    batch = processed(payload, Options(filters=Filters(**chosen)), agent=agent)
    if batch.events:
        assert batch.onces == []
        return ""
    (once,) = batch.onces
    (counted,) = once.counts
    assert (counted.outcome, counted.quantity) == ("filtered", 1)
    return counted.reason


def thrown(
    kind: str, value: str, abs_path: str = "https://shop.example/app.js", **more: Any
) -> dict[str, Any]:
    frames = [{"function": "pay", "abs_path": abs_path, "lineno": 1}]
    exception = {"type": kind, "value": value, "stacktrace": {"frames": frames}}
    return {"platform": "javascript", "exception": {"values": [exception]}, **more}


def asked(agent: str = CHROME, url: str = "https://shop.example/", **more: Any) -> dict[str, Any]:
    return {
        "platform": "python", "message": "x", **more,
        "request": {"url": url, "headers": {"User-Agent": agent}},
    }  # fmt: skip


def test_ordinary_errors_meet_no_filter_even_with_all_of_them_on() -> None:
    everything: dict[str, Any] = {
        "localhost": True, "browser_extensions": True, "legacy_browsers": list(LEGACY), "web_crawlers": True,
        "addresses": ["192.0.2.0/24"], "releases": ["0.*"], "messages": ["nothing*"],
    }  # fmt: skip
    ordinary = thrown("TypeError", "x is undefined", release="shop@1.2")
    ordinary["request"] = {"url": "https://shop.example/", "headers": {"User-Agent": CHROME}}
    assert met(ordinary, **everything) == ""
    assert met(asked(), **everything) == ""


@pytest.mark.parametrize("payload", [
    asked(url="http://localhost:8000/pay"), asked(url="http://127.0.0.1/"),
    {"message": "x", "user": {"ip_address": "127.0.0.1"}}, {"message": "x", "user": {"ip_address": "::1"}},
])  # fmt: skip
def test_localhost(payload: dict[str, Any]) -> None:
    assert met(payload, localhost=True) == "localhost"
    assert met(payload) == ""


@pytest.mark.parametrize("agent", [
    GOOGLE, "AdsBot-Google (+http://www.google.com/adsbot.html)", "Mediapartners-Google",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)", "Baiduspider+(+http://x)",
    "Mozilla/5.0 (compatible; Yahoo! Slurp)", "Sogou web spider/4.0", "facebookexternalhit/1.1",
    "ia_archiver", "Slackbot-LinkExpanding 1.0", "SomeBot/1.0 (bot; x)", "acme-spider/2",
])  # fmt: skip
def test_web_crawlers(agent: str) -> None:
    assert met(asked(agent), web_crawlers=True) == "web-crawlers"
    assert met(asked(agent)) == ""


@pytest.mark.parametrize("agent", [
    CHROME, "APIs-Google (+https://developers.google.com/webmasters/APIs-Google.html)", "Cubot/1.0 X30",
    "Mozilla/5.0 (compatible; SentryUptimeBot/1.0; +http://docs.example)", "curl/8", "Robotics Ltd 2",
    "Mozilla/5.0 Chrome-Lighthouse Google",
])  # fmt: skip
def test_people_and_monitors_are_no_crawlers(agent: str) -> None:
    assert met(asked(agent), web_crawlers=True) == ""


@pytest.mark.parametrize(
    ("name", "agent"),
    [
        ("ie", IE9),
        ("ie", "Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko"),
        ("edge", "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/64 Edge/17.17"),
        ("safari", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_6) AppleWebKit/533.2 Version/5.0 Safari/533.2"),
        ("opera_mini", "Opera/9.80 (Android; Opera Mini/7.5/35.5; U; en) Presto/2.8.119 Version/11.10"),
        (
            "android",
            "Mozilla/5.0 (Linux; U; Android 2.3; en-us) AppleWebKit/533.1 Version/4.0 Mobile Safari/53",
        ),
        ("chrome", CHROME.replace("131.0.0.0", "41.0.2227.1")),
        ("firefox", "Mozilla/5.0 (X11; Linux x86_64; rv:40.0) Gecko/20100101 Firefox/40.1"),
    ],
)
def test_legacy_browsers(name: str, agent: str) -> None:
    payload = {**asked(agent), "platform": "javascript"}
    assert met(payload, legacy_browsers=[name]) == "legacy-browsers"
    others = [other for other in LEGACY if other != name]
    assert met(payload, legacy_browsers=others) == ""
    assert met({**payload, "platform": "python"}, legacy_browsers=[name]) == "", "not a page's own error"


def test_the_connection_tells_a_browsers_agent_when_the_event_does_not() -> None:
    assert met({"platform": "javascript", "message": "x"}, IE9, legacy_browsers=["ie"]) == "legacy-browsers"
    assert met({"platform": "python", "message": "x"}, GOOGLE, web_crawlers=True) == ""


@pytest.mark.parametrize("payload", [
    thrown("ReferenceError", "Can't find variable: _gCrWeb"), thrown("Error", "fb_xd_fragment"),
    thrown("Error", "x", "chrome-extension://abc/content.js"), thrown("Error", "x", "moz-extension://a/x.js"),
    thrown("Error", "x", "safari-web-extension://a/x.js"), thrown("Error", "Extension context invalidated."),
])  # fmt: skip
def test_browser_extensions(payload: dict[str, Any]) -> None:
    assert met(payload, browser_extensions=True) == "browser-extensions"
    assert met(payload) == ""
    assert met({**payload, "platform": "node"}, browser_extensions=True) == ""


@pytest.mark.parametrize("payload", [
    thrown("Error", "Hydration failed because the initial UI does not match"),
    thrown("Error", "Minified React error #418; visit https://react.dev/errors/418?args[]=x"),
])  # fmt: skip
def test_hydration_errors_are_filtered_unless_switched_off(payload: dict[str, Any]) -> None:
    assert met(payload) == "react-hydration-errors"
    assert met(payload, hydration_errors=False) == ""
    assert met({**payload, "platform": "python"}) == ""


def test_chunk_load_errors_are_filtered_unless_switched_off() -> None:
    payload = thrown("ChunkLoadError", "Loading chunk 7 failed.")
    assert met(payload) == "chunk-load-error"
    assert met(payload, chunk_load_errors=False) == ""


@pytest.mark.parametrize(
    ("listed", "is_met"),
    [
        (["203.0.113.0/24"], True),
        ([ADDRESS], True),
        (["198.51.100.7"], True),
        (["10.0.0.0/8", "::/0"], False),
        (["nonsense"], False),
    ],
)
def test_addresses_of_the_sender_or_of_the_user(listed: list[str], is_met: bool) -> None:
    payload = {"message": "x", "user": {"ip_address": "198.51.100.7"}}
    assert met(payload, addresses=listed) == ("ip-address" if is_met else "")


def test_releases() -> None:
    assert met({"message": "x", "release": "Shop@1.2.0"}, releases=["2.*", "shop@1.*"]) == "release-version"
    assert met({"message": "x", "release": "shop@10"}, releases=["shop@1"]) == "", "a glob is the whole name"
    assert met({"message": "x"}, releases=["*"]) == "", "there is no release"


@pytest.mark.parametrize("globs", [
    ["TypeError: * is not a function"], ["typeerror"], ["*not a function"], ["x.? is not a function"],
])  # fmt: skip
def test_error_messages(globs: list[str]) -> None:
    assert met(thrown("TypeError", "x.y is not a function"), messages=globs) == "error-message"
    assert met(thrown("RangeError", "x.y is not a number"), messages=globs) == ""


def test_messages_of_many_lines() -> None:
    assert met({"message": "first\nsecond"}, messages=["first*second"]) == "error-message"


@pytest.mark.parametrize("uri", [
    "chrome-extension://abc", "moz-extension", "about", "about:blank", "https://tlscdn.com/x.js", "symres:x",
])  # fmt: skip
def test_reports_that_only_browsers_caused(uri: str) -> None:
    report = {"csp": {"effective_directive": "script-src", "blocked_uri": uri, "source_file": ""}}
    assert met(report) == "invalid-csp"
    assert met(report, browser_reports=False) == ""


@pytest.mark.parametrize(("listed", "uri"), [
    ("cdn.example", "https://cdn.example/x.js"), ("*.ads.example", "https://a.ads.example/"),
    ("data:", "data"), ("https://cdn.example*", "https://cdn.example/x.js"),
])  # fmt: skip
def test_sources_of_reports_that_a_project_ignores(listed: str, uri: str) -> None:
    report = {"csp": {"effective_directive": "script-src", "blocked_uri": uri}}
    assert met(report, csp_sources=[listed]) == "invalid-csp"
    assert met(report, csp_sources=["other.example"]) == ""


def test_attachments_of_a_filtered_event_are_not_kept() -> None:
    options = Options(filters=Filters(localhost=True))
    batch = processed(
        asked(url="http://localhost/"), options, ({"type": "attachment", "filename": "a"}, b"x")
    )
    (once,) = batch.onces
    assert once.items == []
    assert {(one.category, one.outcome, one.reason) for one in once.counts} == {
        ("error", "filtered", "localhost"), ("attachment", "filtered", "localhost"),
    }  # fmt: skip


def test_categories_that_are_switched_off() -> None:
    options = Options(off=frozenset({"error", "log_item"}))
    log = ({"type": "log", "item_count": 3}, b'{"items":[{"body":"a"},{"body":"b"},{"body":"c"}]}')
    batch = processed({"message": "x"}, options, log)
    assert batch.events == []
    assert {(one.category, one.reason, one.quantity) for one in batch.onces[0].counts} == {
        ("error", "disabled", 1), ("log_item", "disabled", 3),
    }  # fmt: skip
    security = processed({"csp": {"effective_directive": "img-src", "blocked_uri": "x.example"}}, options)
    assert len(security.events) == 1


def test_every_event_of_an_envelope_is_judged_for_itself() -> None:
    options = Options(filters=Filters(messages=["bad"]))
    batch = processed({"message": "bad"}, options, ({"type": "event"}, b'{"message":"good"}'))
    assert [event.title for event in batch.events] == ["good"]


@pytest.mark.parametrize("name", [
    "/healthz", "GET /health", "/api/health/", "GET /ping", "/livez", "/readyz", "app.views.healthcheck",
])  # fmt: skip
def test_health_checks(name: str) -> None:
    assert unwanted_transaction(name, "", Filters()) == "filtered-transaction"
    assert unwanted_transaction(name, "", Filters(health_checks=False)) == ""


@pytest.mark.parametrize("name", ["/shop/healthcare", "/shipping", "/upload", "/delivery/alive"])
def test_no_health_checks(name: str) -> None:
    assert unwanted_transaction(name, "", Filters()) == ""


def test_transactions_and_logs_by_globs_and_releases() -> None:
    chosen = Filters(transactions=["/static/*"], logs=["*debugging*"], releases=["old@*"])
    assert unwanted_transaction("/static/app.js", "", chosen) == "filtered-transaction"
    assert unwanted_transaction("/pay", "old@1", chosen) == "release-version"
    assert unwanted_log("I am debugging this", "", chosen) == "log-message"
    assert unwanted_log("paid", "", chosen) == ""
    assert unwanted_log("paid", "old@2", chosen) == "release-version"


def test_what_is_wrong_with_an_entry_is_said() -> None:
    assert "neither an address" in problem("addresses", "10.0.0.0/99")
    assert problem("addresses", "10.0.0.0/8") == problem("messages", "x*") == ""
    assert "longer than" in problem("messages", "x" * 201)


@given(globs=st.lists(st.text(), max_size=5), text=st.text())
def test_any_glob_is_an_expression(globs: list[str], text: str) -> None:
    assert filters._matches(globs, text) in (True, False)


@given(text=st.text(min_size=1))
def test_a_text_matches_itself_and_everything(text: str) -> None:
    assert filters._matches(["*"], text)
    if text.strip() == text:
        assert filters._matches([text], text)


@given(agent=st.text(max_size=300))
def test_any_agent_is_parsed(agent: str) -> None:
    assert met(asked(agent), web_crawlers=True, legacy_browsers=list(LEGACY)) in ("", "web-crawlers")


@pytest.mark.parametrize("limited", ["security", "error"])
def test_a_security_report_is_limited_as_one(limited: str) -> None:
    report = b'{"csp-report":{"effective-directive":"img-src","blocked-uri":"https://x.example"}}'
    items: list[Any] = [({"type": "raw_security"}, report), ({"type": "event"}, b'{"message":"x"}')]
    frame = record(envelope(*items), kind="envelope", limited={limited: "spike"})
    batch = read(frame, limits.Limits())
    (event,) = batch.events
    assert (event.kind == "csp") == (limited == "error")
    (counted,) = batch.onces[0].counts
    assert (counted.category, counted.outcome, counted.reason) == (limited, "rate_limited", "spike")


def test_categories_that_the_sender_was_told_not_to_send() -> None:
    items: list[Any] = [
        ({"type": "event"}, b'{"message":"x"}'),
        ({"type": "log", "item_count": 2}, b'{"items":[{"body":"a"},{"body":"b"}]}'),
        ({"type": "attachment", "filename": "a"}, b"x"),
    ]
    batch = read(record(envelope(*items), kind="envelope", limited={"log_item": "spike"}), limits.Limits())
    assert [event.title for event in batch.events] == ["x"]
    assert {(one.category, one.outcome, one.quantity) for one in batch.onces[0].counts} == {
        ("log_item", "rate_limited", 2), ("attachment", "accepted", 1),
    }  # fmt: skip
    frame = record(envelope(*items), kind="envelope", limited={"error": "quota_exceeded"})
    batch = read(frame, limits.Limits())
    assert batch.events == []
    assert {(one.category, one.outcome, one.reason) for one in batch.onces[0].counts} == {
        ("error", "rate_limited", "quota_exceeded"), ("log_item", "accepted", ""),
        ("attachment", "rate_limited", "quota_exceeded"),
    }  # fmt: skip
