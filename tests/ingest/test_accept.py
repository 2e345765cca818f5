"""What is answered, over real HTTP, and what reaches the queue."""

from __future__ import annotations

import base64
import gzip
import json
import os
import socket
import subprocess
import sys
import time
import uuid
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import brotli
import psutil
import psycopg
import pytest
from backports import zstd
from django.conf import settings

from app import models
from app.base import clock
from app.wire.record import Accepted
from tests.flow.sending import Answer, envelope
from tests.ingest.server import Queue, Server
from tests.tasks.crews import database_url, eventually

# The tests change nothing in the database by themselves; the mark is what makes pytest-django create it.
pytestmark = [pytest.mark.needs("amqp"), pytest.mark.django_db]

EVENT = b'{"message":"disk full","platform":"python"}'
#: One that is large however it is packed.
NOISE = {str(number): uuid.UUID(int=number**9).hex for number in range(99)}
LARGE = json.dumps({"message": "disk full", "extra": NOISE}).encode()


@pytest.fixture(scope="module")
def queue(server: Server) -> Queue:
    return Queue()


def arrived(queue: Queue, event_id: str) -> Accepted:
    found: Accepted = eventually(lambda: next((r for r in queue.read() if r.event_id == event_id), None))
    return found


def x_auth(key: str, more: str = "") -> dict[str, str]:
    return {"X-Sentry-Auth": f"Sentry sentry_version=7, sentry_key={key}{more}"}


def test_an_event_reaches_the_queue_as_it_was_sent(server: Server, queue: Queue) -> None:
    event_id, before = uuid.uuid4().hex, clock.micros()
    body = gzip.compress(envelope(EVENT, event_id))
    headers = {"Content-Encoding": "gzip", "User-Agent": "test/1", "X-Forwarded-For": "6.6.6.6"}
    answer = server.sender.envelope(body, **headers)
    assert (answer.status, answer.json) == (200, {"id": event_id})
    record = arrived(queue, event_id)
    assert (record.project_id, record.key_id) == (server.key.project_id, server.key.pk)
    assert (record.kind, record.encoding, record.body) == ("envelope", "gzip", body)
    assert (record.client, record.agent, record.address) == ("by-hand/1", "test/1", "127.0.0.1")
    assert before <= record.received <= clock.micros()


def test_the_message_is_raw_bytes_that_celery_runs(server: Server, queue: Queue) -> None:
    event_id = uuid.uuid4().hex
    server.sender.message("one", event_id)
    record = arrived(queue, event_id)
    message = queue.groups[-1]
    assert message.content_type == "application/x-tocsin-group"
    assert message.headers["task"] == "events.process_group"
    assert message.properties["delivery_mode"] == 2
    assert record.body in bytes(message.body)


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("", bytes),
        ("identity", bytes),
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("br", brotli.compress),
        ("zstd", zstd.compress),
    ],
)
def test_every_encoding_is_taken(
    server: Server, queue: Queue, encoding: str, pack: Callable[[bytes], bytes]
) -> None:
    for send in (server.sender.envelope, server.sender.store):
        event_id = uuid.uuid4().hex
        event = json.dumps({"event_id": event_id, "message": "packed"}).encode()
        body = pack(envelope(event, event_id) if send.__name__ == "envelope" else event)
        answer = send(body, **({"Content-Encoding": encoding} if encoding else {}))
        assert (answer.status, answer.json) == (200, {"id": event_id})
        assert arrived(queue, event_id).body == body


def test_the_old_bodies_are_taken(server: Server, queue: Queue) -> None:
    event_id = uuid.uuid4().hex
    event = json.dumps({"event_id": str(uuid.UUID(event_id)), "message": "old"}).encode()
    for body in (event, base64.b64encode(event), base64.b64encode(zlib.compress(event))):
        answer = server.sender.store(body)
        assert (answer.status, answer.json) == (200, {"id": event_id})
    assert arrived(queue, event_id).kind == "store"
    answer = server.sender.post("/api/store/", event, server.sender.auth)
    assert (answer.status, answer.json) == (200, {"id": event_id})


def test_an_envelope_at_the_store_address_is_an_envelope(server: Server, queue: Queue) -> None:
    event_id = uuid.uuid4().hex
    answer = server.sender.store(
        envelope(EVENT, event_id), **{"Content-Type": "application/x-sentry-envelope"}
    )
    assert answer.json == {"id": event_id}
    assert arrived(queue, event_id).kind == "envelope"


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b'{"event_id":"%s"}\n{"type":"event"}\n{}', True),
        (b'{"event_id":"%s"}\n{"type":"session"}\n{}', True),
        (b'{}\n{"type":"event"}\n{"event_id":"%s"}', True),
        (b'{}\n{"type":"nobody_knows"}\n{}\n{"type":"event"}\n{"event_id":"%s","x":NaN}', True),
    ],
)
def test_the_id_in_an_envelope_is_the_one_that_is_answered(server: Server, body: bytes, named: bool) -> None:
    event_id = uuid.uuid4().hex
    assert server.sender.envelope(body.replace(b"%s", event_id.encode())).json == {"id": event_id}


