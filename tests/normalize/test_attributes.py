"""Attributes that stand on their own: names, levels, times, tags, users."""

from __future__ import annotations

from typing import Any

import pytest

from tests.normalize.senders import ADDRESS, RECEIVED, batch, envelope, noted, record, sent

SECOND = 1_000_000


@pytest.mark.parametrize(
    ("sent_level", "kept"),
    [
        ("fatal", "fatal"),
        ("critical", "fatal"),
        ("CRITICAL", "fatal"),
        ("log", "info"),
        ("warn", "warning"),
        (10, "debug"),
        (20, "info"),
        (30, "warning"),
        (40, "error"),
        (50, "fatal"),
        ("40", "error"),
        (None, "error"),
    ],
)
def test_levels_are_read_under_all_their_names(sent_level: Any, kept: str) -> None:
    event = sent({"level": sent_level})
    assert event.level == event.data["level"] == event.tags["level"] == kept
    assert not event.notes


@pytest.mark.parametrize("nonsense", ["horrible", 7, 1.5, [], {}, True])
def test_a_level_nobody_knows_is_an_error_with_a_note(nonsense: Any) -> None:
    event = sent({"level": nonsense})
    assert event.level == "error"
    assert noted(event) == {("invalid_data", "level")}


@pytest.mark.parametrize(
    ("platform", "kept"),
    [("python", "python"), ("Node", "node"), ("cobol", "other"), (None, "other"), (3, "other")],
)
def test_a_platform_nobody_knows_is_other(platform: Any, kept: str) -> None:
    assert sent({"platform": platform}).platform == kept


@pytest.mark.parametrize(
    "timestamp",
    [
        "2026-11-22T13:59:58.250000Z",
        "2026-11-22T13:59:58.25",
        "2026-11-22T14:59:58.250+01:00",
        1795355998.25,
        "1795355998.25",
        "2026-11-22T13:59:58.250000000Z",
        "2026-11-22 13:59:58.25",
    ],
)
def test_every_way_to_write_a_time_is_the_same_moment(timestamp: Any) -> None:
    event = sent({"timestamp": timestamp})
    assert event.timestamp == RECEIVED - 1_750_000
    assert event.data["timestamp"] == "2026-11-22T13:59:58.250000Z"
    assert not event.notes


@pytest.mark.parametrize(
    "nonsense", ["yesterday", "", [], {}, True, -1, 1e300, "9" * 400, "2026-13-45", 2**70]
)
def test_a_time_that_is_none_is_the_time_of_receipt(nonsense: Any) -> None:
    event = sent({"timestamp": nonsense})
    assert event.timestamp == RECEIVED
    assert noted(event) == {("invalid_data", "timestamp")}


@pytest.mark.parametrize(
    ("offset", "note"),
    [(59, None), (61, "future_timestamp"), (-29 * 86400, None), (-31 * 86400, "past_timestamp")],
)
def test_times_that_cannot_be_right_are_the_time_of_receipt(offset: int, note: str | None) -> None:
    event = sent({"timestamp": RECEIVED / SECOND + offset})
    assert noted(event) == ({(note, "timestamp")} if note else set())
    assert event.timestamp == (RECEIVED if note else RECEIVED + offset * SECOND)


@pytest.mark.parametrize(("behind", "corrected"), [(54 * 60, False), (56 * 60, True), (-56 * 60, True)])
def test_a_wrong_clock_is_corrected_by_when_the_client_says_it_sent(behind: int, corrected: bool) -> None:
    sent_at = RECEIVED / SECOND - behind
    payload = b'{"timestamp": %f, "breadcrumbs": [{"timestamp": %f}]}' % (sent_at - 2, sent_at - 3)
    body = envelope(({"type": "event"}, payload), sent_at=sent_at)
    (event,) = batch(record(body, "envelope")).events
    shift = behind * SECOND if corrected else 0
    if corrected or behind > -60:
        assert event.timestamp == RECEIVED - behind * SECOND - 2 * SECOND + shift
    assert ("clock_drift" in {note.type for note in event.notes}) == corrected
    if corrected:
        assert event.data["breadcrumbs"]["values"][0]["timestamp"] == "2026-11-22T13:59:57.000000Z"


