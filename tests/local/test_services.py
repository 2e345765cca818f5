"""What cannot be had is skipped, and named where nobody can miss it; where required, it is a failure."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TESTS = """
import os, pytest, psycopg, redis

@pytest.mark.needs("chromium")
def test_that_needs_a_browser():
    raise AssertionError("it ran")

def test_that_needs_nothing_special():
    assert psycopg.connect(os.environ["DATABASE_URL"]).execute("select 1").fetchone() == (1,)
    assert redis.Redis.from_url(os.environ["REDIS_URL"]).dbsize() == 0
    assert os.environ["QUEUE_PREFIX"].startswith("test-")
"""


def run(tests: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A run of its own, on a machine without a browser."""
    kept = {"HOME": os.environ["HOME"], "PATH": "/nowhere"}
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "--rootdir",
            ROOT,
            "-c",
            ROOT / "pyproject.toml",
            *words,
            tests,
        ],
        cwd=ROOT,
        env=kept | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def tests(tmp_path: Path) -> Path:
    file = tmp_path / "test_two.py"
    file.write_text(TESTS)
    return file


@pytest.mark.parametrize("words", [(), ("-n", "1")], ids=["alone", "xdist"])
def test_an_absent_service_is_named_in_the_last_lines(tests: Path, words: tuple[str, ...]) -> None:
    done = run(tests, *words)
    assert done.returncode == 0, done.stdout
    last, summary = done.stdout.strip().splitlines()[-2:]
    assert last == "not tested: Chromium is not installed (apt-get install -y chromium): 1 tests"
    assert summary.startswith("1 passed, 1 skipped")


@pytest.mark.parametrize("environment", [{"TOCSIN_REQUIRE": "chromium"}, {"CI": "true"}])
def test_where_a_service_is_required_its_absence_is_a_failure_before_the_first_test(
    tests: Path, environment: dict[str, str]
) -> None:
    done = run(tests, **environment)
    assert done.returncode == 4
    assert "Chromium is not installed (apt-get install -y chromium)" in done.stderr
    assert "passed" not in done.stdout


def test_a_need_that_nobody_knows_is_refused(tests: Path) -> None:
    tests.write_text('import pytest\n@pytest.mark.needs("postgress")\ndef test_x(): pass\n')
    done = run(tests)
    assert done.returncode == 4
    assert "postgress" in done.stderr + done.stdout
