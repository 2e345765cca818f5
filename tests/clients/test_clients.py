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
def test_what_nodes_sdk_sends_beside_errors_is_taken_and_counted(
    tocsin: Tocsin, client: Client, npm: Path, sdk: str
) -> None:
    categories = (
        ["monitor", "transaction"]
        if sdk == "node7"
        else ["monitor", "span", "log_item", "session", "feedback"]
    )
    before = {category: total(tocsin, category) for category in categories}
    client.node(npm, "node", "attachment", "others", SDK=sdk, RELEASE="2")
    tocsin.event(f"Error: with a file in {sdk}")
    tocsin.wait(lambda: all(total(tocsin, each) > before[each] for each in categories), "all of it counted")
    assert tocsin.counted("error", "invalid") == tocsin.counted("default", "invalid") == 0


def total(tocsin: Tocsin, category: str) -> int:
    return sum(tocsin.counted(category, outcome) for outcome in ("accepted", "filtered"))


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
    before = total(tocsin, "monitor")
    said = client.run(cli, "monitors", "run", "-s", "15 2 * * *", "backup", "--", "echo", "saved")
    assert "saved" in said
    tocsin.wait(lambda: total(tocsin, "monitor") >= before + 2, "both check-ins")
