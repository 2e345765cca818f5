"""Real clients, as their publishers ship them, report to a real Tocsin; what arrives is what they meant."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.clients.conftest import pypi
from tests.clients.running import PROGRAMS, Client, Tocsin

#: The oldest that still runs on this Python, the last of the first major, and the one that errors came from
#: at the store address.
OLD_PYTHON = ["1.14.0", "1.45.1"]
NODE = ["@sentry/node", "node7"]
CLI = "3.8.2"


@pytest.mark.parametrize("sdk", NODE)
def test_nodes_sdk_tells_an_error_and_who_met_it(tocsin: Tocsin, client: Client, npm: Path, sdk: str) -> None:
    client.node(npm, "node", "error", "message", SDK=sdk, RELEASE="1")
    error = tocsin.event(f"Error: checkout failed in {sdk}")
    assert (error.platform, error.release, error.environment) == ("node", "shop@1", "staging")
    assert error.tags["till"] == "north"
    assert error.tags["user"] == "id:7"
    assert error.tags["handled"] == "yes"
    message = tocsin.event(f"the shelf is empty in {sdk}")
    assert message.tags["level"] == "warning"


@pytest.mark.parametrize("sdk", NODE)
def test_what_nodes_sdk_sends_beside_errors_is_kept(
    tocsin: Tocsin, client: Client, npm: Path, sdk: str
) -> None:
    release = f"shop@others-{sdk.strip('@').replace('/', '-')}"
    client.node(npm, "node", "attachment", "others", SDK=sdk, RELEASE=release.partition("@")[2])
    event = tocsin.event(f"Error: with a file in {sdk}")
    (file,) = tocsin.known("select name from app_attachment where event_id = %s", event.id)
    assert file == ("stock.csv",)
    transactions = tocsin.known("select name, op from app_transaction where release = %s", release)
    assert ("GET /checkout", "http.server") in transactions
    assert tocsin.known(
        "select c.status, c.duration, m.schedule ->> 'crontab' from app_checkin c"
        " join app_monitor m on m.id = c.monitor_id where m.slug = 'nightly' and c.release = %s",
        release,
    ) == [("ok", 2000, "15 2 * * *")]
    if sdk == "@sentry/node":
        # Since 11 spans are streamed, one by one.
        spans = "select name, op, is_segment from app_span where release = %s"
        assert ("SELECT price", "db", False) in tocsin.known(spans, release)
        assert tocsin.known("select body from app_log where release = %s", release) == [("drawer left open",)]
        assert tocsin.known("select message from app_feedback") == [("I cannot pay",)]
    assert tocsin.counted("error", "invalid") == tocsin.counted("default", "invalid") == 0


def test_nodes_oldest_client_still_works(tocsin: Tocsin, client: Client, npm: Path) -> None:
    event_id = client.node(npm, "raven").strip()
    event = tocsin.event("RangeError: raven has 0 left")
    assert event.id == event_id
    assert (event.release, event.tags["till"]) == ("shop@2015", "south")


@pytest.mark.parametrize("version", OLD_PYTHON)
def test_the_first_major_version_of_pythons_sdk(tocsin: Tocsin, client: Client, version: str) -> None:
    path = os.pathsep.join([str(pypi(f"sentry-sdk=={version}", "urllib3<2", "certifi", "setuptools<80"))])
    client.run(sys.executable, PROGRAMS / "python.py", PYTHONPATH=path)
    error = tocsin.event(f"RuntimeError: not charged by sentry-sdk {version}")
    assert (error.platform, error.release, error.environment) == ("python", "shop@1", "staging")
    assert (error.tags["user"], error.tags["till"]) == ("id:7", "north")
    assert tocsin.event(f"counted by sentry-sdk {version}").tags["level"] == "warning"
    tasks = "select op, environment from app_transaction where name = %s"
    assert ("task", "staging") in tocsin.known(tasks, "count")
    sessions = (
        "select h.environment, sum(h.healthy + h.errored) > 0 from app_releasehealth h"
        " join app_release r on r.id = h.release_id where r.version = 'shop@1'"
        " and h.environment = 'staging' group by 1"
    )
    assert tocsin.known(sessions) == [("staging", True)]


def test_a_client_stops_sending_what_is_limited_and_sends_the_rest(tocsin: Tocsin, client: Client) -> None:
    path = os.pathsep.join([str(pypi("sentry-sdk==1.45.1", "urllib3<2", "certifi", "setuptools<80"))])
    with tocsin.limited("transaction"):
        client.run(sys.executable, PROGRAMS / "limits.py", PYTHONPATH=path)
        tocsin.event("errors are not limited")
        # The first one was refused; of the second the client itself says that it kept it back.
        tocsin.wait(lambda: tocsin.counted("transaction", "rate_limited") > 0, "one refused")
        tocsin.wait(lambda: tocsin.counted("transaction", "client_discard") > 0, "one kept back")
        assert not tocsin.rows("select 1 from app_transaction where release = 'limits@1'")


@pytest.fixture(scope="module")
def cli() -> Path:
    return pypi(f"sentry-cli=={CLI}") / "bin" / "sentry-cli"


def test_sentry_cli_sends_events(tocsin: Tocsin, client: Client, cli: Path, tmp_path: Path) -> None:
    client.run(cli, "send-event", "-m", "the backup failed", "-r", "backup@3", "-t", "disk:a", "--no-environ")
    event = tocsin.event("the backup failed")
    assert (event.release, event.tags["disk"]) == ("backup@3", "a")
    stored = tmp_path / "one.envelope"
    stored.write_bytes(
        b'{"event_id":"9ec79c33ec9942ab8353589fcb2e04dc"}\n'
        b'{"type":"event"}\n{"message":"from a file","level":"fatal"}\n'
    )
    client.run(cli, "send-envelope", stored)
    assert tocsin.event("from a file").id == "9ec79c33ec9942ab8353589fcb2e04dc"


def test_sentry_cli_runs_a_monitored_job(tocsin: Tocsin, client: Client, cli: Path) -> None:
    said = client.run(cli, "monitors", "run", "-s", "15 2 * * *", "backup", "--", "echo", "saved")
    assert "saved" in said
    runs = (
        "select m.schedule ->> 'crontab', c.duration is not null from app_checkin c"
        " join app_monitor m on m.id = c.monitor_id where m.slug = 'backup' and c.status = 'ok'"
    )
    assert tocsin.known(runs) == [("15 2 * * *", True)]


def test_opentelemetrys_exporters_need_an_address_and_a_header(tocsin: Tocsin, client: Client) -> None:
    path = pypi("opentelemetry-sdk==1.45.2", "opentelemetry-exporter-otlp-proto-http==1.45.2")
    address = f"{tocsin.url}/api/{tocsin.project}/integration/otlp"
    said = client.run(
        sys.executable, PROGRAMS / "otel.py", PYTHONPATH=path, OTLP_URL=address, OTLP_KEY=tocsin.key
    )
    trace = said.split()[-1]
    spans = "select name, op, status, release, environment from app_span where trace_id = %s order by started"
    assert tocsin.known(spans, trace) == [
        ("POST /close", "http.server", "", "till@7", "staging"),
        ("count", "db", "internal_error", "till@7", "staging"),
    ]
    assert tocsin.known("select name, op from app_transaction where trace_id = %s", trace) == [
        ("POST /close", "http.server")
    ]
    assert tocsin.known("select body, severity from app_log where trace_id = %s", trace) == [
        ("the drawer is stuck", 17)
    ]
