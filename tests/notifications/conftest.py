"""Mail goes to a real server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings

from tests.notifications.smtp import Server, smtp_server


@pytest.fixture
def post(settings: Settings) -> Iterator[Server]:
    """The server that settings.EMAIL_URL names."""
    with smtp_server() as (server, port):
        settings.EMAIL_URL = f"smtp://127.0.0.1:{port}"
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
        yield server
