"""A stage on which the services of the compose file play as plain processes, where no container engine runs.

What an engine would give is given like this:

    image               a folder made by the COPY and RUN lines of the Dockerfile (see image.py)
    read_only, cap_drop, no-new-privileges
                        when we are root: a mount namespace whose every folder is read-only but the
                        service's volumes and tmpfs, entered without any capability; else only file modes
    environment         the ENV lines of the Dockerfile and the service's `environment`, nothing of ours
    volumes, tmpfs      a folder each
    cpu_shares          the weight of the service's session, where the kernel groups by sessions
    postgres:5432 …     the address on 127.0.0.1 where that service listens here
    0.0.0.0:8000 …      the same, seen from inside the service

Everything else is used as it stands: commands, arguments, health checks, stop signals, nginx.conf,
rabbitmq.conf.
"""

from __future__ import annotations

import contextlib
import math
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

from app.local import postgres, rabbitmq, valkey
from app.local.process import Process, until
from app.local.server import free_port
from tests.docker import compose, image

LISTENS = {
    "ingest": 8000,
    "dashboard": 8000,
    "nginx": 8080,
    "postgres": 5432,
    "rabbitmq": 5672,
    "valkey": 6379,
}
RESOLVES = (1, 27, 3)  # the first open nginx that asks again for the address of an upstream
IS_ROOT = os.geteuid() == 0
NOBODY = "65534"
CONFINE = """
set -e
stage="$1" user="$2" count="$3"; shift 3
mount --bind "$stage" "$stage"
while [ "$count" -gt 0 ]; do mount --bind "$1" "$1"; shift; count=$((count - 1)); done
mount -o remount,bind,ro "$stage"
mount -o remount,bind,ro /
[ -z "$user" ] || set -- --reuid "$user" --regid "$user" --clear-groups -- "$@"
exec setpriv --bounding-set=-all --inh-caps=-all --no-new-privs "$@"
"""


