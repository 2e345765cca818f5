"""Where a key may stand, and what is said when it does not."""

from __future__ import annotations

import base64

import pytest

from app.ingest.answers import Refusal
from app.ingest.auth import from_dsn, sender

KEY = "e1b2c3d4e5f60718293a4b5c6d7e8f90"
OTHER = "f" * 32
X = f"Sentry sentry_version=7, sentry_client=sentry.python/2.75.0, sentry_key={KEY}"


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("x_sentry_auth", "authorization", "query", "client"),
    [
        (X, "", "", "sentry.python/2.75.0"),
        ("", X, "", "sentry.python/2.75.0"),
        (f"sentry sentry_key={KEY}", "", "", ""),
        (f'Sentry sentry_key="{KEY}",sentry_version=6,sentry_timestamp=1', "", "", ""),
        (f"Sentry sentry_key={KEY.upper()}, sentry_version=7.0", "", "", ""),
        ("", basic(f"{KEY}:"), "", ""),
        ("", basic(KEY), "", ""),
        ("", "", f"sentry_version=7&sentry_key={KEY}&sentry_client=raven-js%2F3.27", "raven-js/3.27"),
        (X, "Bearer a-proxy's-business", "", "sentry.python/2.75.0"),
        (X, basic("proxy:password"), "", "sentry.python/2.75.0"),
        (X, "", f"sentry_key={KEY}", "sentry.python/2.75.0"),
    ],
)
def test_the_key_is_found_wherever_sdks_put_it(
    x_sentry_auth: str, authorization: str, query: str, client: str
) -> None:
    assert sender(x_sentry_auth, authorization, query) == (KEY, client)


@pytest.mark.parametrize(
    ("x_sentry_auth", "authorization", "query", "status"),
    [
        (X, "", f"sentry_key={OTHER}", 401),
        (X, f"Sentry sentry_key={OTHER}", "", 401),
        ("Nonsense", "", "", 401),
        ("Sentry sentry_version=7", "", "", 401),
        ("Sentry ", "", "", 401),
        ("", "Basic %%%", "", 401),
        ("Sentry sentry_key=nonsense", "", "", 400),
        ("", basic("nonsense:"), "", 400),
        (f"Sentry sentry_key={KEY}, sentry_version=8", "", "", 400),
        (f"Sentry sentry_key={KEY}, sentry_version=x", "", "", 400),
        (f"Sentry sentry_key={KEY}, sentry_version={'9' * 5000}", "", "", 400),
    ],
)
def test_each_failure_has_its_code(x_sentry_auth: str, authorization: str, query: str, status: int) -> None:
    with pytest.raises(Refusal) as refusal:
        sender(x_sentry_auth, authorization, query)
    assert refusal.value.status == status


def test_a_request_may_name_nobody() -> None:
    assert sender("", "", "") is None
    assert sender("", "Bearer something", "page=2") is None


def test_a_dsn_is_enough() -> None:
    assert from_dsn(f"https://{KEY}:secret@errors.example/prefix/7", "7") == (KEY, "")
    assert from_dsn(f"https://{KEY}@errors.example:9000/7/", "7").key == KEY


@pytest.mark.parametrize(
    ("dsn", "status"),
    [
        (None, 401),
        (7, 400),
        ("", 400),
        ("https://errors.example/7", 400),
        (f"https://{KEY}@errors.example/", 400),
        (f"https://{KEY}@[errors.example/7", 400),
        ("https://nonsense@errors.example/7", 400),
        (f"https://{KEY}@errors.example/8", 403),
    ],
)
def test_a_dsn_that_leads_elsewhere_does_not(dsn: object, status: int) -> None:
    with pytest.raises(Refusal) as refusal:
        from_dsn(dsn, "7")
    assert refusal.value.status == status