@pytest.mark.parametrize(
    ("attribute", "value", "kept"),
    [
        ("release", "shop@1.2.3+4", "shop@1.2.3+4"),
        ("release", " 1.0 ", "1.0"),
        ("release", 7, "7"),
        ("release", "a/b", ""),
        ("release", "a\nb", ""),
        ("release", "latest", ""),
        ("release", "..", ""),
        ("release", "x" * 300, "x" * 247 + "..."),
        ("release", {}, ""),
        ("environment", "prod", "prod"),
        ("environment", "None", ""),
        ("environment", "a/b", ""),
        ("environment", "x" * 70, "x" * 61 + "..."),
        ("environment", "", ""),
        ("environment", [], ""),
        ("transaction", "/pay/{id}", "/pay/{id}"),
        ("transaction", "x" * 201, "x" * 197 + "..."),
        ("transaction", [], ""),
    ],
)
def test_names_are_kept_whole_or_not_at_all(attribute: str, value: Any, kept: str) -> None:
    event = sent({attribute: value})
    assert getattr(event, attribute) == kept == event.data.get(attribute, "")
    assert event.tags.get(attribute, "")[:190] == kept[:190]
    assert bool(event.notes) == (kept != str(value).strip())


def test_dist_needs_a_release_and_plain_characters() -> None:
    assert sent({"release": "1", "dist": "a.b-1"}).tags["dist"] == "a.b-1"
    assert "dist" not in sent({"dist": "a"}).data
    event = sent({"release": "1", "dist": "a b"})
    assert "dist" not in event.data
    assert noted(event) == {("invalid_data", "dist")}


def test_tags_come_as_an_object_as_pairs_or_as_keys_and_values() -> None:
    expected = {"a": "1", "b": "True", "c-d": "x y", "e": "2"}
    values: list[list[Any]] = [
        ["a", 1],
        ["b", True],
        ["c d", " x\ny "],
        ["e", 2.9],
        ["a", "second"],
        ["empty", ""],
        ["none", None],
    ]
    assert sent({"tags": values}).data["tags"] == expected
    assert sent({"tags": {str(key): value for key, value in values[:4]}}).data["tags"] == expected
    assert sent({"tags": [{"key": "a", "value": "1"}]}).data["tags"] == {"a": "1"}


@pytest.mark.parametrize(
    "tags", [1, "a=b", [1], [["a"]], {"ä": "b"}, {"a" * 201: "b"}, {"a": []}, {"": "b"}, [[1, 2]]]
)
def test_tags_that_are_none_leave_a_note(tags: Any) -> None:
    event = sent({"tags": tags})
    assert "tags" not in event.data
    assert [note.type for note in event.notes] == ["invalid_data"]


def test_long_tag_values_are_cut_and_reserved_keys_left_out() -> None:
    event = sent({"tags": {"a": "x" * 201, "release": "no", "user": "no", "environment": "staging"}})
    assert event.data["tags"] == {"a": "x" * 197 + "..."}
    assert event.environment == "staging"
    assert "release" not in event.tags


def test_tags_are_derived_from_what_is_known() -> None:
    event = sent(
        {
            "level": "fatal",
            "release": "1",
            "dist": "2",
            "environment": "prod",
            "server_name": "web-1",
            "transaction": "/pay",
            "logger": "shop",
            "user": {"id": 7},
            "request": {"url": "http://a/b?c=d"},
            "tags": {"tenant": "t7"},
            "contexts": {
                "browser": {"name": "Chrome", "version": "126"},
                "os": {"name": "Linux"},
                "runtime": {"name": "CPython", "version": "3.13"},
                "device": {"model": "iPhone17,1", "family": "iPhone"},
            },
            "exception": [{"type": "A", "mechanism": {"type": "django", "handled": False}}],
        }
    )
    assert event.tags == {
        "level": "fatal",
        "release": "1",
        "dist": "2",
        "environment": "prod",
        "server_name": "web-1",
        "transaction": "/pay",
        "logger": "shop",
        "user": "id:7",
        "url": "http://a/b",
        "tenant": "t7",
        "browser": "Chrome 126",
        "browser.name": "Chrome",
        "os": "Linux",
        "os.name": "Linux",
        "runtime": "CPython 3.13",
        "runtime.name": "CPython",
        "device": "iPhone17,1",
        "device.family": "iPhone",
        "handled": "no",
        "mechanism": "django",
    }
    assert event.data["tags"] == {"tenant": "t7"}


@pytest.mark.parametrize(
    ("user", "identity"),
    [
        ({"id": 7, "username": "ada"}, "id:7"),
        ({"id": "", "username": "ada"}, "username:ada"),
        ({"email": "a@b.c", "ip_address": "10.0.0.1"}, "email:a@b.c"),
        ({"ip_address": "::1"}, "ip:::1"),
        ({}, ""),
        (None, ""),
        ({"id": [], "ip_address": "nowhere"}, ""),
        ("ada", ""),
    ],
)
def test_a_user_is_known_by_the_first_name_there_is(user: Any, identity: str) -> None:
    event = sent({"user": user, "platform": "python"})
    assert event.user == identity == event.tags.get("user", "")


