"""Mails about issues: whom they reach, what they say, and what a server's answer does."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django.fixtures import Settings

from app.models import Notification
from app.notifications import email
from app.notifications.content import IssueMail, crash, issue_mail, one_line
from tasks.notify import send_email
from tests.factories import IssueFactory, NotificationFactory, ProjectFactory, UserFactory
from tests.notifications.smtp import Server

State = Notification.State


@pytest.fixture
def row(db: None) -> Notification:
    project = ProjectFactory.create(
        slug="shop", name="Shop", organization__name="Acme", organization__slug="acme"
    )
    return NotificationFactory.create(
        issue=IssueFactory.create(project=project, number=42),
        user=UserFactory.create(email="ada@example.com"),
    )


def state(row: Notification) -> tuple[str, str]:
    found = Notification.objects.get(pk=row.pk)
    return found.state, found.answer


def mail_of(row: Notification) -> IssueMail:
    mail = issue_mail(row)
    assert mail is not None
    return mail


def test_a_mail_says_what_and_where_and_leads_to_the_issue(row: Notification, post: Server) -> None:
    send_email(row.pk)
    [letter] = post.letters
    assert letter["Subject"] == "[shop] KeyError: 'gross'"
    assert letter["To"] == "ada@example.com"
    for kind in ("plain", "html"):
        part = letter.get_body(preferencelist=(kind,))
        assert part is not None
        text = part.get_content().replace("&#x27;", "'")
        for words in ("KeyError", "'gross'", "shop.payments in charge", "SHOP-1A", "/acme/issues/SHOP-1A/"):
            assert words in text, (kind, words)
    assert state(row)[0] == State.SENT


def test_it_is_threaded_by_issue_and_has_one_name_however_often_it_is_made(
    row: Notification, post: Server, settings: Settings
) -> None:
    settings.BASE_URL = "https://errors.example.com"
    first, second = (email.compose(row, mail_of(row)).message() for _ in range(2))
    assert first["Message-ID"] == second["Message-ID"] == f"<notification-{row.pk}@errors.example.com>"
    assert first["References"] == first["In-Reply-To"] == f"<issue-{row.issue_id}@errors.example.com>"


def test_sending_twice_sends_once(row: Notification, post: Server) -> None:
    send_email(row.pk)
    send_email(row.pk)
    assert len(post.letters) == 1


def test_come_back_later_is_obeyed(row: Notification, post: Server) -> None:
    post.to_letters = ["451 greylisted"]
    send_email(row.pk)
    assert state(row) == (State.PENDING, "451 greylisted")
    Notification.objects.update(due=row.due)
    send_email(row.pk)
    assert state(row)[0] == State.SENT
    assert len(post.letters) == 1


@pytest.mark.parametrize("where", ["to_recipients", "to_letters"])
def test_a_permanent_no_is_taken_with_the_servers_words(row: Notification, post: Server, where: str) -> None:
    setattr(post, where, ["550 5.1.1 no such user"])
    send_email(row.pk)
    assert state(row) == (State.FAILED, "550 5.1.1 no such user")


def test_a_recipient_refused_for_now_is_tried_again(row: Notification, post: Server) -> None:
    post.to_recipients = ["450 mailbox busy"]
    send_email(row.pk)
    assert state(row) == (State.PENDING, "450 mailbox busy")


def test_a_server_that_is_away_is_tried_again(row: Notification, post: Server, settings: Settings) -> None:
    settings.EMAIL_PORT = 9
    send_email(row.pk)
    assert state(row)[0] == State.PENDING
    assert "refused" in state(row)[1]


def test_a_mail_that_cannot_be_made_is_failed_in_the_end_and_hinders_nobody(
    row: Notification, post: Server
) -> None:
    Notification.objects.update(recipient="ada@example.com\nBcc: eve@example.com")
    send_email(row.pk)
    assert state(row)[0] == State.PENDING
    assert "Invalid address" in state(row)[1]
    assert post.letters == []


def test_nothing_a_client_sent_becomes_markup(row: Notification, post: Server) -> None:
    evil = "<img src=x onerror=alert(1)></style><script>alert(2)</script>"
    issue = row.issue
    assert issue is not None
    issue.title = issue.culprit = evil[:150]
    issue.metadata = {"type": evil, "value": evil}
    issue.project.name = issue.project.organization.name = "<b>Shop"
    frames = [{"filename": evil, "function": evil, "lineno": 1, "in_app": True, "context_line": evil}]
    mail = mail_of(row)
    html = email.html(
        IssueMail(
            **{**vars(mail), "crash": crash({"exception": {"values": [{"stacktrace": {"frames": frames}}]}})}
        )
    )
    assert "&lt;img" in html
    for markup in ("<img", "<script", "<b>", "</style><"):
        assert markup not in html, markup


def test_line_breaks_in_a_title_stay_out_of_the_subject(row: Notification, post: Server) -> None:
    issue = row.issue
    assert issue is not None
    issue.title = "first\r\nBcc: eve@example.com\x00\x1b[31m"
    issue.save() if "\x00" not in issue.title else None
    assert mail_of(row).subject == "[shop] first Bcc: eve@example.com [31m"
    assert one_line("a\u2028b\tc") == "a b c"


def test_a_regression_says_so(row: Notification, post: Server) -> None:
    Notification.objects.update(kind="issue_regressed")
    send_email(row.pk)
    [letter] = post.letters
    assert letter["Subject"] == "[shop] Regressed: KeyError: 'gross'"
    assert "came back" in str(letter.get_body(preferencelist=("plain",)))


def test_an_issue_deleted_meanwhile_is_told_to_nobody(row: Notification, post: Server) -> None:
    Notification.objects.update(issue=None)
    send_email(row.pk)
    assert (state(row)[0], post.letters) == (State.FAILED, [])


def trace(*frames: dict[str, Any]) -> dict[str, Any]:
    return {"exception": {"values": [{"type": "Cause"}, {"stacktrace": {"frames": list(frames)}}]}}


def test_the_crash_shown_is_the_last_line_of_our_own_code() -> None:
    own = {
        "filename": "shop/payments.py",
        "function": "charge",
        "lineno": 42,
        "in_app": True,
        "pre_context": ["def f():", "", "    if order:"],
        "context_line": "        total = order['gross']",
        "post_context": ["    return total", "", ""],
    }
    library = {"filename": "json/decoder.py", "function": "decode", "lineno": 7, "in_app": False}
    found = crash(trace({"filename": "wsgi.py", "in_app": True}, own, library))
    assert found is not None
    assert found.place == "shop/payments.py:42 in charge"
    assert [(line.number, line.text, line.hit) for line in found.lines] == [
        (40, "", False),
        (41, "if order:", False),
        (42, "    total = order['gross']", True),
        (43, "return total", False),
    ]


@pytest.mark.parametrize("data", [{}, {"exception": {"values": []}}, trace(), trace({"in_app": True})])
def test_an_event_without_source_has_a_mail_all_the_same(data: dict[str, Any]) -> None:
    found = crash(data)
    assert found is None or found.lines == []


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Nowhere/Land", "", "../etc"])
def test_times_are_by_the_readers_clock(row: Notification, zone: str) -> None:
    row.user = UserFactory.create(timezone=zone)
    first_seen = dict(mail_of(row).facts)["First seen"]
    assert ("CE" in first_seen) == (zone == "Europe/Berlin")
