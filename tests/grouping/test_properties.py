"""What holds of grouping whatever the error."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.grouping import group
from tests.normalize.senders import sent

_names = st.sampled_from(["load", "save", "charge", "refund", "find", "render"])
_frames = st.lists(
    st.fixed_dictionaries(
        {
            "function": _names,
            "module": st.sampled_from(["shop.pay", "shop.cart", "shop.mail"]),
            "lineno": st.integers(1, 900),
            "in_app": st.booleans(),
        },
        optional={
            "vars": st.dictionaries(_names, st.text(max_size=5), max_size=3),
            "pre_context": st.lists(st.text(max_size=9), min_size=1, max_size=2),
        },
    ),
    min_size=1,
    max_size=8,
)
_platforms = st.sampled_from(["python", "java", "go", "ruby", "php", "csharp", "dart", "elixir"])
_words = st.sampled_from(["order", "cart", "gone", "refused"])


def error(frames: list[dict[str, Any]], value: str = "v", platform: str = "python") -> dict[str, Any]:
    # Normalising completes what it is given, so each event gets frames of its own.
    trace = {"frames": copy.deepcopy(frames)}
    return {"platform": platform, "exception": [{"type": "E", "value": value, "stacktrace": trace}]}


def hashes(payload: dict[str, Any]) -> list[str]:
    return group(sent(payload)).hashes


def app_hash(payload: dict[str, Any]) -> str | None:
    return next((one.hash for one in group(sent(payload)).variants if one.name == "app"), None)


@given(_frames, _platforms)
def test_the_order_of_frames_matters(frames: list[dict[str, Any]], platform: str) -> None:
    places = [(one["module"], one["function"]) for one in frames]
    is_same = places == places[::-1]
    ours = [{**one, "in_app": True, "lineno": number} for number, one in enumerate(frames, 1)]
    assert (hashes(error(ours, "v", platform)) == hashes(error(ours[::-1], "v", platform))) is is_same


@given(_words, st.lists(st.integers(0, 10**12), min_size=2, max_size=2), st.uuids(), st.uuids())
def test_ids_in_messages_do_not_matter(word: str, numbers: list[int], one: Any, other: Any) -> None:
    def said(number: int, uuid: Any) -> dict[str, Any]:
        return {
            "platform": "python",
            "exception": [{"type": "E", "value": f"{word} {number} of {uuid} lost"}],
        }

    assert hashes(said(numbers[0], one)) == hashes(said(numbers[1], other))


@given(_frames, _names, st.text(max_size=20), st.integers(1, 900))
def test_variables_and_surroundings_do_not_matter(
    frames: list[dict[str, Any]], name: str, value: str, line: int
) -> None:
    changed = [
        {**one, "vars": {name: value}, "pre_context": [f"{value}"], "post_context": ["x"]} for one in frames
    ]
    # A line matters only in that two frames of one line are a call of itself.
    moved = [{**one, "lineno": one["lineno"] + line} for one in changed]
    assert hashes(error(frames)) == hashes(error(changed)) == hashes(error(moved))


@given(_frames, st.integers(0, 8), _platforms)
def test_a_frame_of_others_does_not_change_what_is_ours(
    frames: list[dict[str, Any]], place: int, platform: str
) -> None:
    frames = [{**frames[0], "in_app": True}, *frames]
    # Without two frames of the same place, between which another one would matter.
    frames = [{**one, "lineno": number} for number, one in enumerate(frames, 1)]
    theirs = {"function": "dispatch", "module": "lib.core", "lineno": 3, "in_app": False}
    more = [*frames[:place], theirs, *frames[place:]]
    before, after = app_hash(error(frames, "v", platform)), app_hash(error(more, "v", platform))
    has_others = any(not one["in_app"] for one in frames)
    if has_others:
        assert before == after is not None
    else:  # ours alone were all there was, and counted as such
        assert hashes(error(frames, "v", platform))[0] == after


@given(_frames, _platforms)
def test_an_event_is_grouped_the_same_every_time(frames: list[dict[str, Any]], platform: str) -> None:
    assert hashes(error(frames, "a", platform)) == hashes(error(frames, "b", platform))


@given(_frames, st.text(min_size=1, max_size=30).filter(str.strip), _platforms)
def test_a_fingerprint_stands_for_everything_else(
    frames: list[dict[str, Any]], text: str, platform: str
) -> None:
    told = {"fingerprint": ["mine", text]}
    one, other = error(frames, "a", platform), error(frames[::-1][:1], "b", platform)
    assert hashes({**one, **told}) == hashes({**other, **told}) or "{{" in text
