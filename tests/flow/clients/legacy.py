"""The SDK before the SDK: raven 6.10, by its client (no argument) or by its logging handler ("logging")."""

from __future__ import annotations

import logging
import os
import sys

from raven import Client
from raven.handlers.logging import SentryHandler

client = Client(
    os.environ["SENTRY_DSN"],
    release="legacy-shop-0.9",
    environment="production",
    name="till-1",
    tags={"till": "south"},
    processors=(),  # raven's own scrubbing off: the server's job
)


def weigh(basket: list[str]) -> float:
    password = os.environ["SECRET"]
    return float(basket[len(password)])


def main() -> None:
    client.user_context({"id": 7, "email": "edsger@example.com"})
    client.extra_context({"scale": "kitchen"})
    if sys.argv[1:] == ["logging"]:
        log = logging.getLogger("scale")
        log.addHandler(SentryHandler(client))
        log.error("basket %s weighs %d grams", "b-17", 1200)
        return
    try:
        weigh(["apple"])
    except IndexError:
        client.captureException()


if __name__ == "__main__":
    main()
