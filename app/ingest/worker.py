"""gunicorn's worker: uvicorn's event loop (uvloop), its HTTP parser (httptools), our connections."""

from __future__ import annotations

from typing import Any, ClassVar

from uvicorn_worker import UvicornWorker


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
