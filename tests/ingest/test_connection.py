"""The connection itself: what HTTP allows, in what pieces it may come, and who answers."""

from __future__ import annotations

import gzip
import json
import random
import signal
import socket
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import models
from tests.flow.sending import envelope
from tests.ingest.server import Queue, Server
from tests.tasks.crews import eventually

pytestmark = [pytest.mark.needs("amqp"), pytest.mark.django_db]

EVENT = b'{"message":"disk full","platform":"python"}'


class Client:
    """A raw connection that reads whole answers."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=10)
        self.left = b""

    def head(self, *more: str, method: str = "POST", path: str = "") -> bytes:
        path = path or f"/api/{self.server.key.project_id}/envelope/"
        auth = f"X-Sentry-Auth: Sentry sentry_version=7, sentry_key={self.server.key.public_key}"
        return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: x", auth, *more, "", ""]).encode()

    def request(self, body: bytes, *more: str, path: str = "") -> bytes:
        return self.head(f"Content-Length: {len(body)}", *more, path=path) + body

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def line(self) -> bytes:
        while b"\r\n\r\n" not in self.left:
            piece = self.socket.recv(65536)
            assert piece, "the connection was closed"
            self.left += piece
        head, _, self.left = self.left.partition(b"\r\n\r\n")
        return head

    def answer(self, *, has_body: bool = True) -> tuple[int, bytes, bytes]:
        """Status, head, body."""
        head = self.line()
        lengths = [part for part in head.lower().split(b"\r\n") if part.startswith(b"content-length:")]
        length = int(lengths[0].partition(b":")[2]) if has_body else 0
        while len(self.left) < length:
            self.left += self.socket.recv(65536)
        body, self.left = self.left[:length], self.left[length:]
        return int(head[9:12]), head, body


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    made = Client(server)
    yield made
    made.socket.close()


def ids(count: int) -> list[str]:
    return [uuid.uuid4().hex for _ in range(count)]


def test_pipelined_requests_are_answered_in_their_order(server: Server, client: Client) -> None:
    sent = ids(30)
    client.send(b"".join(client.request(envelope(EVENT, each)) for each in sent))
    assert [json.loads(client.answer()[2])["id"] for _ in sent] == sent
    Queue().wait_for(set(sent))


def test_ours_and_uvicorns_requests_share_a_connection(client: Client) -> None:
    [event_id] = ids(1)
    health = client.head(method="GET", path="/_health/")
    ours = client.request(envelope(EVENT, event_id))
    client.send(health + ours + health + client.request(b"", path="/api/1/nothing/") + ours)
    assert [client.answer()[0] for _ in range(5)] == [200, 200, 200, 404, 200]


def test_a_request_may_come_byte_by_byte(client: Client) -> None:
    [event_id] = ids(1)
    client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for byte in client.request(gzip.compress(envelope(EVENT, event_id)), "Content-Encoding: gzip"):
        client.send(bytes([byte]))
    assert json.loads(client.answer()[2]) == {"id": event_id}


def test_a_chunked_body_is_one_body(client: Client) -> None:
    [event_id] = ids(1)
    body = envelope(EVENT, event_id)
    client.send(client.head("Transfer-Encoding: chunked"))
    for at in range(0, len(body), 7):
        piece = body[at : at + 7]
        client.send(b"%x\r\n%b\r\n" % (len(piece), piece))
    client.send(b"0\r\n\r\n")
    assert json.loads(client.answer()[2]) == {"id": event_id}


def test_a_client_that_asks_first_is_told_to_go_on_or_why_not(client: Client) -> None:
    [event_id] = ids(1)
    body = envelope(EVENT, event_id)
    expect = (f"Content-Length: {len(body)}", "Expect: 100-continue")
    client.send(client.head(*expect))
    assert client.line() == b"HTTP/1.1 100 Continue"
    client.send(body)
    assert json.loads(client.answer()[2]) == {"id": event_id}
    client.send(client.head(f"Content-Length: {2**40}", "Expect: 100-continue"))
    assert client.answer()[0] == 413


def test_an_address_may_be_written_in_other_ways(server: Server, client: Client) -> None:
    project = server.key.project_id
    for path in (f"http://x/api/{project}/envelope/?a=b", f"/api/{project}/%65nvelope/"):
        client.send(client.request(envelope(EVENT), path=path))
        assert client.answer()[0] == 200


def test_head_has_no_body_and_is_not_allowed(client: Client) -> None:
    client.send(client.head(method="HEAD") + client.request(envelope(EVENT)))
    status, head, _ = client.answer(has_body=False)
    assert status == 405
    assert b"allow: POST, OPTIONS" in head
    assert client.answer()[0] == 200


@pytest.mark.parametrize("version", ["HTTP/1.0", "HTTP/1.1"])
def test_a_client_that_wants_to_close_is_closed(client: Client, version: str) -> None:
    request = client.request(envelope(EVENT), "Connection: close").replace(b"HTTP/1.1", version.encode(), 1)
    client.send(request)
    status, head, _ = client.answer()
    assert status == 200
    assert b"connection: close" in head
    assert client.socket.recv(1) == b""


def test_no_http_at_all_is_refused_and_closed(client: Client) -> None:
    client.send(b"hello\r\n\r\n")
    assert client.line().startswith(b"HTTP/1.1 400")


def test_a_body_is_read_no_faster_than_it_is_wanted(server: Server, client: Client) -> None:
    """A stranger's large body is refused by its key, while most of it is still to come."""
    stranger = client.head(f"Content-Length: {10 * 2**20}").replace(
        server.key.public_key.encode(), uuid.uuid4().hex.encode()
    )
    client.send(stranger + bytes(100_000))
    assert client.answer()[0] == 403


