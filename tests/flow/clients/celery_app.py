"""A Celery application whose only task fails: a real solo worker takes it from memory and stops."""

from __future__ import annotations

import os
from typing import Any

import sentry_sdk
from celery import Celery, signals
from celery.worker import state
from sentry_sdk.integrations.celery import CeleryIntegration

app = Celery("newsletter", broker="memory://", set_as_current=True)


@signals.celeryd_init.connect
def start(**_: Any) -> None:
    sentry_sdk.init(
        dsn=os.environ["SENTRY_DSN"],
        integrations=[CeleryIntegration()],
        release="mailer@3",
        environment="production",
        send_default_pii=True,
    )


class MailboxFull(Exception):
    """The receiver's fault, for once."""


@app.task(name="newsletter.send")
def send(address: str, issue: int) -> None:
    size = issue * 1024
    raise MailboxFull(f"{address} cannot take {size} bytes")


@signals.task_postrun.connect
def stop_after_one(**_: Any) -> None:
    state.should_stop = os.EX_OK  # type: ignore[assignment]


if __name__ == "__main__":
    send.delay("grace@example.com", issue=7)
    app.worker_main(["worker", "--pool=solo", "--loglevel=ERROR", "--without-gossip", "--without-mingle"])
