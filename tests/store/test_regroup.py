"""Rules applied to the past: every event is where it would be if it came now, and all counts are exact."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from app import options
from app.base import clock
from app.models import DsnKey, Event, Issue, IssueHash, IssueMove, Project, RegroupedIssue, Regrouping, Status
from app.normalize.limits import Limits
from app.normalize.read import parts
from app.options import Grouping
from app.store import moves, regroup, trial
from app.store.choices import chosen
from app.store.holding import Impossible
from app.store.merge import merge
from app.store.record import record as store
from app.store.trial import Chosen
from tasks import events
from tests.factories import DsnKeyFactory
from tests.normalize.senders import record
from tests.store.samples import fold
from tests.store.test_merge import assert_exact, finish

pytestmark = pytest.mark.django_db(transaction=True)
APART = "tags.server:* -> {{ default }} {{ tags.server }}"
TOGETHER = "type:* -> all"


@pytest.fixture
def project(transactional_db: None) -> Project:
    chosen.forget()
    return DsnKeyFactory.create().project


def sent(project: Project, function: str, server: str, count: int = 1) -> None:
    """On the way that real events take, but for the queue."""
    chosen.forget()
    for number in range(count):
        payload: dict[str, Any] = {
            "platform": "python",
            "tags": {"server": server},
            "release": "shop@1",
            "user": {"id": f"{function}-{number % 3}"},
            "exception": [{"type": f"{function.title()}Error", "value": "v", "stacktrace": {"frames": [
                {"function": function, "module": "shop", "filename": "shop.py", "in_app": True},
            ]}}],
        }  # fmt: skip
        known = {"project_id": project.pk, "key_id": DsnKey.objects.get().pk, "event_id": uuid.uuid4().hex}
        frame = record(json.dumps(payload).encode(), received=clock.micros(), **known)
        for part in parts(frame, Limits(), chosen.now()):
            done, _ = events.grouped(part.events, chosen.now())
            store(done)
    fold()


def rules(project: Project, **wanted: Any) -> Grouping:
    """Saves rules as the page does; what held before."""
    project.refresh_from_db()
    before = options.of_project(project.options).grouping
    after = Grouping(**wanted)
    trial.carry_over(project.pk, Chosen.of(after))
    project.options = {"grouping": msgspec.to_builtins(after)}
    project.save()
    return before


def apply(project: Project, **wanted: Any) -> Regrouping:
    before = rules(project, **wanted)
    return through(regroup.start(project, before, None, f"user:1:{uuid.uuid4().hex}"))


def through(job: Regrouping) -> Regrouping:
    """Works until the job and all that it left is done, a step at a time, as tasks do."""
    Regrouping.objects.filter(pk=job.pk).update(created=clock.now() - timedelta(seconds=regroup.KNOWN))
    going = regroup.Going(is_open=True)
    while going.is_open:
        going = regroup.advance(job.pk, 0)
    job.refresh_from_db()
    assert job.state == Regrouping.State.DONE
    assert not RegroupedIssue.objects.exists()
    return job


def counts() -> Counter[str]:
    """Events of each listed issue, by its title and number."""
    listed = Issue.objects.exclude(status=Status.MERGED)
    return Counter({f"{issue.title} {issue.number}": issue.events for issue in listed})


def test_an_issue_is_split_by_rules_and_everything_counted_follows(project: Project) -> None:
    sent(project, "charge", "a", 5)
    sent(project, "charge", "b", 3)
    sent(project, "charge", "c", 2)
    job = apply(project, fingerprint_rules=APART)
    assert counts() == {"ChargeError: v 1": 5, "ChargeError: v 2": 2, "ChargeError: v 3": 3}
    assert (job.done, job.moved) == (10, 5)
    assert_exact()
    sent(project, "charge", "b")
    assert counts()["ChargeError: v 3"] == 4


def test_issues_that_become_one_are_merged_and_lead_there(project: Project) -> None:
    sent(project, "charge", "a", 2)
    sent(project, "refund", "a", 5)
    apply(project, fingerprint_rules=TOGETHER)
    assert counts() == {"RefundError: v 2": 7}
    gone = Issue.objects.get(status=Status.MERGED)
    assert (gone.number, gone.events, gone.merged_into) == (1, 0, Issue.objects.get(number=2))
    assert_exact()


def test_what_the_rules_do_not_change_stays_as_it_is(project: Project) -> None:
    sent(project, "charge", "a", 2)
    before = list(Issue.objects.values())
    job = apply(project, fingerprint_rules="type:Other -> x")
    assert (job.done, job.moved) == (2, 0)
    assert list(Issue.objects.values()) == before


@pytest.mark.parametrize("rule", [APART, TOGETHER, "function:charge -> x {{ tags.server }}"])
def test_undone_everything_is_where_it_was(project: Project, rule: str) -> None:
    for function in ("charge", "refund"):
        for server, count in (("a", 4), ("b", 2), ("c", 1)):
            sent(project, function, server, count)
    before = counts()
    where = dict(Event.objects.values_list("event_id", "issue"))
    job = apply(project, fingerprint_rules=rule)
    applied = sorted(counts().values())
    assert counts() != before
    assert_exact()
    back = regroup.undo(job.pk, None, "user:1:undo")
    through(back)
    assert dict(Event.objects.values_list("event_id", "issue")) == where
    assert counts() == before
    assert_exact()
    project.refresh_from_db()
    assert options.of_project(project.options).grouping == Grouping()
    job.refresh_from_db()
    assert job.undone_by == back
    apply(project, fingerprint_rules=rule)
    assert sorted(counts().values()) == applied
    assert_exact()


def test_only_the_last_one_can_be_undone_and_only_while_its_rules_hold(project: Project) -> None:
    sent(project, "charge", "a")
    first = apply(project, fingerprint_rules=APART)
    second = apply(project, fingerprint_rules=TOGETHER)
    with pytest.raises(Impossible, match="Only what was applied last"):
        regroup.undo(first.pk, None, "user:1:a")
    rules(project, fingerprint_rules="type:X -> x")
    with pytest.raises(Impossible, match="changed since"):
        regroup.undo(second.pk, None, "user:1:b")


def test_there_is_one_job_at_a_time_and_the_same_cause_starts_one(project: Project) -> None:
    sent(project, "charge", "a")
    job = regroup.start(project, Grouping(), None, "user:1:a")
    assert regroup.start(project, Grouping(), None, "user:1:a") == job
    with pytest.raises(Impossible, match="applied already"):
        regroup.start(project, Grouping(), None, "user:1:b")
    with pytest.raises(Impossible, match="once it is done"):
        regroup.undo(job.pk, None, "user:1:c")


def test_it_waits_until_every_worker_knows_the_rules_and_merges_are_through(project: Project) -> None:

    sent(project, "charge", "a")
    sent(project, "refund", "a")
    rules(project, fingerprint_rules=APART)
    job = regroup.start(project, Grouping(), None, "user:1:a")
    assert regroup.advance(job.pk, 0) == regroup.Going(is_open=True, wait=regroup.PAUSE)
    Regrouping.objects.update(created=clock.now() - timedelta(seconds=regroup.KNOWN))
    move = merge([one.pk for one in Issue.objects.all()], None, None, "user:1:m")
    assert regroup.advance(job.pk, 0) == regroup.Going(is_open=True, wait=regroup.PAUSE)
    finish(move)
    assert regroup.advance(job.pk, 0) == regroup.Going(is_open=True)


def test_a_worker_that_dies_anywhere_leaves_nothing_half_done(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(regroup, "EVENTS", 3)
    for server in "abcd":
        sent(project, "charge", server, 3)
    rules(project, fingerprint_rules=APART)
    job = regroup.start(project, Grouping(), None, "user:1:a")
    Regrouping.objects.update(created=clock.now() - timedelta(seconds=regroup.KNOWN))
    steps = 0
    while regroup.advance(job.pk, 0).is_open:
        steps += 1
        assert_exact_events()
        with monkeypatch.context() as broken:  # a step that is cut off in its last statement
            broken.setattr(Regrouping, "save", lambda *_, **__: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                regroup.advance(job.pk, 0)
        assert_exact_events()
    assert steps >= 5
    assert sorted(counts().values()) == [3, 3, 3, 3]
    assert_exact()


def assert_exact_events() -> None:
    """While it goes on, users who left may still be counted; events are not."""
    for issue in Issue.objects.all():
        assert issue.events == Event.objects.filter(issue=issue).count()


def test_discarded_hashes_take_nothing_that_is_there(project: Project) -> None:
    sent(project, "charge", "a", 2)
    rules(project, fingerprint_rules="type:ChargeError -> gone")
    IssueHash.objects.update(issue=None, state="discarded")
    job = through(regroup.start(project, Grouping(), None, "user:1:a"))
    assert (job.done, job.moved) == (2, 0)
    assert Issue.objects.get().events == 2


def test_a_job_that_nobody_works_on_is_found(project: Project) -> None:
    job = regroup.start(project, Grouping(), None, "user:1:a")
    assert regroup.waiting() == []
    Regrouping.objects.update(touched=clock.now() - 2 * regroup.STILL)
    assert regroup.waiting() == [job]
    assert not IssueMove.objects.exists()
    assert moves.waiting() == []
