"""The address an SDK is given: scheme, key, host, project."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings

from app.models import DsnKey


def dsn(key: DsnKey) -> str:
    """The DSN, under the address people and SDKs reach us at."""
    base = urlsplit(settings.BASE_URL)
    return f"{base.scheme}://{key.public_key}@{base.netloc}{base.path}/{key.project_id}"
