"""A program that only knows `logging`; the SDK's logging integration turns its errors into events."""

from __future__ import annotations

import logging
import os

import sentry_sdk

sentry_sdk.init(dsn=os.environ["SENTRY_DSN"], release="stock@7", environment="staging")
log = logging.getLogger("stock.sync")
logging.basicConfig(level=logging.INFO)


def sync(shelf: str, items: list[int]) -> float:
    return sum(items) / len(items)


log.info("sync of %s begins", "shelf-9")
log.warning("slow answer from %s", "warehouse.example")
log.error("shelf %s holds %d items too many", "shelf-9", 12)
try:
    sync("shelf-9", [])
except ZeroDivisionError:
    log.exception("shelf %s could not be synced", "shelf-9")
