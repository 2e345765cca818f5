"""The parts of a running Tocsin and the order in which they come up."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import re
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass

from app.local import processes
from app.local.folder import Folder
from app.local.install import ROOT
from app.local.postgres import Postgres
from app.local.process import NotReady, Process
from app.local.progress import Progress
from app.local.server import free_port
from app.local.supervise import Supervisor, how
from app.local.valkey import Valkey

# Warnings that say nothing new to whoever runs `up`: that a checkout has no collected static files, and that
# it was started as root (PostgreSQL, the one part that matters here, is not).
EXPECTED = ("No directory at", "You're running the worker with superuser privileges")


@dataclass
class Ready:
    """What a person or a script needs to know of a running installation."""

    url: str
    dsn: str | None
    organization: str | None
    project: str | None
    login: dict[str, str | None]
    token: str | None
    data: str

    def for_scripts(self) -> dict[str, object]:
        return asdict(self)


def is_named(variable: str) -> bool:
    """Whether the environment sets it, as it stands or as the name of a file (see app/settings.py)."""
    return bool(os.environ.get(variable) or os.environ.get(f"{variable}_FILE"))


def cause(said: str) -> str:
    """The line of a traceback that says what was wrong, without its followers."""
    lines = [line for line in said.splitlines() if re.match(r"[\w.]+(Error|Exception|Failure): ", line)]
    return lines[-1].partition(": ")[2] if lines else said.strip().rpartition("\n")[2]


class Installation:
    """One data folder, one port. `start()` raises NotReady with the one reason why it cannot run."""

    def __init__(self, data: Folder, port: int, supervisor: Supervisor) -> None:
        self.data = data
        self.port = port or free_port()
        self.supervisor = supervisor
        self.environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "app.settings",
            "PYTHONUNBUFFERED": "1",
            "PYTHONWARNINGS": ",".join(f"ignore:{words}" for words in EXPECTED),
            "TOCSIN_DATA": str(data.place),
        }
        self.suggested = ["TOCSIN_DATA"]
        self.suggest("SECRET_KEY", data.secret_key())
        self.suggest("BASE_URL", self.url)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def suggest(self, name: str, value: str) -> None:
        """Set a variable that nobody has set."""
        if not is_named(name):
            self.environment[name] = value
            self.suggested.append(name)

    def start(self) -> Ready:
        """Web and workers start beside the migrations when there is nothing to migrate: half the time."""
        with Progress("Starting PostgreSQL and Valkey") as progress:
            self.start_servers(progress.show)
        mark, wanted = self.data.place / "prepared", self.state_of_code()
        is_prepared = mark.exists() and mark.read_text() == wanted
        if is_prepared:
            self.start_ours()
        known = self.prepare()
        if not is_prepared:
            mark.write_text(wanted)
            self.start_ours()
        with Progress("Waiting for the web server") as progress:
            self.wait(self.answers, progress, 60, "The web server did not answer within 60 s.")
        self.supervisor.restarts = True
        self.data.publish({name: self.environment[name] for name in self.suggested})
        return Ready(
            url=known["url"] or self.url,
            dsn=known["dsn"],
            organization=known["organization"],
            project=known["project"],
            login={"email": known["email"], "password": known["password"]},
            token=known["token"],
            data=str(self.data.place),
        )

    def start_servers(self, meanwhile: Callable[[], None]) -> None:
        """Only those that the environment does not name."""
        inherited = (self.data.inherited,)
        if not is_named("DATABASE_URL"):
            postgres = Postgres(self.data.place, keep_open=inherited, meanwhile=meanwhile).start()
            self.adopt(postgres.process)
            self.suggest("DATABASE_URL", postgres.url)
        if not (is_named("QUEUE_URL") and is_named("REDIS_URL")):
            valkey = Valkey(self.data.place, keep_open=inherited, meanwhile=meanwhile).start()
            self.adopt(valkey.process)
            self.suggest("QUEUE_URL", valkey.queue_url)
            self.suggest("REDIS_URL", valkey.cache_url)

    def adopt(self, process: Process | None) -> None:
        if process is not None:
            self.supervisor.adopt(process)

    def start_ours(self) -> None:
        """Workers yield to the web server: it has people waiting, now and under load."""
        self.supervisor.start(self.process("web", processes.web(self.port)))
        self.supervisor.start(self.process("worker", processes.worker(), nice=10))
        self.supervisor.start(self.process("scheduler", processes.scheduler(), nice=10))

    def process(self, name: str, command: list[str], nice: int = 0) -> Process:
        return Process(
            name,
            command,
            environment=self.environment,
            folder=ROOT,
            keep_open=(self.data.inherited,),
            nice=nice,
        )

    def prepare(self) -> dict[str, str | None]:
        with Progress("Preparing the database") as progress:
            code, said = self.run(self.process("prepare", processes.prepare()), progress, 300)
        if code:
            raise NotReady(f"The database could not be prepared: {cause(said) or how(code)}")
        known: dict[str, str | None] = json.loads(said.strip().rpartition("\n")[2])
        return known

    def see_first_error(self, ready: Ready) -> None:
        """Raises NotReady unless a real SDK's error becomes visible to the first user."""
        if not (ready.dsn and ready.organization and ready.login["password"]):
            raise NotReady("--once signs in as the first user, whose password or project was changed.")
        command = [
            sys.executable, "-m", "app.local.first_error", self.url, ready.dsn, ready.organization,
            str(self.data.place / "first_run.json"),
        ]  # fmt: skip
        with Progress("Sending a first error") as progress:
            code, said = self.run(self.process("first error", command), progress, 120)
        last = said.strip().rpartition("\n")[2]
        if code:
            raise NotReady(f"The first error is not to be seen: {last}")
        self.supervisor.say(last)

    def run(self, process: Process, progress: Progress, seconds: float) -> tuple[int, str]:
        """Run a short program to its end, while everything else goes on: exit code and words."""
        words = self.supervisor.listen(process)
        try:
            self.wait(lambda: not process.is_running, progress, seconds, f"{process.name} took too long.")
        finally:
            process.kill()
        return process.child.returncode if process.child else 1, words()

    def wait(self, check: Callable[[], bool], progress: Progress, seconds: float, else_say: str) -> None:
        while not check():
            progress.show()
            if progress.seconds > seconds:
                raise NotReady(else_say)
            self.supervisor.turn(0.05)

    def answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/_health/")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def state_of_code(self) -> str:
        """Changes with every migration, dependency and database; what was prepared once needs no waiting."""
        parts = sorted(path.name for path in (ROOT / "app" / "migrations").glob("0*.py"))
        parts.append((ROOT / "docker" / "requirements.lock").read_text())
        parts.append(self.environment.get("DATABASE_URL", ""))
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()
