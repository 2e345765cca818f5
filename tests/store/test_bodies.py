"""Bodies are smaller than what they hold, and readable as long as they are kept."""

from __future__ import annotations

import pytest
from msgspec import Raw

from app.base.zstandard import zstd
from app.event import AsItCame
from app.models import BodyDictionary
from app.store import bodies
from tests.store.samples import event

pytestmark = pytest.mark.django_db


def train(family: str, version: int) -> BodyDictionary:
    """A dictionary made of bodies that look alike."""
    samples = [
        zstd.decompress(bodies.pack([event(1, platform="other", data={"extra": {"order": number}})])[0][1])
        for number in range(400)
    ]
    content = zstd.train_dict(samples, 4096).dict_content
    return BodyDictionary.objects.create(family=family, version=version, content=content)


def test_a_body_comes_back_as_it_was_packed() -> None:
    one = event(1, data={"extra": {"text": "ünïcode 🦀", "deep": [1, {"a": [None, 1.5]}]}})
    number, packed = bodies.pack([one])[0]
    body = bodies.unpack(number, packed)
    assert number is None
    assert (body.data, body.grouping, body.culprit) == (one.data, one.grouping, one.culprit)


def test_an_event_that_is_stored_as_it_came_is_normalised_when_it_is_read() -> None:
    raw = b'{"platform": "python", "level": "loud", "message": "Hello", "extra": {"a": null}}'
    one = event(1, data={"platform": "python"})
    one.came = AsItCame(raw=Raw(raw), sent_at="2026-11-20T00:00:00Z")
    number, packed = bodies.pack([one])[0]
    body = bodies.unpack(number, packed, "c" * 32, 1_795_356_000_000_000)
    assert body.data["event_id"] == "c" * 32
    assert body.data["timestamp"] == "2026-11-22T14:00:00.000000Z"
    assert (body.data["logentry"], body.data["level"]) == ({"formatted": "Hello"}, "error")
    assert {(note.type, note.name) for note in body.notes} == {
        ("invalid_data", "level"),
        ("clock_drift", "sent_at"),
    }


def test_the_newest_dictionary_of_the_family_is_used_and_older_ones_stay_readable() -> None:
    one = event(1, platform="node")
    first = train("javascript", 1)
    old = bodies.pack([one])[0]
    second = train("javascript", 2)
    bodies.forget()
    new = bodies.pack([one])[0]
    assert (old[0], new[0]) == (first.pk, second.pk)
    bodies.forget()
    assert bodies.unpack(*old).data == bodies.unpack(*new).data == one.data


def test_a_dictionary_makes_a_body_smaller() -> None:
    one = event(1)
    plain = bodies.pack([one])[0]
    train("python", 1)
    bodies.forget()
    assert len(bodies.pack([one])[0][1]) < len(plain[1]) / 2


def test_other_families_go_on_without_a_dictionary() -> None:
    train("python", 1)
    assert bodies.pack([event(1, platform="java")])[0][0] is None
