"""The lean ASGI callable: the SDKs' addresses, each request with one answer that any origin may read."""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, cast

from app.ingest import answers, health
from app.ingest.accept import Kind, accept, read_request
from app.ingest.answers import Answer, Refusal
from app.ingest.body import Disconnected, Receive
from app.ingest.service import Service, make

logger = logging.getLogger(__name__)

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_ADDRESS = re.compile(r"/api/(?:([^/]+)/(envelope|store)|(store))/?")


def route(path: str) -> tuple[str, Kind] | None:
    """(project, kind) of an SDK's address, with "" for the old one that names no project; None for others."""
    if not path.startswith("/api/"):
        return None
    found = _ADDRESS.fullmatch(path)
    return (found[1] or "", cast("Kind", found[2] or found[3])) if found else None


class Ingest:
    """The callable and the service behind it. The service exists between the server's start and its stop."""

    def __init__(self) -> None:
        self.service: Service | None = None

    async def lifespan(self, receive: Receive, send: Send) -> None:
        """ASGI's lifespan protocol: the journal and the shipper live as long as the server does."""
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self.service = make()
                self.service.start()
                await send({"type": "lifespan.startup.complete"})
            else:
                if self.service:
                    await self.service.stop()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def __call__(
        self, scope: dict[str, Any], receive: Receive, send: Send, project: str, kind: Kind
    ) -> None:
        """One request to an address that `route` knows."""
        try:
            answer = await self._answer(scope, receive, project, kind)
        except Disconnected:
            return
        await reply(send, answer)

    async def _answer(self, scope: dict[str, Any], receive: Receive, project: str, kind: Kind) -> Answer:
        if scope["method"] == "OPTIONS":
            return answers.preflight()
        try:
            if scope["method"] != "POST":
                raise Refusal(405, "events are sent by POST")
            service = self.running()
            return await accept(service, read_request(scope, project, kind, service.proxies), receive)
        except Refusal as refusal:
            return answers.refused(refusal)
        except Disconnected:
            raise
        except Exception:
            # The edge of the process: even then an SDK in a browser must be able to read an answer.
            logger.exception("a request could not be answered")
            return answers.refused(Refusal(500, "the server failed", reason="internal"))

    async def health(self, scope: dict[str, Any], send: Send) -> None:
        """The state of this process for load balancers and people."""
        await reply(send, await health.answer(self.running(), full=b"full" in scope["query_string"]))

    def running(self) -> Service:
        if self.service is None:
            raise RuntimeError("the server did not run the lifespan protocol: start it with app.server")
        return self.service


async def reply(send: Send, answer: Answer) -> None:
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
    await send({"type": "http.response.body", "body": answer.body})
