"""Addresses beside the SDKs' own, over real HTTP: what is answered, and what reaches the queue."""

from __future__ import annotations

import base64
import gzip
import json
import uuid
from functools import partial
from typing import Any

import msgspec
import psycopg
import pytest

from app import models
from app.wire import compress, envelope
from app.wire.record import Accepted
from tests.flow.sending import Answer
from tests.ingest.server import Queue, Server
from tests.ingest.test_accept import set_limit
from tests.ingest.test_native import DUMP, FILE, TYPE, form
from tests.tasks.crews import database_url, eventually

pytestmark = [pytest.mark.needs("amqp"), pytest.mark.django_db]

CSP = b'{"csp-report":{"document-uri":"https://shop.example/","effective-directive":"img-src"}}'


@pytest.fixture(scope="module")
def queue(server: Server) -> Queue:
    return Queue()


def send(server: Server, path: str, body: bytes, content_type: str = "", **headers: str) -> Answer:
    """To an address of the project, with the key in the query unless `path` has one."""
    key, project = server.key.public_key, server.key.project_id
    path = path.replace("KEY", key) if "KEY" in path else f"{path}?sentry_key={key}"
    return server.sender.post(f"/api/{project}/{path}", body, {"Content-Type": content_type, **headers})


def item(queue: Queue, mark: bytes) -> tuple[Accepted, envelope.Item]:
    """The one whose payload has `mark` in it, with its record."""

    def found() -> tuple[Accepted, envelope.Item] | None:
        for record in queue.read():
            if record.kind != "envelope":
                continue
            whole = envelope.split(compress.decompress(record.body, record.encoding, 10**9))
            for each in whole.items:
                if mark in bytes(each.payload):
                    return record, each
        return None

    whole: tuple[Accepted, envelope.Item] = eventually(found)
    return whole


def unique(body: bytes) -> tuple[bytes, bytes]:
    """`body` with a word of its own in it, and that word."""
    word = uuid.uuid4().hex.encode()
    return body.replace(b"shop", word, 1), word


@pytest.mark.parametrize("address", ["security/", "csp-report/", "security"])
def test_a_browsers_report_is_kept_as_it_came(server: Server, queue: Queue, address: str) -> None:
    body, mark = unique(CSP)
    key = server.key.public_key
    answer = server.sender.post(
        f"/api/{server.key.project_id}/{address}?sentry_key={key}&sentry_release=1.2&sentry_environment=prod",
        gzip.compress(body),
        {"Content-Type": "application/csp-report; charset=utf-8", "Content-Encoding": "gzip",
         "Origin": "https://shop.example", "User-Agent": "Mozilla/5.0"},
    )  # fmt: skip
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["access-control-allow-origin"] == "*"
    record, one = item(queue, mark)
    assert record.agent == "Mozilla/5.0"
    assert bytes(one.payload) == body
    assert one.headers == {
        "type": "raw_security", "content_type": "application/csp-report", "sentry_release": "1.2",
        "sentry_environment": "prod", "length": len(body),
    }  # fmt: skip


@pytest.mark.parametrize("content_type", ["text/plain", "", "application/x-www-form-urlencoded"])
def test_a_report_of_another_content_type_is_refused(server: Server, content_type: str) -> None:
    answer = send(server, "security/", CSP, content_type)
    assert answer.status == 415
    assert answer.headers["x-sentry-error"] == answer.json["detail"]


@pytest.mark.parametrize("address", ["security/", "nel/"])
@pytest.mark.parametrize("body", [b"{", b"report", b" ", b'"text"', b"[}"])
def test_a_report_that_is_no_json_is_refused(server: Server, address: str, body: bytes) -> None:
    answer = send(server, address, body, "application/json")
    assert answer.status == 400
    assert answer.headers["x-sentry-error"] == answer.json["detail"]


def test_network_errors_are_kept(server: Server, queue: Queue) -> None:
    body, mark = unique(b'[{"type":"network-error","url":"https://shop.example/"}]')
    assert send(server, "nel/", body, "application/reports+json").status == 200
    assert item(queue, mark)[1].headers["type"] == "nel"