@pytest.mark.parametrize(
    ("payload", "address"),
    [
        ({"user": {"ip_address": "{{auto}}"}}, ADDRESS),
        ({"user": {"ip_address": "10.0.0.1"}, "platform": "javascript"}, "10.0.0.1"),
        ({"platform": "javascript"}, ADDRESS),
        ({"platform": "cocoa", "user": {"id": "1"}}, ADDRESS),
        ({"platform": "python"}, None),
        ({"platform": "javascript", "sdk": {"name": "a", "settings": {"infer_ip": "never"}}}, None),
        ({"platform": "python", "sdk": {"name": "a", "settings": {"infer_ip": "auto"}}}, ADDRESS),
        ({"platform": "python", "request": {"env": {"REMOTE_ADDR": "10.1.1.1"}}}, "10.1.1.1"),
        ({"user": {"ip_address": "{{auto}}"}, "sdk": {"settings": {"infer_ip": "never"}}}, None),
    ],
)
def test_the_address_is_filled_in_where_the_client_wants_it(
    payload: dict[str, Any], address: str | None
) -> None:
    assert sent(payload).data.get("user", {}).get("ip_address") == address


def test_an_unknown_address_fills_in_nothing() -> None:
    assert "user" not in sent({"user": {"ip_address": "{{auto}}"}}, address="").data


def test_attributes_of_a_user_that_nobody_knows_are_kept_as_data() -> None:
    user = sent({"user": {"id": "1", "plan": "pro", "data": {"a": 1}}}).data["user"]
    assert user == {"id": "1", "data": {"plan": "pro", "a": 1}}


def test_attributes_nobody_knows_are_noted_and_those_of_others_passed_over() -> None:
    event = sent({"invention": 1, "spans": [], "_meta": {"a": 1}, "project": 3, "received": 1})
    assert noted(event) == {("unknown_attribute", "invention")}
    assert not event.data.keys() & {"invention", "spans", "_meta", "project", "received"}


def test_what_the_client_noted_itself_is_kept() -> None:
    event = sent({"errors": [{"type": "js_no_source", "name": "url", "value": "http://a"}, 1, {}]})
    assert noted(event) == {("js_no_source", "url")}


@pytest.mark.parametrize(
    ("fingerprint", "kept"),
    [
        (["a", 1, True, 1.5, None], ["a", "1", "True", "1.5"]),
        ("a", ["a"]),
        ([], None),
        (1, None),
        ([[]], None),
    ],
)
def test_a_fingerprint_is_a_list_of_texts(fingerprint: Any, kept: Any) -> None:
    assert sent({"fingerprint": fingerprint}).data.get("fingerprint") == kept


def test_a_note_never_tells_a_secret() -> None:
    event = sent({"server_name": {}, "logger": "x" * 70, "culprit": 4111111111111111, "user": {"email": 5}})
    assert all("4111" not in note.value for note in event.notes)


def test_the_contexts_type_is_its_name_unless_it_says_otherwise() -> None:
    contexts = {
        "os": {"name": "Linux"},
        "mine": {"type": "app", "a": 1},
        "none": None,
        "empty": {},
        "text": "x",
    }
    event = sent({"contexts": contexts})
    assert event.data["contexts"] == {"os": {"name": "Linux", "type": "os"}, "mine": {"type": "app", "a": 1}}
    assert noted(event) == {("invalid_data", "contexts.text")}


def test_modules_sdk_and_images_keep_what_is_right() -> None:
    event = sent(
        {
            "modules": {"django": "5.2", "odd": None, "wrong": 1},
            "sdk": {
                "name": "a",
                "version": "1",
                "integrations": ["x", 1],
                "packages": [{"name": "p"}, 1],
                "more": 1,
            },
            "debug_meta": {"images": [{"type": "elf"}, None, 7], "sdk_info": {"sdk_name": "iOS"}},
        }
    )
    assert event.data["modules"] == {"django": "5.2", "odd": ""}
    assert event.data["sdk"] == {
        "name": "a",
        "version": "1",
        "integrations": ["x"],
        "packages": [{"name": "p"}],
    }
    assert event.data["debug_meta"] == {"images": [{"type": "elf"}], "sdk_info": {"sdk_name": "iOS"}}