class Stage:
    """`start`, `check` and `stop` a service by its name; `close()` ends all that runs, last first."""

    def __init__(self, variables: dict[str, str]) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="tocsin-stage-"))
        self.folder.chmod(0o755)
        self.ports = {name: free_port() for name in LISTENS}
        self.services = compose.services(variables)
        self.running: dict[str, Process] = {}

    @cached_property
    def image(self) -> Path:
        folder = self.folder / "image"
        image.build(folder)
        return folder

    # -- what a container would have ---------------------------------------------------------------

    def mounts(self, name: str) -> dict[str, Path]:
        """Folder in the container: folder here, for all a service may write to."""
        service, own = self.services[name], self.folder / "containers" / name
        named = [mounted.split(":")[:2] for mounted in service.get("volumes", []) if mounted[0] != "."]
        folders = {inside: self.folder / "volumes" / volume for volume, inside in named}
        tmpfs = [mounted.split(":")[0] for mounted in service.get("tmpfs", ["/tmp"])]
        folders |= {inside: own / inside.strip("/") for inside in tmpfs}
        for folder in folders.values():
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o777)
        return folders

    def here(self, name: str, words: str) -> str:
        """Words of the compose file or of nginx.conf with the addresses and folders of this stage."""
        places = {f"{other}:{port}": f"127.0.0.1:{self.ports[other]}" for other, port in LISTENS.items()}
        if name in LISTENS:
            own, port = f"127.0.0.1:{self.ports[name]}", LISTENS[name]
            places |= {f"0.0.0.0:{port}": own, f"127.0.0.1:{port}": own, f"listen {port}": f"listen {own}"}
        places |= {inside: str(folder) for inside, folder in self.mounts(name).items()}
        places |= {"/venv": str(image.VENV), "$PATH": os.environ["PATH"]}
        places |= {"/etc/nginx/nginx.conf": str(self.folder / "nginx.conf")}
        places |= {} if nginx_version() >= RESOLVES else {" resolve ": " "}
        either = "|".join(re.escape(word) for word in sorted(places, key=len, reverse=True))
        return re.sub(either, lambda found: places[found[0]], words)

    def environment(self, name: str) -> dict[str, str]:
        """Of one of our services: what the image sets and what compose gives, and nothing else."""
        given = {**image.environment(), **self.services[name]["environment"]}
        if name == "ingest":  # its volume is mounted below /data, which itself is read-only
            given["TOCSIN_DATA"], given["JOURNAL"] = "/nonexistent", "/data/journal"
        return {key: self.here(name, str(value)) for key, value in given.items()}

    def command(self, name: str) -> list[str]:
        return [self.here(name, word) for word in self.services[name].get("command", [])]

    def confined(self, name: str, command: list[str], user: str = "") -> list[str]:
        """`command` with the rights compose leaves it, as far as we may take them away."""
        if not IS_ROOT:
            return command
        writable = [str(folder) for folder in self.mounts(name).values()]
        enter = ["unshare", "--mount", "--propagation", "private", "sh", "-c", CONFINE, "confine"]
        return [*enter, str(self.folder), user, str(len(writable)), *writable, *command]

    # -- the play ----------------------------------------------------------------------------------

    def start(self, *names: str) -> None:
        """Start services side by side; back when the health checks of all are content."""
        for name in names:
            self.begin(name)
        for name in names:
            until(
                lambda name=name: not self.running[name].is_running or self.check(name).returncode == 0,  # type: ignore[misc]
                240,
                lambda name=name: f"{name} did not become healthy: {self.check(name)}",  # type: ignore[misc]
            )
            assert self.running[name].is_running, self.log(name).read_text(errors="replace")[-4000:]

    def begin(self, name: str) -> None:
        """Start a service; back at once."""
        process = self.made(name)
        process.start()
        if shares := self.services[name].get("cpu_shares"):
            assert process.child
            with contextlib.suppress(OSError):
                Path(f"/proc/{process.child.pid}/autogroup").write_text(str(niceness(shares)))

    def made(self, name: str) -> Process:
        how: dict[str, Callable[[], Process]] = {
            "postgres": self.postgres,
            "valkey": self.valkey,
            "rabbitmq": self.rabbitmq,
            "nginx": self.nginx,
        }
        process = self.running[name] = how[name]() if name in how else self.ours(name)
        process.log = self.log(name)
        process.log.touch()
        process.log.chmod(0o666)
        return process

    def stop(self, name: str) -> int:
        """Stop a service with its own signal within its own time; its exit code."""
        process, seconds = self.running.pop(name), self.services[name]["stop_grace_period"]
        process.ask_to_stop()
        assert process.child
        return process.child.wait(int(seconds.removesuffix("s")))

    def run(self, name: str) -> str:
        """Run a service that ends by itself; what it printed."""
        command = self.confined(name, self.command(name))
        given = self.environment(name)
        ran = subprocess.run(command, env=given, cwd=self.image, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    def check(self, name: str) -> subprocess.CompletedProcess[str]:
        """The service's health check, as the engine would run it."""
        check = [self.here(name, word) for word in self.services[name]["healthcheck"]["test"][1:]]
        if name in compose.OURS:
            given, folder = self.environment(name), self.image
        else:
            given, folder = {"PATH": f"{programs()}:{os.environ['PATH']}"}, Path("/")
        if name in ("valkey", "postgres"):  # they ask the usual port
            check += ["-p", str(self.ports[name])]
        if name == "valkey":
            check[0] = "redis-cli"  # Debian's name of it
        if name == "rabbitmq":
            check[-1] = check[-1].replace("/127.0.0.1/5672", f"/127.0.0.1/{self.ports[name]}")
        return subprocess.run(check, env=given, cwd=folder, capture_output=True, text=True, timeout=30)

    def ours(self, name: str) -> Process:
        command = self.confined(name, self.command(name))
        return Process(name, command, environment=self.environment(name), folder=self.image)

    def postgres(self) -> Process:
        """As the image's entry point does it: initdb at the first start, then the command."""
        cluster = self.mounts("postgres")["/var/lib/postgresql"] / "18"
        if not (cluster / "PG_VERSION").exists():
            make_cluster(cluster, self.services["postgres"]["environment"])
        program, *arguments = self.command("postgres")
        run = self.mounts("postgres")["/var/run/postgresql"]
        where = ["-D", str(cluster), "-p", str(self.ports["postgres"]), "-k", str(run)]
        command = [str(programs() / program), *arguments, *where, "-c", "listen_addresses=127.0.0.1"]
        command = self.confined("postgres", command, NOBODY)
        return Process("postgres", command, folder=Path("/"), stop_with=self.signal("postgres"))

    def valkey(self) -> Process:
        program, data = valkey.find(), self.mounts("valkey")["/data"]
        where = ["--port", str(self.ports["valkey"]), "--bind", "127.0.0.1", "--dir", str(data)]
        command = [str(program), *self.command("valkey")[1:], *where]
        return Process("valkey", self.confined("valkey", command, NOBODY), folder=Path("/"))

    def rabbitmq(self) -> Process:
        """Debian's RabbitMQ with our rabbitmq.conf and environment, on a port of its own."""
        node = rabbitmq.RabbitMQ(self.mounts("rabbitmq")["/var/lib/rabbitmq"])
        node.port = self.ports["rabbitmq"]
        node.folder.mkdir(exist_ok=True)
        listen = f"listeners.tcp.1 = 127.0.0.1:{node.port}\n"
        (node.folder / "rabbitmq.conf").write_text(listen + (compose.DOCKER / "rabbitmq.conf").read_text())
        (node.folder / "plugins").write_text("[].\n")
        given = node.environment() | self.services["rabbitmq"]["environment"]
        self.stop_epmd = node.stop_epmd
        return Process("rabbitmq", self.confined("rabbitmq", [str(node.program)]), environment=given)

    def nginx(self) -> Process:
        conf = self.here("nginx", (compose.DOCKER / "nginx.conf").read_text())
        (self.folder / "nginx.conf").write_text(conf)
        path = {"PATH": f"{os.environ['PATH']}:/usr/sbin"}
        command = self.confined("nginx", self.command("nginx"), NOBODY)
        return Process("nginx", command, environment=path, stop_with=self.signal("nginx"))

    def signal(self, name: str) -> signal.Signals:
        return signal.Signals[self.services[name].get("stop_signal", "SIGTERM")]

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def address(self, name: str) -> str:
        return f"http://127.0.0.1:{self.ports[name]}"

    def close(self) -> None:
        for process in reversed(list(self.running.values())):
            process.stop(10)
        if "rabbitmq" in self.running:
            self.stop_epmd()
        shutil.rmtree(self.folder, ignore_errors=True)


def niceness(shares: int) -> int:
    """Of a group whose weight is to the usual 1024 as `shares` are; a step of one is a fourth (sched(7))."""
    return round(math.log(1024 / shares, 1.25))


def make_cluster(cluster: Path, given: dict[str, Any]) -> None:
    """A database with its user and password, owned by whom PostgreSQL will run as."""
    password = cluster.with_name("password")
    password.write_text(given["POSTGRES_PASSWORD"])
    user = {"user": int(NOBODY), "group": int(NOBODY), "extra_groups": []} if IS_ROOT else {}
    how: dict[str, Any] = {"cwd": "/", "check": True, "capture_output": True, **user}
    flags = ["-A", "scram-sha-256", "-E", "UTF8", "--no-sync", f"--pwfile={password}"]
    subprocess.run([programs() / "initdb", "-D", cluster, "-U", given["POSTGRES_USER"], *flags], **how)
    words = f"create database {given['POSTGRES_DB']}\n".encode()
    subprocess.run([programs() / "postgres", "--single", "-D", cluster, "postgres"], input=words, **how)


def programs() -> Path:
    """Where PostgreSQL's programs are: those of the wheel are of the version that the compose file names."""
    found = postgres.from_wheel() or postgres.installed()
    assert found
    return found


def nginx_version() -> tuple[int, ...]:
    told = subprocess.run(["/usr/sbin/nginx", "-v"], capture_output=True, text=True).stderr
    return tuple(int(part) for part in re.findall(r"\d+", told)[:3])
