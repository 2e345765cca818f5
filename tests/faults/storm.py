"""Faults of several kinds in turn, each at a moment of its own, in the middle of a flood that is counted."""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from collections.abc import Callable

from tests.faults.flood import Flood
from tests.faults.parts import Parts
from tests.flow.installation import wait_for

#: How often each kind happens; `TOCSIN_FAULTS=20` says it for all of them, and takes minutes.
TIMES = 4
Fault = Callable[[random.Random], None]
#: Each counter beside what the rows say it should be.
COUNTERS = {
    "events of issues": (
        "select id, events from app_issue order by 1",
        "select issue_id, count(*) from app_event group by 1 order by 1",
    ),
    "users of issues": (
        "select id, users from app_issue order by 1",
        "select issue_id, count(distinct user_hash) from app_event group by 1 order by 1",
    ),
    "hours of issues": (
        "select issue_id, hour, sum(events) from app_issuehour group by 1, 2 order by 1, 2",
        "select issue_id, date_trunc('hour', timestamp), count(*) from app_event group by 1, 2 order by 1, 2",
    ),
    "tags of issues": (
        "select issue_id, tag_id, events from app_issuetag order by 1, 2",
        "select issue_id, tag, count(*) from app_event, unnest(tags) tag group by 1, 2 order by 1, 2",
    ),
    "releases": (
        "select release_id, events from app_releaseproject order by 1",
        "select release_id, count(*) from app_event where release_id is not null group by 1 order by 1",
    ),
    "usage": (
        "select coalesce(sum(quantity), 0) from app_outcome where outcome = 'accepted'",
        "select count(*) from app_event",
    ),
}


def times(usual: int = TIMES) -> int:
    return int(os.environ.get("TOCSIN_FAULTS", usual))


def seed() -> int:
    """Of all moments and victims: `TOCSIN_SEED` repeats a storm."""
    value = int(os.environ.get("TOCSIN_SEED", random.randrange(10**6)))
    print(f"TOCSIN_SEED={value}")
    return value


def storm(parts: Parts, faults: dict[str, tuple[int, Fault]]) -> None:
    """So many faults of each kind while events come in; afterwards everything accepted is stored once."""
    number = seed()
    chance, done = random.Random(number), Counter[str]()
    flood = Flood(parts.dsn, number)
    wait_for(lambda: parts.stored() > 20, "a flood", 60)
    began = time.monotonic()
    while left := [name for name, (often, _) in faults.items() if done[name] < often]:
        chance.shuffle(left)
        for name in left:
            time.sleep(chance.uniform(0, 0.3))  # the moment is what is drawn here
            faults[name][1](chance)
            parts.mend()
            done[name] += 1
    ids = flood.stop()
    told = {name: len(each) for name, each in ids.items()}
    print(f"{dict(done)} in {time.monotonic() - began:.0f} s: {told}")
    assert_counted(parts, ids)
    assert len(ids["cut"]) >= min(TIMES, *done.values())


def killing(parts: Parts, name: str) -> Fault:
    """`kill -9` of a part; of workers only when they have stored something since: else a message that was in
    several dying hands would rightly be put aside as one that kills its worker."""
    seen = -1

    def more_is_stored() -> bool:
        parts.mend()
        return parts.stored() > seen

    def kill(chance: random.Random) -> None:
        nonlocal seen
        if name == "worker":
            wait_for(more_is_stored, "workers that store", 180)
        parts.kill(name, chance)
        if name == "worker":
            seen = parts.stored()

    return kill


def assert_counted(parts: Parts, ids: dict[str, set[str]]) -> None:
    """What was answered with 200 is stored once, nothing else is but what had no answer; counters agree."""

    def stored() -> list[str]:
        return [each.hex for (each,) in parts.rows("select event_id from app_event")]

    def missing() -> set[str]:
        parts.mend()
        return ids["accepted"] - set(stored())

    try:
        wait_for(lambda: parts.stored() >= 0 and not missing(), "every accepted event stored", 180)
    except AssertionError:
        left = missing()
        failed = parts.rows("select task, left(error, 300) from app_failedtask")
        raise AssertionError(f"{len(left)} of {len(ids['accepted'])} are missing; {failed=}") from None
    settle(parts)
    found = stored()
    assert len(found) == len(set(found))
    assert set(found) - ids["accepted"] <= ids["unanswered"]
    assert parts.rows("select reason from app_quarantined") == []


def settle(parts: Parts) -> None:
    """Waits until every counter says what the rows say."""
    for what, (counted, rows) in COUNTERS.items():

        def agree(counted: str = counted, rows: str = rows) -> bool:
            parts.mend()
            return parts.rows(counted) == parts.rows(rows)

        try:
            wait_for(agree, what, 40)
        except AssertionError:
            assert parts.rows(counted) == parts.rows(rows), what
