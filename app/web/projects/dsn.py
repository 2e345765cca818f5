"""The address an SDK is given: scheme, key, host, project."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings

from app.models import DsnKey


def dsn(key: DsnKey) -> str:
    """The DSN, under the address people and SDKs reach us at."""
    base = urlsplit(settings.BASE_URL)
    return f"{base.scheme}://{key.public_key}@{base.netloc}{base.path}/{key.project_id}"


def addresses(key: DsnKey) -> list[tuple[str, str]]:
    """What takes other things than an SDK's, by name: where browsers, crash reporters and jobs send to."""
    api = f"{settings.BASE_URL.rstrip('/')}/api/{key.project_id}"
    own = key.public_key
    return [
        ("Security reports", f"{api}/security/?sentry_key={own}"),
        ("Network errors (NEL)", f"{api}/nel/?sentry_key={own}"),
        ("Minidumps", f"{api}/minidump/?sentry_key={own}"),
        ("Unreal Engine", f"{api}/unreal/{own}/"),
        ("Cron check-ins", f"{api}/cron/<slug>/{own}/"),
        ("OpenTelemetry traces", f"{api}/integration/otlp/v1/traces"),
        ("Loader script", f"{settings.BASE_URL.rstrip('/')}/js-sdk-loader/{own}.min.js"),
        ("OpenTelemetry logs", f"{api}/integration/otlp/v1/logs"),
    ]
