"""One address for both sides, or a process for each."""

from __future__ import annotations

from pathlib import Path

import pytest

from app import models
from app.ingest.accept import Target
from app.ingest.asgi import route
from tests.ingest.server import Queue, Server

pytestmark = [pytest.mark.needs("amqp"), pytest.mark.django_db]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/api/1/envelope/", Target("1", "envelope")),
        ("/api/1/envelope", Target("1", "envelope")),
        ("/api/42/store/", Target("42", "store")),
        ("/api/store/", Target("", "store")),
        ("/api/store", Target("", "store")),
        ("/api/1/security/", Target("1", "security")),
        ("/api/1/csp-report", Target("1", "security")),
        ("/api/1/nel/", Target("1", "nel")),
        ("/api/1/minidump/", Target("1", "minidump")),
        ("/api/1/unreal/abc/", Target("1", "unreal", key="abc")),
        ("/api/1/cron/nightly/", Target("1", "cron", rest="nightly")),
        ("/api/1/cron/nightly/abc", Target("1", "cron", rest="nightly", key="abc")),
        ("/api/1/events/f00/attachments/", Target("1", "attachments", rest="f00")),
        ("/api/1/integration/otlp/v1/traces", Target("1", "otlp_traces")),
        ("/api/1/integration/otlp/v1/logs/", Target("1", "otlp_logs")),
        ("/api/1/otlp/v1/traces/", Target("1", "otlp_traces")),
        ("/api/1/otlp/v1/metrics/", None),
        ("/api/1/unreal/", None),
        ("/api/envelope/", None),
        ("/api/0/projects/", None),
        ("/api/0/projects/acme/shop/events/", None),
        ("/api/1/envelope/more/", None),
        ("/api/1/2/envelope/", None),
        ("/acme/api/1/store/", None),
        ("/", None),
    ],
)
def test_only_the_addresses_of_sdks_are_taken_from_django(path: str, expected: object) -> None:
    assert route(path) == expected


def test_one_process_serves_both_sides(key: models.DsnKey, broker: str, tmp_path: Path) -> None:
    with Server(key, tmp_path, SERVE="all") as server:
        answer = server.sender.message("beside the dashboard")
        assert answer.status == 200
        Queue().wait_for({answer.json["id"]})
        assert server.get("/accounts/login/")[0] == 200
        assert server.get("/_health/")[0] == 200
        assert server.get("/api/relay/healthcheck/ready/")[0] == 200
        assert server.get("/nothing/here/")[0] == 404
        server.stop()
        assert "Traceback" not in server.log
        assert list(server.journal.iterdir()) == []


def test_a_dashboard_takes_no_events(key: models.DsnKey, broker: str, tmp_path: Path) -> None:
    with Server(key, tmp_path, SERVE="dashboard") as server:
        assert server.get("/accounts/login/")[0] == 200
        assert server.sender.message("wrong door").status >= 400
        server.stop()
        assert "Traceback" not in server.log
        assert not server.journal.exists()
