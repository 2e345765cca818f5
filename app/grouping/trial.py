"""What other rules would make of events that are there: which issues would split, which become one.

A new hash need not mean a new issue: an issue all of whose events get other hashes goes on under the one that
most of them get, as nobody wants it to begin again. Only what it then leaves behind is split off.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

#: An event's issue, and its hashes by the other rules.
Row = tuple[int, tuple[str, ...]]


class Fate(NamedTuple):
    """What becomes of an issue's events."""

    issue_id: int
    stay: int
    joins: dict[int, int]  # issues that some go to, with how many
    splits: list[int]  # for each new issue that some go to, how many


class Trial(NamedTuple):
    """What becomes of all of them."""

    events: int
    issues: int  # that the events belong to
    fates: list[Fate]  # of those that change, the largest changes first
    carried: dict[str, int]  # hashes that issues would go on under
    created: int  # issues that would be new

    @property
    def moved(self) -> int:
        """Events that would be in another issue."""
        return sum(sum(fate.joins.values()) + sum(fate.splits) for fate in self.fates)

    @property
    def after(self) -> int:
        """Issues that the events would belong to."""
        receive = {target for fate in self.fates for target in fate.joins}
        emptied = sum(not fate.stay and fate.issue_id not in receive for fate in self.fates)
        return self.issues - emptied + self.created


def compare(rows: Iterable[Row], known: Mapping[str, int]) -> Trial:
    """`known` are the hashes that lead to an issue already."""
    counted = Counter(rows)
    issues: dict[int, int] = defaultdict(int)
    for (issue_id, _), count in counted.items():
        issues[issue_id] += count
    known = attached(counted, known)
    carried = carry(counted, known)
    bound = attached(counted, {**known, **carried})
    stay: Counter[int] = Counter()
    joins: dict[int, Counter[int]] = defaultdict(Counter)
    splits: dict[int, Counter[str]] = defaultdict(Counter)
    for (issue_id, hashes), count in counted.items():
        target = _target(hashes, bound)
        if target == issue_id:
            stay[issue_id] += count
        elif target is not None:
            joins[issue_id][target] += count
        else:
            splits[issue_id][hashes[0]] += count
    fates = [
        Fate(one, stay[one], dict(joins[one].most_common()), sorted(splits[one].values(), reverse=True))
        for one in issues
        if joins[one] or splits[one]
    ]
    fates.sort(key=lambda fate: (-sum(fate.joins.values()) - sum(fate.splits), fate.issue_id))
    created = len({found for of_issue in splits.values() for found in of_issue})
    return Trial(sum(issues.values()), len(issues), fates, carried, created)


def attached(counted: Mapping[Row, int], known: Mapping[str, int]) -> dict[str, int]:
    """`known` with what the store attaches by itself: hashes of events that another hash leads somewhere."""
    found = dict(known)
    has_more = True
    while has_more:
        has_more = False
        for (_, hashes), _ in sorted(counted.items(), key=lambda one: (-one[1], one[0])):
            target = _target(hashes, found)
            if target is None:
                continue
            for one in hashes:
                if one not in found:
                    found[one], has_more = target, True
    return found


def carry(counted: Mapping[Row, int], known: Mapping[str, int]) -> dict[str, int]:
    """The unknown hashes that issues go on under, each issue and each hash at most once."""
    stays = {issue_id for issue_id, hashes in counted if _target(hashes, known) == issue_id}
    shares: Counter[tuple[int, tuple[str, ...]]] = Counter()
    for (issue_id, hashes), count in counted.items():
        if issue_id not in stays and _target(hashes, known) is None:
            shares[issue_id, hashes] += count
    carried: dict[str, int] = {}
    settled: set[int] = set()
    for (issue_id, hashes), _ in sorted(shares.items(), key=lambda one: (-one[1], one[0])):
        if issue_id not in settled and not any(one in carried for one in hashes):
            settled.add(issue_id)
            carried.update(dict.fromkeys(hashes, issue_id))
    return carried


def _target(hashes: tuple[str, ...], known: Mapping[str, int]) -> int | None:
    """As the store finds it: the first hash that leads anywhere."""
    return next((known[one] for one in hashes if one in known), None)
