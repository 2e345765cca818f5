"""One HTTP connection: the SDKs' addresses are answered here, every other request by uvicorn as ever.

uvicorn's own way costs about as much per request as all that is done for an event: a scope, an ASGI cycle, a
task, messages to and fro. Its protocol keeps the rest (parsing, keep-alive, pipelining, stopping); only what
lies between the last header and the answer is cut short.
"""

from __future__ import annotations

import urllib.parse
from typing import Any, cast

import httptools
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.ingest import answers
from app.ingest.accept import Line, Request, Target, answer, read_request
from app.ingest.answers import Answer
from app.ingest.asgi import STATE, route
from app.ingest.body import Body, Disconnected
from app.ingest.service import Service
from app.ingest.steps import Steps

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Exchange:
    """A request and its answer, in the place of uvicorn's cycle: it reads the two public fields."""

    body: Body

    def __init__(
        self, service: Service, request: Request, *, keep_alive: bool, expects_continue: bool
    ) -> None:
        self.service = service
        self.request = request
        self.keep_alive = keep_alive
        self.response_complete = False
        self.expects_continue = expects_continue
        self.is_begun = False
        self.is_wanted = False  # somebody waits for more of the body


class Connection(HttpToolsProtocol):
    """uvicorn's protocol with a short way for the SDKs' addresses."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        # There while the lifespan of app.asgi runs, and not in a process that serves only the dashboard.
        self.service: Service | None = self.app_state.get(STATE)
        self._date: tuple[object, bytes] = (None, b"")

    # -- the parser's side -----------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        cycle = self.cycle
        # The story begins when all that has come is parsed: nearly always the body is whole by then.
        if isinstance(cycle, Exchange) and not cycle.is_begun and not self.pipeline:
            self._begin(cycle)

    def on_message_begin(self) -> None:
        if self.service is None:
            super().on_message_begin()
            return
        self.url = b""
        self.expect_100_continue = False
        self.headers = []

    def on_headers_complete(self) -> None:
        if self.service is None:
            super().on_headers_complete()
            return
        path, _, query = self.url.partition(b"?")
        if path[:1] != b"/" or b"%" in path:
            path, query = _unusual(self.url)
        if found := route(path.decode("latin-1")):
            self._take(self.service, query, found)
        else:
            self._hand_over()

    def on_body(self, body: bytes) -> None:
        exchange = self.cycle
        if not isinstance(exchange, Exchange):
            super().on_body(body)
        elif not exchange.response_complete:
            exchange.body.add(body)
            if exchange.body.size > HIGH_WATER_LIMIT and not exchange.is_wanted:
                self.flow.pause_reading()

    def on_message_complete(self) -> None:
        exchange = self.cycle
        if not isinstance(exchange, Exchange):
            super().on_message_complete()
            return
        exchange.body.end()
        if not exchange.is_begun and not self.pipeline:
            self._begin(exchange)

    def connection_lost(self, exc: Exception | None) -> None:
        for exchange in (self.cycle, *(cycle for cycle, _ in self.pipeline)):
            if isinstance(exchange, Exchange):
                exchange.body.fail(Disconnected())
                if not exchange.is_begun:
                    exchange.body.release()
        self.pipeline.clear()
        if isinstance(self.cycle, Exchange):
            self.cycle = None
        super().connection_lost(exc)

    # -- one exchange ----------------------------------------------------------------------------------------

    def _hand_over(self) -> None:
        """What `on_message_begin` left out is made up for."""
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expects
        self.headers += headers
        super().on_headers_complete()

    def _take(self, service: Service, query: bytes, target: Target) -> None:
        parser, before = self.parser, self.cycle
        line = Line(parser.get_method(), target, query, self.client[0] if self.client else "")
        request = read_request(line, self.headers, service.proxies)
        exchange = Exchange(
            service,
            request,
            keep_alive=parser.should_keep_alive() and parser.get_http_version() != "1.0",
            expects_continue=self.expect_100_continue,
        )
        self.cycle = cast("Any", exchange)
        exchange.body = Body(service.max_body, service.room, lambda: self._want(exchange), request.length)
        if before is not None and not before.response_complete:
            self.flow.pause_reading()
            self.pipeline.appendleft((cast("Any", exchange), self.app))

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        """uvicorn's name: the turn of a request that had to wait for the one before it."""
        if isinstance(cycle, Exchange):
            self._begin(cycle)
        else:
            super()._start_asgi_task(cycle, app)

    def _begin(self, exchange: Exchange) -> None:
        exchange.is_begun = True
        story = answer(exchange.service, exchange.request, exchange.body)
        Steps(story, lambda told: self._end(exchange, told)).go_on()

    def _want(self, exchange: Exchange) -> None:
        exchange.is_wanted = True
        if exchange.expects_continue and not self.transport.is_closing():
            self.transport.write(_CONTINUE)
        self.flow.resume_reading()

    def _end(self, exchange: Exchange, told: Answer | None) -> None:
        exchange.response_complete = True
        if told is None or self.transport.is_closing():
            return
        content = [answers.head(told.status, told.headers), self._date_line()]
        if not exchange.keep_alive:
            content.append(b"connection: close\r\n")
        content.append(b"\r\n")
        if exchange.request.method != "HEAD":
            content.append(told.body)
        self.transport.write(b"".join(content))
        if not exchange.keep_alive:
            self.transport.close()
        self.on_response_complete()

    def _date_line(self) -> bytes:
        """uvicorn makes the list anew every second."""
        current = self.server_state.default_headers
        if self._date[0] is not current:
            self._date = (current, b"".join(b"%b: %b\r\n" % pair for pair in current))
        return self._date[1]


def _unusual(url: bytes) -> tuple[bytes, bytes]:
    """(path, query) of a whole address, as proxies may send it, or of one with percent signs."""
    parsed = httptools.parse_url(url)
    path = urllib.parse.unquote_to_bytes(parsed.path or b"")
    return path, parsed.query or b""
