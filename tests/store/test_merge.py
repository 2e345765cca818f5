"""Merging and splitting: events and counts are where their hashes lead, whoever dies or writes meanwhile."""

from __future__ import annotations

import random
import subprocess
import sys
import textwrap
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from app.base import clock
from app.event import Event as Arriving
from app.models import (
    Activity,
    Event,
    Issue,
    IssueHash,
    IssueHour,
    IssueMove,
    IssueTag,
    IssueUser,
    MoveUser,
    Project,
    Status,
)
from app.store import carry, counters, moves, replay, shift, workflow
from app.store.holding import Impossible
from app.store.merge import merge
from app.store.record import LOCK, record
from app.store.split import split, undo_merge
from tests.factories import DsnKeyFactory, ReleaseFactory
from tests.store.samples import digest, event, fold
from tests.store.test_concurrency import (
    assert_counters_equal_rows,
    at_once,
    deadlocks,
    record_all,
    waiting,
    writing,
)
from tests.tasks.crews import database_url, eventually

pytestmark = pytest.mark.django_db(transaction=True)

DAY = 86_400 * 1_000_000


@pytest.fixture
def project(transactional_db: None) -> Project:
    return DsnKeyFactory.create().project


def finish(move: IssueMove | None) -> None:
    """Works until every job of the project is done, a step at a time."""
    while move is not None:
        move = moves.advance(move.pk, 0)


def issue_of(word: str) -> Issue:
    return IssueHash.objects.select_related("issue").get(hash=digest(word)).issue  # type: ignore[return-value]


def send(project: Project, word: str, count: int = 1, **fields: Any) -> Issue:
    record([event(project, hashes=word, **fields) for _ in range(count)])
    fold()
    return issue_of(word.split(maxsplit=1)[0])


def uuid(word: str) -> UUID:
    return UUID(digest(word))


def assert_exact() -> None:
    """Each issue's numbers are those of its rows."""
    assert_counters_equal_rows()
    for issue in Issue.objects.all():
        hours = sum(IssueHour.objects.filter(issue=issue).values_list("events", flat=True))
        rows = Event.objects.filter(issue=issue)
        assert hours == issue.events == rows.count()
        users = set(rows.exclude(user_hash=None).values_list("user_hash", flat=True))
        assert set(IssueUser.objects.filter(issue=issue).values_list("user_hash", flat=True)) == users
        assert issue.users == len(users)


def state() -> list[Any]:
    """All that is counted of all issues, to be compared with later.

    Not since when an issue has a tag or a user: that stays as early as it was after a merge.
    """
    return [
        list(Issue.objects.order_by("pk").values()),
        sorted(IssueHour.objects.values_list("issue", "hour", "environment", "events")),
        sorted(IssueTag.objects.values_list("issue", "tag", "events")),
        sorted(IssueUser.objects.values_list("issue", "user_hash")),
        sorted(Event.objects.values_list("issue", "event_id")),
        sorted(IssueHash.objects.values_list("hash", "issue", "origin")),
    ]


def test_a_merge_brings_everything_to_the_survivor(project: Project) -> None:
    small = send(project, "small", 2, user="id:1")
    large = send(project, "large", 3, user="id:1")
    send(project, "large", 1, user="id:2", environment="staging")
    finish(merge([small.pk, large.pk], None, None, "user:1:a"))
    small.refresh_from_db()
    large.refresh_from_db()
    assert (large.events, large.users, large.status) == (6, 2, Status.UNRESOLVED)
    assert (small.events, small.users, small.status, small.merged_into_id) == (0, 0, Status.MERGED, large.pk)
    assert set(Event.objects.values_list("issue", flat=True)) == {large.pk}
    assert_exact()


def test_the_survivor_is_as_old_and_as_new_as_the_oldest_and_the_newest(project: Project) -> None:
    now = clock.micros()
    old = send(project, "old", received=now - 3 * DAY, timestamp=now - 3 * DAY, release="shop@1")
    new = send(project, "new", 2, received=now - DAY, timestamp=now - DAY, release="shop@2")
    finish(merge([old.pk], new.pk, None, "user:1:a"))
    new.refresh_from_db()
    assert (new.first_seen, new.first_release) == (old.first_seen, old.first_release)
    assert str(new.last_release) == "shop@2"


