from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from app.event import Note
from app.grouping import group
from app.models import Activity, Issue
from app.store.record import record
from tests.factories import IssueFactory
from tests.web import scene

Budget = Callable[..., Any]


def page_of(ada: Client, issue: Issue, more: str = "") -> str:
    answer = ada.get(f"/acme/issues/{issue.short_id}/{more}")
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_page_costs_at_most_fourteen_queries(
    shop: scene.Shop, ada: Client, django_assert_max_num_queries: Budget
) -> None:
    for ago in (5, 3, 1):
        issue = shop.happened(ago=timedelta(minutes=ago))
    page_of(ada, issue)
    with django_assert_max_num_queries(14):
        page_of(ada, issue)


def test_the_thrown_exception_comes_first_then_its_cause(shop: scene.Shop, ada: Client) -> None:
    page = page_of(ada, shop.happened())
    assert page.index("gross&#x27;") < page.index("Caused by") < page.index("no total")
    assert 'caused by <a class="link" href="#cause-0">LookupError</a>' in page


def test_the_first_frame_of_the_application_is_open_with_its_line_and_locals(
    shop: scene.Shop, ada: Client
) -> None:
    page = page_of(ada, shop.happened())
    [opened] = [part for part in page.split("<details")[1:] if part.startswith(" open><summary><svg")]
    assert ">charge</span>" in opened
    assert '<li class="hit"><span class="ln">88</span>' in opened
    assert "&lt;Order 81723 state=&#x27;paid&#x27;&gt;" in opened
    assert "[Filtered]" in opened


def test_a_crash_inside_a_framework_opens_the_applications_frame_that_led_there(
    shop: scene.Shop, ada: Client
) -> None:
    inside = [scene.frame(name, "django/db.py", 1, in_app=False, context_line="x") for name in ("a", "b")]
    frames = [scene.frame("old", "shop/old.py", 2, context_line="y"), scene.charge_frame(), *inside]
    data = {"exception": {"values": [{"type": "E", "stacktrace": {"frames": frames}}]}}
    page = page_of(ada, shop.happened(data=data))
    assert page.index("2 frames in django") < page.index("<details open><summary>") < page.index(">charge<")
    assert page.index(">charge<") < page.index(">old<")


def test_python_variables_read_as_python_wrote_them(shop: scene.Shop, ada: Client) -> None:
    frame = scene.frame("f", "a.py", 1, vars={"order": {"name": "'Ada'", "totals": ["1", "2.5"]}})
    data = {"exception": {"values": [{"type": "E", "stacktrace": {"frames": [frame]}}]}}
    assert "{name: &#x27;Ada&#x27;, totals: [1, 2.5]}" in page_of(ada, shop.happened(data=data))
    assert "&quot;name&quot;" in page_of(ada, shop.happened(data=data, platform="node"))


def test_what_every_python_module_has_is_no_variable_of_the_frame(shop: scene.Shop, ada: Client) -> None:
    frame = scene.frame(
        "<module>", "a.py", 1, vars={"__builtins__": "<module>", "__mine__": "1", "rate": "7"}
    )
    data = {"exception": {"values": [{"type": "E", "stacktrace": {"frames": [frame]}}]}}
    page = page_of(ada, shop.happened(data=data))
    assert "__builtins__" not in page
    assert "__mine__" in page
    assert "rate" in page


def test_framework_frames_are_folded_into_one_line(shop: scene.Shop, ada: Client) -> None:
    assert "3 frames in gunicorn, django" in page_of(ada, shop.happened())


def test_oldest_first_and_raw_are_addresses(shop: scene.Shop, ada: Client) -> None:
    issue = shop.happened()
    assert page_of(ada, issue).index(">charge<") < page_of(ada, issue).index(">checkout<")
    turned = page_of(ada, issue, "?frames=oldest")
    assert turned.index(">checkout<") < turned.index(">charge<")
    raw = page_of(ada, issue, "?view=raw")
    assert "shop/payments/stripe.py:88 in charge" in raw


def test_breadcrumbs_are_one_timeline_that_ends_with_the_error(shop: scene.Shop, ada: Client) -> None:
    page = page_of(ada, shop.happened())
    crumbs = page[page.index('<ol class="crumbs">') :]
    words = ("SELECT … FROM orders", "→ 200", "order has no gross total", "this event")
    assert [crumbs.index(each) for each in words] == sorted(crumbs.index(each) for each in words)


def test_many_breadcrumbs_are_folded_away(shop: scene.Shop, ada: Client) -> None:
    values = [
        {"timestamp": f"2026-11-22T14:00:{n:02d}.000000Z", "level": "info", "message": f"m{n}"}
        for n in range(60)
    ]
    page = page_of(ada, shop.happened(data={"breadcrumbs": {"values": values}}))
    assert "31 earlier" in page


def test_a_message_without_an_exception_is_shown_as_one(shop: scene.Shop, ada: Client) -> None:
    page = page_of(ada, shop.happened(data={"logentry": {"message": "disk %s", "formatted": "disk full"}}))
    assert '<h2 id="stack">Message</h2>' in page
    assert "<pre>disk full</pre>" in page


