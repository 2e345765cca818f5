"""The compose file's services as processes, all at once: its commands, environment and health checks."""

from __future__ import annotations

import http.cookiejar
import os
import re
import signal
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from app.local import rabbitmq
from tests.docker import compose
from tests.docker.stage import IS_ROOT, Stage, programs
from tests.flow.installation import wait_for

pytestmark = [
    pytest.mark.needs("amqp"),
    pytest.mark.needs("nginx"),
    pytest.mark.skipif(rabbitmq.find() is None, reason="it must be ours to configure"),
]
VARIABLES = {
    name: f"{name[0].lower()}{'0123456789abcdef' * 3}" for name in compose.variables() if "PASS" in name
}
VARIABLES |= {"SECRET_KEY": "k" * 64}
WAVES = (
    ("postgres", "rabbitmq", "valkey"),
    ("migrate",),
    ("dashboard", "ingest"),
    ("nginx",),
)
CLOCKED = ("worker", "scheduler")  # healthy once the clock's first beat went round
FAIL = """
import sentry_sdk, sys
sentry_sdk.init(sys.argv[1], release="shop@1.0.0", environment="production")
try: raise eval(sys.argv[2])
except Exception as error: sentry_sdk.capture_exception(error)
sentry_sdk.flush(10)
"""


class Person:
    """Somebody with a browser that keeps cookies, at the one open door."""

    def __init__(self, address: str) -> None:
        self.address = address
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self.opener = urllib.request.build_opener(cookies)

    def get(self, path: str) -> str:
        with self.opener.open(self.address + path, timeout=20) as answer:
            return str(answer.read().decode())

    def sign_in(self, email: str, password: str) -> str:
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', self.get("/accounts/login/"))
        assert token
        form = {"csrfmiddlewaretoken": token[1], "login": email, "password": password}
        asked = urllib.request.Request(
            f"{self.address}/accounts/login/",
            urllib.parse.urlencode(form).encode(),
            {"Origin": self.address, "Referer": f"{self.address}/accounts/login/"},
        )
        with self.opener.open(asked, timeout=20) as answer:
            return str(answer.read().decode())


class Installed:
    """The stage with everything on it, and what `migrate` said at its first run."""

    def __init__(self) -> None:
        self.stage = Stage(VARIABLES)
        self.stage.services = compose.services(
            {**VARIABLES, "BASE_URL": self.stage.address("nginx"), "RETENTION_DAYS": "30"}
        )
        self.said = ""

    def up(self) -> None:
        """`docker compose up -d`: in the order that depends_on asks for, wave by wave."""
        for wave in WAVES:
            for name in wave:
                needs = self.stage.services[name].get("depends_on", {})
                assert set(needs) <= {*self.stage.running, "migrate"}, f"{name} would start too early"
            if wave == ("migrate",):
                self.said = self.stage.run("migrate")
            else:
                self.stage.start(*wave)

    def word(self, label: str) -> str:
        found = re.search(rf"^\s*{label}\s+(\S+)$", self.said, re.MULTILINE)
        assert found, self.said
        return found[1]

    def logs(self) -> str:
        return "\n".join(path.read_text(errors="replace")[-3000:] for path in self.stage.folder.glob("*.log"))


@pytest.fixture(scope="module")
def installed() -> Iterator[Installed]:
    installed = Installed()
    try:
        installed.up()
        for name in CLOCKED:
            installed.stage.begin(name)
        yield installed
    except BaseException:
        print(installed.logs())
        raise
    finally:
        installed.stage.close()


def send(dsn: str, error: str) -> None:
    given = {"PATH": os.environ["PATH"]}
    subprocess.run([sys.executable, "-c", FAIL, dsn, error], env=given, check=True, timeout=60)


@pytest.fixture(scope="module")
def person(installed: Installed) -> Person:
    """The first user, signed in with what `docker compose logs migrate` shows."""
    person = Person(installed.stage.address("nginx"))
    page = person.sign_in(installed.word("E-mail"), installed.word("Password"))
    assert "Sign out" in page or "logout" in page
    return person


def test_an_error_goes_through_nginx_and_every_service_to_the_dashboard(
    installed: Installed, person: Person
) -> None:
    dsn = installed.word("DSN")
    assert dsn.split("@")[1] == f"127.0.0.1:{installed.stage.ports['nginx']}/1"
    send(dsn, "KeyError('gross')")
    wait_for(lambda: "KeyError" in person.get("/main/issues/"), "the issue on the dashboard", 30)