def test_a_connection_cut_anywhere_in_a_body_keeps_nothing(server: Server) -> None:
    queue, cut, whole = Queue(), [], []
    for _ in range(40):
        [event_id, neighbour] = ids(2)
        with Client(server).socket as connection:
            dying = Client(server)
            body = gzip.compress(envelope(EVENT + b" " * random.randrange(100), event_id))
            request = dying.request(body, "Content-Encoding: gzip")
            dying.send(request[: len(request) - random.randrange(1, len(body) + 1)])
            connection.sendall(dying.request(envelope(EVENT, neighbour)))
            dying.socket.close()
            assert b" 200 " in connection.recv(9999)
        cut.append(event_id)
        whole.append(neighbour)
    queue.wait_for(set(whole))
    assert not queue.ids() & set(cut)
    assert json.loads(server.get("/_health/?full")[2])["journal"]["waiting_bytes"] == 0


def test_a_group_is_no_larger_than_what_came_in_and_a_small_head(server: Server) -> None:
    queue, sent = Queue(), ids(50)
    queue.read()
    bodies = [gzip.compress(envelope(b'{"a":"%b"}' % random.randbytes(1500).hex().encode(), i)) for i in sent]
    for body in bodies:
        assert server.sender.envelope(body, **{"Content-Encoding": "gzip"}).status == 200
    queue.wait_for(set(sent))
    groups = [len(bytes(message.body)) for message in queue.groups[-50:]]
    assert sum(groups) <= sum(map(len, bodies)) + 50 * 250


def test_a_slow_client_delays_nobody(server: Server, client: Client) -> None:
    body = envelope(EVENT)
    client.send(client.head(f"Content-Length: {len(body)}") + body[:10])
    assert server.sender.message("beside it").status == 200
    client.send(body[10:])
    assert client.answer()[0] == 200


def test_a_body_under_way_is_waited_for_by_a_server_that_stops(
    key: models.DsnKey, broker: str, tmp_path: Path
) -> None:
    [event_id] = ids(1)
    server = Server(key, tmp_path).start()
    client = Client(server)
    body = envelope(EVENT, event_id)
    client.send(client.head(f"Content-Length: {len(body)}") + body[:10])
    assert server.sender.message("it was read").status == 200
    assert server.process.child
    server.process.child.send_signal(signal.SIGTERM)
    eventually(lambda: not is_open(server.port))
    client.send(body[10:])
    assert json.loads(client.answer()[2]) == {"id": event_id}
    server.stop()
    Queue().wait_for({event_id})


def is_open(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError:
        return False
    return True
