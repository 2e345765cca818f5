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


# -- scripts of our own ------------------------------------------------------------------------------------


def loaded(page: Page, pages: Pages, tocsin: Tocsin) -> None:
    """A page with nothing but the loader."""
    page.goto(pages.address("bare"))
    page.add_script_tag(url=f"{tocsin.url}/js-sdk-loader/{tocsin.key}.min.js")


def test_the_loader_reports_without_an_sdk(page: Page, pages: Pages, tocsin: Tocsin) -> None:
    loaded(page, pages, tocsin)
    page.evaluate("Sentry.init({release: 'page@loader', environment: 'staging'})")
    page.evaluate("Sentry.setUser({id: '7'}); Sentry.addBreadcrumb({message: 'clicked pay'})")
    throw(page, "no SDK here")
    event = tocsin.event("TypeError: no SDK here")
    assert (event.platform, event.release, event.environment) == ("javascript", "page@loader", "staging")
    assert (event.tags["handled"], event.tags["user"]) == ("no", "id:7")
    assert event.tags["browser.name"].startswith("HeadlessChrome")
    assert event.tags["url"].startswith(pages.url)


def test_what_the_loader_reports_has_frames_and_causes(page: Page, pages: Pages, tocsin: Tocsin) -> None:
    loaded(page, pages, tocsin)
    page.evaluate(
        "() => { function pay() { throw new Error('declined', {cause: new RangeError('no money')}) }"
        " try { pay() } catch (error) { Sentry.captureException(error) } }"
    )
    event = tocsin.event("Error: declined")
    assert event.tags["handled"] == "yes"
    page.evaluate("setTimeout(() => Promise.reject(new SyntaxError('nobody caught this')))")
    assert tocsin.event("SyntaxError: nobody caught this").tags["mechanism"] == "onunhandledrejection"
    page.evaluate("Sentry.captureMessage('hello from the loader', 'warning')")
    assert tocsin.event("hello from the loader").tags["level"] == "warning"


def test_the_crash_dialog_is_filled_in_by_a_person(page: Page, pages: Pages, tocsin: Tocsin) -> None:
    page.goto(pages.address("browser11", dsn=tocsin.dsn, release="4"))
    event_id = page.evaluate("Sentry.captureException(new Error('the dialog asks'))")
    page.evaluate(
        "id => Sentry.showReportDialog({eventId: id, title: 'Oh no', user: {name: 'Grace'}})", event_id
    )
    dialog = page.get_by_role("dialog", name="Oh no")
    expect(dialog).to_be_visible()
    dialog.get_by_label("Email").fill("not an address")
    dialog.get_by_label("What happened?").fill("I pressed pay")
    dialog.get_by_label("Email").fill("grace@example.com")
    dialog.get_by_role("button", name="Submit").click()
    expect(dialog.get_by_role("status")).to_contain_text("Thank you")
    ((name, message),) = tocsin.rows("select name, message from app_feedback where event_id = %s", event_id)
    assert (name, message) == ("Grace", "I pressed pay")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