def test_the_mail_about_it_is_shared_by_worker_and_dashboard(installed: Installed, person: Person) -> None:
    wait_for(lambda: "KeyError" in person.get("/admin/mail/"), "the mail under Admin", 30)


def test_every_health_check_is_content(installed: Installed) -> None:
    for name in installed.stage.running:
        wait_for(lambda name=name: installed.stage.check(name).returncode == 0, f"{name} healthy", 90)  # type: ignore[misc]


def test_the_first_login_is_told_once(installed: Installed) -> None:
    again = installed.stage.run("migrate")
    assert installed.word("Password") not in again


def test_static_files_are_named_by_their_content_and_cached_for_ever(
    installed: Installed, person: Person
) -> None:
    found = re.search(r'href="(/static/[^"]+\.[0-9a-f]{12}\.css)"', person.get("/main/issues/"))
    assert found
    with person.opener.open(installed.stage.address("nginx") + found[1]) as answer:
        assert "immutable" in answer.headers["Cache-Control"]


def test_nothing_may_write_outside_its_volumes(installed: Installed) -> None:
    """The kernel says so: every process of ours has no capability and a read-only root."""
    if not IS_ROOT:
        pytest.skip("only root can make file systems read-only; here the file modes alone protect the code")
    for name in compose.OURS:
        if name in installed.stage.running:
            for process in family(installed, name):
                told = Path("/proc") / str(process.pid)
                rights, mounts = (told / "status").read_text(), (told / "mountinfo").read_text()
                assert re.search(r"^CapEff:\s+0+$", rights, re.MULTILINE)
                assert re.search(r"^NoNewPrivs:\s+1$", rights, re.MULTILINE)
                assert re.search(r"^\S+ \S+ \S+ / / ro,", mounts, re.MULTILINE), mounts


def family(installed: Installed, name: str) -> list[psutil.Process]:
    child = installed.stage.running[name].child
    assert child
    parent = psutil.Process(child.pid)
    return [parent, *parent.children(recursive=True)]


def test_every_service_fits_its_memory_limit(installed: Installed, person: Person) -> None:
    """Shared pages are counted once, as a container's cgroup does: proportional set sizes."""
    for _ in range(10):
        person.get("/main/issues/")
    total = 0
    for name in installed.stage.running:
        sizes = [
            (process.memory_info().rss, process.memory_full_info().pss) for process in family(installed, name)
        ]
        used, limit = sum(pss for _, pss in sizes), compose.limit(installed.stage.services[name])
        each = " ".join(f"{rss / 1024**2:.0f}" for rss, _ in sizes)
        print(f"{name:10} {used / 1024**2:5.0f} of {limit / 1024**2:4.0f} MB  (RSS of each process: {each})")
        total += used
        assert used < 0.9 * limit, name
    print(f"{'all':10} {total / 1024**2:5.0f} MB")


def test_what_a_backup_holds_can_be_restored(installed: Installed, person: Person) -> None:
    stage = installed.stage
    given = {"PATH": os.environ["PATH"], "PGPASSWORD": VARIABLES["POSTGRES_PASSWORD"], "PGHOST": "127.0.0.1"}
    given["PGPORT"] = str(stage.ports["postgres"])
    dump = [str(programs() / "pg_dump"), "-U", "tocsin", "-Fc", "tocsin"]
    dumped = subprocess.run(dump, env=given, check=True, capture_output=True).stdout
    for name in ("nginx", "dashboard", "ingest", *CLOCKED):
        stage.stop(name)
    restore = [str(programs() / "pg_restore"), "-U", "tocsin", "-d", "postgres"]
    restore += ["--clean", "--create", "--if-exists"]
    restored = subprocess.run(restore, env=given, input=dumped, capture_output=True)
    assert restored.returncode == 0, restored.stderr
    for name in CLOCKED:
        stage.begin(name)
    stage.start("dashboard", "ingest", "nginx")
    assert "KeyError" in person.get("/main/issues/")
    send(installed.word("DSN"), "ZeroDivisionError('again')")
    wait_for(lambda: "ZeroDivisionError" in person.get("/main/issues/"), "an issue after the restore", 60)


def test_everything_stops_in_its_time_and_says_it_was_asked_to(installed: Installed) -> None:
    for name in reversed(list(installed.stage.running)):
        # Started again a moment ago: a signal that comes before its handler is there ends it as well.
        asked = {0, -signal.SIGTERM} if name == "scheduler" else {0}
        assert installed.stage.stop(name) in asked, installed.stage.log(name).read_text()[-2000:]
