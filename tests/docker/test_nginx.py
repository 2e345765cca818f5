"""docker/nginx.conf in a real nginx, before two small servers that tell what reached them."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.docker.stage import Stage

pytestmark = pytest.mark.needs("nginx")
SECRETS = {"SECRET_KEY": "s", "POSTGRES_PASSWORD": "p", "RABBITMQ_PASSWORD": "r"}
MEGABYTE = 1024**2
FOR_SDKS = [
    "/api/1/envelope/",
    "/api/1/envelope",
    "/api/42/store/?sentry_key=a",
    "/api/store/",
    "/api/7/security/",
    "/api/relay/healthcheck/ready/",
]
FOR_PEOPLE = ["/", "/acme/issues/", "/api/0/", "/api/0/projects/", "/accounts/login/", "/static/app.css"]


@dataclass
class Answer:
    status: int
    headers: Message
    body: bytes

    def told(self) -> dict[str, str]:
        told: dict[str, str] = json.loads(self.body)
        return told


@dataclass
class Told:
    """A server behind nginx that answers with what it got."""

    name: str
    port: int
    status: int = 200
    server: ThreadingHTTPServer = field(init=False)
    kept: list[socket.socket] = field(default_factory=list)

    def start(self) -> None:
        told = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                told.kept.append(self.connection)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                got = {key.lower(): value for key, value in self.headers.items()}
                words = json.dumps(
                    {**got, "server": told.name, "path": self.path, "sha": hashlib.sha256(body).hexdigest()}
                ).encode()
                self.send_response(told.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("X-Sentry-Error", "of the application")
                self.send_header("Content-Length", str(len(words)))
                self.end_headers()
                self.wfile.write(words)

            do_GET = do_POST  # noqa: N815 - the name http.server asks for

            def log_message(self, *_: object) -> None:
                pass

        ThreadingHTTPServer.allow_reuse_address = True
        self.server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        for connection in self.kept:  # nginx keeps some open
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.kept.clear()


@dataclass
class Proxied:
    stage: Stage
    ingest: Told
    dashboard: Told

    def ask(self, path: str, body: bytes | None = None, **headers: str) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(self.stage.address("nginx") + path, body, named)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return Answer(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.headers, error.read())


@pytest.fixture(scope="module")
def proxied() -> Iterator[Proxied]:
    with contextlib.ExitStack() as ending:
        stage = Stage(SECRETS)
        ending.callback(stage.close)
        told = [Told(name, stage.ports[name]) for name in ("ingest", "dashboard")]
        for server in told:
            server.start()
            ending.callback(server.stop)
        stage.start("nginx")
        yield Proxied(stage, *told)


@pytest.mark.parametrize(
    "path",
    ["/api/1/envelope/", "/api/1/envelope", "/api/42/store/?sentry_key=a", "/api/store/", "/api/7/security/"],
)
def test_what_sdks_call_goes_to_the_ingest_service(proxied: Proxied, path: str) -> None:
    told = proxied.ask(path, b"{}").told()
    assert (told["server"], told["path"]) == ("ingest", path)


@pytest.mark.parametrize(
    "path", ["/", "/acme/issues/", "/api/0/", "/api/0/projects/", "/accounts/login/", "/static/a.css"]
)
def test_everything_else_goes_to_the_dashboard(proxied: Proxied, path: str) -> None:
    assert proxied.ask(path).told()["server"] == "dashboard"


def test_a_compressed_body_arrives_byte_for_byte(proxied: Proxied) -> None:
    body = gzip.compress(bytes(range(256)) * 4000)
    told = proxied.ask("/api/1/envelope/", body, Content_Encoding="gzip").told()
    assert told["sha"] == hashlib.sha256(body).hexdigest()
    assert told["content-encoding"] == "gzip"


def test_the_client_s_address_host_and_scheme_are_passed_on(proxied: Proxied) -> None:
    told = proxied.ask("/api/1/envelope/", b"{}", Host="tocsin.example", X_Forwarded_For="203.0.113.7").told()
    assert told["x-forwarded-for"] == "203.0.113.7, 127.0.0.1"
    assert told["host"] == "tocsin.example"
    assert told["x-forwarded-proto"] == "http"
    assert proxied.ask("/", X_Forwarded_Proto="https").told()["x-forwarded-proto"] == "https"
    assert proxied.ask("/", X_Forwarded_Proto="nonsense").told()["x-forwarded-proto"] == "http"


def test_nineteen_megabytes_pass_and_twenty_one_are_refused_as_sdks_expect(
    proxied: Proxied,
) -> None:
    assert proxied.ask("/api/1/envelope/", bytes(19 * MEGABYTE)).status == 200
    refused = proxied.ask("/api/1/envelope/", bytes(21 * MEGABYTE))
    assert refused.status == 413
    assert refused.headers["X-Sentry-Error"] == "request body too large"
    assert refused.headers["Access-Control-Allow-Origin"] == "*"
    assert "X-Sentry-Error" in refused.headers["Access-Control-Expose-Headers"]
    assert refused.headers["Content-Type"] == "application/json"
    assert refused.told()["detail"] == "request body too large"


def test_nobody_uploads_two_megabytes_to_the_dashboard(proxied: Proxied) -> None:
    assert proxied.ask("/accounts/login/", bytes(2 * MEGABYTE)).status == 413


def test_an_answer_of_the_ingest_service_passes_as_it_is(proxied: Proxied) -> None:
    for status in (400, 403, 413, 429, 500):
        proxied.ingest.status = status
        answer = proxied.ask("/api/1/envelope/", b"{}")
        assert (answer.status, answer.headers["X-Sentry-Error"]) == (status, "of the application")
    proxied.ingest.status = 200


def test_without_the_ingest_service_an_sdk_is_told_when_to_come_back(proxied: Proxied) -> None:
    proxied.ingest.stop()
    try:
        answer = proxied.ask("/api/1/envelope/", b"{}")
    finally:
        proxied.ingest.start()
    assert answer.status == 503
    assert answer.headers["Retry-After"] == "5"
    assert answer.headers["X-Sentry-Error"]
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.told()["detail"] == "temporarily unavailable"


def test_without_the_dashboard_events_are_still_accepted(proxied: Proxied) -> None:
    proxied.dashboard.stop()
    try:
        assert proxied.ask("/").status == 503
        assert proxied.ask("/api/1/envelope/", b"{}").status == 200
    finally:
        proxied.dashboard.start()


def test_it_writes_only_where_compose_lets_it(proxied: Proxied) -> None:
    proxied.ask("/api/1/envelope/", bytes(MEGABYTE))
    files = [path for path in proxied.stage.folder.rglob("*") if path.is_file()]
    written = {path.relative_to(proxied.stage.folder).parts[:2] for path in files}
    assert written <= {("containers", "nginx"), ("volumes", "bodies"), ("nginx.conf",), ("nginx.log",)}
