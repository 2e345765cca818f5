"""Mail: one for each member when an issue is new, one when it comes back, none for a repetition."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.flow.conftest import Run
from tests.flow.dashboard import Dashboard
from tests.flow.installation import Installation, folder, installation, wait_for
from tests.flow.post_office import PostOffice, post_office
from tests.flow.sending import Sender

pytestmark = pytest.mark.needs("chromium")


@pytest.fixture(scope="module")
def office() -> Iterator[PostOffice]:
    with post_office() as office:
        yield office


@pytest.fixture(scope="module")
def tocsin(office: PostOffice) -> Iterator[Installation]:
    with folder() as data, installation(data, EMAIL_URL=office.url) as tocsin:
        yield tocsin


@pytest.fixture
def dashboard(browser: Browser, tocsin: Installation) -> Iterator[Dashboard]:
    with browser.new_context() as context:
        dashboard = Dashboard(context.new_page(), tocsin.line)
        dashboard.sign_in()
        yield dashboard


def hire(tocsin: Installation, email: str) -> None:
    """One more member of the organization and of its team."""
    tocsin.rows(
        """WITH person AS (
             INSERT INTO app_user
               (email, name, password, is_superuser, is_active, is_staff, created, timezone)
             VALUES (%s, '', '!', false, true, false, now(), 'UTC') RETURNING id),
           seat AS (
             INSERT INTO app_membership (organization_id, user_id, role, created)
             SELECT app_organization.id, person.id, 'member', now()
             FROM person, app_organization RETURNING id)
           INSERT INTO app_teammembership (team_id, membership_id, role)
           SELECT app_team.id, seat.id, 'member' FROM seat, app_team RETURNING id""",
        email,
    )


def assert_settled(tocsin: Installation, events: int) -> None:
    """So many events are stored, everything notable was announced and the outbox is empty."""

    def is_settled() -> bool:
        ((stored, silent, waiting),) = tocsin.rows(
            """SELECT (SELECT count(*) FROM app_event),
                      (SELECT count(*) FROM app_notable WHERE announced IS NULL),
                      (SELECT count(*) FROM app_notification WHERE state <> 'sent')"""
        )
        return bool(stored == events and not silent and not waiting)

    wait_for(is_settled, f"{events} events stored and everything sent")


def test_each_member_gets_one_mail_when_it_is_new_and_one_when_it_comes_back(
    tocsin: Installation, office: PostOffice, dashboard: Dashboard
) -> None:
    hire(tocsin, "grace@example.com")
    everybody = {tocsin.line["login"]["email"], "grace@example.com"}
    sender = Sender(tocsin.line["dsn"])

    sender.message("The drawer is stuck", release="till@1", environment="north")
    assert_settled(tocsin, 1)
    assert sorted(each["X-Receivers"] for each in office.letters) == sorted(everybody)

    for _ in range(5):
        sender.message("The drawer is stuck", release="till@1")
    assert_settled(tocsin, 6)
    assert len(office.letters) == 2

    dashboard.open("The drawer is stuck")
    dashboard.page.get_by_role("button", name="Resolve", exact=True).click()
    expect(dashboard.page.get_by_role("button", name="Unresolve")).to_be_visible()
    sender.message("The drawer is stuck", release="till@2")
    assert_settled(tocsin, 7)
    assert sorted(each["X-Receivers"] for each in office.letters[2:]) == sorted(everybody)
    assert office.repeated() == {}


def parts(letter: Any) -> tuple[str, str]:
    """The text and the HTML of a letter."""
    assert letter.get_content_type() == "multipart/alternative"
    text, html = letter.get_body(("plain",)), letter.get_body(("html",))
    return text.get_content(), html.get_content()


def test_the_mail_says_what_and_leads_to_the_issue(
    tocsin: Installation, office: PostOffice, dashboard: Dashboard
) -> None:
    sender = Sender(tocsin.line["dsn"])
    sender.message("Receipt <b>printer</b> on fire", release="till@9", environment="north")
    letters = wait_for(lambda: office.about("on fire"), "the mail")
    text, html = parts(letters[0])
    for part in (text, html):
        assert "on fire" in part
        assert "till@9" in part
        assert "north" in part
    assert "<b>printer</b>" in text
    assert "<b>printer</b>" not in html, "what users wrote is rendered"
    address = re.search(re.escape(dashboard.url) + r"/\S+?/issues/[^\s\"<>)]+", text)
    assert address, text
    assert address[0] in html
    dashboard.page.goto(address[0])
    expect(dashboard.page.locator("main")).to_contain_text("Receipt <b>printer</b> on fire")


def test_without_a_mail_server_mail_is_read_in_the_dashboard(
    running: dict[str, Any], browser: Browser, cookies: list[Any], run: Run
) -> None:
    run("plain", RELEASE="letter@1")
    with browser.new_context() as context:
        context.add_cookies(cookies)
        dashboard = Dashboard(context.new_page(), running)
        page = dashboard.page
        subject = page.get_by_role("link", name="PaymentFailed").first

        def is_there() -> bool:
            page.goto(f"{dashboard.url}/admin/mail/")
            return subject.is_visible()

        wait_for(is_there, "the mail in the dashboard")
        subject.click()
        expect(page.frame_locator("iframe").locator("body")).to_contain_text("PaymentFailed")