def test_new_events_of_merged_hashes_go_to_the_survivor_at_once(project: Project) -> None:
    one, two = send(project, "one", 2), send(project, "two")
    move = merge([one.pk, two.pk], None, None, "user:1:a")
    assert [stored.issue_id for stored in record([event(project, hashes="two")])] == [one.pk]
    finish(move)
    assert_exact()


def test_a_merge_is_told_on_both_sides(project: Project) -> None:
    one, two = send(project, "one", 2), send(project, "two")
    merge([one.pk, two.pk], None, None, "user:1:a")
    told = Activity.objects.filter(cause="user:1:a").order_by("kind")
    assert [(each.kind, each.issue_id, each.data["issues"]) for each in told] == [
        ("merged", one.pk, [two.short_id]),
        ("merged_into", two.pk, [one.short_id]),
    ]


def test_chains_are_flat_and_their_jobs_follow_each_other(project: Project) -> None:
    a, b, c = send(project, "a"), send(project, "b", 2), send(project, "c", 3)
    first = merge([a.pk, b.pk], b.pk, None, "user:1:a")
    second = merge([b.pk, c.pk], c.pk, None, "user:1:b")
    assert moves.advance(second.pk, 60) is None, "the job before it comes first"
    finish(first)
    assert {issue.merged_into_id for issue in Issue.objects.filter(status=Status.MERGED)} == {c.pk}
    assert not IssueMove.objects.filter(state="open").exists()
    assert Issue.objects.get(pk=c.pk).events == 6
    assert_exact()


def test_the_same_cause_merges_once(project: Project) -> None:
    one, two = send(project, "one"), send(project, "two")
    moved = {merge([one.pk, two.pk], None, None, "user:1:a").pk for _ in range(2)}
    assert len(moved) == IssueMove.objects.count() == 1


def test_what_cannot_be_merged_is_refused(project: Project) -> None:
    one, two = send(project, "one"), send(project, "two")
    foreign = send(DsnKeyFactory.create().project, "foreign")
    with pytest.raises(Impossible, match="two issues"):
        merge([one.pk, one.pk], None, None, "user:1:a")
    with pytest.raises(Impossible, match="different projects"):
        merge([one.pk, foreign.pk], None, None, "user:1:b")
    merge([one.pk], two.pk, None, "user:1:c")
    three = send(project, "three")
    with pytest.raises(Impossible, match="merged or discarded"):
        merge([one.pk, three.pk], three.pk, None, "user:1:d")
    assert IssueMove.objects.count() == 1


def test_a_merged_issue_is_neither_resolved_nor_reopened(project: Project) -> None:
    one, two = send(project, "one"), send(project, "two")
    merge([one.pk], two.pk, None, "user:1:a")
    assert workflow.resolve([one.pk], None, "user:1:b") == []
    assert Issue.objects.get(pk=one.pk).status == Status.MERGED


@pytest.mark.parametrize("after", [1, 2, 3, 4, 5])
def test_a_job_that_is_done_again_from_any_step_changes_nothing(
    project: Project, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carry, "EVENTS", 2)
    monkeypatch.setattr(carry, "USERS", 2)
    one = send(project, "one", 4)
    two = send(project, "two", 1)
    for user in range(4):
        send(project, "two", user=f"id:{user}")
    move = merge([one.pk, two.pk], two.pk, None, "user:1:a")
    for _ in range(after):
        moves.advance(move.pk, 0)
    old = IssueMove.objects.get(pk=move.pk)
    moves.advance(move.pk, 0)
    # Another worker goes on from what it read before that step; one begins again: neither counts anything.
    IssueMove.objects.filter(pk=move.pk).update(data=old.data, state="open")
    finish(move)
    IssueMove.objects.filter(pk=move.pk).update(data={}, state="open")
    finish(move)
    assert_exact()
    assert Issue.objects.get(pk=two.pk).events == 9


