"""A RabbitMQ node of our own, from the system's packages: for the tests."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from pathlib import Path

from app.local.process import NotReady, Process
from app.local.server import free_port, launch

PROGRAM = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")


def find() -> Path | None:
    """The server itself: Debian's wrapper in /usr/sbin insists on its own user."""
    return PROGRAM if PROGRAM.exists() else None


class RabbitMQ:
    """A node apart from every other one: own ports, cookie, epmd and data. Raises NotReady."""

    name = "rabbitmq"

    def __init__(self, data: Path, plugins: tuple[str, ...] = ()) -> None:
        found = find()
        if found is None:
            raise NotReady("RabbitMQ is not installed: apt-get install -y rabbitmq-server")
        self.program = found
        self.folder = data / "rabbitmq"
        self.plugins = plugins
        self.port, self.distribution, self.epmd = free_port(), free_port(), free_port()
        self.process: Process | None = None

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.port}//"

    def start(self) -> RabbitMQ:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "rabbitmq.conf").write_text(f"listeners.tcp.1 = 127.0.0.1:{self.port}\n")
        (self.folder / "plugins").write_text(f"[{','.join(self.plugins)}].\n")
        self.process = Process(
            self.name, [str(self.program)], environment=self.environment(), log=self.folder / "node.log"
        )
        launch(self.process, self.answers, seconds=90)
        return self

    def stop(self, seconds: float = 20) -> None:
        if self.process:
            self.process.stop(seconds)
        self.stop_epmd()

    def kill(self) -> None:
        """As a power cut would; `start()` brings the same node back with what it had written."""
        if self.process:
            self.process.kill()
        self.stop_epmd()

    def environment(self) -> dict[str, str]:
        here = str(self.folder)
        return {
            **os.environ,
            "HOME": here,  # the cookie
            "RABBITMQ_NODENAME": f"tocsin{self.port}@localhost",
            "RABBITMQ_DIST_PORT": str(self.distribution),
            "ERL_EPMD_PORT": str(self.epmd),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_MNESIA_BASE": f"{here}/mnesia",
            "RABBITMQ_LOG_BASE": f"{here}/log",
            "RABBITMQ_CONFIG_FILE": f"{here}/rabbitmq.conf",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{here}/plugins",
        }

    def answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
                connection.sendall(b"AMQP\x00\x00\x09\x01")
                return connection.recv(1) == b"\x01"  # connection.start
        except OSError:
            return False

    def stop_epmd(self) -> None:
        """epmd is a daemon: it left our process group, and goes only when told."""
        if epmd := shutil.which("epmd"):
            subprocess.run([epmd, "-port", str(self.epmd), "-kill"], check=False, capture_output=True)
