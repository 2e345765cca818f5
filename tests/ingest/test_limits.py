"""Categories that a project sends too much of: refused, or left out while the others are kept."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from app.base import clock
from tests.ingest.server import Queue, Server
from tests.tasks.crews import database_url, eventually

pytestmark = [pytest.mark.needs("amqp"), pytest.mark.django_db]


@pytest.fixture(scope="module")
def queue(server: Server) -> Queue:
    return Queue()


@contextmanager
def limited(server: Server, **categories: str) -> Iterator[None]:
    """Reasons by category, as the task would write them; the server knows when this begins and ends."""
    until = clock.now() + timedelta(hours=1)
    with psycopg.connect(database_url(), autocommit=True) as connection:
        for category, reason in categories.items():
            scope = "project" if reason == "spike" else "organization"
            values = [server.key.project_id, category, until, scope, reason]
            connection.execute(
                "INSERT INTO app_ratelimit (project_id, category, until, scope, reason)"
                " VALUES (%s, %s, %s, %s, %s)",
                values,
            )
        eventually(lambda: all(send(server, item(each)).status == 429 for each in categories))
        try:
            yield
        finally:
            connection.execute("DELETE FROM app_ratelimit WHERE project_id = %s", [server.key.project_id])
            eventually(lambda: all(send(server, item(each)).status == 200 for each in categories))


TYPES = {"error": "event", "session": "session", "transaction": "transaction", "log_item": "log"}


def item(category: str) -> tuple[dict[str, Any], bytes]:
    return {"type": TYPES[category]}, b"{}"


def send(server: Server, *items: tuple[dict[str, Any], bytes], event_id: str = "") -> Any:
    lines = [json.dumps({"event_id": event_id or uuid.uuid4().hex}).encode()]
    for headers, payload in items:
        lines += [json.dumps(headers).encode(), payload]
    return server.sender.envelope(b"\n".join(lines))


def named(answer: Any) -> set[str]:
    """category:scope:reason of each limit that an answer names, whose seconds make sense."""
    found = set()
    for limit in answer.headers["x-sentry-rate-limits"].split(", "):
        seconds, _, rest = limit.partition(":")
        assert 3500 < int(seconds) <= 3600
        found.add(rest)
    return found


def test_what_is_limited_is_refused_and_counted(server: Server, queue: Queue) -> None:
    with limited(server, error="quota_exceeded"):
        answer = send(server, item("error"))
        assert answer.status == 429
        assert named(answer) == {"error:organization:quota_exceeded"}
        assert int(answer.headers["retry-after"]) > 3500
        assert send(server, item("session")).status == 200
        assert server.sender.message("to the store address").status == 429
        counted = b'"error","rate_limited","quota_exceeded"'
        eventually(lambda: any(counted in record.body for record in queue.read() if record.kind == "counts"))


def test_what_is_not_limited_is_kept(server: Server, queue: Queue) -> None:
    with limited(server, session="spike", log_item="quota_exceeded"):
        event_id = uuid.uuid4().hex
        answer = send(server, item("error"), item("session"), item("log_item"), event_id=event_id)
        assert answer.status == 429
        assert named(answer) == {"session:project:spike", "log_item:organization:quota_exceeded"}
        record = eventually(lambda: next((r for r in queue.read() if r.event_id == event_id), None))
        assert record.limited == {"session": "spike", "log_item": "quota_exceeded"}
        assert send(server, item("session"), item("log_item")).status == 429


def test_what_tells_of_others_is_not_limited(server: Server, queue: Queue) -> None:
    with limited(server, error="spike"):
        assert send(server, ({"type": "client_report"}, b"{}")).status == 200
        assert send(server, ({"type": "user_report"}, b"{}")).status == 200


def test_other_addresses_are_limited_by_what_they_take(server: Server) -> None:
    key, project = server.key.public_key, server.key.project_id
    with limited(server, log_item="spike"):
        logs = f"/api/{project}/integration/otlp/v1/logs/?sentry_key={key}"
        spans = f"/api/{project}/integration/otlp/v1/traces/?sentry_key={key}"
        assert server.get(logs, "POST")[0] == 429
        assert server.get(spans, "POST")[0] == 200
    with limited(server, error="spike"):
        # A crash reporter would try for ever.
        assert server.get(f"/api/{project}/unreal/{key}/", "POST")[0] == 200
