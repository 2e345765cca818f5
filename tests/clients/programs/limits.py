"""Two transactions and an error, each sent before the next one begins: what a client does with a limit."""

from __future__ import annotations

import os

import sentry_sdk

sentry_sdk.init(os.environ["SENTRY_DSN"], release="limits@1", traces_sample_rate=1.0)
for name in ("first", "second"):
    with sentry_sdk.start_transaction(name=name, op="task"):
        pass
    sentry_sdk.flush(10)
sentry_sdk.capture_message("errors are not limited")
sentry_sdk.flush(10)
