"""E-mail: an outbox row as a message, and the mail server's answer."""

from __future__ import annotations

import logging
import smtplib
from urllib.parse import urlsplit

import css_inline
from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.template.loader import render_to_string

from app.models import Notification
from app.notifications.content import IssueMail, issue_mail
from app.notifications.outbox import Answer

log = logging.getLogger(__name__)

_inliner = css_inline.CSSInliner(keep_style_tags=True, load_remote_stylesheets=False)


def send(row: Notification) -> Answer:
    """Sends the row's mail; whatever happens is the answer."""
    try:
        mail = issue_mail(row)
        if mail is None:
            return Answer("The issue was deleted, merged or discarded before the mail was sent", final=True)
        get_connection().send_messages([compose(row, mail)])
    except (smtplib.SMTPException, OSError) as error:
        return refused(error)
    except Exception as error:
        log.exception("No mail could be made of notification %s", row.pk)
        return Answer(f"{type(error).__name__}: {error}")
    return Answer(f"accepted by {receiver()}", delivered=True)


def compose(row: Notification, mail: IssueMail) -> EmailMultiAlternatives:
    """The message, with the same Message-ID however often it is made, in its issue's thread."""
    host = urlsplit(settings.BASE_URL).hostname or "localhost"
    thread = f"<issue-{row.issue_id}@{host}>"
    message = EmailMultiAlternatives(
        subject=mail.subject,
        body=render_to_string("mail/issue.txt", {"mail": mail}),
        to=[row.recipient],
        headers={
            "Message-ID": f"<notification-{row.pk}@{host}>",
            "In-Reply-To": thread,
            "References": thread,
            "Auto-Submitted": "auto-generated",
        },
    )
    message.attach_alternative(html(mail), "text/html")
    return message


def html(mail: IssueMail) -> str:
    """The page for mail programs, each element carrying its style."""
    return _inliner.inline(render_to_string("mail/issue.html", {"mail": mail}))


def refused(error: smtplib.SMTPException | OSError) -> Answer:
    """A mail server's no: for good when it says so (5xx), otherwise worth another try.

    Wrong credentials are the operator's to mend, and then the mails go out; so they are tried again.
    """
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, words = next(iter(error.recipients.values()))
        return Answer(f"{code} {_text(words)}", final=code >= 500)
    if isinstance(error, smtplib.SMTPResponseException):
        fatal = error.smtp_code >= 500 and not isinstance(error, smtplib.SMTPAuthenticationError)
        return Answer(f"{error.smtp_code} {_text(error.smtp_error)}", final=fatal)
    return Answer(f"{type(error).__name__}: {error}")


def _text(words: bytes | str) -> str:
    return words.decode("utf-8", "replace") if isinstance(words, bytes) else words


def receiver() -> str:
    """Whom mail is handed to, in words."""
    if settings.EMAIL_URL:
        return f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}"
    return "the mail folder"
