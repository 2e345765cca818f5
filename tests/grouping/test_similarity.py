"""How alike two events are."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.grouping import similarity
from app.grouping.similarity import BANDS, SIZE, bands, signature
from app.grouping.similarity import similarity as alike
from tests.events import NAMES, payload
from tests.normalize.senders import sent

Data = dict[str, Any]


def frame(name: str, in_app: bool = True, **more: Any) -> Data:
    return {"function": name, "module": f"shop.{name}s", "in_app": in_app, **more}


def error(*frames: Data, kind: str = "KeyError", value: str = "the order has no total") -> Data:
    one = {"type": kind, "value": value, "stacktrace": {"frames": list(frames)}}
    return {"platform": "python", "exception": {"values": [one]}}


TEN = [frame(f"step{number}") for number in range(10)]


def how_alike(one: Data, other: Data) -> float:
    return alike(signature(one), signature(other))


def test_the_same_event_has_the_same_signature_and_the_same_bands() -> None:
    one, two = error(*TEN), copy.deepcopy(error(*TEN))
    assert signature(one) == signature(two)
    assert bands(signature(one), 7) == bands(signature(two), 7)
    assert how_alike(one, two) == 1
    assert (len(signature(one)), len(bands(signature(one), 7))) == (SIZE * 4, BANDS)


def test_ids_and_times_in_messages_make_no_difference() -> None:
    one = error(*TEN, value="order 81723 of 203.0.113.7 failed at 2026-11-22T10:00:00Z")
    other = error(*TEN, value="order 4 of 198.51.100.9 failed at 2027-01-02T03:04:05Z")
    assert signature(one) == signature(other)


def test_line_numbers_and_generated_names_make_no_difference() -> None:
    one, other = (
        error({**frame("f", lineno=line), "module": f"a.B$$EnhancerBySpring${line}"}, frame("g", colno=line))
        for line in (1, 900)
    )
    one["platform"] = other["platform"] = "java"
    assert signature(one) == signature(other)


def test_one_changed_frame_of_ten_stays_similar() -> None:
    for place in range(10):
        other = error(*TEN[:place], frame("elsewhere"), *TEN[place + 1 :])
        assert how_alike(error(*TEN), other) > 0.7
        assert set(bands(signature(error(*TEN)), 7)) & set(bands(signature(other), 7))


def test_another_type_over_the_same_stack_stays_similar() -> None:
    assert 0.75 < how_alike(error(*TEN), error(*TEN, kind="TypeError")) < 1


def test_unrelated_events_are_not_similar() -> None:
    other = error(
        *(frame(f"other{number}") for number in range(10)), kind="TimeoutError", value="nobody answered"
    )
    assert how_alike(error(*TEN), other) < 0.1
    assert not set(bands(signature(error(*TEN)), 7)) & set(bands(signature(other), 7))


def test_frames_of_frameworks_count_only_where_there_are_no_others() -> None:
    django = [frame(f"django{number}", in_app=False) for number in range(8)]
    assert signature(error(*django, *TEN)) == signature(error(*TEN))
    assert how_alike(error(*django), error(*django, kind="TypeError")) > 0.7


def test_messages_are_compared_by_their_words() -> None:
    one = {"logentry": {"formatted": "the till 7 cannot reach the bank of Norway"}}
    other = {"logentry": {"formatted": "the till 9 cannot reach the bank of Sweden"}}
    unlike = {"logentry": {"formatted": "mail to ada@example.com was refused"}}
    assert 0.6 < how_alike(one, other) < 1
    assert how_alike(one, unlike) < 0.2


def test_another_project_has_other_bands() -> None:
    made = signature(error(*TEN))
    assert not set(bands(made, 7)) & set(bands(made, 8))


def test_another_version_has_other_bands(monkeypatch: pytest.MonkeyPatch) -> None:
    made = signature(error(*TEN))
    before = set(bands(made, 7))
    monkeypatch.setattr(similarity, "VERSION", similarity.VERSION + 1)
    assert not before & set(bands(made, 7))


def test_of_nothing_there_is_no_signature_and_nothing_is_like_it() -> None:
    assert signature({"platform": "python"}) == b""
    assert bands(b"", 7) == []
    assert alike(b"", b"") == 0


def test_a_released_version_gives_what_it_always_gave() -> None:
    """Signatures are stored: if this fails, count VERSION up."""
    made = signature(error(frame("charge"), frame("total"), kind="KeyError", value="no total for order 17"))
    assert similarity.VERSION == 1
    assert made[:16].hex() == "bcb0a212df54a6071572e8275d92b70b"
    assert bands(made, 7)[:2] == [-5212069445330153538, 5491941821066316621]


@pytest.mark.parametrize("name", NAMES)
def test_every_sdk_s_event_has_a_signature(name: str) -> None:
    event = sent(payload(name))
    assert len(signature(event.data)) == SIZE * 4
    assert signature(event.data) == signature(copy.deepcopy(event.data))


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 30))
def test_the_estimate_is_close_to_what_is_really_shared(both: int, only_one: int, only_other: int) -> None:
    shared = [frame(f"b{n}") for n in range(both)]
    one = error(*shared, *(frame(f"o{n}") for n in range(only_one)))
    other = error(*shared, *(frame(f"t{n}") for n in range(only_other)))
    texts = similarity.shingles(one), similarity.shingles(other)
    share = len(texts[0] & texts[1]) / len(texts[0] | texts[1])
    assert abs(how_alike(one, other) - share) < 0.27  # five times the deviation of 80 values
