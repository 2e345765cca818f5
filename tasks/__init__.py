"""Work that is done later. `tasks.app` is the Celery application (`celery -A tasks …`).

The application is made when somebody asks for it: the process that accepts events imports `tasks.queues`
and `tasks.groups` to publish, and need not carry Celery.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tasks.application import app as app


def __getattr__(name: str) -> Any:
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from tasks.application import app  # noqa: PLC0415

    return app
