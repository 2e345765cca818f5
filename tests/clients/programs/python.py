"""A program with whichever sentry-sdk comes first: an error, a message, a transaction, a session."""

from __future__ import annotations

import os

import sentry_sdk

sentry_sdk.init(os.environ["SENTRY_DSN"], release="shop@1", environment="staging", traces_sample_rate=1.0)
NAME = f"sentry-sdk {sentry_sdk.VERSION}"


def charge(order: dict[str, str]) -> str:
    return order["gross"]


with sentry_sdk.configure_scope() as scope:
    scope.set_user({"id": "7", "email": "grace@example.com"})
    scope.set_tag("till", "north")
    scope.add_attachment(b"article,amount\nteapot,0\n", filename="stock.csv", content_type="text/csv")
    try:
        charge({"net": "12"})
    except KeyError:
        sentry_sdk.capture_exception(RuntimeError(f"not charged by {NAME}"))
sentry_sdk.capture_message(f"counted by {NAME}", "warning")
with sentry_sdk.start_transaction(name="count", op="task"):
    pass
sentry_sdk.Hub.current.start_session()
sentry_sdk.Hub.current.end_session()
sentry_sdk.flush(10)
