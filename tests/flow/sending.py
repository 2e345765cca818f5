"""The SDK protocol spoken by hand, for what no SDK would send."""

from __future__ import annotations

import gzip
import http.client
import json
import threading
import uuid
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]  # names in lower case
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def dumps(event: Any) -> bytes:
    """JSON as a careless client writes it: NaN and lone surrogates included."""
    return json.dumps(event).encode()


def envelope(payload: bytes, event_id: str | None = None) -> bytes:
    """An envelope of one event whose payload may be anything."""
    header = {"event_id": event_id or uuid.uuid4().hex}
    return dumps(header) + b"\n" + dumps({"type": "event", "length": len(payload)}) + b"\n" + payload + b"\n"


@dataclass
class Sender:
    """Posts to the project of a DSN; one kept-alive connection for each thread."""

    dsn: str
    local: threading.local = field(default_factory=threading.local)

    def __post_init__(self) -> None:
        parts = urlsplit(self.dsn)
        self.host, self.port, self.key = parts.hostname or "", parts.port or 80, parts.username or ""
        self.project = parts.path.strip("/")

    @property
    def auth(self) -> dict[str, str]:
        return {"X-Sentry-Auth": f"Sentry sentry_version=7, sentry_client=by-hand/1, sentry_key={self.key}"}

    def post(self, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        """The server's answer; a connection the server closed is opened again once."""
        for is_last_try in (False, True):
            connection = getattr(self.local, "connection", None)
            if connection is None:
                connection = http.client.HTTPConnection(self.host, self.port, timeout=60)
                self.local.connection = connection
            try:
                connection.request("POST", path, body, headers)
                answer = connection.getresponse()
                read = {name.lower(): value for name, value in answer.getheaders()}
                return Answer(answer.status, read, answer.read())
            except (http.client.HTTPException, OSError):
                connection.close()
                self.local.connection = None
                if is_last_try:
                    raise
        raise AssertionError

    def envelope(self, body: bytes, **headers: str) -> Answer:
        return self.post(f"/api/{self.project}/envelope/", body, self.auth | headers)

    def store(self, body: bytes, **headers: str) -> Answer:
        return self.post(f"/api/{self.project}/store/", body, self.auth | headers)

    def event(self, event: Any, event_id: str | None = None) -> Answer:
        """One event the ordinary way: gzip in an envelope."""
        body = gzip.compress(envelope(dumps(event), event_id), 1)
        return self.envelope(body, **{"Content-Encoding": "gzip"})

    def message(self, text: str, event_id: str | None = None, **more: Any) -> Answer:
        return self.event({"message": text, "platform": "python", **more}, event_id)


def at_once(jobs: Iterable[Callable[[], Answer]], threads: int = 4) -> list[Answer]:
    """The answers in order, with so many requests under way at a time."""
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(lambda job: job(), jobs))
