"""Secrets never reach what is stored."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from app.base.json import encode
from app.normalize.scrub import SENSITIVE, suspicious, text
from tests.normalize.senders import sent

CARD, AMEX = "4111 1111 1111 1111", "378282246310005"
KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\nabc==\n-----END RSA PRIVATE KEY-----"


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "PASSWORD",
        "db_password",
        "passwd",
        "secret",
        "client_secret",
        "api_key",
        "apikey",
        "X-Api-Key",
        "access_token",
        "csrftoken",
        "auth",
        "Authorization",
        "X-Auth-Token",
        "oauth_state",
        "credentials",
        "mysql_pwd",
        "stripetoken",
        "card_number",
        "cardNumber",
        "private_key",
        "privateKey",
        "bearer",
        "sessionid",
        "PHPSESSID",
        "access_tokens",
        "refresh_tokens",
    ],
)
def test_sensitive_names(name: str) -> None:
    assert SENSITIVE[name]


@pytest.mark.parametrize(
    "name",
    [
        "author",
        "authored_by",
        "authenticated",
        "discarded",
        "key",
        "card",
        "pass",
        "input_tokens",
        "gen_ai.usage.output_tokens",
        "token_count",
        "user",
        "session",
        "compass",
        "monkey",
        "number",
        "cwd",
    ],
)
def test_names_that_are_no_secret(name: str) -> None:
    assert not SENSITIVE[name]


SECRET = "hunter2-s3cr3t"
PLACES: list[dict[str, Any]] = [
    {"extra": {"password": SECRET}},
    {"extra": {"a": [{"b": {"api_key": SECRET}}]}},
    {"extra": {"credentials": {"user": SECRET, "list": [SECRET, {"x": SECRET}]}}},
    {"extra": {"headers": [["Authorization", SECRET]]}},
    {"contexts": {"app": {"access_token": SECRET}}},
    {"tags": {"auth_header": SECRET}},
    {"user": {"id": "1", "data": {"password": SECRET}}},
    {"user": {"id": "1", "secret": SECRET}},
    {"request": {"headers": {"Authorization": f"Bearer {SECRET}"}}},
    {"request": {"headers": [["x-api-key", SECRET]]}},
    {"request": {"headers": {"Cookie": f"sessionid={SECRET}; theme=dark"}}},
    {"request": {"headers": {"Referer": f"https://a.b/?token={SECRET}"}}},
    {"request": {"cookies": {"sessionid": SECRET}}},
    {"request": {"cookies": f"auth={SECRET}"}},
    {"request": {"query_string": f"a=b&password={SECRET}"}},
    {"request": {"query_string": {"api_key": SECRET}}},
    {"request": {"url": f"https://a.b/c?access_token={SECRET}"}},
    {"request": {"url": f"https://ada:{SECRET}@a.b/c"}},
    {"request": {"url": f"https://a.b/c#access_token={SECRET}&x=y"}},
    {"request": {"data": {"user": {"password": SECRET}}}},
    {"request": {"data": json.dumps({"password": SECRET})}},
    {"request": {"data": f"user=ada&password={SECRET}"}},
    {"request": {"data": f"x y z&password={SECRET}"}},
    {"request": {"env": {"DB_PASSWORD": SECRET}}},
    {"request": {"env": {"QUERY_STRING": f"password={SECRET}"}}},
    {"breadcrumbs": [{"data": {"token": SECRET}}]},
    {"breadcrumbs": [{"data": {"url": f"https://a.b/?token={SECRET}"}}]},
    {"breadcrumbs": [{"message": f"GET https://ada:{SECRET}@a.b/"}]},
    {"exception": [{"type": "E", "stacktrace": {"frames": [{"vars": {"password": SECRET, "n": 1}}]}}]},
    {"exception": [{"type": "E", "stacktrace": {"frames": [{"vars": {"self": {"secret": SECRET}}}]}}]},
    {"exception": [{"type": "E", "raw_stacktrace": {"frames": [{"vars": {"password": SECRET}}]}}]},
    {"exception": [{"type": "E", "value": f"no answer from redis://:{SECRET}@cache/0"}]},
    {"exception": [{"type": "E", "mechanism": {"type": "x", "data": {"password": SECRET}}}]},
    {"threads": [{"id": 1, "stacktrace": {"frames": [{"vars": {"password": SECRET}}]}}]},
    {"stacktrace": {"frames": [{"vars": {"password": SECRET}}]}},
    {"stacktrace": {"frames": [{"context_line": f'url = "postgres://u:{SECRET}@db/x"'}]}},
    {"logentry": {"message": "postgres://u:%s@db", "formatted": f"postgres://u:{SECRET}@db"}},
    {"logentry": {"message": "x", "params": [{"password": SECRET}]}},
    {"template": {"filename": "a", "context_line": f"ftp://u:{SECRET}@host"}},
    {"request": {"fragment": f"https://u:{SECRET}@host"}},
    {"message": f"amqp://guest:{SECRET}@broker//"},
    {"transaction": f"https://u:{SECRET}@a.b"},
    {"logger": [f"https://u:{SECRET}@a.b"], "server_name": {"password": SECRET}},
    {"csp": {"document-uri": "x", "token": SECRET}},
]


@pytest.mark.parametrize("payload", PLACES, ids=lambda payload: json.dumps(payload)[:70])
def test_a_secret_is_hidden_wherever_it_stands(payload: dict[str, Any]) -> None:
    event = sent({"release": "kept", **payload})
    assert SECRET not in encode(event).decode()
    assert event.release == "kept"


@pytest.mark.parametrize(
    "place", ["message", "value", "extra", "vars", "tag", "crumb", "body", "line", "header"]
)
@pytest.mark.parametrize("secret", [CARD, AMEX, "5555-5555-5555-4444", "123-45-6789", KEY])
def test_what_looks_like_a_secret_is_hidden_in_any_text(secret: str, place: str) -> None:
    places: dict[str, dict[str, Any]] = {
        "message": {"message": f"paid with {secret} today"},
        "value": {"exception": [{"type": "E", "value": f"bad: {secret}"}]},
        "extra": {"extra": {"a": [secret, {"b": secret}]}},
        "vars": {"stacktrace": {"frames": [{"vars": {"a": f"'{secret}'"}}]}},
        "tag": {"tags": {"a": secret}},
        "crumb": {"breadcrumbs": [{"message": secret, "data": {"x": secret}}]},
        "header": {
            "request": {
                "headers": {"X-Note": secret},
                "cookies": {"a": secret},
                "query_string": {"q": secret},
            }
        },
        "body": {"request": {"data": f"text {secret}"}},
        "line": {
            "stacktrace": {"frames": [{"context_line": secret, "pre_context": [secret], "filename": "a"}]}
        },
    }
    payload = places[place]
    for raw in (json.dumps(payload).encode(), json.dumps(payload).replace("4", "\\u0034").encode()):
        stored = encode(sent(raw)).decode()
        for part in secret.split("\n"):
            assert part not in stored or part.startswith("-----")
        assert "[Filtered]" in stored


@pytest.mark.parametrize(
    "harmless",
    [
        "4111 1111 1111 1112",
        "1795355998250000",
        "order 12345678901234567",
        "2026-11-22",
        "000-12-3456",
        "a@b.c",
        "https://a.b/c@d",
        "ada@example.com said http://x",
        "tel 555-12-34567",
        "deadbeef4111111111111111",
    ],
)
def test_what_only_resembles_a_secret_is_left_alone(harmless: str) -> None:
    assert text(harmless) == harmless


def test_booleans_and_null_give_nothing_away() -> None:
    bag = {"password": True, "secret": None, "token": 5, "credentials": {"a": False}}
    assert sent({"extra": {"x": bag}}).data["extra"]["x"] == {
        "password": True,
        "secret": None,
        "token": "[Filtered]",
        "credentials": {"a": False},
    }


@pytest.mark.parametrize("escaped", ["@", "-", ":", "/", "1"])
def test_a_secret_written_in_escapes_is_found(escaped: str) -> None:
    text = json.dumps(f"postgres://u:{SECRET}@db {CARD} {AMEX} {KEY} 123-45-6789")
    raw = '{"message": ' + text.replace(escaped, f"\\u{ord(escaped):04x}") + "}"
    stored = encode(sent(raw.encode())).decode()
    for secret in (SECRET, CARD, AMEX, "MIIEpAIBAAKCAQEA", "123-45-6789"):
        assert secret not in stored


def test_a_clean_event_is_not_suspicious() -> None:
    assert not suspicious(b'{"timestamp": "2026-11-22T14:00:00.123456Z", "lineno": 123456789012}')


def test_ids_and_times_are_no_suspicious_numbers() -> None:
    trace = "0af7651916234567890123456c8448eb"
    assert not suspicious(b'{"trace_id": "%s", "nanoseconds": 1763820000123456789}' % trace.encode())
    assert not suspicious(b'{"uuid": "12345678-1234-1234-1234-123456789012", "total": 0.4111111111111111}')


@pytest.mark.parametrize("before", ["", "\\n", "\\u2014", "%20", "(", "x=", "é"])
@pytest.mark.parametrize("secret", [CARD, AMEX, "4111111111111111", "123-45-6789"])
def test_a_number_is_suspicious_behind_any_escape(before: str, secret: str) -> None:
    assert suspicious(f'{{"text": "{before}{secret}"}}'.encode())
    assert not suspicious(f'{{"text": "{before}abc{secret}7-8"}}'.encode())


def test_names_of_strangers_do_not_fill_the_memory() -> None:
    for n in range(30_000):
        SENSITIVE[f"name-{n}"]
    assert len(SENSITIVE) <= 20_000
    assert not SENSITIVE["x" * 1000]
    assert "x" * 1000 not in SENSITIVE


@pytest.mark.parametrize(
    "evil",
    [
        "1" * 160_000,
        "1-" * 80_000,
        "a=" * 80_000,
        "://" * 50_000,
        "-----BEGIN " * 14_000,
        "4111 " * 32_000,
        "password=" * 18_000,
        "-----BEGIN PRIVATE KEY-----" * 6000,
    ],
)
def test_scrubbing_takes_bounded_time(evil: str) -> None:
    begun = time.process_time()
    payload = {"extra": {"a": evil}, "message": evil, "request": {"data": evil + "@", "url": evil}}
    sent({**payload, "exception": [{"type": evil, "value": evil}]})
    assert time.process_time() - begun < 3
