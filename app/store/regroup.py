"""A project's rules, applied to the events that it has: each goes where it would go if it came now.

A job like those of merges (app.store.moves), of the whole project: it reads all events from the newest to the
oldest, and what belongs elsewhere moves there with all it counts. At first nobody may still be grouping by
the rules before, and everything must be counted. In the end an issue that gave all its events away is merged
into the one that got most of them, so that links to it lead on.

To undo it is to make apart what was merged, and to apply the rules before in the same way.
"""

from __future__ import annotations

import time
from collections import Counter
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec
from django.db import IntegrityError, transaction

from app import options
from app.base import clock
from app.grouping.configs import Config, config
from app.models import (
    BodyDictionary,
    Issue,
    IssueHash,
    IssueMove,
    Project,
    RegroupedIssue,
    Regrouping,
)
from app.store import bodies, choices, counters, merge, moves, read, shift, trial, walk
from app.store.database import Cursor, array, arrays, columns, cursor, numbers
from app.store.holding import Impossible, note, stop_counting
from app.store.issues import attach
from app.store.shift import Moved
from app.store.split import born, undo_merge
from app.store.trial import Chosen, Kept, Tag

#: Events of one step; issues that are finished with in one.
EVENTS, ISSUES = 500, 50
#: Seconds until every worker knows the rules, and between two looks at what has to end before.
KNOWN, PAUSE = 2 * choices.FRESH, 2.0
#: A job that did nothing for so long is looked after.
STILL = timedelta(seconds=60)

_COLUMNS = """
e.issue_id, e."timestamp", e.environment_id, e.release_id, e.user_hash, e.level, e.title, e.tags,
e.dictionary, e.body"""
_LEADS = """
select h.hash, h.issue_id from app_issuehash h
where h.project_id = %s and h.hash = any (%s::uuid[])
and (h.issue_id is not null or h.state = 'discarded')"""
_GAVE = f"""
insert into app_regroupedissue as t (regrouping_id, source, target, events)
select %s::bigint, s, g, n from unnest({arrays("bigint bigint bigint")}) u (s, g, n) order by s, g
on conflict (regrouping_id, source, target) do update set events = t.events + excluded.events"""
#: Those who met the issue before the oldest events that are kept may have done so in one that is not.
_LEAVE = """
with gone as (
    delete from app_issueuser where issue_id = %(issue)s and first_seen >= %(kept)s
    and user_hash not in (
        select user_hash from app_event
        where day between %(first)s and %(last)s and issue_id = %(issue)s and user_hash is not null
    ) and user_hash in (select user_hash from app_issueuser where issue_id = any (%(targets)s::bigint[]))
    returning 1
)
update app_issue set users = greatest(users - (select count(*) from gone), 0) where id = %(issue)s"""
_EMPTY = ("delete from app_issuehour where issue_id = %s and events = 0",
          "delete from app_issuetag where issue_id = %s and events = 0")  # fmt: skip
_SPAN = """
select min("timestamp"), max("timestamp") from app_event where day between %s and %s and issue_id = %s"""


class Going(NamedTuple):
    """How a job goes on."""

    is_open: bool
    wait: float = 0.0  # seconds before it has to be looked at again


def start(project: Project, before: options.Grouping, user_id: int | None, cause: str) -> Regrouping:
    """Leaves a job that applies the project's rules. The same cause starts one. Raises Impossible."""
    now = clock.now()
    chosen = options.of_project(project.options).grouping
    total = sum(Issue.objects.filter(project=project).values_list("events", flat=True))
    try:
        with transaction.atomic():
            found, _ = Regrouping.objects.get_or_create(
                cause=cause,
                defaults={
                    "project": project, "user_id": user_id, "before": msgspec.to_builtins(before),
                    "total": total, "created": now, "touched": now,
                    "data": {"rules": msgspec.to_builtins(chosen), "phase": "wait"},
                },
            )  # fmt: skip
    except IntegrityError as error:
        raise Impossible("Rules are being applied already. Wait until that is done.") from error
    return found


def undo(job_id: int, user_id: int | None, cause: str) -> Regrouping:
    """Brings back the rules before and leaves a job that applies them. Raises Impossible."""
    with transaction.atomic():
        job = Regrouping.objects.select_for_update(no_key=True, of=("self",)).get(pk=job_id)
        project = Project.objects.select_for_update(no_key=True).get(pk=job.project_id)
        last = Regrouping.objects.filter(project=project).order_by("-pk").first()
        now = options.of_project(project.options).grouping
        if job.state != Regrouping.State.DONE or last != job or job.undone_by_id:
            raise Impossible("Only what was applied last can be undone, once it is done.")
        if msgspec.to_builtins(now) != job.data["rules"]:
            raise Impossible("The rules were changed since. Bring them back by hand, then apply them.")
        if IssueMove.objects.filter(project=project, state=IssueMove.State.OPEN).exists():
            raise Impossible("Issues are being merged or split. Try again when that is done.")
        project.options = {**project.options, "grouping": job.before}
        project.save(update_fields=["options"])
        for number in reversed(job.data.get("merges", [])):
            with suppress(Impossible):  # somebody did that already, or did something else with it
                _be_done(undo_merge(number, user_id, f"{cause}:{number}"))
        job.undone_by = start(project, now, user_id, cause)
        job.save(update_fields=["undone_by"])
    return job.undone_by


