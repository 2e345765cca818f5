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
    """Passes bytes both ways while it is `up`; `down` refuses and cuts, `stall` accepts and says nothing.

    A socket is closed only when no thread can be about to use it: its number is given to the next one that
    anybody opens, and what was meant for the broker would go to a browser.
    """

    def __init__(self, target: Target) -> None:
        self.target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._is_up, self._stalls = True, False
        self._lock = threading.Lock()  # so that none comes through that is made while all are cut
        self._connections: list[socket.socket] = []
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def down(self) -> None:
        with self._lock:
            self._is_up = False
            self._cut()

    def stall(self) -> None:
        """What is sent from now on arrives nowhere; connections stay open."""
        self._stalls = True

    def up(self) -> None:
        """As before; connections that stalled are cut, since they lost bytes."""
        with self._lock:
            self._cut()
            self._is_up, self._stalls = True, False

    def _cut(self) -> None:
        while self._connections:
            with contextlib.suppress(OSError):
                self._connections.pop().shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # the listener is shut down
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError), self._connect() as service:
            with self._lock:
                if not self._is_up:
                    return
                self._connections += [client, service]
            back = threading.Thread(target=self._pass, args=(service, client), daemon=True)
            back.start()
            self._pass(client, service)
            back.join()

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
        for each in (source, sink):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.down()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # which ends accepting
        self._accepting.join()
        self._listener.close()
