"""The benchmarks are there, and the one of the whole pipeline loses and doubles nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.flow.installation import ROOT


def bench(*words: str) -> str:
    """What `manage.py bench` prints."""
    surroundings = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    command = [sys.executable, "manage.py", "bench", *words]
    ran = subprocess.run(command, cwd=ROOT, env=surroundings, capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_without_a_name_it_says_which_there_are() -> None:
    names = {line.split()[0] for line in bench().splitlines() if line.startswith("  ")}
    assert names >= {"accept", "pipeline", "burst", "hot-issue", "scale", "embedded"}


@pytest.mark.needs("amqp")
@pytest.mark.needs("nginx")
def test_the_pipeline_loses_and_doubles_nothing() -> None:
    told = json.loads(bench("pipeline", "--json", "--seconds=2", "--rate=0"))
    assert (told["lost"], told["doubled"], told["flat_out"]["counters"]["equal"]) == (0, 0, True)
    assert told["flat_out"]["stored"] == told["flat_out"]["accepted"] > 100
    assert told["us_per_event"] > told["us_per_event_by_role"]["worker"] > 0


@pytest.mark.needs("amqp")
@pytest.mark.needs("nginx")
def test_every_page_over_what_is_kept_is_timed() -> None:
    told = json.loads(bench("kept", "--json", "--rows=2000", "--requests=2"))
    assert set(told["rows"]) >= {
        "logs",
        "transactions",
        "spans",
        "hours of releases",
        "check-ins",
        "feedback",
    }
    assert all(count > 0 for count in told["rows"].values())
    assert all(times["p50"] > 0 for times in told["pages_ms"].values())


@pytest.mark.needs("amqp")
@pytest.mark.needs("nginx")
def test_what_resembles_an_issue_is_found_and_timed() -> None:
    told = json.loads(bench("similar", "--json", "--issues=1500", "--requests=20"))
    assert told["relatives_found"] > 0.8
    assert told["found"]["near twins, later"] == 10
    assert all(times["p50"] > 0 for times in {**told["similar_ms"], **told["pages_ms"]}.values())


def test_grouping_finds_as_many_issues_as_there_are_errors() -> None:
    told = json.loads(bench("grouping", "--json", "--events=230", "--rules=20"))
    assert told["us_per_event"] > told["known"] > 0
    assert told["with_project_rules"] > 0
    assert set(told["issues_of_errors"].values()) == {"5 of 5"}
