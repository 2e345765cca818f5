"""One ASGI application for one address: start, stop and health of the SDKs' side, everything else by Django.

The SDKs' requests themselves are answered by app.ingest.connection before they would come here.

SERVE=ingest leaves Django out (no ORM, no templates in that process), SERVE=dashboard the SDKs' side.
"""

from __future__ import annotations

import logging.config
import os
from collections.abc import Awaitable, Callable
from typing import Any, cast

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "app.settings")

from django.conf import settings

from app.ingest.answers import Refusal, refused
from app.ingest.asgi import Ingest, Receive, Send, reply

HEALTH = ("/_health/", "/_health")
#: Pages rendered at once in one process.
THREADS = 8
RELAY_HEALTH = ("/api/relay/healthcheck/live/", "/api/relay/healthcheck/ready/")

Application = Callable[[dict[str, Any], Receive, Send], Awaitable[None]]


def make(serve: str) -> Application:
    """The application for "all", "ingest" or "dashboard"."""
    if serve == "dashboard":
        return _with_lifespan(_django())
    ingest = Ingest()
    rest = _nothing_else(ingest) if serve == "ingest" else _django()

    async def application(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await ingest.lifespan(scope, receive, send)
        elif scope["path"] in RELAY_HEALTH:
            await ingest.health(scope, send)
        else:
            await rest(scope, receive, send)

    return application


def _django() -> Application:
    """The dashboard, in a few threads that keep their database connections.

    Not Django's own ASGI handler: our views and middleware are synchronous, so it would go from thread to
    thread for every middleware and connect to the database anew for every request (measured for the sign-in
    page: 6.6 ms of CPU, 2.6 ms like this).
    """
    from a2wsgi import WSGIMiddleware  # noqa: PLC0415 an ingest process must not load it
    from django.core.wsgi import get_wsgi_application  # noqa: PLC0415

    pages: Any = get_wsgi_application()
    return cast("Application", WSGIMiddleware(pages, workers=THREADS))


def _nothing_else(ingest: Ingest) -> Application:
    """What an ingest process says to addresses that are not the SDKs'."""
    logging.config.dictConfig(settings.LOGGING)

    async def rest(scope: dict[str, Any], receive: Receive, send: Send) -> None:  # noqa: ARG001 ASGI's signature
        if scope["path"] in HEALTH:
            await ingest.health(scope, send)
        else:
            await reply(send, refused(Refusal(404, "there is nothing at this address")))

    return rest


def _with_lifespan(django: Application) -> Application:
    """Django knows no lifespan; the server asks for it."""

    async def application(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await django(scope, receive, send)
            return
        while (message := await receive())["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": message["type"] + ".complete"})

    return application


application = make(settings.SERVE)
