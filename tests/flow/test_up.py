"""`manage.py up` from outside: one command, and it may be interrupted in every way."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import psutil
import psycopg
import pytest

from app.local.server import free_port
from tests.flow.installation import OURS, ROOT, Installation, installation, wait_for

#: What a fresh shell has.
SHELL = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}


@pytest.fixture(scope="module")
def data() -> Iterator[Path]:
    """One data folder for the whole file, so that each test also finds what the one before left."""
    with tempfile.TemporaryDirectory(prefix="tocsin-up-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder) / "data"


def up(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "up", *words],
        cwd=ROOT,
        env=SHELL | environment,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def refused(done: subprocess.CompletedProcess[str]) -> str:
    """The last line of an `up` that could not start."""
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    return done.stderr.strip().splitlines()[-1]


def report(line: dict[str, Any], message: str) -> str:
    code = (
        f"import sentry_sdk; sentry_sdk.init({line['dsn']!r}); print(sentry_sdk.capture_message({message!r}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=SHELL)
    return done.stdout.strip()


def stored(tocsin: Installation, event_id: str) -> bool:
    try:
        return bool(tocsin.rows("select 1 from app_event where event_id = %s", event_id))
    except (psycopg.OperationalError, IndexError):  # PostgreSQL, or the web server, is just coming back
        return False


def test_once_sees_a_real_error_on_the_dashboard_and_leaves_nothing_running(data: Path) -> None:
    done = up("--once", "--port", str(free_port()), "--data", str(data))
    assert done.returncode == 0, done.stderr
    assert "A first error was sent and is on the dashboard" in done.stderr
    assert "Tocsin is ready in" in done.stdout
    assert [process for process in psutil.process_iter(["cmdline"]) if str(data) in str(process.info)] == []


def test_what_was_accepted_before_a_stop_is_there_after_the_next_start(data: Path) -> None:
    with installation(data) as tocsin:
        first = report(tocsin.line, "before the stop")  # stopped at once, wherever it is on its way
    began = time.monotonic()
    with installation(data) as tocsin:
        seconds = time.monotonic() - began
        wait_for(lambda: stored(tocsin, first), "the event of before")
    print(f"\na second start took {seconds:.1f} s")
    assert seconds < 15


def test_ctrl_c_stops_every_process_in_less_than_15_seconds(data: Path) -> None:
    tocsin = Installation(data)
    family = tocsin.family()
    assert len(family) >= 6
    began = time.monotonic()
    assert tocsin.stop() == 0
    assert time.monotonic() - began < 15
    assert [process for process in family if process.is_running()] == []
    assert not (data / "environment.json").exists()


@pytest.mark.parametrize("moment", ["postgres", "manage.py prepare", "gunicorn"])
def test_ctrl_c_while_it_still_starts_leaves_nothing_running(tmp_path: Path, moment: str) -> None:
    words = ["up", "--port", str(free_port()), "--data", str(tmp_path / "data")]
    with subprocess.Popen(
        [sys.executable, "manage.py", *words], cwd=ROOT, env=SHELL, stderr=subprocess.PIPE, text=True
    ) as tocsin:
        assert tocsin.stderr is not None
        wait_for(lambda: moment in " ".join(below(tocsin.pid)), moment)
        tocsin.send_signal(signal.SIGINT)
        rest = tocsin.stderr.read()
    assert tocsin.returncode == 0
    assert "Traceback" not in rest.partition("│")[0]
    assert [left for left in psutil.process_iter(["cmdline"]) if str(tmp_path) in str(left.info)] == []


def is_alive(process: psutil.Process) -> bool:
    """Not merely in the table of processes until somebody asks how it ended."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def below(pid: int) -> list[str]:
    """The commands of all processes that a process started."""
    commands = []
    for child in psutil.Process(pid).children(recursive=True):
        with contextlib.suppress(psutil.Error):
            commands.append(" ".join(child.cmdline()))
    return commands


def test_after_kill_9_everything_ends_by_itself_and_the_next_up_works(data: Path) -> None:
    tocsin = Installation(data)
    family = tocsin.family()
    event = report(tocsin.line, "before the kill")
    tocsin.process.kill()
    tocsin.process.wait()
    with installation(data) as again:  # at once: it waits for what is still ending
        assert [process for process in family if is_alive(process)] == []
        wait_for(lambda: stored(again, event), "the event of before")


