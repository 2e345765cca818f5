"""gunicorn's worker: uvicorn's event loop (uvloop), its HTTP parser (httptools), our connections."""

from __future__ import annotations

import gc
from typing import Any, ClassVar

from uvicorn_worker import UvicornWorker

#: A request leaves no cycles behind: looking for them after every 700 objects, Python's default, finds none.
COLLECT_AFTER = (20_000, 20, 20)


class Worker(UvicornWorker):  # type: ignore[misc]
    """What uvicorn would do besides is switched off."""

    CONFIG_KWARGS: ClassVar[dict[str, Any]] = {
        "loop": "uvloop",
        "http": "app.ingest.connection:Connection",
        "ws": "none",
        "lifespan": "on",
        "server_header": False,
        # Whose X-Forwarded-For counts is TRUSTED_PROXIES' business.
        "proxy_headers": False,
    }

    def init_process(self) -> None:
        gc.freeze()  # what is shared with the parent stays shared
        gc.set_threshold(*COLLECT_AFTER)
        super().init_process()