def test_undoing_a_merge_restores_everything(project: Project) -> None:
    now = clock.micros()
    one = send(project, "one app", 2, user="id:1", received=now - 2 * DAY, timestamp=now - 2 * DAY)
    two = send(project, "two app2", 3, user="id:1", tags={"os": "Linux"})
    send(project, "two", 1, user="id:2", environment="staging")
    workflow.resolve([one.pk], None, "user:1:r")
    before = state()
    move = merge([one.pk, two.pk], two.pk, None, "user:1:a")
    finish(move)
    assert state() != before
    finish(undo_merge(move.pk, None, "user:1:b"))
    assert state() == before
    assert not MoveUser.objects.exists()
    assert_exact()


def test_a_merge_is_undone_while_it_is_under_way_and_events_go_on_coming(project: Project) -> None:
    one, two = send(project, "one", 5), send(project, "two", 2)
    move = merge([one.pk, two.pk], two.pk, None, "user:1:a")
    moves.advance(move.pk, 0)
    record([event(project, hashes="one", user="id:9")])
    undone = undo_merge(move.pk, None, "user:1:b")
    record([event(project, hashes="one", user="id:8")])
    moves.advance(move.pk, 0)
    counters.fold()
    record([event(project, hashes="one")])
    finish(IssueMove.objects.get(pk=move.pk))
    assert IssueMove.objects.get(pk=undone.pk).state == "done"
    record([event(project, hashes="one")])
    fold()
    assert (Issue.objects.get(pk=one.pk).events, Issue.objects.get(pk=two.pk).events) == (9, 2)
    assert Issue.objects.get(pk=one.pk).status == Status.UNRESOLVED
    assert_exact()


def test_undoing_the_second_of_two_merges_leaves_the_first(project: Project) -> None:
    a, b, c = send(project, "a"), send(project, "b", 2), send(project, "c", 3)
    finish(merge([a.pk], b.pk, None, "user:1:a"))
    second = merge([b.pk], c.pk, None, "user:1:b")
    finish(second)
    finish(undo_merge(second.pk, None, "user:1:c"))
    assert [Issue.objects.get(pk=one.pk).events for one in (a, b, c)] == [0, 3, 3]
    assert Issue.objects.get(pk=a.pk).merged_into_id == b.pk
    assert_exact()


def test_what_cannot_be_undone_is_refused(project: Project) -> None:
    a, b, c = send(project, "a"), send(project, "b", 2), send(project, "c", 3)
    move = merge([a.pk], b.pk, None, "user:1:a")
    finish(move)
    finish(merge([b.pk], c.pk, None, "user:1:b"))
    with pytest.raises(Impossible, match="meanwhile"):
        undo_merge(move.pk, None, "user:1:c")
    again = merge([c.pk], send(project, "d").pk, None, "user:1:d")
    finish(again)
    undo_merge(again.pk, None, "user:1:e")
    with pytest.raises(Impossible, match="Nothing"):
        undo_merge(again.pk, None, "user:1:f")


def test_hashes_are_split_off_to_a_new_issue_with_all_that_is_theirs(project: Project) -> None:
    now = clock.micros()
    send(project, "a", 3, user="id:1")
    old = now - 4 * DAY
    issue = send(
        project, "b a", 2, user="id:2", title="Other: b", received=old, timestamp=old, release="shop@0"
    )
    send(project, "b", 1, user="id:1", title="Other: b", culprit="shop.b", received=now - DAY,
         timestamp=now - DAY, release="shop@3")  # fmt: skip
    finish(split(issue.pk, [uuid("b")], None, "user:1:a"))
    new = issue_of("b")
    assert new.pk != issue.pk
    assert (new.number, new.events, new.users, new.title, new.culprit) == (2, 3, 2, "Other: b", "shop.b")
    assert (clock.to_micros(new.first_seen), clock.to_micros(new.last_seen)) == (old, now - DAY)
    assert (str(new.first_release), str(new.last_release)) == ("shop@0", "shop@3")
    issue.refresh_from_db()
    assert (issue.events, issue.users, issue.title) == (3, 1, "KeyError: a")
    assert issue.first_seen > new.last_seen, "what went is not the survivor's first any more"
    assert [stored.issue_id for stored in record([event(project, hashes="b a")])] == [new.pk]
    fold()
    assert_exact()
    assert Project.objects.get().next_issue == 3


