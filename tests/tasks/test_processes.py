"""The parent of the workers: starts again what dies, stops what is told to stop, leaves nobody behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import psutil
from django.conf import settings

from tests.tasks.crews import eventually

PARENT = """
import os, signal, sys, time
import django
django.setup()
from tasks.processes import keep_running
folder = sys.argv[1]
def obedient():
    open(f"{{folder}}/started", "a").write("x")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    time.sleep(60)
def stubborn():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    open(f"{{folder}}/stubborn", "a").write("x")
    while True:
        time.sleep(60)
def broken():
    open(f"{{folder}}/broken", "a").write("x")
    raise ValueError("no")
keep_running({works}, grace=1)
print("whole")
"""


@contextmanager
def parent(folder: Path, works: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", PARENT.format(works=works), str(folder)],
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "app.settings"},
        cwd=settings.ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def has(path: Path, times: int) -> bool:
    return count(path) == times


def count(path: Path) -> int:
    return len(path.read_text()) if path.exists() else 0


def test_a_child_that_is_killed_is_started_again(tmp_path: Path) -> None:
    with parent(tmp_path, "{'one': obedient}") as process:
        for times in (1, 2):
            eventually(partial(has, tmp_path / "started", times))
            [child] = psutil.Process(process.pid).children()
            child.kill()
        eventually(lambda: count(tmp_path / "started") == 3)


def test_one_that_dies_at_once_is_started_again_ever_more_slowly_and_the_other_works_on(
    tmp_path: Path,
) -> None:
    with parent(tmp_path, "{'one': obedient, 'two': broken}") as process:
        eventually(lambda: count(tmp_path / "broken") == 3)
        process.send_signal(signal.SIGTERM)
        out, errors = process.communicate(timeout=10)
        assert process.returncode == 0
    assert count(tmp_path / "started") == 1
    assert "two ended; starting it again in 2.0 s" in errors
    assert "ValueError: no" in errors
    assert out.strip() == "whole"  # printed once: no child ran on in the parent's code


def test_what_does_not_stop_in_time_is_killed(tmp_path: Path) -> None:
    with parent(tmp_path, "{'one': obedient, 'two': stubborn}") as process:
        eventually(lambda: count(tmp_path / "stubborn"))
        children = psutil.Process(process.pid).children()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=10)
        assert process.returncode == 0
        assert not any(child.is_running() for child in children)


def test_workers_step_back_behind_accepting(tmp_path: Path) -> None:
    with parent(tmp_path, "{'one': obedient}") as process:
        eventually(lambda: count(tmp_path / "started"))
        [child] = psutil.Process(process.pid).children()
        assert child.nice() >= psutil.Process(process.pid).nice() + 10