def test_threads_are_shown_when_there_is_no_other_stack(shop: scene.Shop, ada: Client) -> None:
    idle = {"id": "1", "name": "idle", "stacktrace": {"frames": [scene.frame("wait", "a.py", 1)]}}
    crashed = {"id": "2", "name": "worker", "crashed": True, "stacktrace": {"frames": [scene.charge_frame()]}}
    page = page_of(ada, shop.happened(data={"threads": {"values": [idle, crashed]}}))
    assert page.index("Thread worker (crashed)") < page.index("Thread idle")


def test_what_was_changed_is_told_by_attribute(shop: scene.Shop, ada: Client) -> None:
    notes = [Note("value_too_long", "extra.blob", "xxx…"), Note("invalid_data", "user.email")]
    page = page_of(ada, shop.happened(notes=notes))
    assert "2 values trimmed, dropped or corrected" in page
    assert "extra.blob" in page
    assert "was too long" in page


def test_the_page_says_why_the_event_is_here(shop: scene.Shop, ada: Client) -> None:
    event = scene.an_event(shop.project, shop.key)
    event.grouping = group(event)
    (stored,) = record([event])
    page = page_of(ada, Issue.objects.get(pk=stored.issue_id or 0))
    said = "Grouped by the types LookupError, KeyError and 3 frames of the application (charge, checkout, "
    assert f"{said}total). The message does not count: the stack trace says more." in page


def test_why_is_worked_out_again_from_what_is_stored(shop: scene.Shop, ada: Client) -> None:
    event = scene.an_event(shop.project, shop.key)
    event.grouping = group(event)
    assert not any(variant.component for variant in event.grouping.variants)
    (stored,) = record([event])
    issue = Issue.objects.get(pk=stored.issue_id or 0)
    assert "ignored because it is not in-app" in page_of(ada, issue)


def test_the_request_is_a_form_and_a_command(shop: scene.Shop, ada: Client) -> None:
    page = page_of(ada, shop.happened())
    assert "sessionid" in page
    assert "curl -X POST &#x27;https://shop.example/checkout/?step=2&#x27;" in page


def test_only_web_addresses_become_links(shop: scene.Shop, ada: Client) -> None:
    page = page_of(ada, shop.happened(data={"request": {"url": "javascript:alert(1)"}}))
    assert "javascript:alert(1)" in page
    assert 'href="javascript' not in page


def test_nothing_of_an_event_can_become_html(shop: scene.Shop, ada: Client) -> None:
    evil = "</pre><script>alert(1)</script>{{ x }}{% y %}'\"><img src=x onerror=alert(1)>"
    frame = scene.frame(
        evil, evil, 1, context_line=evil, pre_context=[evil], vars={evil: evil, "n": {evil: [evil]}}
    )
    data = {
        "exception": {
            "values": [
                {"type": evil, "value": evil, "mechanism": {"type": evil}, "stacktrace": {"frames": [frame]}}
            ]
        },
        "breadcrumbs": {
            "values": [
                {"timestamp": evil, "category": evil, "level": "error", "message": evil, "data": {evil: evil}}
            ]
        },
        "request": {
            "url": f"https://x/{evil}",
            "method": evil,
            "headers": [[evil, evil]],
            "cookies": [[evil, evil]],
            "data": evil,
        },
        "user": {"id": evil},
        "contexts": {evil: {evil: evil}},
        "extra": {evil: evil},
        "modules": {evil: evil},
        "sdk": {"name": evil},
    }
    issue = shop.happened(
        type=evil[:60],
        value=evil,
        culprit=evil,
        data=data,
        tags={"evil": evil[:100]},
        release=evil[:60],
        environment=evil[:60],
        notes=[Note(evil, evil, evil)],
    )
    for more in ("", "?view=raw", "?frames=oldest"):
        page = page_of(ada, issue, more)
        assert "<script>alert" not in page
        assert "<img src=x" not in page


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"exception": {"values": [{"type": "A"}]}},
        {"exception": {"values": [{"value": "only a value"}]}},
        {"exception": {"values": [{"type": "A", "stacktrace": {"frames": []}}]}},
        {"exception": {"values": [{"type": "A", "stacktrace": {"frames": [{"in_app": False}]}}]}},
        {
            "exception": {
                "values": [{"type": "A", "stacktrace": {"frames": [{"in_app": True, "context_line": ""}]}}]
            }
        },
        {"request": {"data": [1, 2], "query_string": [], "headers": []}},
        {"breadcrumbs": {"values": [{"level": "info"}]}},
        {"contexts": {"state": {"type": "state", "value": {"deep": [{"er": None}]}}}},
        {"stacktrace": {"frames": [{"in_app": True, "instruction_addr": "0x1"}]}},
        {"csp": {"effective_directive": "img-src"}},
    ],
)
def test_an_event_that_lacks_almost_everything_is_shown(
    data: dict[str, Any], shop: scene.Shop, ada: Client
) -> None:
    issue = shop.happened(data=data)
    page_of(ada, issue)
    page_of(ada, issue, "?view=raw&frames=oldest")
    assert ada.get(f"/acme/issues/{issue.short_id}.md").status_code == 200