def test_a_check_in_by_address_alone(server: Server, queue: Queue) -> None:
    slug = uuid.uuid4().hex
    path = f"/api/{server.key.project_id}/cron/{slug}/{server.key.public_key}/"
    status, headers, body = server.get(f"{path}?status=ok&duration=2.5&environment=prod")
    assert (status, body) == (202, b"")
    assert headers["access-control-allow-origin"] == "*"
    one = item(queue, slug.encode())[1]
    assert one.headers["type"] == "check_in"
    assert msgspec.json.decode(one.payload) == {
        "status": "ok", "duration": "2.5", "environment": "prod", "monitor_slug": slug,
        "check_in_id": "0" * 32,
    }  # fmt: skip


@pytest.mark.parametrize("path", ["cron/{}/KEY/", "cron/{}/"])
def test_a_check_in_as_json(server: Server, queue: Queue, path: str) -> None:
    slug, check_in = uuid.uuid4().hex, uuid.uuid4().hex
    schedule = {"type": "crontab", "value": "15 2 * * *"}
    body = {"status": "in_progress", "check_in_id": check_in, "monitor_config": {"schedule": schedule}}
    answer = send(server, path.format(slug), json.dumps(body).encode(), "application/json")
    assert answer.status == 202
    told = msgspec.json.decode(item(queue, slug.encode())[1].payload)
    assert told == {**body, "monitor_slug": slug}


@pytest.mark.parametrize("body", [b'{"status":"fine"}', b"[]", b"{", b""])
def test_a_check_in_that_says_nothing_is_refused(server: Server, body: bytes) -> None:
    assert send(server, "cron/nightly/KEY/", body).status == 400


def test_an_unreal_crash_is_kept_whole(server: Server, queue: Queue) -> None:
    mark = uuid.uuid4().bytes
    answer = send(server, "unreal/KEY/?UserID=login|epic|machine", b"packed " + mark)
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/plain")
    record, one = item(queue, mark)
    assert answer.body.decode() == str(uuid.UUID(record.event_id))
    assert one.headers["user_id"] == "login|epic|machine"
    assert bytes(one.payload) == b"packed " + mark


def test_a_minidump_is_an_event_with_an_attachment(server: Server, queue: Queue) -> None:
    mark = uuid.uuid4().bytes
    event_id = uuid.uuid4()
    told = json.dumps({"event_id": event_id.hex, "release": "game@1"}).encode()
    answer = send(server, "minidump/", form((FILE, DUMP + mark), ('name="sentry"', told)), TYPE)
    assert (answer.status, answer.body) == (200, str(event_id).encode())
    record, one = item(queue, mark)
    assert record.event_id == event_id.hex
    assert one.headers["attachment_type"] == "event.minidump"
    whole = envelope.split(compress.decompress(record.body, record.encoding, 10**9))
    assert whole.header["event_id"] == event_id.hex
    assert [each.headers["type"] for each in whole.items] == ["event", "attachment"]


def test_a_large_minidump_is_packed_and_a_false_one_refused(server: Server, queue: Queue) -> None:
    mark = uuid.uuid4().bytes
    dump = DUMP + bytes(3 * 1024**2) + mark
    answer = send(
        server, "minidump/", gzip.compress(dump), "application/x-dmp", **{"Content-Encoding": "gzip"}
    )
    assert answer.status == 200
    record, one = item(queue, mark)
    assert bytes(one.payload) == dump
    assert len(record.body) < len(dump) // 10
    assert send(server, "minidump/", b"ELF", "application/x-dmp").status == 400


def test_attachments_may_come_after_their_event(server: Server, queue: Queue) -> None:
    mark, event_id = uuid.uuid4().bytes, uuid.uuid4()
    body = form(('name="a"; filename="df.txt"', b"100 %" + mark), ('name="b"', b"no file"))
    answer = send(server, f"events/{event_id}/attachments/", body, TYPE)
    assert answer.status == 201
    record, one = item(queue, mark)
    assert record.event_id == event_id.hex
    assert one.headers["filename"] == "df.txt"
    assert send(server, "events/nonsense/attachments/", body, TYPE).status == 400
    assert send(server, f"events/{event_id}/attachments/", body, "text/plain").status == 400


@pytest.mark.parametrize(
    ("address", "content_type", "expected"),
    [
        ("integration/otlp/v1/traces/", "application/x-protobuf", b""),
        ("otlp/v1/traces", "application/json", b"{}"),
        ("integration/otlp/v1/logs", "application/json", b"{}"),
    ],
)
def test_an_exporter_of_opentelemetry_is_answered_in_its_words(
    server: Server, queue: Queue, address: str, content_type: str, expected: bytes
) -> None:
    mark = uuid.uuid4().bytes
    path = f"/api/{server.key.project_id}/{address}"
    auth = {"x-sentry-auth": f"sentry sentry_key={server.key.public_key}", "Content-Type": content_type}
    answer = server.sender.post(path, b"spans" + mark, auth)
    assert (answer.status, answer.body) == (200, expected)
    assert answer.headers["content-type"] == content_type
    one = item(queue, mark)[1]
    assert one.headers["type"] == ("otlp_logs" if "logs" in address else "otlp_traces")
    assert one.headers["content_type"] == content_type


