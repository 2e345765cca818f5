"""Browser SDKs in a real Chromium, on a page of another origin than the Tocsin they report to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.clients.pages import Pages
from tests.clients.running import Tocsin

pytestmark = pytest.mark.needs("chromium")


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with browser.new_context() as context:
        yield context.new_page()


def throw(page: Page, text: str) -> None:
    """An error that nobody catches."""
    page.evaluate("text => setTimeout(() => { throw new TypeError(text) })", text)


@pytest.mark.parametrize("bundle", ["browser11", "browser7"])
def test_an_uncaught_error_of_a_page_arrives(page: Page, pages: Pages, tocsin: Tocsin, bundle: str) -> None:
    page.goto(pages.address(bundle, dsn=tocsin.dsn, release="1"))
    throw(page, f"no price in {bundle}")
    event = tocsin.event(f"TypeError: no price in {bundle}")
    assert (event.platform, event.release, event.environment) == ("javascript", "page@1", "staging")
    assert event.tags["url"].startswith(pages.url)
    assert event.tags["user"] == "ip:127.0.0.1"
    assert event.tags["handled"] == "no"


def test_a_page_may_ask_first_whether_it_may_send(page: Page, pages: Pages, tocsin: Tocsin) -> None:
    page.goto(pages.address("browser11", dsn=tocsin.dsn, release="2", preflight="1"))
    with page.expect_response("**/envelope/**") as answered:
        throw(page, "asked before")
    # With this header Chromium sends OPTIONS first, and the request only if the answer allows it.
    assert answered.value.request.headers["x-requested-with"] == "shop"
    assert answered.value.status == 200
    tocsin.event("TypeError: asked before")


def test_a_page_sees_that_it_is_limited_and_stops(page: Page, pages: Pages, tocsin: Tocsin) -> None:
    answers: list[int] = []
    page.on("response", lambda one: answers.append(one.status) if "/envelope/" in one.url else None)
    tocsin.limit(0)
    try:
        page.goto(pages.address("browser11", dsn=tocsin.dsn, release="3"))
        throw(page, "one too many")
        tocsin.wait(lambda: page.evaluate("1") and 429 in answers, "a 429")
        page.evaluate("Sentry.flush(5000)")  # what was under way beside it
        number = len(answers)
        for text in ("two", "three"):
            throw(page, text)
        page.evaluate("Sentry.flush(2000)")
        assert len(answers) == number
    finally:
        tocsin.limit(None)


def test_the_script_before_the_sdk_still_works(page: Page, pages: Pages, tocsin: Tocsin) -> None:
    page.goto(pages.address("raven"))
    page.evaluate("dsn => Raven.config(dsn, {release: 'page@2014'}).install()", tocsin.dsn)
    page.evaluate("Raven.captureException(new RangeError('raven sees 0'))")
    event = tocsin.event("RangeError: raven sees 0")
    assert (event.platform, event.release) == ("javascript", "page@2014")


def test_chromium_itself_reports_what_a_policy_blocked(page: Page, pages: Pages, tocsin: Tocsin) -> None:
    report = f"{tocsin.url}/api/{tocsin.project}/security/?sentry_key={tocsin.key}&sentry_release=policy@1"
    page.goto(f"{pages.url}/csp/{report}")
    expect(page).to_have_title("A policy")
    script = tocsin.event("Blocked inline 'script'")
    assert (script.release, script.tags["effective-directive"]) == ("policy@1", "script-src-elem")
    image = tocsin.event("Blocked 'image' from '127.0.0.1:9'")
    assert image.tags["url"].startswith(f"{pages.url}/csp/")
    assert image.tags["user"] == "ip:127.0.0.1"
