"""The address an SDK is given."""

from __future__ import annotations

from django.conf import settings

from app.models import DsnKey


def dsn(key: DsnKey) -> str:
    """`https://<public key>@<our address>/<project id>`"""
    scheme, _, rest = settings.BASE_URL.partition("://")
    return f"{scheme}://{key.public_key}@{rest}/{key.project_id}"