def test_an_event_in_the_address_of_an_image(server: Server, queue: Queue) -> None:
    event = base64.b64encode(b'{"message":"from 2014"}').decode()
    key = server.key
    query = f"sentry_version=4&sentry_client=raven-js/1.0&sentry_key={key.public_key}&sentry_data={event}"
    status, headers, body = server.get(f"/api/{key.project_id}/store/?{query}")
    assert (status, headers["content-type"], body[:6]) == (200, "image/gif", b"GIF89a")
    record = eventually(lambda: next((r for r in queue.read() if r.body == event.encode()), None))
    assert (record.kind, record.client) == ("store", "raven-js/1.0")
    status, headers, _ = server.get(f"/api/{key.project_id}/store/?sentry_key={key.public_key}")
    assert status == 400
    assert "x-sentry-error" in headers


def test_strangers_and_other_methods_are_refused_everywhere(server: Server) -> None:
    project, key = server.key.project_id, server.key.public_key
    for path in ("security", "nel", "minidump", "cron/a", "events/a/attachments", "otlp/v1/logs"):
        address = f"/api/{project}/{path}/"
        headers = {"Content-Type": "application/json"}
        assert server.sender.post(address, b"{}", headers).status == 401
        assert server.sender.post(f"{address}?sentry_key={'f' * 32}", b"{}", headers).status == 403
        status, answered, _ = server.get(f"{address}?sentry_key={key}", "PUT")
        assert status == 405
        assert answered["allow"] == ("GET, POST, OPTIONS" if "cron" in path else "POST, OPTIONS")
        assert answered["access-control-allow-origin"] == "*"
        assert server.get(address, "OPTIONS")[0] == 200
    assert server.sender.post(f"/api/{project}/unreal/{'f' * 32}/", b"x", {}).status == 403


def test_crash_reporters_and_cron_jobs_are_never_told_to_try_again(
    server: Server, queue: Queue, key: models.DsnKey
) -> None:
    def was_counted(row: bytes) -> bool:
        return any(row in record.body for record in queue.read())

    set_limit(key, 0, 3600)
    try:
        eventually(lambda: send(server, "nel/", b"[]").status == 429)
        assert send(server, "minidump/", DUMP, "application/x-dmp").status == 200
        assert send(server, "unreal/KEY/", b"x").status == 200
        assert send(server, "cron/nightly/KEY/", b'{"status":"ok"}').status == 202
        for category in (b"monitor", b"error", b"security"):
            counted = b'"%b","rate_limited","key_quota"' % category
            eventually(partial(was_counted, counted))
    finally:
        set_limit(key, None, None)
        eventually(lambda: server.sender.message("free").status == 200)


def set_options(key: models.DsnKey, options: dict[str, Any]) -> None:
    with psycopg.connect(database_url()) as connection:
        connection.execute(
            "UPDATE app_project SET options = %s WHERE id = %s", [json.dumps(options), key.project_id]
        )


def test_only_pages_of_allowed_origins_may_send(server: Server, key: models.DsnKey) -> None:
    def status(**headers: str) -> int:
        return server.sender.envelope(b'{}\n{"type":"session"}\n{}', **headers).status

    set_options(key, {"origins": ["*.shop.example"]})
    try:
        eventually(lambda: status(Origin="https://evil.example") == 403)
        answer = server.sender.envelope(b"{}", Origin="https://evil.example")
        assert answer.headers["x-sentry-error"] == "Invalid origin"
        assert answer.headers["access-control-allow-origin"] == "*"
        assert status(Origin="https://www.shop.example:8000") == 200
        assert status(Referer="https://shop.example/cart") == 200
        assert status(Referer="https://evil.example/") == 403
        assert status(Origin="null") == 403
        assert status() == 200
        assert (
            send(server, "security/", CSP, "application/csp-report", Origin="https://evil.example").status
            == 403
        )
    finally:
        set_options(key, {})
        eventually(lambda: status(Origin="https://evil.example") == 200)
