"""What real SDKs report is what a person sees: from the program that fails to the page in the browser."""

from __future__ import annotations

import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.flow.conftest import CARD, CLIENTS, SECRET, Run, environment
from tests.flow.dashboard import Dashboard

pytestmark = pytest.mark.needs("chromium")


def assert_secrets_are_gone(dashboard: Dashboard) -> None:
    assert SECRET not in dashboard.page.content()
    assert CARD not in dashboard.page.content()
    stored = str(dashboard.stored())
    assert SECRET not in stored
    assert CARD not in stored


def test_an_uncaught_exception_arrives_with_all_that_surrounded_it(
    dashboard: Dashboard, run: Run, tmp_path: Path
) -> None:
    run("plain")
    row = dashboard.row("PaymentFailed")
    expect(row).to_contain_text("cart of 1 not charged after 2 tries")
    expect(row).to_contain_text("in charge")
    dashboard.page.screenshot(path=tmp_path / "list.png")
    dashboard.open("PaymentFailed", showing="shop@1.4.2")
    dashboard.page.screenshot(path=tmp_path / "issue.png", full_page=True)
    crash = dashboard.page.locator(".frames details[open]").first
    expect(crash.locator(".hit")).to_contain_text("raise PaymentFailed(f")
    expect(crash).to_contain_text("[Filtered]")
    text = dashboard.text()
    frames = ("raise PaymentFailed(f", "return price(cart)", "price", "charge")
    chained = ("KeyError", "'gross'", "PaymentFailed")
    crumbs = ("grace signed in", "https://bank.example/rates", "coupon refused")
    surroundings = (
        "grace@example.com",
        "A-1001",
        "light rain",
        "shop@1.4.2",
        "production",
        "till-3",
        "north",
    )
    for word in (*frames, *chained, *crumbs, *surroundings):
        assert word in text, f"{word} is not on the page"
    assert "[Filtered]" in text
    assert_secrets_are_gone(dashboard)
    assert (tmp_path / "issue.png").stat().st_size > 20_000


@pytest.mark.parametrize("encoding", ["gzip", "br", "none"])
def test_the_sdk_is_understood_however_its_bytes_travel(
    dashboard: Dashboard, run: Run, encoding: str
) -> None:
    run("plain", "message", ENCODING=encoding, RELEASE=f"till@{encoding}")
    dashboard.open("The till has not been counted", showing=f"till@{encoding}")
    assert "warning" in dashboard.page.content()


def test_errors_of_the_logging_module_become_issues(dashboard: Dashboard, run: Run) -> None:
    run("logs")
    counted = dashboard.row("shelf shelf-9 holds 12 items too many").locator(".num").first
    expect(counted).to_have_text("1")
    dashboard.open("shelf shelf-9 holds 12 items too many")
    text = dashboard.text()
    for word in ("stock.sync", "slow answer from warehouse.example", "stock@7", "staging"):
        assert word in text, word
    dashboard.open("ZeroDivisionError")
    assert "return sum(items) / len(items)" in dashboard.text()


def ask(line: dict[str, Any], password: str) -> None:
    """One customer at the Django shop, whose order fails."""
    shop = subprocess.Popen(
        [sys.executable, str(CLIENTS / "django_app.py"), "1"],
        env=environment(line),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert shop.stdout is not None
    port = int(shop.stdout.readline())
    form = urllib.parse.urlencode({"article": "teapot", "amount": "2", "password": password}).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}/teashop/checkout/?ref=mail", form)
    request.add_header("Cookie", f"auth_token={password}; lang=de")
    request.add_header("X-Api-Key", password)
    with pytest.raises(urllib.error.HTTPError) as answer:
        urllib.request.urlopen(request, timeout=20)
    assert answer.value.code == 500
    assert shop.wait(30) == 0


def test_a_django_view_arrives_with_its_request(
    dashboard: Dashboard, running: dict[str, Any], tmp_path: Path
) -> None:
    ask(running, SECRET)
    dashboard.open("OutOfStock")
    dashboard.page.screenshot(path=tmp_path / "request.png", full_page=True)
    text = dashboard.text()
    for word in ("teapot is sold out", "/teashop/checkout/", "POST", "ref", "article", "lang", "web@2.0.1"):
        assert word in text, f"{word} is not on the page"
    assert "django" in text.lower()  # its frames are folded, by name
    stored = dashboard.stored()["request"]
    assert stored["data"]["password"] == "[Filtered]"
    assert ["auth_token", "[Filtered]"] in stored["cookies"]
    assert_secrets_are_gone(dashboard)


def test_a_failing_celery_task_arrives(dashboard: Dashboard, run: Run) -> None:
    run("celery_app")
    row = dashboard.row("MailboxFull")
    expect(row).to_contain_text("cannot take 7168 bytes")
    dashboard.open("MailboxFull")
    text = dashboard.text()
    for word in ("newsletter.send", "size = issue * 1024", "7168", "mailer@3", "celery"):
        assert word in text, f"{word} is not on the page"


def test_the_legacy_client_still_works(dashboard: Dashboard, run: Run) -> None:
    run("legacy")
    dashboard.open("IndexError")
    text = dashboard.text()
    for word in (
        "list index out of range",
        "return float(basket[len(password)])",
        "legacy-shop-0.9",
        "south",
    ):
        assert word in text, f"{word} is not on the page"
    assert_secrets_are_gone(dashboard)


def test_the_legacy_logging_handler_still_works(dashboard: Dashboard, run: Run) -> None:
    run("legacy", "logging")
    dashboard.open("basket b-17 weighs 1200 grams")
    assert "kitchen" in dashboard.text()


def test_a_resolved_issue_comes_back_as_regressed(dashboard: Dashboard, run: Run, tmp_path: Path) -> None:
    page = dashboard.page
    run("plain", "message", RELEASE="till@before")
    dashboard.open("The till has not been counted", showing="till@before")
    first = page.url
    page.get_by_role("button", name="Resolve", exact=True).click()
    expect(page.get_by_role("button", name="Unresolve")).to_be_visible()
    expect(page.locator("main")).to_contain_text("Resolved")
    run("plain", "message", RELEASE="till@after")
    dashboard.open("The till has not been counted", showing="till@after")
    assert page.url == first
    page.screenshot(path=tmp_path / "regressed.png", full_page=True)
    expect(page.locator("main")).to_contain_text("Regressed")
    expect(dashboard.row("The till has not been counted")).to_contain_text("Regressed")


def test_previous_and_next_lead_through_the_events(dashboard: Dashboard, run: Run) -> None:
    page = dashboard.page
    for number in range(3):
        run("plain", "message", RELEASE=f"walk@{number}")
        dashboard.open("The till has not been counted", showing=f"walk@{number}")
    page.get_by_role("link", name="Previous event").click()
    expect(page.locator("main")).to_contain_text("walk@1")
    page.get_by_role("link", name="Previous event").click()
    expect(page.locator("main")).to_contain_text("walk@0")
    page.get_by_role("link", name="Next event").click()
    expect(page.locator("main")).to_contain_text("walk@1")
    assert "/events/" in page.url
    assert page.url.rstrip("/").endswith(dashboard.stored()["event_id"])
