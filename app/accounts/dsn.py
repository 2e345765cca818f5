"""The addresses an SDK, and what is no SDK, is given."""

from __future__ import annotations

from django.conf import settings

from app.models import DsnKey


def dsn(key: DsnKey) -> str:
    """`https://<public key>@<our address>/<project id>`"""
    scheme, _, rest = settings.BASE_URL.partition("://")
    return f"{scheme}://{key.public_key}@{rest}/{key.project_id}"


def addresses(key: DsnKey) -> list[tuple[str, str]]:
    """What takes other things than an SDK's, by name: where browsers, crash reporters and jobs send to."""
    api = f"{settings.BASE_URL}/api/{key.project_id}"
    own = key.public_key
    return [
        ("Security reports", f"{api}/security/?sentry_key={own}"),
        ("Network errors (NEL)", f"{api}/nel/?sentry_key={own}"),
        ("Minidumps", f"{api}/minidump/?sentry_key={own}"),
        ("Unreal Engine", f"{api}/unreal/{own}/"),
        ("Cron check-ins", f"{api}/cron/<slug>/{own}/"),
        ("OpenTelemetry traces", f"{api}/integration/otlp/v1/traces"),
        ("Loader script", f"{settings.BASE_URL}/js-sdk-loader/{own}.min.js"),
        ("OpenTelemetry logs", f"{api}/integration/otlp/v1/logs"),
    ]
