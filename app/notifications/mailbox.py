"""Mail without a mail server: a folder of messages, which the dashboard shows under Admin."""

from __future__ import annotations

import email
import email.policy
import hashlib
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage as ParsedMessage
from pathlib import Path

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from app.base import clock

#: Older messages than these are deleted.
KEPT = 1000


class MailFolder(BaseEmailBackend):
    """Django mail backend: one file per message, there whole or not at all, once per Message-ID."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        folder = Path(settings.MAIL_FOLDER)
        folder.mkdir(parents=True, exist_ok=True)
        for message in email_messages:
            _write(folder, message)
        _prune(folder)
        return len(email_messages)


@dataclass(frozen=True)
class Mail:
    id: str  # the file's name without its ending
    at: datetime
    to: str
    subject: str
    html: str
    text: str


def messages(limit: int = 100) -> list[Mail]:
    """The newest messages of the folder, the newest first; what is no message is passed over."""
    found = sorted(_files(Path(settings.MAIL_FOLDER)), reverse=True)
    mails = (read(path) for path in found)
    return [mail for mail, _ in zip((mail for mail in mails if mail), range(limit), strict=False)]


def message(mail_id: str) -> Mail | None:
    """One message by its id; None when there is none."""
    path = Path(settings.MAIL_FOLDER) / f"{mail_id}.eml"
    return read(path) if path.parent == Path(settings.MAIL_FOLDER) else None


def read(path: Path) -> Mail | None:
    """A message file; None when it is gone, empty or nothing like a message."""
    try:
        parsed = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        moment = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except (OSError, ValueError):
        return None
    if not isinstance(parsed, ParsedMessage) or not parsed["Subject"]:
        return None
    return Mail(
        path.stem,
        moment,
        str(parsed["To"]),
        str(parsed["Subject"]),
        _part(parsed, "html"),
        _part(parsed, "plain"),
    )


def _part(message: ParsedMessage, kind: str) -> str:
    body = message.get_body(preferencelist=(kind,))
    if body is None:
        return ""
    payload = body.get_payload(decode=True)
    return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""


def _write(folder: Path, message: EmailMessage) -> None:
    parsed = message.message()
    name = hashlib.blake2b(str(parsed["Message-ID"]).encode(), digest_size=6).hexdigest()
    already = next(folder.glob(f"*-{name}.eml"), None)
    target = already or folder / f"{clock.now():%Y%m%d-%H%M%S-%f}-{name}.eml"
    handle, temporary = tempfile.mkstemp(dir=folder, suffix=".part")
    with os.fdopen(handle, "wb") as file:
        file.write(parsed.as_bytes())
    os.replace(temporary, target)


def _files(folder: Path) -> list[Path]:
    return list(folder.glob("*.eml"))


def _prune(folder: Path) -> None:
    for path in sorted(_files(folder))[:-KEPT]:
        path.unlink(missing_ok=True)
