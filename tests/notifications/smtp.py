"""A real SMTP server in the test process, whose answers the test chooses."""

from __future__ import annotations

import email
import email.policy
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller


class Server:
    """What arrived, and what the next senders are told; "" = accepted."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []
        self.to_recipients: list[str] = []
        self.to_letters: list[str] = []
        self._lock = threading.Lock()

    async def handle_RCPT(self, _s: Any, _session: Any, envelope: Any, address: str, _o: Any) -> str:  # noqa: N802
        if self.to_recipients and (answer := self.to_recipients.pop(0)):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        if self.to_letters and (answer := self.to_letters.pop(0)):
            return answer
        with self._lock:
            self.letters.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        return "250 kept"


@contextmanager
def smtp_server() -> Iterator[tuple[Server, int]]:
    """The server and its port."""
    server = Server()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(server, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield server, port
    finally:
        controller.stop()
