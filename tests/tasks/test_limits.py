"""A task that takes too long is interrupted, and one that does not even notice ends with its process."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest
from celery.exceptions import SoftTimeLimitExceeded

from tasks.limits import limited

HANGS = """
import time
from tasks.limits import limited
with limited(0.2):
    while True:
        try:
            time.sleep(30)
        except Exception:
            print("noticed and went on", flush=True)
"""


def test_a_slow_task_is_interrupted() -> None:
    with pytest.raises(SoftTimeLimitExceeded), limited(0.05):
        time.sleep(10)


def test_a_quick_one_is_not_and_nothing_ticks_on_behind_it() -> None:
    with limited(0.05):
        pass
    time.sleep(0.1)


def test_a_task_that_swallows_the_interruption_ends_its_process_and_says_where_it_hung() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", HANGS], capture_output=True, text=True, timeout=20, check=False
    )
    assert ended.returncode == 1
    assert ended.stdout == "noticed and went on\n"
    assert "<string>" in ended.stderr
