"""What of the SDKs' side is ASGI: start, stop and health; and which addresses are its own."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, cast

from app.ingest import health
from app.ingest.accept import Kind, Target
from app.ingest.answers import Answer
from app.ingest.service import Service, make

#: Where the connections find the running service in the lifespan's state.
STATE = "ingest"

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_ADDRESS = re.compile(r"/api/(?:([^/]+)/(envelope|store)|(store))/?")
_EDGES = {
    re.compile(rf"/api/([^/]+)/{pattern}/?"): kind
    for pattern, kind in (
        ("(?:security|csp-report)", "security"),
        ("nel", "nel"),
        ("minidump", "minidump"),
        ("unreal/(?P<key>[^/]+)", "unreal"),
        ("cron/(?P<rest>[^/]+)(?:/(?P<key>[^/]+))?", "cron"),
        ("events/(?P<rest>[^/]+)/attachments", "attachments"),
        ("(?:integration/)?otlp/v1/traces", "otlp_traces"),
        ("(?:integration/)?otlp/v1/logs", "otlp_logs"),
    )
}


def route(path: str) -> Target | None:
    """What an SDK's address names, project "" when it is the old one without; None for other addresses."""
    if not path.startswith("/api/"):
        return None
    if found := _ADDRESS.fullmatch(path):
        return Target(found[1] or "", cast("Kind", found[2] or found[3]))
    for pattern, kind in _EDGES.items():
        if found := pattern.fullmatch(path):
            more = found.groupdict()
            return Target(found[1], kind, more.get("rest") or "", more.get("key") or "")
    return None


class Ingest:
    """The service, and what is said of it. It exists between the server's start and its stop."""

    def __init__(self) -> None:
        self.service: Service | None = None

    async def lifespan(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """ASGI's lifespan protocol: the journal and the shipper live as long as the server does."""
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self.service = make()
                self.service.start()
                scope["state"][STATE] = self.service
                await send({"type": "lifespan.startup.complete"})
            else:
                if self.service:
                    await self.service.stop()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def health(self, scope: dict[str, Any], send: Send) -> None:
        """The state of this process for load balancers and people."""
        await reply(send, await health.answer(self.running(), full=b"full" in scope["query_string"]))

    def running(self) -> Service:
        if self.service is None:
            raise RuntimeError("the server did not run the lifespan protocol: start it with app.server")
        return self.service


async def reply(send: Send, answer: Answer) -> None:
    await send({"type": "http.response.start", "status": answer.status, "headers": [*answer.headers]})
    await send({"type": "http.response.body", "body": answer.body})
