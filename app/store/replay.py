"""A split's job: the issue's events are read again, and those of the chosen hashes move with all they count.

An event goes where the first of its known hashes leads, as it does when it arrives. All that move were
counted before the job began (app.store.moves), so what is subtracted here was added before. Events that
retention has dropped stay counted where they were: nothing says any more which hash they had. So do their
users.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import msgspec
from django.db.models import F

from app.base import clock
from app.models import BodyDictionary, Issue, IssueMove, MoveUser
from app.store import bodies, counters, read, shift, walk
from app.store.database import Cursor, cursor, numbers
from app.store.holding import stop_counting
from app.store.shift import Moved

#: Events and users of one step.
EVENTS, USERS = 500, 5000
#: Events that are stored while the job runs, but were accepted so long before it began, keep no user in the
#: issue that has other events elsewhere.
LATE = timedelta(hours=1)

_COLUMNS = """
e."timestamp", e.environment_id, e.release_id, e.user_hash, e.level, e.title, e.tags, e.dictionary, e.body"""
_STAYS = """
insert into app_moveuser (move_id, user_hash) select %s, unnest(%s::bigint[]) on conflict do nothing"""
_RECENT = """
insert into app_moveuser (move_id, user_hash)
select distinct %s::bigint, user_hash from app_event
where day between %s and %s and issue_id = %s and received >= %s and user_hash is not null
on conflict do nothing"""
#: Those who met the issue before the oldest events that are kept may have done so in one that is not.
_LEAVE = """
with gone as (
    delete from app_issueuser where issue_id = %(issue)s and user_hash in (
        select u.user_hash from app_issueuser u where u.issue_id = %(issue)s and u.first_seen >= %(kept)s
        and exists (select from app_issueuser t
                    where t.issue_id = any (%(others)s::bigint[]) and t.user_hash = u.user_hash)
        and not exists (select from app_moveuser k where k.move_id = %(move)s and k.user_hash = u.user_hash)
        order by u.user_hash limit %(most)s
    ) returning 1
),
counted as (
    update app_issue set users = greatest(users - (select count(*) from gone), 0) where id = %(issue)s
)
select count(*) from gone"""
_NONE_LEFT = ("delete from app_issuehour where issue_id = %s and events = 0",
              "delete from app_issuetag where issue_id = %s and events = 0")  # fmt: skip


def _moved(row: tuple[Any, ...], leads: dict[str, int], stays: int) -> Moved:
    day, event_id, _, at, environment, release, user, level, title, tags, dictionary, body = row
    try:
        head = bodies.head(dictionary, body)
    except BodyDictionary.DoesNotExist:
        head = bodies.Head()
    hashes = head.grouping.hashes if head.grouping else []
    target = next((leads[one] for one in hashes if one in leads), stays)
    return Moved(stays, day, event_id, at, environment, release, user, level, title, tags, head, target)


def step(move: IssueMove) -> bool:
    """One bounded piece of work on a job that the caller holds; whether that was the last one."""
    with cursor() as statements:
        if move.data.get("is_read"):
            _hold(statements, move)
            return _end(statements, move)
        events, following = _batch(statements, move)
        _hold(statements, move)
        leaving = [one for one in events if one.target != move.survivor_id]
        moved = shift.take(statements, move.project_id, leaving)
        shift.count(statements, moved)
        _stay(statements, move, [one for one in events if one.target == move.survivor_id])
    move.done += len(events)
    move.data["mark"] = msgspec.to_builtins(following)
    move.data["is_read"] = following is None
    return False


def _hold(statements: Cursor, move: IssueMove) -> None:
    """What these issues count is moved by nobody else from here on."""
    statements.execute("select pg_advisory_xact_lock(%s)", [counters.TAGS_LOCK])
    stop_counting(statements, [move.survivor_id, *move.others])


def _batch(statements: Cursor, move: IssueMove) -> tuple[list[Moved], walk.Mark | None]:
    """The next events of the issue and where the batch after them begins."""
    issue = Issue.objects.get(pk=move.survivor_id)
    first, last = read.days(issue)
    told = move.data.get("mark")
    mark = msgspec.convert(told, walk.Mark) if told else walk.start((first, last))
    rows, following = walk.batch(statements, issue.pk, _COLUMNS, mark, first, EVENTS)
    return [_moved(row, move.data["hashes"], issue.pk) for row in rows], following


def _stay(statements: Cursor, move: IssueMove, staying: list[Moved]) -> None:
    """Notes who is still there, and the first and the last of what stays."""
    if not staying:
        return
    users = sorted({one.user for one in staying if one.user is not None})
    statements.execute(_STAYS, [move.pk, numbers(users)])
    oldest, newest = min(staying, key=lambda one: one.at), max(staying, key=lambda one: one.at)
    known = move.data.setdefault("stays", {})
    if not known or oldest.at < datetime.fromisoformat(known["first"]):
        known |= {"first": oldest.at.isoformat(), "first_release": oldest.release}
    if "last" not in known or newest.at > datetime.fromisoformat(known["last"]):
        head = newest.head
        known |= {
            "last": newest.at.isoformat(), "last_release": newest.release, "title": newest.title,
            "level": newest.level, "culprit": head.culprit[:200], "metadata": head.metadata,
        }  # fmt: skip


def _end(statements: Cursor, move: IssueMove) -> bool:
    """Takes out users who have no event left, some at a time; then the rest, and True."""
    issue = Issue.objects.get(pk=move.survivor_id)
    _, kept = read.kept_days()
    since = move.created - LATE
    days = [since.date() - timedelta(days=1), clock.now().date() + timedelta(days=1)]
    statements.execute(_RECENT, [move.pk, *days, issue.pk, since])
    values = {
        "issue": issue.pk, "others": numbers(move.others), "move": move.pk, "most": USERS,
        "kept": datetime(kept.year, kept.month, kept.day, tzinfo=move.created.tzinfo),
    }  # fmt: skip
    (gone,) = statements.execute(_LEAVE, values).fetchone() or (0,)
    if gone:
        return False
    for sql in _NONE_LEFT:
        statements.execute(sql, [issue.pk])
    _set_right(issue, move, kept)
    # One that got no event at all: its moments are still the wrong way round.
    Issue.objects.filter(pk__in=move.others, first_seen__gt=F("last_seen")).update(
        first_seen=F("last_seen"), last_seen=F("first_seen")
    )
    MoveUser.objects.filter(move=move).delete()
    return True


def _set_right(issue: Issue, move: IssueMove, kept: date) -> None:
    """First and last moment of what stayed, unless events that came meanwhile or are gone may say else."""
    stays = move.data.get("stays")
    if not stays:
        return
    first, last = datetime.fromisoformat(stays["first"]), datetime.fromisoformat(stays["last"])
    knows_all = issue.first_seen.date() >= kept
    if knows_all and issue.first_seen.isoformat() == move.data["first_seen"] and first > issue.first_seen:
        issue.first_seen, issue.first_release_id = first, stays["first_release"]
    if issue.last_seen.isoformat() == move.data["last_seen"] and last < issue.last_seen:
        issue.last_seen, issue.last_release_id = last, stays["last_release"]
        issue.title, issue.level = stays["title"], stays["level"]
        issue.culprit, issue.metadata = stays["culprit"], stays["metadata"]
    issue.save(
        update_fields=[
            "first_seen", "last_seen", "first_release", "last_release", "title", "level", "culprit",
            "metadata",
        ]
    )  # fmt: skip
