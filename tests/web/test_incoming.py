"""What a project takes, chosen on one page: it is what the pipeline and accepting go by."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from app.options import DEFAULT, UNASKED, Filters, Options, Rule, Scrubbing, of_project
from app.web.usage import CATEGORIES
from tests.factories import MembershipFactory
from tests.web import scene

PAGE = "/acme/shop/settings/incoming/"
ROWS = {
    "rule-TOTAL_FORMS": "2",
    "rule-INITIAL_FORMS": "0",
    "rule-MIN_NUM_FORMS": "0",
    "rule-MAX_NUM_FORMS": "50",
}
#: What the page says while nothing is chosen.
UNCHANGED = {
    **ROWS, "origins": "*", "wanted": [*CATEGORIES.keys() - UNASKED], "defaults": "on",
    "hydration_errors": "on", "chunk_load_errors": "on", "health_checks": "on", "browser_reports": "on",
}  # fmt: skip


def rule(place: int = 0, **values: str) -> dict[str, str]:
    row = {"method": "replace", "type": "anything", "pattern": "", "source": "", "placeholder": "", **values}
    return {f"rule-{place}-{name}": value for name, value in row.items()}


def chosen(shop: scene.Shop) -> Options:
    shop.project.refresh_from_db()
    return of_project(shop.project.options)


def saved(ada: Client, **changes: Any) -> None:
    answer = ada.post(PAGE, {**UNCHANGED, **rule(0), **rule(1), **changes}, follow=True)
    assert answer.redirect_chain == [(PAGE, 302)], answer.content[-3000:]
    assert b"Saved" in answer.content


def test_saving_what_nobody_changed_chooses_nothing(shop: scene.Shop, ada: Client) -> None:
    saved(ada)
    assert chosen(shop) is DEFAULT


def test_everything_can_be_chosen_and_is_shown_again(shop: scene.Shop, ada: Client) -> None:
    changes: dict[str, Any] = {
        "origins": "https://shop.example\n*.shop.example\n", "wanted": ["error", "transaction", "replay"],
        "legacy_browsers": ["ie", "safari"], "localhost": "on", "web_crawlers": "on",
        "browser_extensions": "on",
        "messages": "TypeError*\n\n  *Script error*  ", "releases": "old@*", "addresses": "10.0.0.0/8\n::1",
        "transactions": "/static/*", "logs": "*debug*", "csp_sources": "*.ads.example",
        "remove_addresses": "on", "fields_": "pin\npassport_*", "safe_fields": "token",
        **rule(0, method="mask", type="regex", pattern=r"till-\d+", source="$string"),
        **rule(1, method="hash", type="email", source="extra.** || $user.email", placeholder="x"),
    }  # fmt: skip
    saved(ada, **changes)
    found = chosen(shop)
    assert found == Options(
        origins=("https://shop.example", "*.shop.example"),
        off=frozenset(CATEGORIES) - {"error", "transaction"} - UNASKED,
        on=frozenset({"replay"}),
        filters=Filters(
            localhost=True, web_crawlers=True, browser_extensions=True, legacy_browsers=["ie", "safari"],
            messages=["TypeError*", "*Script error*"], releases=["old@*"], addresses=["10.0.0.0/8", "::1"],
            transactions=["/static/*"], logs=["*debug*"], csp_sources=["*.ads.example"],
        ),
        scrubbing=Scrubbing(
            addresses=True, fields=["pin", "passport_*"], safe_fields=["token"],
            rules=[
                Rule(method="mask", type="regex", pattern=r"till-\d+", source="$string"),
                Rule(method="hash", type="email", source="extra.** || $user.email", placeholder="x"),
            ],
        ),
    )  # fmt: skip
    page = ada.get(PAGE).content.decode()
    for text in ("https://shop.example\n*.shop.example", "passport_*", "$string", "extra.** || $user.email"):
        assert text in page
    assert 'name="rule-2-source"' in page, "one more row"


def test_a_row_without_a_place_is_no_rule_any_more(shop: scene.Shop, ada: Client) -> None:
    saved(ada, **rule(0, source="extra.a"))
    saved(ada, **rule(0), **{"rule-INITIAL_FORMS": "1"})
    assert chosen(shop) is DEFAULT


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"addresses": "10.0.0.0/99"}, "neither an address nor a network"),
        ({"messages": "x\n" * 201}, "No more than 200 lines"),
        ({"messages": "x" * 201}, "longer than 200"),
        (rule(source="(("), "missing at the end"),
        (rule(source="extra", type="regex", pattern="("), "not understood"),
        (rule(source="extra", type="regex"), "is missing"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_saved(
    shop: scene.Shop, ada: Client, changes: dict[str, str], says: str
) -> None:
    answer = ada.post(PAGE, {**UNCHANGED, **rule(0), **rule(1), **changes, "localhost": "on"})
    assert answer.status_code == 400
    assert says in answer.content.decode()
    assert chosen(shop) is DEFAULT


def test_rules_are_tried_on_the_latest_event_before_they_are_saved(shop: scene.Shop, ada: Client) -> None:
    shop.happened(value="till-7 is open")
    tried = {
        **UNCHANGED,
        **rule(0, type="regex", pattern=r"till-\d+", source="$string"),
        **rule(1),
        "try": "1",
    }
    page = ada.post(PAGE, tried).content.decode()
    assert "till-7 is open" in page
    assert "[Filtered] is open" in page
    assert "exception.values." in page
    assert chosen(shop) is DEFAULT
    untouched = ada.post(PAGE, {**tried, **rule(0)}).content.decode()
    assert "Nothing in it would be replaced" in untouched


def test_a_try_without_an_event_says_so(shop: scene.Shop, ada: Client) -> None:
    page = ada.post(PAGE, {**UNCHANGED, **rule(0, source="**"), **rule(1), "try": "1"}).content
    assert b"Nothing in it would be replaced" in page


def test_members_look_and_do_not_change(shop: scene.Shop, client: Client) -> None:
    client.force_login(MembershipFactory.create(organization=shop.organization).user)
    page = client.get(PAGE)
    assert page.status_code == 200
    assert b"You may look, not change" in page.content
    assert client.post(PAGE, UNCHANGED).status_code == 403


def test_a_key_is_limited(shop: scene.Shop, ada: Client) -> None:
    path = f"/acme/shop/settings/keys/{shop.key.pk}/"
    ada.post(path, {"label": "Default", "active": "on", "rate_limit": "500", "rate_window": "3600"})
    shop.key.refresh_from_db()
    assert (shop.key.rate_limit, shop.key.rate_window) == (500, 3600)
    assert b"500 per hour" in ada.get("/acme/shop/settings/").content
    answer = ada.post(path, {"label": "Default", "rate_limit": "0", "rate_window": "60"}, follow=True)
    assert b"whole number of events" in answer.content
    ada.post(path, {"label": "Default", "active": "on", "rate_limit": "", "rate_window": "3600"})
    shop.key.refresh_from_db()
    assert (shop.key.rate_limit, shop.key.rate_window) == (None, None)


def test_a_key_s_other_addresses_are_shown(shop: scene.Shop, ada: Client) -> None:
    page = ada.get("/acme/shop/settings/").content.decode()
    for part in ("security", "minidump", "otlp/v1/traces", f"unreal/{shop.key.public_key}"):
        assert part in page