def test_an_event_without_an_id_gets_one_that_travels_with_it(server: Server, queue: Queue) -> None:
    bodies: list[Callable[[], Answer]] = [
        lambda: server.sender.envelope(b'{}\n{"type":"event"}\n{}'),
        lambda: server.sender.envelope(b'{}\n{"type":"event"}\n{"event_id":7}'),
        lambda: server.sender.store(b"{}"),
        lambda: server.sender.store(b'{"event_id":"nonsense"}'),
    ]
    for send in bodies:
        answer = send()
        assert len(answer.json["id"]) == 32
        assert arrived(queue, answer.json["id"])
    assert server.sender.envelope(b'{}\n{"type":"session"}\n{}').json == {}
    assert server.sender.envelope(b"{}").json == {}


@pytest.mark.parametrize(
    "address", ["/api/{p}/envelope/", "/api/{p}/envelope", "/api/{p}/store", "/api/store"]
)
def test_each_place_for_a_key_works_at_each_address(server: Server, address: str) -> None:
    path, key = address.format(p=server.key.project_id), server.key.public_key
    body = envelope(EVENT) if "envelope" in path else EVENT
    basic = base64.b64encode(f"{key}:".encode()).decode()
    for headers, query in (
        (x_auth(key), ""),
        ({"Authorization": x_auth(key)["X-Sentry-Auth"]}, ""),
        ({"Authorization": f"Basic {basic}"}, ""),
        ({}, f"?sentry_version=7&sentry_key={key}"),
    ):
        assert server.sender.post(path + query, body, headers).status == 200


def test_the_dsn_in_the_envelope_is_enough(server: Server) -> None:
    path = f"/api/{server.key.project_id}/envelope/"
    header = json.dumps({"dsn": server.dsn}).encode()
    body = header + b'\n{"type":"event"}\n{}'
    assert server.sender.post(path, body, {}).status == 200
    assert server.sender.post(path, gzip.compress(body), {"Content-Encoding": "gzip"}).status == 200
    assert server.sender.envelope(body).status == 200
    other = server.dsn.replace(server.key.public_key, "f" * 32)
    body = json.dumps({"dsn": other}).encode() + b'\n{"type":"event"}\n{}'
    assert server.sender.post(path, body, {}).status == 403
    assert server.sender.envelope(body).status == 403
    assert server.sender.post(path, b'{"dsn":7}\n', {}).status == 400


def bomb() -> bytes:
    return gzip.compress(bytes(200 * 1024 * 1024), 1)


GZIP = {"Content-Encoding": "gzip"}
BAD: list[tuple[str, int, bytes, dict[str, str]]] = [
    ("an empty body", 400, b"", {}),
    ("no envelope", 400, b"hello\n", {}),
    ("a header without its end", 400, b'{"event_id":', {}),
    ("a list", 400, b"[]\n", {}),
    ("a deep header", 400, b'{"a":' + b"[" * 10_000 + b"]" * 10_000 + b"}\n", {}),
    ("an id that is none", 400, b'{"event_id":"nonsense"}\n', {}),
    ("an id with a line end in it", 400, b'{"event_id":"a\\r\\nSet-Cookie: x=1"}\n', {}),
    ("an event that is no JSON", 400, envelope(b"disk full"), {}),
    ("an event that is a list", 400, envelope(b"[{}]"), {}),
    ("an event that ends too early", 400, gzip.compress(envelope(b'{"message":"disk')), GZIP),
    ("an event that is empty", 400, envelope(b""), {}),
    ("a cut payload", 400, b'{}\n{"type":"event","length":9}\n{}', {}),
    ("a NUL", 400, b"\0\n", {}),
    ("no UTF-8", 400, b'{"a":"\xff"}\n', {}),
    ("gzip that is none", 400, envelope(EVENT), GZIP),
    ("cut gzip", 400, gzip.compress(envelope(EVENT))[:-9], GZIP),
    ("a large event cut", 400, gzip.compress(envelope(LARGE))[:-9], GZIP),
    ("a large event with rubbish behind", 400, gzip.compress(envelope(LARGE)) + b"rubbish", GZIP),
    ("a large event and a cut one", 400, gzip.compress(envelope(LARGE) + b'{"type":"event"}\n{'), GZIP),
    ("a large event that is no JSON", 400, gzip.compress(envelope(LARGE[1:])), GZIP),
    ("an unknown encoding", 415, envelope(EVENT), {"Content-Encoding": "rot13"}),
    ("an event over 1 MB", 413, envelope(b'{"a":"' + b"x" * 2**20 + b'"}'), {}),
    ("an event over 1 MB, packed", 413, gzip.compress(envelope(b'{"a":"' + b"x" * 2**21 + b'"}')), GZIP),
    ("a body over 20 MB", 413, bytes(20 * 2**20 + 1), {}),
    ("a zip bomb", 413, b'{"event_id":null}\n', {}),
]