def test_all_hashes_of_a_merged_issue_go_back_to_it(project: Project) -> None:
    one, two = send(project, "one app", 2), send(project, "two", 3)
    finish(merge([one.pk], two.pk, None, "user:1:a"))
    finish(split(two.pk, [uuid("one"), uuid("app")], None, "user:1:b"))
    one.refresh_from_db()
    assert (one.status, one.merged_into_id, one.events) == (Status.UNRESOLVED, None, 2)
    assert Issue.objects.count() == 2
    assert_exact()


def test_some_hashes_of_a_merged_issue_become_a_new_one(project: Project) -> None:
    one = send(project, "one app", 2)
    send(project, "uno app", 1)
    two = send(project, "two", 3)
    finish(merge([one.pk], two.pk, None, "user:1:a"))
    finish(split(two.pk, [uuid("uno")], None, "user:1:b"))
    assert (issue_of("uno").events, issue_of("one").pk, Issue.objects.count()) == (1, two.pk, 3)
    assert Issue.objects.get(pk=one.pk).status == Status.MERGED
    assert_exact()


def test_what_cannot_be_split_is_refused(project: Project) -> None:
    issue = send(project, "a b")
    with pytest.raises(Impossible, match="has to stay"):
        split(issue.pk, [uuid("a"), uuid("b")], None, "user:1:a")
    with pytest.raises(Impossible, match="Tick"):
        split(issue.pk, [uuid("c")], None, "user:1:b")


def test_what_waits_to_be_counted_is_counted_before_it_moves(project: Project) -> None:
    issue = send(project, "a")
    record([event(project, hashes="b a", environment="staging", user=f"id:{n}") for n in range(3)])
    finish(split(issue.pk, [uuid("b")], None, "user:1:a"))
    assert (Issue.objects.get(pk=issue.pk).events, issue_of("b").events) == (1, 3)
    assert_exact()


def test_a_hash_without_a_kept_event_makes_an_issue_without_one(project: Project) -> None:
    issue = send(project, "a b", 3)
    finish(split(issue.pk, [uuid("b")], None, "user:1:a"))
    new = issue_of("b")
    assert (new.events, new.first_seen <= new.last_seen) == (0, True)
    assert_exact()


def test_events_that_retention_dropped_stay_counted_with_the_survivor(project: Project) -> None:
    one, two = send(project, "one", 2), send(project, "two", 3)
    send(project, "one", user="id:99")
    gone = Event.objects.filter(issue=one).order_by("received").last()
    assert gone is not None
    Event.objects.filter(event_id=gone.event_id).delete()
    move = merge([one.pk], two.pk, None, "user:1:a")
    finish(move)
    finish(undo_merge(move.pk, None, "user:1:b"))
    assert (Issue.objects.get(pk=one.pk).events, Issue.objects.get(pk=two.pk).events) == (2, 4)


def test_who_met_the_issue_before_the_oldest_kept_day_stays(project: Project) -> None:
    one, two = send(project, "one", 2), send(project, "two", 3, user="id:2")
    IssueUser.objects.filter(issue=one).update(first_seen=clock.now() - timedelta(days=200))
    move = merge([one.pk], two.pk, None, "user:1:a")
    finish(move)
    finish(undo_merge(move.pk, None, "user:1:b"))
    assert (Issue.objects.get(pk=one.pk).users, Issue.objects.get(pk=two.pk).users) == (1, 2)


def test_a_replay_killed_between_batches_goes_on_where_it_was(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay, "EVENTS", 2)
    monkeypatch.setattr(replay, "USERS", 1)
    issue = send(project, "a", 5, user="id:1")
    for user in range(3):
        send(project, "b a", 2, user=f"id:{user}")
    move = split(issue.pk, [uuid("b")], None, "user:1:a")
    seen = []
    while (job := moves.advance(move.pk, 0)) is not None:
        job.refresh_from_db()
        seen.append(job.done)
    assert seen == sorted(seen)
    assert len(set(seen)) >= 5
    # The last batch once more, as by a worker that had read it before it was killed.
    IssueMove.objects.filter(pk=move.pk).update(
        state="open", data=IssueMove.objects.get(pk=move.pk).data | {"is_read": False, "mark": None}
    )
    finish(move)
    assert (Issue.objects.get(pk=issue.pk).events, issue_of("b").events) == (5, 6)
    assert_exact()


