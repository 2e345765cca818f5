"""A new user's first minute: clone, `python3 manage.py up`, look."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.local.server import free_port
from tests.flow.installation import ROOT

TARGET = 60  # seconds, with the packages in pip's cache or nearby and nobody else on the machine
PATIENCE = 300  # seconds on a machine that is busy with other things


@pytest.fixture
def home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="tocsin-fresh-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


def outside_python() -> str:
    """The Python that made the environment the tests run in."""
    return str(Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}")


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="there is nothing to clone from")
def test_two_commands_and_no_question_lead_from_an_empty_folder_to_a_visible_issue(home: Path) -> None:
    began = time.monotonic()
    subprocess.run(["git", "clone", "-q", ROOT, home / "tocsin"], check=True)
    cache = os.environ.get("PIP_CACHE_DIR") or Path.home() / ".cache" / "pip"
    done = subprocess.run(
        [outside_python(), "manage.py", "up", "--once", "--port", str(free_port()), "--data", home / "data"],
        cwd=home / "tocsin",
        env={
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": str(home),
            "PIP_CACHE_DIR": str(cache),
            **{name: value for name, value in os.environ.items() if name.startswith("PIP_")},
        },
        stdin=subprocess.DEVNULL,  # a question would be an error
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    seconds = time.monotonic() - began
    print(f"\n{seconds:.0f} s from `git clone` to the first visible issue (target {TARGET} s)\n{done.stderr}")
    assert done.returncode == 0, done.stderr
    assert "A first error was sent and is on the dashboard" in done.stderr
    assert "Tocsin is ready in" in done.stdout
    left = subprocess.run(
        ["git", "status", "--porcelain"], cwd=home / "tocsin", capture_output=True, check=True
    )
    assert left.stdout == b""