@pytest.mark.parametrize(
    ("status", "body", "headers"), [case[1:] for case in BAD], ids=[case[0] for case in BAD]
)
def test_what_is_no_envelope_is_refused_so_that_a_browser_can_read_why(
    server: Server, status: int, body: bytes, headers: dict[str, str]
) -> None:
    if status == 413 and len(body) < 99:
        body, headers = gzip.compress(b'{}\n{"type":"attachment"}\n') + bomb(), GZIP
    answer = server.sender.envelope(body, **headers)
    assert answer.status == status
    assert answer.json["detail"] == answer.json["error"]
    assert answer.headers["x-sentry-error"].isascii()
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "X-Sentry-Error" in answer.headers["access-control-expose-headers"]
    assert server.sender.message("the connection is still good").status == 200


def test_damage_in_the_middle_of_a_large_event_is_for_the_worker_to_find(
    server: Server, queue: Queue
) -> None:
    body = bytearray(gzip.compress(envelope(LARGE, "d" * 32)))
    body[len(body) // 2] ^= 0xFF
    assert server.sender.envelope(bytes(body), **GZIP).json == {"id": "d" * 32}
    assert arrived(queue, "d" * 32).body == body


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, b""),
        (400, b"hello"),
        (400, b'{"message":'),
        (400, b'{"message":}'),
        (400, base64.b64encode(b"hello")),
        (413, base64.b64encode(zlib.compress(b'{"a":"' + b"x" * 2**21 + b'"}'))),
        (413, b'{"a":"' + b"x" * 2**20 + b'"}'),
        (200, b'{"a":' + b"[" * 10_000 + b"]" * 10_000 + b"}"),
        (200, b'{"a":NaN,"b":"\\ud800"}'),
        (200, b'{"a":"\xff\0\1"}'),
        (200, b'\xef\xbb\xbf{"a":1}'),
    ],
)
def test_what_is_no_event_is_refused_at_the_old_address(server: Server, status: int, body: bytes) -> None:
    assert server.sender.store(body).status == status


def test_a_stranger_is_told_what_is_wrong(server: Server) -> None:
    sender, body = server.sender, envelope(EVENT)
    path = f"/api/{sender.project}/envelope/"
    assert sender.post(path, body, x_auth("f" * 32)).status == 403
    assert sender.post(path, body, x_auth("nonsense")).status == 400
    assert sender.post(path, body, {}).status == 401
    assert sender.post(f"/api/{sender.project}/store/", EVENT, {}).status == 401
    assert sender.post("/api/999999/envelope/", body, sender.auth).status == 403
    assert sender.post("/api/shop/envelope/", body, sender.auth).status == 400
    assert sender.post(f"/api/{'9' * 30}/envelope/", body, sender.auth).status == 400
    assert sender.post("/api/1/nothing/", body, sender.auth).status == 404


def test_a_browser_may_ask_before_it_sends(server: Server) -> None:
    path = f"/api/{server.key.project_id}/envelope/"
    asked = {"Access-Control-Request-Headers": "x-sentry-auth", "Origin": "https://shop.example"}
    status, headers, _ = server.get(path, "OPTIONS", **asked)
    assert status == 200
    assert headers["access-control-allow-origin"] == "*"
    assert "POST" in headers["access-control-allow-methods"]
    for name in ("X-Sentry-Auth", "Content-Encoding", "Content-Type", "Authorization"):
        assert name in headers["access-control-allow-headers"]
    status, headers, _ = server.get(path)
    assert (status, headers["allow"]) == (405, "POST, OPTIONS")
    status, headers, _ = server.get(path.replace("envelope", "store"), "PUT")
    assert (status, headers["allow"]) == (405, "GET, POST, OPTIONS")


def test_wrong_keys_in_a_flood_do_not_lock_out_the_right_one(server: Server) -> None:
    def wrong(_: int) -> int:
        return server.sender.post("/api/1/envelope/", envelope(EVENT), x_auth(uuid.uuid4().hex)).status

    with ThreadPoolExecutor(8) as pool:
        flood = pool.map(wrong, range(1500))
        right = [server.sender.message("right").status for _ in range(100)]
        assert set(flood) == {403}
    assert set(right) == {200}


