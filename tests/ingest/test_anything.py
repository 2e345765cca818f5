"""Any bytes, at any address, over real HTTP: an answer for each, never a failure, nobody else touched."""

from __future__ import annotations

import http.client
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.ingest.server import Queue, Server
from tests.tasks.crews import eventually

pytestmark = [pytest.mark.needs("amqp"), pytest.mark.django_db]

ADDRESSES = [
    "envelope", "store", "security", "csp-report", "nel", "minidump", "cron/nightly", "unreal/{key}",
    "events/" + "a" * 32 + "/attachments", "integration/otlp/v1/traces", "integration/otlp/v1/logs",
]  # fmt: skip
ENCODINGS = ["", "gzip", "deflate", "br", "zstd", "identity", "lzma", "gzip, br"]
TYPES = [
    "", "text/plain", "application/json", "application/x-sentry-envelope", "application/x-protobuf",
    "application/octet-stream", "multipart/form-data; boundary=x", "multipart/form-data",
    "application/x-www-form-urlencoded",
]  # fmt: skip
LINES = st.sampled_from([
    b"{}", b'{"type":"event"}', b'{"type":"event","length":2}', b'{"type":"attachment","length":-1}',
    b'{"type":"session"}', b'{"dsn":"x"}', b'{"event_id":"x"}', b'{"event_id":"' + b"b" * 32 + b'"}',
    b"", b"[]", b'{"message":"m"}', b"--x", b"--x--", b"\x1f\x8b\x08\x00", b'{"csp-report":{}}',
    b'Content-Disposition: form-data; name="upload_file_minidump"', b"MDMP\x93\xa7\x00\x00",
    b"sentry_key=x",
])  # fmt: skip
BODIES = st.binary(max_size=300) | st.lists(LINES | st.binary(max_size=20), max_size=8).map(b"\n".join)


def post(server: Server, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    try:
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        assert answer.getheader("Access-Control-Allow-Origin") == "*"
        return answer.status, answer.read()
    finally:
        connection.close()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize("address", ADDRESSES)
@given(
    body=BODIES,
    encoding=st.sampled_from(ENCODINGS),
    content_type=st.sampled_from(TYPES),
    query=st.sampled_from(["", "&sentry_version=8", "&x=%00", "&status=ok", "&status=%ff"]),
)
def test_any_bytes_are_answered(  # noqa: PLR0917 what varies
    server: Server, address: str, body: bytes, encoding: str, content_type: str, query: str
) -> None:
    key = server.key.public_key
    path = f"/api/{server.key.project_id}/{address.format(key=key)}/?sentry_key={key}{query}"
    headers: dict[str, Any] = {"Content-Encoding": encoding} if encoding else {}
    status, answer = post(server, path, body, headers | {"Content-Type": content_type})
    assert 200 <= status < 500, answer


def test_after_all_that_an_event_is_an_event(server: Server) -> None:
    answer = server.sender.message("still here", event_id := "c" * 32)
    assert answer.status == 200
    queue = Queue()
    eventually(lambda: any(record.event_id == event_id for record in queue.read()))
    assert "Traceback" not in server.log
