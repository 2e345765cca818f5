"""What other rules would make of events that are there."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.grouping.trial import Row, compare

A, B = 1, 2


def rows(*told: tuple[int, str, int]) -> list[Row]:
    """Issue, hashes by the other rules, how many events."""
    return [(issue, tuple(hashes.split())) for issue, hashes, count in told for _ in range(count)]


def test_hashes_that_lead_where_the_events_are_change_nothing() -> None:
    found = compare(rows((A, "a", 3), (B, "b", 2)), {"a": A, "b": B})
    assert (found.events, found.issues, found.after, found.moved) == (5, 2, 2, 0)
    assert not found.fates
    assert not found.carried


def test_an_issue_goes_on_under_the_only_other_hash_it_gets() -> None:
    found = compare(rows((A, "x y", 3)), {"a": A})
    assert found.carried == {"x": A, "y": A}
    assert not found.fates
    assert found.after == 1


def test_an_issue_that_splits_goes_on_under_the_largest_part() -> None:
    found = compare(rows((A, "x", 3), (A, "y", 7), (A, "z", 1)), {"a": A})
    assert found.carried == {"y": A}
    (fate,) = found.fates
    assert (fate.stay, fate.joins, fate.splits) == (7, {}, [3, 1])
    assert (found.created, found.after, found.moved) == (2, 3, 4)


def test_what_keeps_its_hash_keeps_the_issue() -> None:
    found = compare(rows((A, "a", 1), (A, "x", 9)), {"a": A})
    assert not found.carried
    (fate,) = found.fates
    assert (fate.stay, fate.splits) == (1, [9])


def test_issues_that_become_one_go_on_as_the_larger_one() -> None:
    found = compare(rows((A, "x", 3), (B, "x", 7)), {"a": A, "b": B})
    assert found.carried == {"x": B}
    (fate,) = found.fates
    assert (fate.issue_id, fate.stay, fate.joins, fate.splits) == (A, 0, {B: 3}, [])
    assert (found.issues, found.after, found.created) == (2, 1, 0)


def test_events_join_an_issue_that_has_their_hash() -> None:
    found = compare(rows((A, "a", 2), (A, "b", 5), (B, "b", 1)), {"a": A, "b": B})
    (fate,) = found.fates
    assert (fate.issue_id, fate.stay, fate.joins) == (A, 2, {B: 5})
    assert found.after == 2


def test_the_first_hash_that_leads_somewhere_decides() -> None:
    assert not compare(rows((A, "x a b", 1)), {"a": A, "b": B}).fates
    (fate,) = compare(rows((A, "x b a", 1)), {"a": A, "b": B}).fates
    assert fate.joins == {B: 1}


def test_issues_that_trade_places() -> None:
    found = compare(rows((A, "b", 2), (B, "a", 3)), {"a": A, "b": B})
    assert [(fate.issue_id, fate.joins) for fate in found.fates] == [(B, {A: 3}), (A, {B: 2})]
    assert found.after == 2


def test_nothing_at_all() -> None:
    found = compare([], {})
    assert (found.events, found.issues, found.after, found.moved, found.created) == (0, 0, 0, 0, 0)


_hashes = st.lists(st.sampled_from("abcdef"), min_size=1, max_size=2).map(tuple)
_rows = st.lists(st.tuples(st.integers(1, 4), _hashes))


@given(_rows, st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 4)))
def test_no_event_is_lost_and_none_counted_twice(found: list[Row], known: dict[str, int]) -> None:
    told = compare(found, known)
    assert told.events == len(found)
    assert told.moved <= told.events
    for fate in told.fates:
        own = sum(issue == fate.issue_id for issue, _ in found)
        assert fate.stay + sum(fate.joins.values()) + sum(fate.splits) == own
        assert fate.issue_id not in fate.joins
    assert not told.carried.keys() & known.keys()
    # Once the carried hashes lead somewhere, nothing more is carried and nothing else changes.
    again = compare(found, {**known, **told.carried})
    assert not again.carried
    assert again.fates == told.fates