def can_undo(job: Regrouping, now: options.Grouping) -> bool:
    """Whether a project's last job is done, and its rules are still those that hold."""
    is_done = job.state == Regrouping.State.DONE and job.undone_by_id is None
    return is_done and bool(msgspec.to_builtins(now) == job.data["rules"])


def applied(project: Project) -> options.Grouping:
    """The rules that were applied to the project's events last."""
    last = Regrouping.objects.filter(project=project).order_by("-pk").first()
    return msgspec.convert(last.data["rules"], options.Grouping) if last else options.Grouping()


def advance(job_id: int, seconds: float) -> Going:
    """Works for about so long."""
    end = time.monotonic() + seconds
    open_ = Regrouping.objects.filter(pk=job_id, state=Regrouping.State.OPEN)
    while (job := open_.first()) is not None:
        if IssueMove.objects.filter(project=job.project_id, state=IssueMove.State.OPEN).exists():
            return Going(is_open=True, wait=PAUSE)
        if job.data["phase"] == "wait":
            ready = job.created + timedelta(seconds=KNOWN)
            if clock.now() < ready or not moves.quiet():
                return Going(is_open=True, wait=PAUSE)
        if not _step(job_id):  # another worker has it
            return Going(is_open=False)
        if time.monotonic() >= end:
            break
    return Going(is_open=open_.exists())


def waiting() -> list[Regrouping]:
    """Open jobs that nobody has done anything about for a while."""
    return list(Regrouping.objects.filter(state=Regrouping.State.OPEN, touched__lt=clock.now() - STILL))


def _step(job_id: int) -> bool:
    """One bounded piece of work, in one transaction; whether the job was ours."""
    with transaction.atomic(), cursor() as statements:
        open_ = Regrouping.objects.filter(pk=job_id, state=Regrouping.State.OPEN)
        job = open_.select_for_update(skip_locked=True, of=("self",)).first()
        if job is None:
            return False
        match job.data["phase"]:
            case "wait":
                trial.carry_over(job.project_id, _chosen(job), trial.MOST)
                job.data["phase"] = "walk"
            case "walk":
                _walk(statements, job)
            case "end":
                _end(statements, job)
        job.touched = clock.now()
        job.save(update_fields=["state", "touched", "finished", "done", "moved", "data"])
    return True


def _chosen(job: Regrouping) -> Chosen:
    return Chosen.of(msgspec.convert(job.data["rules"], options.Grouping))


# -- reading all events ------------------------------------------------------------------------------------


def _walk(statements: Cursor, job: Regrouping) -> None:
    """The next events, and where each belongs."""
    newest, oldest = read.kept_days()
    told = job.data.get("mark")
    mark = msgspec.convert(told, walk.Mark) if told else walk.start((oldest, newest))
    rows, following = walk.batch(statements, job.project_id, _COLUMNS, mark, oldest, EVENTS, by="project_id")
    decides = config(*_chosen(job))
    named = trial.tags_of(statements, {tag for row in rows for tag in row[10]})
    # Whatever came later was grouped by these rules when it came.
    rows = [row for row in rows if row[2] <= job.created + timedelta(seconds=KNOWN)]
    hashes = [_hashes(decides, row, named) for row in rows]
    statements.execute("select from app_project where id = %s for no key update", [job.project_id])
    leads = _leads(statements, job, decides, rows, hashes)
    moved = [
        _moved(row, leads[target])
        for row, each in zip(rows, hashes, strict=True)
        if (target := next((one for one in each if one in leads), None)) and leads[target] != row[3]
    ]
    _shift(statements, job, moved)
    job.done += len(rows)
    job.data["mark"] = msgspec.to_builtins(following)
    if following is None:
        job.data["phase"] = "end"


def _hashes(decides: Config, row: tuple[Any, ...], named: dict[int, Tag]) -> list[str]:
    _, event_id, received, issue_id, *_, tags, dictionary, body = row
    return trial.hashes_by(decides, Kept(event_id, received, issue_id, dictionary, body, tags), named)


def _leads(
    statements: Cursor, job: Regrouping, decides: Config, rows: list[tuple[Any, ...]], hashes: list[list[str]]
) -> dict[str, int]:
    """Which hash leads to which issue; where none of an event's does, a new issue is made for it.

    A hash whose events are dropped leads nowhere: those that are there stay where they are.
    """
    wanted = {one for each in hashes for one in each}
    found = statements.execute(_LEADS, [job.project_id, array(sorted(wanted))]).fetchall()
    known: dict[str, int | None] = {one.hex: issue_id for one, issue_id in found}
    unknown: dict[tuple[str, ...], int] = {}  # with an issue that has such an event
    for row, each in zip(rows, hashes, strict=True):
        if each and not any(one in known for one in each):
            unknown[tuple(each)] = row[3]
            known |= dict.fromkeys(each)
    new: dict[str, int] = {}
    for together, issue in zip(unknown, _born(job, list(unknown.values())), strict=True):
        new |= dict.fromkeys(together, issue.pk)
    known |= new
    attach(job.project_id, new, decides.name)
    return {one: issue_id for one, issue_id in known.items() if issue_id is not None}


