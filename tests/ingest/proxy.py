"""A TCP proxy in front of a real service, to take the service away and give it back."""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType
from typing import Self

from django.db import connection

Target = tuple[str, int] | str


def before_postgres() -> Proxy:
    """A proxy before the test's database server."""
    given = connection.get_connection_params()
    host, port = given.get("host") or "127.0.0.1", int(given.get("port") or 5432)
    return Proxy(f"{host}/.s.PGSQL.{port}" if host.startswith("/") else (host, port))


class Proxy:
    """Passes bytes both ways while it is `up`; `down` refuses and cuts, `stall` accepts and says nothing."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._is_up, self._stalls = True, False
        self._connections: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def down(self) -> None:
        self._is_up = False
        self._cut()

    def stall(self) -> None:
        """What is sent from now on arrives nowhere; connections stay open."""
        self._stalls = True

    def up(self) -> None:
        """As before; connections that stalled are cut, since they lost bytes."""
        self._cut()
        self._is_up, self._stalls = True, False

    def _cut(self) -> None:
        while self._connections:
            with contextlib.suppress(OSError):
                self._connections.pop().shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                if not self._is_up:
                    client.close()
                    continue
                service = self._connect()
                self._connections += [client, service]
                for source, sink in ((client, service), (service, client)):
                    threading.Thread(target=self._pass, args=(source, sink), daemon=True).start()

    def _connect(self) -> socket.socket:
        if isinstance(self.target, tuple):
            return socket.create_connection(self.target)
        service = socket.socket(socket.AF_UNIX)
        service.connect(self.target)
        return service

    def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if not self._stalls:
                    sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)
        source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.close()
        self._cut()
