from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from app.models import Issue
from tests.web import scene

pytestmark = pytest.mark.needs("chromium")

WHOLE_ROWS = (
    "[...document.querySelectorAll('.row')]"
    ".filter(row => row.getBoundingClientRect().bottom <= innerHeight).length"
)


def listed(page: Page, shop: scene.Shop, path: str = "/acme/issues/") -> None:
    if not Issue.objects.exists():
        shop.happened_often()
    page.goto(path)


def test_twelve_rows_are_whole_and_seventeen_when_compact(page: Page, shop: scene.Shop) -> None:
    listed(page, shop)
    assert page.evaluate(WHOLE_ROWS) >= 12
    page.get_by_role("button", name="Compact").click()
    assert page.evaluate(WHOLE_ROWS) >= 17
    page.reload()
    assert page.evaluate(WHOLE_ROWS) >= 17, "the choice is remembered"


def test_the_keyboard_alone_resolves_two_and_undo_restores_them(page: Page, shop: scene.Shop) -> None:
    listed(page, shop)
    for key in "jxjxe":
        page.keyboard.press(key)
    expect(page.locator("#toast")).to_contain_text("2 issues resolved")
    expect(page.locator(".row")).to_have_count(24)
    assert Issue.objects.filter(status="resolved").count() == 2
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".row")).to_have_count(26)
    assert Issue.objects.filter(status="resolved").count() == 0
    assert set(Issue.objects.values_list("substatus", flat=True)) == {"new"}


def test_e_resolves_the_current_row_and_the_cursor_stays_near(page: Page, shop: scene.Shop) -> None:
    listed(page, shop)
    page.keyboard.press("j")
    page.keyboard.press("j")
    title = page.locator(".row.on .t").get_attribute("href")
    page.keyboard.press("e")
    expect(page.locator(".row")).to_have_count(25)
    assert page.locator(f'.t[href="{title}"]').count() == 0
    page.keyboard.press("j")
    expect(page.locator(".row").nth(1)).to_have_class("row on")


def test_enter_opens_the_current_issue_and_escape_leads_back(page: Page, shop: scene.Shop) -> None:
    listed(page, shop)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/acme/issues/SHOP-*/")
    page.keyboard.press("Escape")
    page.wait_for_url("**/acme/issues/")


def test_the_bulk_bar_appears_with_the_first_tick(page: Page, shop: scene.Shop) -> None:
    listed(page, shop)
    bar = page.locator(".bulk")
    expect(bar).to_be_hidden()
    page.locator(".row input").nth(2).check()
    expect(bar).to_be_visible()
    page.locator("#all").check()
    expect(bar).to_contain_text("26 selected")
    page.keyboard.press("Escape")
    expect(bar).to_be_hidden()


def test_slash_goes_to_the_search_and_its_address_can_be_shared(page: Page, shop: scene.Shop) -> None:
    listed(page, shop)
    page.keyboard.press("/")
    page.keyboard.type("IntegrityError")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=IntegrityError**")
    found = page.locator(".row .t").all_inner_texts()
    assert found
    assert all("IntegrityError" in title for title in found)
    page.goto(page.url)
    assert page.locator(".row .t").all_inner_texts() == found


def test_the_palette_lists_what_is_possible_and_does_it(page: Page, shop: scene.Shop) -> None:
    listed(page, shop)
    page.keyboard.press("Control+k")
    page.keyboard.type("archived")
    page.keyboard.press("Enter")
    page.wait_for_url("**status=archived**")
    page.keyboard.press("Control+k")
    expect(page.locator("#palette li", has_text="Markdown")).to_have_count(0)
    page.keyboard.type("KeyError")
    page.locator("#palette li", has_text="Find issues with “KeyError”").click()
    page.wait_for_url("**status=all&q=KeyError")


def test_the_help_lists_each_key_of_this_page(page: Page, shop: scene.Shop) -> None:
    listed(page, shop)
    page.locator(".row input").first.check()
    page.keyboard.press("?")
    keys = page.locator("#keys kbd").all_inner_texts()
    assert {"j", "k", "x", "Enter", "e", "/", "?", "t", "g i", "Ctrl K"} <= set(keys)


def test_g_then_i_leads_to_the_issues_from_anywhere(page: Page, shop: scene.Shop) -> None:
    page.goto("/acme/members/")
    page.keyboard.press("g")
    page.keyboard.press("i")
    page.wait_for_url("**/acme/issues/")


def test_one_key_switches_the_theme_and_it_stays(page: Page, shop: scene.Shop) -> None:
    listed(page, shop)
    background = "getComputedStyle(document.documentElement).backgroundColor"
    light = page.evaluate(background)
    page.keyboard.press("t")
    dark = page.evaluate(background)
    assert dark != light
    page.reload()
    assert page.evaluate(background) == dark
    assert page.evaluate("document.querySelector('script[src*=theme]').defer") is False, (
        "before the first paint"
    )


def test_nothing_shifts_while_the_page_loads(page: Page, shop: scene.Shop) -> None:
    page.add_init_script(
        "window.shift = 0;"
        "new PerformanceObserver(list => list.getEntries().forEach(each => { window.shift += each.value }))"
        ".observe({type: 'layout-shift', buffered: true})"
    )
    listed(page, shop)
    page.wait_for_load_state("load")
    assert page.evaluate("window.shift") < 0.01


def test_a_page_weighs_less_than_120_kilobytes(page: Page, shop: scene.Shop) -> None:
    received: list[int] = []
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")

    def add(event: dict[str, Any]) -> None:
        received.append(int(event["encodedDataLength"]))

    session.on("Network.loadingFinished", add)
    shop.happened_often(50)
    page.goto("/acme/issues/")
    page.wait_for_load_state("networkidle")
    assert len(received) >= 4
    assert sum(received) < 120_000
