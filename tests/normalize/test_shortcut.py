"""The shorter ways end with the same event as the long one, whatever is sent."""

from __future__ import annotations

import json
import random
import time
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.base.json import NotJson, encode
from app.event import Event
from app.grouping import group
from app.normalize import read, regular, screen
from app.wire.record import frames
from tests.benchmarks.pure import payload
from tests.events import NAMES
from tests.events import payload as sent_by
from tests.normalize.senders import ADDRESS, batch, envelope, record
from tests.normalize.test_anything import VALUES
from tests.normalize.test_scrub import AMEX, CARD, KEY, PLACES, SECRET


def both_ways(raw: bytes, sent_at: object = None) -> tuple[dict[str, Any], dict[str, Any]]:
    ((_, accepted),) = frames(record(raw))
    part = read.Part(0, raw, sent_at=sent_at)
    return _plain(read._replaced(part, accepted, screen.look(raw))), _plain(
        read._the_long_way(part, accepted)
    )


def _plain(event: Event | None) -> dict[str, Any]:
    """What is stored of an event; the order of its notes says nothing."""
    assert event is not None
    event.grouping = event.grouping or group(event)
    event.notes.sort(key=lambda note: (note.type, note.name, note.value))
    found: dict[str, Any] = msgspec.json.decode(encode(event))
    return found


def assert_same(payload: Any) -> None:
    raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    short, long = both_ways(raw)
    assert short == long
    assert kept_and_shown(raw) in (None, long)


