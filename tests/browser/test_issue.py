from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from app.models import Issue
from app.store import similar
from tests.web import scene

pytestmark = pytest.mark.needs("chromium")


def test_what_where_since_when_and_how_often_stand_above_the_fold(page: Page, shop: scene.Shop) -> None:
    issue = shop.happened()
    page.goto(f"/acme/issues/{issue.short_id}/")
    for each in ("h1", ".culprit", ".hit", "aside dl"):
        box = page.locator(each).first.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 860, each


def test_a_folded_run_of_frames_opens_on_click(page: Page, shop: scene.Shop) -> None:
    issue = shop.happened()
    page.goto(f"/acme/issues/{issue.short_id}/")
    assert page.locator(".frames > li > details[open]").count() == 1
    expect(page.get_by_text("django/core/handlers/exception.py:55")).to_be_hidden()
    page.get_by_text("3 frames in gunicorn, django").click()
    expect(page.get_by_text("django/core/handlers/exception.py:55")).to_be_visible()


def test_m_copies_the_markdown_that_its_address_serves(page: Page, shop: scene.Shop) -> None:
    issue = shop.happened()
    page.goto(f"/acme/issues/{issue.short_id}/")
    page.keyboard.press("m")
    expect(page.locator("#toast")).to_contain_text("Copied as Markdown")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("# KeyError: 'gross'")
    assert copied == page.request.get(f"/acme/issues/{issue.short_id}.md").text()


def test_e_resolves_in_place_and_undo_brings_it_back(page: Page, shop: scene.Shop) -> None:
    issue = shop.happened()
    page.goto(f"/acme/issues/{issue.short_id}/")
    page.keyboard.press("e")
    expect(page.get_by_role("button", name="Unresolve")).to_be_visible()
    expect(page.locator("#list .tag.resolved")).to_be_visible()
    assert Issue.objects.get().status == "resolved"
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("button", name="Resolve", exact=False).first).to_be_visible()
    expect(page.locator("#toast")).to_contain_text("Undone")
    assert Issue.objects.get().status == "unresolved"


def test_j_and_k_in_capitals_lead_through_the_events(page: Page, shop: scene.Shop) -> None:
    for minutes in (5, 3):
        issue = shop.happened(ago=timedelta(minutes=minutes))
    page.goto(f"/acme/issues/{issue.short_id}/")
    page.keyboard.press("Shift+K")
    page.wait_for_url("**/events/**")
    first = page.url
    page.keyboard.press("Shift+J")
    page.wait_for_function("first => location.href !== first", arg=first)
    assert "/events/" in page.url


def test_a_secret_is_nowhere_in_the_page(page: Page, shop: scene.Shop) -> None:
    issue = shop.happened()
    page.goto(f"/acme/issues/{issue.short_id}/")
    assert page.content().count("[Filtered]") >= 2
    expect(page.locator(".frames dd", has_text="[Filtered]")).to_be_visible()


def test_similar_issues_come_when_they_are_scrolled_to_and_s_opens_their_page(
    page: Page, shop: scene.Shop
) -> None:
    issue, other = shop.happened(), shop.happened(type="TypeError", fingerprint="other")
    similar.update([issue.pk, other.pk])
    page.goto(f"/acme/issues/{issue.short_id}/")
    page.locator("#similar").scroll_into_view_if_needed()
    expect(page.locator("aside .alike li")).to_have_count(1)
    expect(page.locator("aside .alike")).to_contain_text("TypeError")
    page.keyboard.press("s")
    page.wait_for_url(f"**/{issue.short_id}/similar/")
    page.get_by_role("link", name="Compare").click()
    expect(page.locator(".verdict")).to_contain_text("differ")
    page.keyboard.press("Escape")
    page.wait_for_url(f"**/{issue.short_id}/")


def test_without_javascript_similar_issues_are_a_link(page_without_script: Page, shop: scene.Shop) -> None:
    issue = shop.happened()
    page_without_script.goto(f"/acme/issues/{issue.short_id}/")
    page_without_script.get_by_role("link", name="a page of their own").click()
    expect(page_without_script.get_by_role("heading", level=1)).to_contain_text("Similar to")
