"""A real SMTP server in the test process that keeps what it is given."""

from __future__ import annotations

import contextlib
import email
import email.message
import email.policy
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

from aiosmtpd.controller import Controller

from tests.flow.installation import free_port


class PostOffice:
    """What arrived, in order; `url` is what EMAIL_URL should say."""

    def __init__(self) -> None:
        self.port = free_port()
        self.letters: list[email.message.EmailMessage] = []
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        letter = email.message_from_bytes(envelope.content, policy=email.policy.default)
        letter["X-Receivers"] = ", ".join(envelope.rcpt_tos)
        with self.lock:
            self.letters.append(letter)
        return "250 kept"

    def about(self, word: str) -> list[email.message.EmailMessage]:
        """Letters whose subject holds the word, each Message-Id once: as a mailbox shows them."""
        with self.lock:
            found = {str(each["Message-Id"]): each for each in self.letters if word in str(each["Subject"])}
        return list(found.values())

    def repeated(self) -> dict[str, int]:
        """Message-Ids that were delivered more than once."""
        with self.lock:
            times = Counter(str(each["Message-Id"]) for each in self.letters)
        return {each: count for each, count in times.items() if count > 1}


@contextlib.contextmanager
def post_office() -> Iterator[PostOffice]:
    office = PostOffice()
    server = Controller(office, hostname="127.0.0.1", port=office.port)
    server.start()
    try:
        yield office
    finally:
        server.stop()
