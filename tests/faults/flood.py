"""Numbered events at a modest rate, and what was answered to each: `python -m tests.faults.flood DSN SEED`.

A process of its own, so that whoever kills and starts servers has no threads. It goes on until its standard
input is closed, and then prints one JSON object of lists of event ids:

    accepted     answered with 200: each has to be stored once
    unanswered   the connection died, and it was not sent again: stored once or not at all
    refused      answered with 503 each time: not stored
    cut          the connection was cut in the middle of the body: not stored
"""

from __future__ import annotations

import gzip
import http.client
import json
import random
import socket
import struct
import subprocess
import sys
import threading
import uuid
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from tests.flow.installation import ROOT
from tests.flow.sending import dumps, envelope

CLIENTS = 4
ISSUES = 5
PAUSE = 0.03  # seconds a client waits at most between two events
TAGS = ("north", "south", "west")


class Client(threading.Thread):
    """Sends one event after the other; what broke or was refused it sends again every second time."""

    def __init__(self, number: int, dsn: str, seed: int, stopped: threading.Event) -> None:
        super().__init__(daemon=True)
        parts = urlsplit(dsn)
        self.address = (parts.hostname or "", parts.port or 80)
        self.path = f"/api/{parts.path.strip('/')}/envelope/?sentry_key={parts.username}"
        self.number = number
        self.chance = random.Random(f"{seed} {number}")
        self.stopped = stopped
        self.connection: http.client.HTTPConnection | None = None
        self.ids: dict[str, list[str]] = {"accepted": [], "unanswered": [], "refused": [], "cut": []}

    def run(self) -> None:
        while not self.stopped.wait(self.chance.uniform(0, PAUSE)):
            event_id = uuid.UUID(int=self.chance.getrandbits(128)).hex
            body = gzip.compress(envelope(dumps(self.event()), event_id), 1)
            if self.chance.random() < 0.02:
                self.cut(body)
                self.ids["cut"].append(event_id)
            else:
                self.ids[self.end_of(body)].append(event_id)

    def event(self) -> dict[str, Any]:
        issue = f"till {self.chance.randrange(ISSUES)}"
        return {
            "message": f"{issue} jammed",
            "fingerprint": [issue],
            "platform": "python",
            "release": f"shop@1.{self.chance.randrange(3)}.0",
            "tags": {"side": self.chance.choice(TAGS)},
            "user": {"id": str(self.chance.randrange(50))},
            "extra": {"padding": self.chance.randbytes(500).hex()},
        }

    def end_of(self, body: bytes) -> str:
        """Which list the event belongs to, when it is not sent any more."""
        ends: list[str] = []
        while not self.stopped.wait(0.1 if ends else 0):
            ends.append(self.answer(body))
            if ends[-1] == "accepted" or self.chance.random() < 0.5:
                break
        if "accepted" in ends:
            return "accepted"
        return "refused" if set(ends) == {"refused"} else "unanswered"

    def answer(self, body: bytes) -> str:
        """One try. No try is repeated unseen."""
        if self.connection is None:
            self.connection = http.client.HTTPConnection(*self.address, timeout=60)
        try:
            self.connection.request("POST", self.path, body, {"Content-Encoding": "gzip"})
            answer = self.connection.getresponse()
            said = answer.read()
        except (http.client.HTTPException, OSError):
            self.connection.close()
            self.connection = None
            return "unanswered"
        if answer.status not in (200, 503):
            raise AssertionError(f"{answer.status} {said!r}")
        return "accepted" if answer.status == 200 else "refused"

    def cut(self, body: bytes) -> None:
        """Sends a part of the body and hangs up, politely or not."""
        head = (
            f"POST {self.path} HTTP/1.1\r\nHost: cut\r\nContent-Encoding: gzip\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        with suppress(OSError), socket.create_connection(self.address, 10) as connection:
            connection.sendall(head.encode() + body[: self.chance.randrange(len(body))])
            self.stopped.wait(self.chance.uniform(0, 0.05))
            if self.chance.random() < 0.5:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class Flood:
    """The process as its starter sees it."""

    def __init__(self, dsn: str, seed: int) -> None:
        command = [sys.executable, "-m", "tests.faults.flood", dsn, str(seed)]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def stop(self) -> dict[str, set[str]]:
        """Ends it: the lists as sets."""
        said, _ = self.process.communicate(timeout=120)
        assert self.process.returncode == 0
        return {name: set(ids) for name, ids in json.loads(said).items()}


def main() -> None:
    dsn, seed = sys.argv[1], int(sys.argv[2])
    stopped = threading.Event()
    clients = [Client(number, dsn, seed, stopped) for number in range(CLIENTS)]
    for client in clients:
        client.start()
    sys.stdin.read()
    assert all(client.is_alive() for client in clients)  # none met an answer it did not expect
    stopped.set()
    for client in clients:
        client.join(90)
    print(
        json.dumps(
            {name: [each for client in clients for each in client.ids[name]] for name in clients[0].ids}
        )
    )


if __name__ == "__main__":
    main()
