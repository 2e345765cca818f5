"""A shop with nothing but `sentry_sdk`: an order that cannot be charged ends the program.

SENTRY_DSN says where to, ENCODING how the bytes travel (gzip, br or none), RELEASE what is running.
The SDK's own scrubber is off, so SECRET and CARD leave this program: hiding them is the server's job.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import sentry_sdk
from sentry_sdk.scrubber import EventScrubber

ENCODINGS: dict[str, Any] = {
    "gzip": {"transport_compression_algo": "gzip"},
    "br": {"transport_compression_algo": "br"},
    "none": {"transport_compression_level": 0},
}


class PaymentFailed(Exception):
    """The order is fine, the charge is not."""


def price(cart: dict[str, int]) -> int:
    currency = "EUR"
    return cart["net"] + cart["gross"] * len(currency)


def charge(cart: dict[str, int]) -> int:
    password = os.environ["SECRET"]  # local variables that nobody may ever read
    numbers = [f"card {os.environ['CARD']}", len(password)]
    try:
        return price(cart)
    except KeyError as missing:
        raise PaymentFailed(f"cart of {len(cart)} not charged after {len(numbers)} tries") from missing


def start() -> None:
    sentry_sdk.init(
        dsn=os.environ["SENTRY_DSN"],
        release=os.environ.get("RELEASE", "shop@1.4.2"),
        environment=os.environ.get("ENVIRONMENT", "production"),
        server_name="till-3",
        event_scrubber=EventScrubber(denylist=[], pii_denylist=[]),
        send_default_pii=True,
        _experiments=ENCODINGS[os.environ.get("ENCODING", "gzip")],
    )
    sentry_sdk.set_user({"id": "42", "email": "grace@example.com", "username": "grace"})
    sentry_sdk.set_tag("till", "north")
    sentry_sdk.set_context("order", {"number": "A-1001", "lines": 3})
    sentry_sdk.get_current_scope().set_extra("weather", "light rain")
    sentry_sdk.add_breadcrumb(category="auth", message="grace signed in", level="info")
    sentry_sdk.add_breadcrumb(
        category="http", type="http", data={"url": "https://bank.example/rates", "status_code": 200}
    )
    sentry_sdk.add_breadcrumb(category="cart", message="coupon refused", level="warning")


def main() -> None:
    start()
    if sys.argv[1:] == ["message"]:
        sentry_sdk.capture_message("The till has not been counted", level="warning")
        return
    charge({"net": 100})


if __name__ == "__main__":
    main()