def _born(job: Regrouping, sources: list[int]) -> list[Issue]:
    """A new issue for each of these, that looks like it until it has events."""
    found = Issue.objects.select_related("project").in_bulk(sources)
    new = born([found[number] for number in sources])
    for issue, number in zip(new, sources, strict=True):
        note(issue, "split_from", job.user_id, job.cause, [found[number]])
    return new


def _moved(row: tuple[Any, ...], target: int) -> Moved:
    day, event_id, _, source, at, environment, release, user, level, title, tags, dictionary, body = row
    try:
        head = bodies.head(dictionary, body)
    except BodyDictionary.DoesNotExist:
        head = bodies.Head()
    return Moved(source, day, event_id, at, environment, release, user, level, title, tags, head, target)


def _shift(statements: Cursor, job: Regrouping, leaving: list[Moved]) -> None:
    """Moves them with what they count."""
    if not leaving:
        return
    _hold(statements, {one.source for one in leaving} | {one.target for one in leaving})
    moved = shift.take(statements, job.project_id, leaving)
    shift.count(statements, moved)
    job.moved += len(moved)
    gave = Counter((one.source, one.target) for one in moved)
    rows = [(*pair, count) for pair, count in sorted(gave.items())]
    statements.execute(_GAVE, [job.pk, *map(numbers, columns(rows, 3))])


def _hold(statements: Cursor, issue_ids: set[int]) -> None:
    statements.execute("select pg_advisory_xact_lock(%s)", [counters.TAGS_LOCK])
    stop_counting(statements, sorted(issue_ids))


# -- what follows for the issues ---------------------------------------------------------------------------


def _end(statements: Cursor, job: Regrouping) -> None:
    """Sets some of the issues right that gave events away; the job is done when there are none left."""
    gave = RegroupedIssue.objects.filter(regrouping=job)
    sources = list(gave.order_by("source").values_list("source", flat=True).distinct()[:ISSUES])
    if not sources:
        job.state, job.finished = Regrouping.State.DONE, clock.now()
        return
    statements.execute("select from app_project where id = %s for no key update", [job.project_id])
    _hold(statements, set(sources))
    emptied: dict[int, list[int]] = {}
    issues = Issue.objects.in_bulk(sources)
    for source, issue in sorted(issues.items()):
        largest = gave.filter(source=source).order_by("-events", "target")
        targets = list(largest.values_list("target", flat=True))
        if _settle(statements, job, issue, targets):
            emptied.setdefault(targets[0], []).append(source)
    for target, merged in sorted(emptied.items()):
        _merge(job, target, merged)
    gave.filter(source__in=sources).delete()


def _merge(job: Regrouping, target: int, sources: list[int]) -> None:
    """Makes issues that have nothing left lead to the one that got most of it; nothing has to be carried."""
    if Regrouping.objects.filter(
        undone_by=job
    ).exists():  # their hashes are of rules that hold no more, and would lead astray
        IssueHash.objects.filter(issue__in=sources).update(issue=None)
    try:
        move = merge.merge(sources, target, job.user_id, f"{job.cause}:{sources[0]}")
    except Impossible:
        return
    _be_done(move)
    job.data.setdefault("merges", []).append(move.pk)


def _be_done(move: IssueMove) -> None:
    IssueMove.objects.filter(pk=move.pk).update(state=IssueMove.State.DONE, finished=clock.now())


def _settle(statements: Cursor, job: Regrouping, issue: Issue, targets: list[int]) -> bool:
    """Users, first and last moment of an issue that gave events away; whether it has nothing left."""
    first, last = read.days(issue)
    _, kept = read.kept_days()
    values = {
        "issue": issue.pk, "first": first, "last": last, "targets": numbers(targets),
        "kept": datetime(kept.year, kept.month, kept.day, tzinfo=job.created.tzinfo),
    }  # fmt: skip
    statements.execute(_LEAVE, values)
    for sql in _EMPTY:
        statements.execute(sql, [issue.pk])
    begin, end = statements.execute(_SPAN, [first, last, issue.pk]).fetchone() or (None, None)
    if begin is not None:
        _set_right(issue, begin, end, knows_all=issue.first_seen.date() >= kept)
        return False
    issue.refresh_from_db(fields=["events", "users"])
    return not issue.events and not issue.users and issue.is_listed


def _set_right(issue: Issue, begin: datetime, end: datetime, *, knows_all: bool) -> None:
    fields: list[str] = []
    issue.refresh_from_db()
    if knows_all and begin > issue.first_seen:
        issue.first_seen = begin
        fields.append("first_seen")
    if end < issue.last_seen and (event := read.latest(issue)):
        issue.last_seen, issue.title, issue.level = end, event.title, event.level
        issue.culprit, issue.metadata = event.body.culprit[:200], event.body.metadata
        fields += ["last_seen", "title", "level", "culprit", "metadata"]
    if fields:
        issue.save(update_fields=fields)
