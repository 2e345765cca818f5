"""What holds on every page: readable for everyone, on a phone, in both themes, without JavaScript."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from app import item
from app.base import clock
from app.event import Note
from app.models import FailedTask, Issue, User
from app.store import discard, similar
from tests.browser.conftest import opened
from tests.factories import NotificationFactory
from tests.web import scene

pytestmark = pytest.mark.needs("chromium")

PAGES = {
    "list": "/acme/issues/",
    "nothing found": "/acme/issues/?q=nothing-like-this",
    "issue": "/acme/issues/SHOP-1/",
    "similar issues": "/acme/issues/SHOP-1/similar/",
    "two issues": "/acme/issues/SHOP-1/compare/SHOP-2/",
    "merge or split": "/acme/issues/SHOP-1/merge/",
    "discarded": "/acme/issues/SHOP-3/",
    "raw stack": "/acme/issues/SHOP-1/?view=raw",
    "new project": "/acme/projects/new/",
    "start": "/acme/shop/start/",
    "start, another platform": "/acme/shop/start/?platform=javascript-nextjs",
    "settings": "/acme/shop/settings/",
    "incoming data": "/acme/shop/settings/incoming/",
    "grouping": "/acme/shop/settings/grouping/",
    "delete a key": "/acme/shop/settings/keys/{key}/delete/",
    "members": "/acme/members/",
    "feedback": "/acme/feedback/",
    "no feedback": "/acme/feedback/?status=resolved",
    "logs": "/acme/logs/",
    "no logs": "/acme/logs/?q=nothing-like-this",
    "crons": "/acme/crons/",
    "cron": "/acme/crons/shop/nightly-dump/",
    "performance": "/acme/performance/",
    "no transactions": "/acme/performance/?q=nothing-like-this",
    "endpoint": "/acme/performance/shop/?name=/pay&op=http.server",
    "trace": "/acme/traces/4bf92f3577b34da6a3ce929d0e0e4736/",
    "no trace": "/acme/traces/" + "a" * 32 + "/",
    "releases": "/acme/releases/",
    "no releases": "/acme/releases/?q=nothing-like-this",
    "release": "/acme/releases/shop@2.4.1+17/?period=7d",
    "usage": "/acme/usage/",
    "quotas": "/acme/usage/limits/",
    "usage of a month": "/acme/usage/?period=30d",
    "profile": "/profile/",
    "server": "/admin/",
    "mail": "/admin/mail/",
    "a mail": "/admin/mail/letter/",
    "sign out": "/accounts/logout/",
    "change password": "/accounts/password/change/",
}
OPEN_PAGES = {
    "sign in": "/accounts/login/",
    "reset password": "/accounts/password/reset/",
    "not found": "/there/is/nothing/",
}
DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)
LETTER = b"Subject: [shop] KeyError\nTo: ada@example.com\nContent-Type: text/html\n\n<h1>It broke</h1>\n"


@pytest.fixture
def busy(shop: scene.Shop, settings: Any, tmp_path: Path) -> scene.Shop:
    """A shop in which every page has something to show, long things among them."""
    settings.MAIL_FOLDER = tmp_path
    (tmp_path / "letter.eml").write_bytes(LETTER)
    User.objects.update(is_staff=True)
    issue = shop.happened(value="x" * 300, notes=[Note("value_too_long", "extra.blob", "y" * 300)])
    shop.happened(type="A" * 120, value="b" * 200, culprit="c" * 190, fingerprint="long")
    similar.update(list(Issue.objects.values_list("pk", flat=True)))
    unwanted = shop.happened(type="Noise", value="n" * 280, fingerprint="noise")
    discard.discard([unwanted.pk], shop.user.pk, "user:1:discard")
    event = scene.latest(issue)
    scene.attached(shop, event, "z" * 200 + ".txt", b"text", "text/plain")
    scene.attached(shop, event, "shot.png", DOT, "image/png")
    scene.said(shop, "I cannot pay. " * 60, event.event_id, url="https://shop.example/" + "c" * 300)
    scene.logged(
        shop, "l" * 900, 17, trace_id="4bf92f3577b34da6a3ce929d0e0e4736", attributes={"a" * 90: "v" * 400}
    )
    scene.logged(shop, "the drawer is open", 13)
    scene.ran(shop, "nightly-dump", schedule=item.Schedule(crontab="15 2 * * *", timezone="Europe/Oslo"))
    for number in range(20):
        scene.ran(shop, "every-" + "x" * 40, "error" if number % 7 == 3 else "ok", hours=number)
    scene.served(shop)
    scene.served(shop, "/" + "n" * 190, 90_000_000, status="internal_error", trace_id="f" * 32)
    for days in range(3):
        scene.used(shop, "shop@2.4.1+17", (900, 40, 0, 2, days), days=days)
    scene.used(shop, "shop@" + "9" * 200, user="")
    Issue.objects.filter(pk=issue.pk).update(substatus="regressed", assignee=shop.user)
    NotificationFactory.create(issue=issue, state="failed", answer="550 No such user " + "z" * 100)
    FailedTask.objects.create(
        task="notify.send_email", message_id="m", args=[], error="E" * 200, failed=clock.now()
    )
    return shop


def visit(page: Page, shop: scene.Shop, path: str) -> None:
    page.goto(path.format(key=shop.key.pk))
    page.wait_for_load_state("load")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_clean_by_axe(
    scheme: str, browser: Browser, live_server: LiveServer, busy: scene.Shop
) -> None:
    with opened(browser, live_server, busy, color_scheme=scheme) as page:
        found = {}
        for name, path in PAGES.items():
            visit(page, busy, path)
            result = Axe().run(page)
            if result.violations_count:
                found[name] = result.generate_report()
        assert not found, "\n".join(found.values())


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_before_signing_in_are_clean_by_axe(
    scheme: str, browser: Browser, live_server: LiveServer, busy: scene.Shop
) -> None:
    context = browser.new_context(base_url=live_server.url, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    for path in OPEN_PAGES.values():
        page.goto(path)
        result = Axe().run(page)
        assert result.violations_count == 0, result.generate_report()
    context.close()


def test_dialogs_are_clean_by_axe(page: Page, busy: scene.Shop) -> None:
    for key in ("Control+k", "?"):
        visit(page, busy, "/acme/issues/")
        page.locator(".row input").first.check()
        page.locator("body").press(key)
        page.wait_for_selector("dialog[open]")
        result = Axe().run(page)
        assert result.violations_count == 0, result.generate_report()


def test_no_page_scrolls_sideways_on_a_phone(phone: Page, busy: scene.Shop) -> None:
    wide = {}
    for name, path in (PAGES | OPEN_PAGES).items():
        if name == "not found":
            continue
        visit(phone, busy, path)
        width = phone.evaluate("document.documentElement.scrollWidth")
        if width > 360:
            wide[name] = width
    assert wide == {}


def test_a_finger_meets_targets_of_44_pixels(phone: Page, busy: scene.Shop) -> None:
    visit(phone, busy, "/acme/issues/SHOP-1/")
    low = phone.evaluate(
        "[...document.querySelectorAll('.top .btn, .frames summary')].filter(e => e.offsetParent)"
        ".map(e => e.getBoundingClientRect().height).filter(height => height < 44)"
    )
    assert low == []


def test_an_issue_is_resolved_on_a_phone(phone: Page, busy: scene.Shop) -> None:
    visit(phone, busy, "/acme/issues/SHOP-1/")
    phone.get_by_role("button", name="Resolve").tap()
    expect(phone.get_by_role("button", name="Unresolve")).to_be_visible()
    assert Issue.objects.get(number=1).status == "resolved"


def test_without_javascript_one_can_search_open_and_resolve(
    page_without_script: Page, busy: scene.Shop
) -> None:
    page = page_without_script
    visit(page, busy, "/acme/issues/")
    page.locator("[name=q]").fill("KeyError")
    page.get_by_role("button", name="Search").click()
    expect(page.locator(".row")).to_have_count(1)
    page.locator(".row input").check()
    page.get_by_role("button", name="Archive").click()
    expect(page.locator("#toast")).to_contain_text("1 issue archived")
    page.get_by_role("button", name="Undo").click()
    page.locator(".row .t").click()
    page.get_by_role("button", name="Resolve").click()
    expect(page.locator("#toast")).to_contain_text("1 issue resolved")
    assert Issue.objects.get(number=1).status == "resolved"
    expect(page.locator(".js-only:visible")).to_have_count(0)


def test_a_page_at_twice_its_size_still_works(
    browser: Browser, live_server: LiveServer, busy: scene.Shop
) -> None:
    with opened(browser, live_server, busy, viewport={"width": 680, "height": 430}) as page:
        visit(page, busy, "/acme/issues/SHOP-1/")
        assert page.evaluate("document.documentElement.scrollWidth") <= 680
        expect(page.get_by_role("button", name="Resolve")).to_be_in_viewport()


def test_focus_is_always_seen(page: Page, busy: scene.Shop) -> None:
    visit(page, busy, "/acme/issues/SHOP-1/")
    for _ in range(30):
        page.keyboard.press("Tab")
        style = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert style != "none", page.evaluate("document.activeElement.outerHTML.slice(0, 200)")


def test_a_mail_is_shown_in_its_own_closed_frame(page: Page, busy: scene.Shop) -> None:
    visit(page, busy, "/admin/mail/letter/")
    expect(page.frame_locator("iframe.letter").locator("h1")).to_have_text("It broke")