PARTS = {
    "web": "-m gunicorn",
    "worker": "manage.py work",
    "scheduler": "manage.py schedule",
    "postgres": "bin/postgres",
    "valkey": "valkey-server",
}


def part(tocsin: Installation, name: str) -> psutil.Process | None:
    """The living process that `up` started under this name."""
    for child in psutil.Process(tocsin.process.pid).children():
        with contextlib.suppress(psutil.Error):
            if PARTS[name] in " ".join(child.cmdline()):
                return child
    return None


@pytest.mark.parametrize("name", PARTS)
def test_a_killed_part_is_named_and_started_again(running_here: Installation, name: str) -> None:
    victim = part(running_here, name)
    assert victim
    victim.kill()
    news = f"{name} ended by signal 9; it is started again"
    wait_for(lambda: news in running_here.log.read_text(), "the news")
    wait_for(lambda: (new := part(running_here, name)) and new.pid != victim.pid, f"a new {name}")
    event = wait_for(lambda: try_to_report(running_here), "an SDK being served")
    assert event
    wait_for(lambda: stored(running_here, event), "the event", 60)


def try_to_report(tocsin: Installation) -> str | None:
    """The event's id, when the server took it."""
    key, _, rest = tocsin.line["dsn"].partition("//")[2].partition("@")
    address, _, project = rest.rpartition("/")
    event_id = os.urandom(16).hex()
    body = json.dumps({"event_id": event_id, "message": "after the kill"})
    request = Request(f"http://{address}/api/{project}/store/?sentry_key={key}", body.encode())
    try:
        with urlopen(request, timeout=5):
            return event_id
    except OSError:
        return None


@pytest.fixture(scope="module")
def running_here(data: Path) -> Iterator[Installation]:
    with installation(data) as tocsin:
        yield tocsin


def test_a_script_gets_one_line_with_everything_it_needs(running_here: Installation) -> None:
    line = running_here.line
    assert set(line) == {"url", "dsn", "organization", "project", "login", "token", "data"}
    assert line["login"]["email"] == "admin@localhost"
    request = Request(f"{line['url']}/api/0/", headers={"Authorization": f"Bearer {line['token']}"})
    with urlopen(request, timeout=10) as answer:
        assert json.load(answer)["user"]["email"] == "admin@localhost"
    secret = Path(line["data"]) / "first_run.json"
    assert secret.stat().st_mode & 0o777 == 0o600


def test_other_commands_find_the_servers_of_a_running_up(running_here: Installation) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "queues", "show"],
        cwd=ROOT,
        env=SHELL | {"TOCSIN_DATA": running_here.line["data"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "events" in done.stdout
    assert (Path(running_here.line["data"]) / "environment.json").stat().st_mode & 0o777 == 0o600


def test_the_supervisor_itself_stays_small(running_here: Installation) -> None:
    assert psutil.Process(running_here.process.pid).memory_info().rss < 40 * 1024**2


def test_a_second_up_with_the_same_data_is_refused_in_one_sentence(running_here: Installation) -> None:
    done = up("--port", str(free_port()), "--data", running_here.line["data"])
    assert refused(done).startswith("Tocsin is running already with the data in ")


def test_a_taken_port_is_refused_in_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = up("--port", str(port), "--data", str(tmp_path / "data"))
    assert refused(done).startswith(f"Port {port} is taken by ")
    assert not (tmp_path / "data").exists()


def test_a_database_that_does_not_answer_is_told_in_one_sentence(tmp_path: Path) -> None:
    nowhere = f"postgres://nobody@127.0.0.1:{free_port()}/tocsin"
    done = up("--port", str(free_port()), "--data", str(tmp_path / "data"), DATABASE_URL=nowhere)
    assert refused(done).startswith("The database could not be prepared")


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 24 MB: enough to begin a cluster, not to finish it."""
    place = tmp_path / "full"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=24m,mode=711", "tmpfs", str(place)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("only root may mount a small disk")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def test_a_full_disk_is_told_in_one_sentence(full_disk: Path) -> None:
    done = up("--port", str(free_port()), "--data", str(full_disk / "data"))
    assert "he disk is full" in refused(done)


def test_the_tests_do_not_hand_their_services_to_up() -> None:
    assert not {*OURS} & SHELL.keys()
