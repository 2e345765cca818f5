from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from app.models import Issue, IssueMove
from app.store import moves
from tests.factories import DsnKeyFactory, ProjectFactory
from tests.web import scene

pytestmark = pytest.mark.needs("chromium")


def finish() -> None:
    """What a worker does behind the page."""
    move = IssueMove.objects.filter(state="open").order_by("pk").first()
    while move is not None:
        move = moves.advance(move.pk, 0)


def test_two_issues_are_merged_from_the_list_by_keyboard_and_undone(page: Page, shop: scene.Shop) -> None:
    small = shop.happened(fingerprint="small")
    for _ in range(2):
        large = shop.happened(fingerprint="large")
    page.goto("/acme/issues/")
    button = page.get_by_role("button", name="Merge")
    for key in "jx":
        page.keyboard.press(key)
    expect(button).to_be_disabled()
    page.keyboard.press("m")
    for key in "jx":
        page.keyboard.press(key)
    expect(button).to_be_enabled()
    page.keyboard.press("m")
    expect(page.locator("#toast")).to_contain_text(f"2 issues merged into {large.short_id}")
    expect(page.locator(".row")).to_have_count(1)
    finish()
    page.goto(f"/acme/issues/{small.short_id}/")
    page.wait_for_url(f"**/{large.short_id}/")
    expect(page.locator("aside")).to_contain_text("3")
    assert Issue.objects.get(pk=large.pk).events == 3
    page.goto(f"/acme/issues/{large.short_id}/merge/")
    page.get_by_role("checkbox").first.wait_for()
    page.locator("fieldset", has_text=f"From {small.short_id}").get_by_role("checkbox").first.check()
    page.get_by_role("button", name="Split off").click()
    expect(page.locator("#toast")).to_contain_text(f"Split off into {small.short_id}")
    expect(page.get_by_text(re.compile("Being split"))).to_be_visible()
    finish()
    page.goto("/acme/issues/")
    expect(page.locator(".row")).to_have_count(2)
    for each in page.locator(".row input").all():
        each.check()
    button.click()
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#toast")).to_contain_text("Undone")
    expect(page.locator(".row")).to_have_count(2)
    finish()
    assert [each.events for each in Issue.objects.order_by("pk")] == [1, 2]


def test_issues_of_two_projects_cannot_be_ticked_into_one(page: Page, shop: scene.Shop) -> None:
    shop.happened()
    other = ProjectFactory.create(organization=shop.organization, slug="blog", name="Blog")
    key = DsnKeyFactory.create(project=other)
    scene.Shop(shop.user, shop.organization, other, key).happened()
    page.goto("/acme/issues/")
    page.locator("#all").check()
    expect(page.get_by_role("button", name="Merge")).to_be_disabled()


def test_without_javascript_one_merges_and_discards(page_without_script: Page, shop: scene.Shop) -> None:
    page = page_without_script
    shop.happened(fingerprint="a")
    shop.happened(fingerprint="b")
    page.goto("/acme/issues/")
    for each in page.locator(".row input").all():
        each.check()
    page.get_by_role("button", name="Merge").click()
    expect(page.locator("#toast")).to_contain_text("2 issues merged")
    finish()
    page.locator(".row .t").click()
    page.locator("summary[aria-label=More]").click()
    page.get_by_text("Discard…").click()
    page.get_by_role("button", name="Delete and discard future events").click()
    expect(page.locator("#toast")).to_contain_text("discarded")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("button", name="Resolve")).to_be_visible()
    assert Issue.objects.filter(status="unresolved").count() == 1