def kept_and_shown(raw: bytes, sent_at: object = None) -> dict[str, Any] | None:
    """An event that is stored as it came, with what is shown of it later; None of one that is not."""
    ((_, accepted),) = frames(record(raw))
    event = read._event(read.Part(0, raw, sent_at=sent_at), accepted)
    if event is None or event.came is None:
        return None
    event.grouping = group(event)
    event = read.in_full(event)
    said = {name: value for name, value in event.data.items() if name != "logentry"}  # which repeats itself
    assert encode(said).count(b"[Filtered]") <= raw.count(b"[Filtered]"), "a secret was stored"
    return _plain(event)


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where every value inside a value is."""
    inner: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    return [path, *(found for name, item in inner for found in paths(item, (*path, name)))]


def put(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """A copy with another value in one place."""
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = put(value[path[0]], path[1:], new)
    return copy


def at(value: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        value = value[step]
    return value


def renamed(value: Any, path: tuple[Any, ...], name: str) -> Any:
    """A copy in which a member has another name."""
    holder = at(value, path[:-1])
    return put(value, path[:-1], {name if key == path[-1] else key: item for key, item in holder.items()})


ORDINARY = [payload(seed) for seed in range(4)]
CORPUS = [sent_by(name) for name in NAMES] + ORDINARY


@pytest.mark.parametrize("name", NAMES)
def test_events_of_many_languages_are_the_same_both_ways(name: str) -> None:
    assert_same(sent_by(name))


@pytest.mark.parametrize("seed", range(40))
def test_ordinary_events_are_regular_and_the_same_both_ways(seed: int) -> None:
    raw = json.dumps(payload(seed)).encode()
    assert regular.decoded(raw) is not None
    assert_same(raw)


@pytest.mark.parametrize("name", NAMES)
def test_events_of_many_languages_can_be_stored_as_they_came(name: str) -> None:
    if (kept := kept_and_shown(json.dumps(sent_by(name)).encode())) is None:
        pytest.skip("it has a secret, or is out of the ordinary")
    assert kept["data"]["event_id"]


@pytest.mark.parametrize("seed", range(40))
def test_ordinary_events_are_stored_as_they_came(seed: int) -> None:
    assert kept_and_shown(json.dumps(payload(seed)).encode()) is not None


@pytest.mark.parametrize(
    "request_",
    [
        {"query_string": "to%6ben=hunter2-s3cr3t"},
        {"query_string": "api%20key=hunter2-s3cr3t"},
        {"query_string": "api+key=hunter2-s3cr3t"},
        {"query_string": "api%5Fkey=hunter2-s3cr3t"},
        {"query_string": [["token", SECRET]]},
        {"url": f"https://shop.example/?sort=up&my token={SECRET}"},
        {"data": json.dumps({"password": SECRET})},
        {"data": f"password={SECRET}"},
        {"data": f"pass%77ord={SECRET}"},
        {"cookies": f"a=b; sessionid={SECRET}"},
        {"headers": [["Authorization", SECRET]]},
        {"headers": {"Cookie": f"csrftoken={SECRET}"}},
        {"headers": {"Referer": f"https://a.b/?token={SECRET}"}},
        {"env": {"HTTP_AUTHORIZATION": SECRET}},
        {"fragment": f"access_token={SECRET}"},
    ],
    ids=json.dumps,
)
def test_a_secret_in_any_form_a_request_may_have_is_not_stored(request_: dict[str, Any]) -> None:
    event = {**payload(3), "request": {"url": "https://shop.example/", **request_}}
    assert kept_and_shown(json.dumps(event).encode()) is None
    assert_same(event)


@pytest.mark.parametrize(
    "part",
    [
        {"tags": [{"key": "password", "value": SECRET}]},
        {"tags": [["password", SECRET]]},
        {"tags": {"password": SECRET}},
        {"user": {"id": "7", "token": SECRET}},
        {"logentry": {"message": "Hello %(token)s", "params": {"token": SECRET}}},
        {"extra": {"body": {"api_key": SECRET}}},
        {"contexts": {"auth": {"x": SECRET}}},
        {"unknown": {"password": SECRET}},
        {"spans": [{"data": {"url": f"https://a.b/?token={SECRET}"}}]},
    ],
    ids=json.dumps,
)
def test_a_secret_in_any_place_keeps_an_event_from_being_stored_as_it_came(part: dict[str, Any]) -> None:
    assert kept_and_shown(json.dumps({**payload(3), **part}).encode()) is None


@pytest.mark.parametrize("sent_at", [None, "2026-11-22T14:00:00Z", "2026-11-20T09:00:00Z", "yesterday"])
@pytest.mark.parametrize("user", [None, {"ip_address": "{{auto}}"}, {"id": "7"}])
@pytest.mark.parametrize("platform", ["python", "javascript"])
def test_the_clock_and_the_address_of_an_event_are_remembered(
    sent_at: str | None, user: Any, platform: str
) -> None:
    event = {**payload(3), "user": user, "platform": platform}
    raw = json.dumps(event).encode()
    assert kept_and_shown(raw, sent_at=sent_at) == both_ways(raw, sent_at=sent_at)[1]


def test_an_address_that_only_the_request_asks_for_is_remembered() -> None:
    asks = {"url": "https://shop.example/", "env": {"REMOTE_ADDR": "{{auto}}"}}
    raw = json.dumps(payload(7) | {"user": {"ip_address": "198.51.100.4"}, "request": asks}).encode()
    shown = kept_and_shown(raw)
    assert shown == both_ways(raw)[1]
    assert shown["data"]["request"]["env"]["REMOTE_ADDR"] == ADDRESS


@pytest.mark.parametrize("payload", PLACES, ids=lambda payload: json.dumps(payload)[:70])
def test_secrets_are_hidden_the_same_both_ways(payload: dict[str, Any]) -> None:
    assert_same(payload)


@pytest.mark.parametrize(
    "name",
    [
        b'password\\"x',
        b'x\\"password',
        b"password\\\\x",
        b"p\\u0061ssword",
        b"passwor\\u0064",
        b"pa\\u017f\\u017fword",
        "pa\u017f\u017fword".encode(),
        "to\u212aen".encode(),
        "credent\u0131al".encode(),
        b"credent\\u0130al",
        b"PassWord" + b"x" * 90,
        b"a=b&token",
    ],
)
@pytest.mark.parametrize("shape", [b'{"%b": "hunter2-s3cr3t"}', b'{"a": [ ["%b"  , "hunter2-s3cr3t"], {}]}'])
def test_a_name_written_in_any_way_hides_its_value(name: bytes, shape: bytes) -> None:
    for place in (b'"extra": %b', b'"contexts": {"x": %b}', b'"breadcrumbs": [{"data": %b}]'):
        raw = b"{%b}" % (place % (shape % name))
        assert_same(raw)
        short, _ = both_ways(raw)
        assert SECRET not in json.dumps(short) or len(name) > 64
    trace = b'{"exception": [{"type": "E", "stacktrace": {"frames": [{"vars": %b}]}}]}' % (shape % name)
    assert_same(trace)


ODD: list[Any] = [
    *VALUES,
    "x" * 300,
    "x" * 3000,
    "x" * 20_000,
    [["x"] * 30] * 60,
    {"a": {"b": {"c": {"d": {"e": {"f": {"g": {"h": {"i": 1}}}}}}}}},
    {"password": SECRET, "deep": [{"api_key": [SECRET]}, ["token", SECRET], ["authors", "x"]]},
    {"pa\u017f\u017fword": SECRET, "TO\u212aEN": SECRET, "b\u0131rth": 1, "aut\u0131": SECRET},
    {'quoted"password': SECRET, "back\\slash_token": SECRET, "line\nsecret": SECRET},
    ["Authorization", SECRET],
    f"https://a.b/?token={SECRET}&x=y",
    f"https://ada:{SECRET}@a.b/",
    CARD,
    AMEX,
    "123-45-6789",
    KEY,
    "-1",
    "2026-11-22T13:59:57.1Z",
    "2026-02-30T13:59:57.100000Z",
    "2026-11-22T13:59:57.100000Z",
    1795355998.25,
    10**25,
    "fatal",
    "log",
    {"type": "x", "name": "y", "version": "1", "null": None},
    {"name": "CPython", "version": 3},
    {"values": []},
    {"a": [None, "[{", "}]"], "b": "]]"},
]
TOKENS = ["password", "Authorization", "author", "input_tokens", "x", "vars", "ty", "data", "é", "\U0001f600"]


@pytest.mark.parametrize("times", [[""], ["", None], [None, ""], ["2026-11-22T13:59:57.100000Z", ""]])
def test_a_breadcrumb_with_an_empty_time_is_the_same_both_ways(times: list[str | None]) -> None:
    assert_same({**payload(1), "breadcrumbs": [{"message": "x", "timestamp": time} for time in times]})


@settings(max_examples=2000, deadline=None)
@given(st.randoms(use_true_random=False))
def test_spoilt_events_are_the_same_both_ways(chance: random.Random) -> None:
    event = chance.choice(CORPUS)
    for _ in range(chance.choice((1, 1, 2, 4))):
        places = paths(event)
        path = chance.choice(places)
        if path and isinstance(path[-1], str) and chance.random() < 0.3:
            event = renamed(event, path, chance.choice(TOKENS))
        elif isinstance(at(event, path), list) and chance.random() < 0.3:
            event = put(event, path, at(event, path) * chance.choice((2, 3, 9)))
        else:
            event = put(event, path, chance.choice(ODD))
    if isinstance(event, dict) and event.get("type") != "transaction":
        assert_same(json.dumps(event, ensure_ascii=chance.random() < 0.5).encode())


SNIPPETS = (
    *(b"\\u0000", b"\\u0041", b"\\ud800", b"\\ud83d\\ude00", b"\xff", b"\xc3\xa9", b"\n", b"\x01"),
    *(b"1e999", b"9" * 50, b"null", b"NaN", b"[" * 30, b"{", b"}", b'"', b"\\", b'"password": "hunter2", '),
)


@settings(max_examples=500, deadline=None)
@given(st.randoms(use_true_random=False))
def test_damaged_bytes_are_the_same_both_ways(chance: random.Random) -> None:
    raw = bytearray(json.dumps(chance.choice(ORDINARY)).encode())
    place = chance.randrange(2, len(raw))
    kept = place if chance.random() < 0.5 else place + chance.randrange(8)
    raw[place:kept] = chance.choice(SNIPPETS)
    try:
        expected = both_ways(bytes(raw))[1]
    except NotJson:
        return
    if expected:
        assert_same(bytes(raw))


@pytest.mark.parametrize(
    "evil",
    [
        {"extra": {"a": ["token", "author"] * 30_000}},
        {"extra": {"a": "token=" * 50_000}},
        {"extra": {"a": "token\u0001" * 50_000, "b": 'token\\"' * 50_000}},
        {"extra": {"a": " " * 100_000 + "auth" * 50_000}},
        {"contexts": {f"c{n}": {"token": n} for n in range(100)}},
        {"exception": [{"type": "E", "stacktrace": {"frames": [{"vars": {"token": "x"}}] * 250}}] * 50},
        {"breadcrumbs": [{"timestamp": "2026-11-22T13:59:57.100000Z", "data": {"a": None}}] * 100},
        {"tags": {f"tag-{n}": "x" for n in range(30_000)}},
    ],
    ids=lambda evil: json.dumps(evil)[:40],
)
def test_the_short_way_takes_bounded_time(evil: dict[str, Any]) -> None:
    begun = time.process_time()
    assert_same(evil)
    assert time.process_time() - begun < 4


def test_a_malformed_event_among_sixty_ordinary_ones_costs_nobody_else() -> None:
    raws = [json.dumps(payload(seed)).encode() for seed in range(60)]
    raws[23] = raws[23].replace(b'"exception": {', b'"exception": {{', 1)[:-1]
    found = batch(*(record(raw, event_id=f"{n:032x}") for n, raw in enumerate(raws)))
    assert [int(event.event_id, 16) for event in found.events] == list(range(60))
    damaged = [event for event in found.events if any("damaged" in note.value for note in event.notes)]
    assert [int(event.event_id, 16) for event in damaged] == [23]


def test_an_unknown_item_before_an_ordinary_event_changes_nothing() -> None:
    raw = json.dumps(payload(7)).encode()
    alone = batch(record(envelope(({"type": "event"}, raw), event_id="e" * 32), "envelope")).events
    items = ({"type": "flux_capacitor"}, b"\xff\n{"), ({"type": "event"}, raw)
    assert batch(record(envelope(*items, event_id="e" * 32), "envelope")).events == alone
    assert alone[0].data["exception"]["values"][0]["type"] == "ValueError"


@pytest.mark.parametrize(
    ("message", "formatted"),
    [
        ("{a.__class__.__mro__}", "{a.__class__.__mro__}"),
        ("{0.__class__}", "{0.__class__}"),
        ("%60000000s", "x"),
        ("%(a)60000000d", "x"),
    ],
)
def test_a_format_in_an_ordinary_event_is_never_evaluated(message: str, formatted: str) -> None:
    begun = time.process_time()
    entry = {"message": message, "params": {"a": "x"}}
    (event,) = batch(record(json.dumps({**payload(1), "logentry": entry}).encode())).events
    assert event.data["logentry"]["formatted"] == formatted
    assert time.process_time() - begun < 1
