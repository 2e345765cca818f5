from __future__ import annotations

import os
import socket

import pytest

from app.local.port import check_free
from app.local.process import NotReady


def test_a_taken_port_is_told_with_who_has_it() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(
            NotReady, match=rf"Port {port} is taken by \S+ \(process {os.getpid()}\): .*--port"
        ):
            check_free(port)
    check_free(port)