def test_two_workers_on_one_job_do_it_once(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carry, "EVENTS", 3)
    monkeypatch.setattr(replay, "EVENTS", 3)
    issue = send(project, "a", 20)
    other = send(project, "b", 20, user="id:3")
    move = merge([other.pk], issue.pk, None, "user:1:a")
    at_once([partial(finish_alone, move.pk)] * 3)
    finish(IssueMove.objects.get(pk=move.pk))
    back = undo_merge(move.pk, None, "user:1:b")
    at_once([partial(finish_alone, back.pk)] * 3)
    finish(IssueMove.objects.get(pk=back.pk))
    assert (Issue.objects.get(pk=issue.pk).events, Issue.objects.get(pk=other.pk).events) == (20, 20)
    assert_exact()


MOVER = """
    import sys, django
    django.setup()
    from app.store import carry, moves, replay
    carry.EVENTS = replay.EVENTS = 20
    print("ready", flush=True)
    while moves.advance(int(sys.argv[1]), 0):
        pass
"""


def test_movers_killed_at_random_moments_lose_and_double_nothing(project: Project) -> None:
    chance = random.Random(6)
    one, two = send(project, "one", 400), send(project, "two", 100)
    for user in range(20):
        record([event(project, hashes="one", user=f"id:{user}") for _ in range(10)])
    move = merge([one.pk], two.pk, None, "user:1:a")
    kills = killed(move, chance)
    finish(move)
    assert Issue.objects.get(pk=two.pk).events == 700
    assert_exact()
    back = undo_merge(move.pk, None, "user:1:b")
    kills += killed(back, chance)
    finish(back)
    assert (Issue.objects.get(pk=one.pk).events, Issue.objects.get(pk=two.pk).events) == (600, 100)
    assert_exact()
    assert kills >= 4


def killed(move: IssueMove, chance: random.Random) -> int:
    """How many workers were killed before the job was done."""
    kills = 0
    for _ in range(4):
        words = [sys.executable, "-c", textwrap.dedent(MOVER), str(move.pk)]
        environment = {
            "DATABASE_URL": database_url(), "DJANGO_SETTINGS_MODULE": "app.settings", "PATH": "/usr/bin",
        }  # fmt: skip
        mover = subprocess.Popen(words, stdout=subprocess.PIPE, cwd=settings.ROOT, env=environment)
        assert mover.stdout is not None
        assert mover.stdout.readline() == b"ready\n"
        time.sleep(chance.uniform(0, 0.12))
        mover.kill()
        mover.wait()
        eventually(lambda: not writing())
        kills += IssueMove.objects.filter(pk=move.pk, state="open").exists()
    return kills


def finish_alone(move_id: int) -> None:
    finish(IssueMove.objects.get(pk=move_id))


