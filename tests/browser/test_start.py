from __future__ import annotations

import time

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from app.models import Project
from tests.factories import PASSWORD
from tests.web import scene

pytestmark = pytest.mark.needs("chromium")


def test_waiting_turns_green_by_itself_within_three_seconds(page: Page, shop: scene.Shop) -> None:
    page.goto("/")
    page.wait_for_url("**/acme/shop/start/")
    expect(page.locator(".waiting")).to_contain_text("Waiting for the first event")
    with page.expect_response("**/start/waiting/") as asked:
        pass
    assert asked.value.status == 204
    issue = shop.happened()
    begun = time.monotonic()
    expect(page.locator(".waiting.done")).to_be_visible(timeout=3000)
    assert time.monotonic() - begun < 3
    page.get_by_role("link", name="Look at it").click()
    page.wait_for_url(f"**/acme/issues/{issue.short_id}/")


def test_a_project_is_made_and_its_snippet_has_the_real_dsn(page: Page, shop: scene.Shop) -> None:
    page.goto("/acme/projects/new/")
    page.get_by_label("Next.js").check()
    page.get_by_label("Name").fill("Web shop")
    page.get_by_role("button", name="Create project").click()
    page.wait_for_url("**/acme/web-shop/start/")
    project = Project.objects.get(slug="web-shop")
    dsn = page.locator("#dsn").inner_text()
    assert dsn.endswith(f"/{project.pk}")
    assert project.keys.get().public_key in dsn
    assert dsn in page.locator("#step-2").inner_text()
    page.get_by_role("button", name="Copy", exact=True).first.click()
    expect(page.locator("#toast")).to_contain_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == dsn


def test_a_person_signs_in_with_the_keyboard_alone(
    browser: Browser, live_server: LiveServer, shop: scene.Shop
) -> None:
    context = browser.new_context(base_url=live_server.url)
    page = context.new_page()
    page.goto("/acme/issues/")
    page.keyboard.type(shop.user.email)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/acme/issues/")
    context.close()