def test_next_previous_first_and_latest_lead_through_the_events(shop: scene.Shop, ada: Client) -> None:
    for minutes in (9, 6, 3):
        issue = shop.happened(ago=timedelta(minutes=minutes))
    latest = ada.get(f"/acme/issues/{issue.short_id}/")
    older = latest.context["older"]
    assert latest.context["newer"] is None
    middle = ada.get(f"/acme/issues/{issue.short_id}/events/{older.event_id}/")
    assert middle.context["newer"].event_id == latest.context["event"].event_id
    first = ada.get(f"/acme/issues/{issue.short_id}/events/oldest/", follow=True)
    assert first.context["event"].event_id == middle.context["older"].event_id
    assert first.context["older"] is None


def test_an_event_of_another_issue_leads_there(shop: scene.Shop, ada: Client) -> None:
    one, two = shop.happened(fingerprint="a"), shop.happened(fingerprint="b")
    event = scene.latest(two)
    answer = ada.get(f"/acme/issues/{one.short_id}/events/{event.event_id}/")
    assert answer["Location"] == f"/acme/issues/{two.short_id}/events/{event.event_id}/"
    assert ada.get(f"/acme/issues/{one.short_id}/events/{event.event_id}/json/").status_code == 404
    assert ada.get(f"/acme/issues/{one.short_id}/events/{'0' * 32}/").status_code == 404
    assert ada.get(f"/acme/issues/{one.short_id}/events/{'x' * 32}/").status_code == 404


def test_an_issue_whose_events_are_gone_keeps_its_page(shop: scene.Shop, ada: Client) -> None:
    issue = IssueFactory.create(project=shop.project)
    assert "No event is kept" in page_of(ada, issue)
    answer = ada.get(f"/acme/issues/{issue.short_id}/events/oldest/")
    assert answer["Location"] == f"/acme/issues/{issue.short_id}/"


def test_short_ids_resolve_anywhere_whatever_their_case(shop: scene.Shop, ada: Client) -> None:
    issue = shop.happened()
    assert ada.get(f"/{issue.short_id.lower()}")["Location"] == f"/acme/issues/{issue.short_id}/"
    assert ada.get("/SHOP-ZZZZZZZZZZ").status_code == 404
    assert ada.get("/SHOP-999").status_code == 404
    assert ada.get("/acme/issues/SHOP-U/").status_code == 404


def test_resolving_is_noted_with_the_persons_name(shop: scene.Shop, ada: Client) -> None:
    issue = shop.happened()
    ada.post(
        "/acme/issues/bulk/", {"id": issue.pk, "to": "resolved", "next": f"/acme/issues/{issue.short_id}/"}
    )
    page = page_of(ada, issue)
    assert "<b>Ada Lovelace</b> resolved it" in page
    assert ">Resolved</span>" in page
    assert Activity.objects.get(kind="resolved").user == shop.user


def test_json_is_the_whole_event(shop: scene.Shop, ada: Client) -> None:
    issue = shop.happened()
    event = scene.latest(issue)
    answer = ada.get(f"/acme/issues/{issue.short_id}/events/{event.event_id}/json/")
    whole = json.loads(answer.content)
    assert answer["Content-Type"].startswith("application/json")
    assert whole["exception"]["values"][1]["type"] == "KeyError"
    assert whole["grouping"]["config"] == "2026-11"
    assert whole["tags"]["browser"] == "Chrome 141"


def test_markdown_tells_the_whole_story(shop: scene.Shop, ada: Client) -> None:
    issue = shop.happened()
    answer = ada.get(f"/acme/issues/{issue.short_id}.md")
    text = answer.content.decode()
    assert answer["Content-Type"] == "text/markdown; charset=utf-8"
    assert text.startswith("# KeyError: 'gross'\n")
    for part in (
        "## Stack trace",
        "shop/payments/stripe.py:88 in charge",
        'amount = order.totals["gross"] * 100',
        "caused by LookupError: no total",
        "## Breadcrumbs",
        "## Tags",
        "curl -X POST",
    ):
        assert part in text


def test_markdown_cannot_be_broken_out_of(shop: scene.Shop, ada: Client) -> None:
    value = "a\n```\n# Not a heading\n````"
    issue = shop.happened(value=value, data={"exception": {"values": [{"type": "E", "value": value}]}})
    text = ada.get(f"/acme/issues/{issue.short_id}.md").content.decode()
    assert text.startswith("# KeyError: a ``` # Not a heading ````\n")
    assert "`````\nE: a" in text


def test_an_issues_tags_are_shown_as_shares(shop: scene.Shop, ada: Client) -> None:
    for browser in ("Chrome 141", "Chrome 141", "Chrome 141", "Safari 19"):
        issue = shop.happened(tags={"browser": browser})
    page = page_of(ada, issue)
    assert '<rect width="75%"' in page
    assert '<rect width="25%"' in page