def test_a_body_cut_in_the_middle_leaves_nothing(server: Server, queue: Queue) -> None:
    event_id, last = uuid.uuid4().hex, uuid.uuid4().hex
    body = envelope(EVENT, event_id)
    auth = x_auth(server.key.public_key)["X-Sentry-Auth"]
    for framing in (
        f"Content-Length: {len(body) + 1}\r\n\r\n",
        f"Transfer-Encoding: chunked\r\n\r\n{len(body):x}\r\n",
    ):
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            head = f"POST /api/{server.key.project_id}/envelope/ HTTP/1.1\r\nHost: x\r\n"
            connection.sendall(f"{head}X-Sentry-Auth: {auth}\r\n{framing}".encode() + body)
            connection.shutdown(socket.SHUT_WR)
            assert b" 200 " not in connection.recv(9999)
    server.sender.message("later", last)
    arrived(queue, last)
    assert event_id not in queue.ids()


def test_refusals_are_counted_for_the_usage_page(server: Server, queue: Queue) -> None:
    server.sender.envelope(b"hello")
    server.sender.envelope(b"hello", **{"Content-Encoding": "br"})

    def counted() -> bool:
        rows = [row for record in queue.read() if record.kind == "counts" for row in json.loads(record.body)]
        reasons = {
            row[4] for row in rows if row[:4] == [server.key.project_id, server.key.pk, "error", "invalid"]
        }
        return {"invalid_envelope", "invalid_encoding"} <= reasons and all(row[6] > 0 for row in rows)

    eventually(counted)


def test_a_process_that_only_accepts_is_small(server: Server) -> None:
    assert psutil.Process(server.worker().pid).memory_info().rss < 70 * 1024 * 1024


def test_a_process_that_only_accepts_loads_nothing_else() -> None:
    foreign = ["django.db", "django.template", "rest_framework", "celery", "app.models", "app.web"]
    program = f"import sys, app.asgi; print([name for name in {foreign} if name in sys.modules])"
    environment = {**os.environ, "SERVE": "ingest"}
    loaded = subprocess.check_output([sys.executable, "-c", program], env=environment, cwd=settings.ROOT)
    assert loaded.split() == [b"[]"]


def test_health_tells_what_waits(server: Server) -> None:
    assert server.get("/_health/")[0] == 200
    assert server.get("/api/relay/healthcheck/live/")[0] == 200
    state = json.loads(server.get("/_health/?full")[2])
    assert state["broker"] == {"ok": True, "error": ""}
    assert state["journal"]["waiting_bytes"] >= 0


def set_active(key: models.DsnKey, is_active: bool) -> None:
    """At once and for everybody, whatever transaction a test runs in."""
    with psycopg.connect(database_url()) as connection:
        connection.execute("UPDATE app_dsnkey SET is_active = %s WHERE id = %s", [is_active, key.pk])


def test_a_disabled_key_is_refused_within_seconds(server: Server, key: models.DsnKey) -> None:
    assert server.sender.message("one").status == 200
    set_active(key, False)
    try:
        began = time.monotonic()
        eventually(lambda: server.sender.message("two").status == 403)
        assert time.monotonic() - began < 7
    finally:
        set_active(key, True)
        eventually(lambda: server.sender.message("three").status == 200)


def set_limit(key: models.DsnKey, limit: int | None, window: int | None) -> None:
    with psycopg.connect(database_url()) as connection:
        connection.execute(
            "UPDATE app_dsnkey SET rate_limit = %s, rate_window = %s WHERE id = %s", [limit, window, key.pk]
        )


def test_a_limit_of_a_key_is_obeyed_within_seconds_and_lifted_again(
    server: Server, queue: Queue, key: models.DsnKey
) -> None:
    set_limit(key, 0, 3600)
    try:
        answer = eventually(lambda: (one := server.sender.message("one")).status == 429 and one)
        seconds = int(answer.headers["retry-after"])
        assert 0 < seconds <= 3600
        assert answer.headers["x-sentry-rate-limits"].startswith(f"{seconds}:default;error;transaction;")
        assert answer.headers["x-sentry-rate-limits"].endswith(":key:key_quota")
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "X-Sentry-Rate-Limits" in answer.headers["access-control-expose-headers"]
        eventually(lambda: any(b'"rate_limited","key_quota"' in record.body for record in queue.read()))
        set_limit(key, 3, 3600)
        eventually(lambda: server.sender.envelope(b'{}\n{"type":"session"}\n{}').status == 200)
        assert [server.sender.message("few").status for _ in range(5)] == [200] * 3 + [429] * 2
    finally:
        set_limit(key, None, None)
        eventually(lambda: server.sender.message("free").status == 200)
