"""A newcomer: choose a platform, copy the snippet, and the page turns when the first error comes."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.flow.conftest import Run
from tests.flow.dashboard import Dashboard

pytestmark = pytest.mark.needs("chromium")


def test_waiting_turns_by_itself_when_the_sdk_sends(dashboard: Dashboard, run: Run, tmp_path: Path) -> None:
    page = dashboard.page
    page.goto(f"{dashboard.url}/{dashboard.organization}/projects/new/")
    page.screenshot(path=tmp_path / "platforms.png", full_page=True)
    page.get_by_label("Python", exact=True).check()
    page.get_by_label("Name").fill("Newcomer")
    page.get_by_role("button", name="Create project").click()
    page.wait_for_url("**/start/**")
    page.screenshot(path=tmp_path / "waiting.png", full_page=True)
    expect(page.locator("main")).to_contain_text("Waiting for the first event")
    dsn = re.search(r"https?://[0-9a-f]{32}@[^\s\"']+/\d+", page.locator("main").inner_text())
    assert dsn, page.locator("main").inner_text()
    loaded = page.evaluate("performance.timeOrigin")
    run("plain", SENTRY_DSN=dsn[0], RELEASE="newcomer@1")
    sent = time.monotonic()
    look = page.get_by_role("link", name="Look at it")
    expect(look).to_be_visible(timeout=10_000)
    assert time.monotonic() - sent < 5
    assert page.evaluate("performance.timeOrigin") == loaded, "the page was loaded anew"
    page.screenshot(path=tmp_path / "arrived.png", full_page=True)
    look.click()
    expect(page.locator("main")).to_contain_text("PaymentFailed")
