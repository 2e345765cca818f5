"""The folder of mails: each whole or not there, once, and readable whatever else lies in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.mail import EmailMultiAlternatives, send_mail
from pytest_django.fixtures import Settings

from app.notifications import mailbox


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> Path:
    settings.MAIL_FOLDER = tmp_path / "mail"
    settings.EMAIL_BACKEND = "app.notifications.mailbox.MailFolder"
    return tmp_path / "mail"


def post(subject: str, message_id: str = "") -> None:
    message = EmailMultiAlternatives(subject, "plain ü", "a@example.com", ["b@example.com"])
    message.attach_alternative("<p>rich ü</p>", "text/html")
    if message_id:
        message.extra_headers["Message-ID"] = message_id
    message.send()


def test_an_empty_or_missing_folder_has_no_mail() -> None:
    assert mailbox.messages() == []


def test_the_newest_mail_comes_first_with_both_its_bodies() -> None:
    post("first")
    post("second ü")
    newest, oldest = mailbox.messages()
    assert (newest.subject, newest.to, oldest.subject) == ("second ü", "b@example.com", "first")
    assert newest.text.strip() == "plain ü"
    assert newest.html.strip() == "<p>rich ü</p>"
    assert mailbox.message(oldest.id) == oldest
    assert [mail.subject for mail in mailbox.messages(1)] == ["second ü"]


def test_the_same_mail_sent_again_is_there_once() -> None:
    post("once", "<notification-7@example.com>")
    post("once", "<notification-7@example.com>")
    assert len(mailbox.messages()) == 1


def test_half_written_and_foreign_files_are_passed_over(folder: Path) -> None:
    post("whole")
    (folder / "20260101-x.eml").write_bytes(b"")
    (folder / "20260102-x.eml").write_bytes(b"\xff\xfe\x00garbage")
    (folder / "20260103-x.part").write_bytes(b"Subject: half")
    (folder / "20260104-x.eml").mkdir()
    assert [mail.subject for mail in mailbox.messages()] == ["whole"]


def test_a_message_of_django_itself_is_shown_as_well() -> None:
    send_mail("Password reset", "Follow the link", None, ["ada@example.com"])
    [mail] = mailbox.messages()
    assert (mail.subject, mail.html) == ("Password reset", "")


@pytest.mark.parametrize("mail_id", ["../secret", "nothing", "a/b", ""])
def test_no_other_file_can_be_read_as_a_mail(folder: Path, mail_id: str) -> None:
    post("mine")
    (folder.parent / "secret.eml").write_text("Subject: secret\n\nx")
    assert mailbox.message(mail_id) is None


def test_the_folder_does_not_grow_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailbox, "KEPT", 3)
    for number in range(5):
        post(f"mail {number}")
    assert [mail.subject for mail in mailbox.messages()] == ["mail 4", "mail 3", "mail 2"]
