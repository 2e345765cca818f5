"""A Django shop in one file, served over HTTP for as many requests as its argument says.

It prints the port it listens on. /checkout/ fails with what the customer typed in its local variables.
"""

from __future__ import annotations

import os
import sys
from wsgiref.simple_server import WSGIRequestHandler, make_server

import django
import sentry_sdk
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import path
from sentry_sdk.integrations.django import DjangoIntegration
from sentry_sdk.scrubber import EventScrubber

sentry_sdk.init(
    dsn=os.environ["SENTRY_DSN"],
    integrations=[DjangoIntegration(transaction_style="url")],
    release="web@2.0.1",
    environment="production",
    send_default_pii=True,
    max_request_body_size="always",
    event_scrubber=EventScrubber(denylist=[], pii_denylist=[]),
)


class OutOfStock(Exception):
    """Somebody else was quicker."""


def reserve(article: str, amount: int) -> None:
    shelf = {"teapot": 0}
    if shelf.get(article, 0) < amount:
        raise OutOfStock(f"{article} is sold out")


def checkout(request: HttpRequest, shop: str) -> HttpResponse:
    form = request.POST.dict()
    reserve(str(form["article"]), int(str(form["amount"])))
    return HttpResponse("thank you")


settings.configure(
    ALLOWED_HOSTS=["*"],
    SECRET_KEY="for-this-little-shop-only",
    ROOT_URLCONF=__name__,
    LOGGING_CONFIG=None,
)
urlpatterns = [path("<slug:shop>/checkout/", checkout)]


class Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nobody reads the access log of a test."""


def main() -> None:
    django.setup()
    from django.core.wsgi import get_wsgi_application

    with make_server("127.0.0.1", 0, get_wsgi_application(), handler_class=Quiet) as server:
        sys.stdout.write(f"{server.server_port}\n")
        sys.stdout.flush()
        for _ in range(int(sys.argv[1])):
            server.handle_request()
    sentry_sdk.flush(10)


if __name__ == "__main__":
    main()
