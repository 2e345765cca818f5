"""Programs under one terminal: relayed, revived, and ended together."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from app.local.process import AUTOGROUP, NotReady, Process
from app.local.supervise import Supervisor

ROOT = Path(__file__).resolve().parents[2]
STAYS = "import time; time.sleep(600)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); "


def python(name: str, code: str) -> Process:
    return Process(name, [sys.executable, "-c", code])


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def supervisor(said: list[str]) -> Iterator[Supervisor]:
    supervisor = Supervisor(said.append)
    supervisor.restarts = True
    yield supervisor
    for member in supervisor.members:
        member.process.kill()


def turn_until(supervisor: Supervisor, check: Callable[[], object], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline
        supervisor.turn(0.05)


def test_what_a_program_says_is_relayed_line_by_line_under_its_name(
    supervisor: Supervisor, said: list[str]
) -> None:
    code = "import sys; print('one\\ntwo', flush=True); sys.stdout.buffer.write(b'thr\\xffee\\n')"
    supervisor.start(python("web", code + f"; sys.stdout.flush(); {STAYS}"))
    turn_until(supervisor, lambda: len(said) == 3)
    assert said == ["      web │ one", "      web │ two", "      web │ thr\ufffdee"]


def test_a_killed_program_is_named_and_started_again(supervisor: Supervisor, said: list[str]) -> None:
    process = python("worker", STAYS)
    supervisor.start(process)
    assert process.child is not None
    first = process.child.pid
    os.kill(first, signal.SIGKILL)
    turn_until(supervisor, lambda: process.is_running and process.child and process.child.pid != first)
    assert said == ["worker ended by signal 9; it is started again in 1 s."]


def test_one_that_runs_without_working_is_killed_and_started_again(
    supervisor: Supervisor, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.local.process.LOOK_EVERY", 0.05)
    monkeypatch.setattr("app.local.process.STANDS_FOR", 0.5)
    idle = {0}
    process = Process("postgres", [sys.executable, "-c", STAYS], is_idle=idle.__contains__)
    supervisor.start(process)
    assert process.child is not None
    first = process.child.pid
    began = process.worked
    turn_until(supervisor, lambda: process.worked > began + 1)  # longer than it may stand still
    assert said == []
    idle.add(first)
    turn_until(supervisor, lambda: process.is_running and process.child and process.child.pid != first)
    assert said == [
        "postgres runs but does not work any more; it is killed.",
        "postgres ended by signal 9; it is started again in 1 s.",
    ]


def test_one_that_keeps_dying_is_given_ever_longer_pauses(supervisor: Supervisor, said: list[str]) -> None:
    supervisor.start(python("worker", "print('no'); raise SystemExit(3)"))
    turn_until(supervisor, lambda: sum("ended" in line for line in said) == 3)
    assert [line for line in said if "ended" in line] == [
        "worker ended with code 3; it is started again in 1 s.",
        "worker ended with code 3; it is started again in 2 s.",
        "worker ended with code 3; it is started again in 4 s.",
    ]
    assert said[0] == "   worker │ no"  # its last words come before the news of its end


def test_a_death_while_everything_starts_is_a_reason_to_give_up(supervisor: Supervisor) -> None:
    supervisor.restarts = False
    supervisor.start(python("web", "raise SystemExit(3)"))
    with pytest.raises(NotReady, match="web ended with code 3 while it started"):
        turn_until(supervisor, lambda: False)


def test_they_stop_in_order_and_a_stubborn_one_is_killed(supervisor: Supervisor, said: list[str]) -> None:
    deaf, postgres = python("web", STUBBORN + STAYS), python("postgres", STAYS)
    supervisor.start(deaf)
    supervisor.start(postgres)
    turn_until(supervisor, lambda: said)
    seen: list[bool] = []

    def look() -> bool:
        seen.append(postgres.is_running)
        return False

    supervisor.stop(((0.5, ("web",)), (5, ("postgres",))), look)
    assert all(seen[:5])
    assert not deaf.is_running
    assert not postgres.is_running
    assert said[1:] == ["web did not stop in time and is killed."]


def test_whoever_is_in_a_hurry_waits_for_nobody(supervisor: Supervisor, said: list[str]) -> None:
    supervisor.start(python("web", STUBBORN + STAYS))
    turn_until(supervisor, lambda: said)
    began = time.monotonic()
    supervisor.stop(((30, ("web",)),), lambda: True)
    assert time.monotonic() - began < 5


def test_a_killed_supervisor_takes_its_programs_with_it() -> None:
    code = (
        "import sys; from app.local.process import Process; "
        f"child = Process('web', [sys.executable, '-c', {STAYS!r}]); child.start(); "
        f"print(child.child.pid, flush=True); {STAYS}"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    child.wait(10)
    assert not child.is_running()


@pytest.mark.skipif(not AUTOGROUP.exists(), reason="this kernel does not group processes by sessions")
def test_who_gives_way_does_so_with_all_of_its_session() -> None:
    code = "import os; print(os.nice(0), open('/proc/self/autogroup').read().split()[-1])"
    process = Process("worker", [sys.executable, "-c", code], nice=3)
    process.start()
    assert process.child
    assert process.child.stdout
    of_process, of_session = map(int, process.child.stdout.read().split())
    assert of_process == of_session == os.nice(0) + 3