@pytest.mark.parametrize("seed", range(3))
def test_counters_are_exact_after_a_merge_beside_writers_and_folders(
    project: Project, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Merge and undo while others record and fold: no deadlock, and each number is that of its rows."""
    monkeypatch.setattr(carry, "EVENTS", 7)
    monkeypatch.setattr(replay, "EVENTS", 7)
    chance = random.Random(seed)
    one, two = send(project, "one app", 5), send(project, "two", 5)

    def group() -> list[Arriving]:
        words = chance.choices(["one app", "two", "uno app", "dos two"], k=8)
        return [
            event(project, hashes=w, user=f"id:{chance.randint(1, 30)}",
                  environment=chance.choice(["production", "staging"]))
            for w in words
        ]  # fmt: skip

    shares = [[group() for _ in range(25)] for _ in range(2)]

    def fold_often() -> None:
        for _ in range(60):
            fold()

    def merge_and_undo() -> None:
        for turn in range(3):
            move = merge([one.pk], two.pk, None, f"user:1:m{turn}")
            if turn == 1:
                finish(move)
            else:
                moves.advance(move.pk, 0)
            undo_merge(move.pk, None, f"user:1:u{turn}")
            finish(first_open(project))
        merge([one.pk], two.pk, None, "user:1:last")
        finish(first_open(project))

    with deadlocks() as broken:
        at_once([fold_often, merge_and_undo, *[partial(record_all, share) for share in shares]])
    assert broken == [0]
    finish(first_open(project))
    assert Event.objects.count() == 10 + 2 * 25 * 8
    fold()
    assert not moves.leftovers()
    survivor = Issue.objects.get(pk=two.pk)
    assert survivor.events == Event.objects.filter(issue=survivor).count() == Event.objects.count()
    assert_exact()


def first_open(project: Project) -> IssueMove | None:
    return IssueMove.objects.filter(project=project, state="open").order_by("pk").first()


def test_a_worker_that_looked_the_hash_up_before_the_merge_is_waited_for(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stands between its look-up and its commit, held up by somebody who locks the tallies."""
    monkeypatch.setattr(moves, "PATIENCE", "50ms")
    one, two = send(project, "one", 2), send(project, "two", 3)
    with psycopg.connect(database_url()) as other, ThreadPoolExecutor(1) as pool:
        other.execute("lock table app_tally in exclusive mode")
        late = pool.submit(at_once, [partial(record, [event(project, hashes="one")])])
        eventually(waiting)
        move = merge([one.pk], two.pk, None, "user:1:a")
        assert moves.advance(move.pk, 60) is None
        other.rollback()
        late.result(timeout=30)
    assert Event.objects.filter(issue=one).count() == 3
    finish(move)
    assert Issue.objects.get(pk=two.pk).events == Event.objects.filter(issue=two).count() == 6
    assert_exact()


def test_a_recorder_that_does_not_end_holds_up_the_job_and_nobody_else(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moves, "PATIENCE", "50ms")
    one, two = send(project, "one"), send(project, "two", 2)
    move = merge([one.pk], two.pk, None, "user:1:a")
    with psycopg.connect(database_url()) as other:
        other.execute("select pg_advisory_xact_lock_shared(%s)", [LOCK])
        assert moves.advance(move.pk, 60) is None
        assert IssueMove.objects.get().state == "open"
        record([event(project, hashes="one")])
        other.rollback()
    finish(move)
    assert_exact()


def test_a_job_nobody_works_on_and_counts_that_came_back_are_found(project: Project) -> None:
    one, two = send(project, "one"), send(project, "two", 2)
    move = merge([one.pk], two.pk, None, "user:1:a")
    assert moves.waiting() == []
    IssueMove.objects.update(touched=clock.now() - timedelta(minutes=5))
    assert moves.waiting() == [move]
    finish(move)
    assert (moves.waiting(), moves.leftovers()) == ([], [])
    late = event(project, hashes="one")
    record([late])
    Event.objects.filter(event_id=late.event_id).update(issue=one)
    Issue.objects.filter(pk=one.pk).update(events=4)
    fold()
    Issue.objects.filter(pk=two.pk).update(events=0)
    (left,) = moves.leftovers()
    finish(left)
    assert Counter(Event.objects.values_list("issue", flat=True)) == {two.pk: 4}
    assert_exact()


def test_events_of_a_batch_are_moved_by_the_primary_key(project: Project) -> None:
    issue = send(project, "a", 50)
    send(project, "b a", 5)
    move = split(issue.pk, [uuid("b")], None, "user:1:a")
    moves.advance(move.pk, 0)
    with connection.cursor() as statements:
        statements.execute("analyze app_event; set enable_seqscan = off")
        plan = shift._EVENTS.format(day=clock.now().date())
        ids = list(Event.objects.values_list("event_id", flat=True)[:5])
        statements.execute(f"explain {plan}", [issue.pk, project.pk, ids])
        told = "\n".join(row for (row,) in statements.fetchall())
        statements.execute("reset enable_seqscan")
    assert "event_id = ANY" in told.split("Index Cond", 1)[1].splitlines()[0], told


def test_releases_stay_what_they_were(project: Project) -> None:
    ReleaseFactory.create(organization=project.organization)
    one, two = send(project, "one", release=""), send(project, "two", 2, release="shop@5")
    finish(merge([two.pk], one.pk, None, "user:1:a"))
    assert str(Issue.objects.get(pk=one.pk).last_release) == "shop@5"
