"""The way of accepted bytes to issues, one group at a time."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import msgspec
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings

from app import grouping
from app.base import clock
from app.event import Event, Refused
from app.grouping import configs
from app.item import Once
from app.models import Quarantined
from app.normalize import titles
from app.normalize.limits import Limits
from app.normalize.read import digest, parts, read
from app.options import Choices, Grouping, unchosen
from app.store import outcomes, quarantine
from app.store.apart import Culprit, prepare_apart, record_apart
from app.store.choices import chosen
from app.store.pending import Pending
from app.store.record import record
from app.wire.record import TornRecord, frames
from tasks import failures, refunds
from tasks.alerts import announce
from tasks.base import task
from tasks.issues import update_similar

log = logging.getLogger(__name__)
T = TypeVar("T")
SECOND = 1_000_000  # µs


class Whole(msgspec.Struct):
    """What a group comes to, ready to be stored in one transaction."""

    rows: list[Pending] = []
    refused: list[Refused] = []
    onces: list[Once] = []


@task("events.process_group")
def process_group(group: bytes) -> None:
    """Everything in the group is stored, counted, or kept with the reason why not, when this returns."""
    process(group)


@task("events.replay_quarantined")
def replay_quarantined(ids: list[int]) -> None:
    """Processes kept requests again; what was stored before is not stored twice."""
    for row in Quarantined.objects.filter(pk__in=ids, replayed=None).order_by("pk"):
        refused = process(bytes(row.frame))
        if row.digest not in {quarantine.digest(one) for one in refused}:
            Quarantined.objects.filter(pk=row.pk).update(replayed=clock.now())


def process(group: bytes) -> list[Refused]:
    """Reads, groups, stores and announces; what was refused on the way."""
    whole = Whole()
    known = patiently(chosen.now)
    for part in parts(group, limits(), known):  # pure: bytes to events, each refusal with its reason
        events, ungrouped = grouped(part.events, known)
        rows, unpackable = patiently(partial(prepare_apart, events))
        whole.rows += rows
        whole.refused += [*somebodys(part.refused), *quarantinable(group, [*ungrouped, *unpackable])]
        whole.onces += part.onces
        for row in rows:
            row.event.data = {}  # its body is packed; a group's would not fit into the cache
            row.event.came = None
    recorded = patiently(partial(record_apart, whole.rows, whole.refused, onces=whole.onces))
    if recorded.culprits or recorded.requests:
        late = [*quarantinable(group, recorded.culprits), *unkept(group, recorded.requests)]
        record((), refused=late)
        whole.refused += late
    discarded = outcomes.ended(
        (row for row in whole.rows if row.kind == "discarded"), "filtered", "discarded-hash"
    )
    refunds.give_back([*whole.onces, *discarded])
    notable = [one.notable_id for one in recorded.stored if one.notable_id is not None]
    if notable:
        announce.later(notable)
    if new := [one.issue_id for one in recorded.stored if one.kind == "new"]:
        update_similar.later(new)
    return whole.refused


def grouped(events: list[Event], known: Choices = unchosen) -> tuple[list[Event], list[Culprit]]:
    """Events with their hashes, and those that no hash can be made of."""
    done, culprits = [], []
    for event in events:
        try:
            place(event, known(event.project_id).grouping)
            done.append(event)
        except SoftTimeLimitExceeded:
            raise
        except Exception as error:
            log.exception("Event %s of project %s could not be grouped", event.event_id, event.project_id)
            culprits.append(Culprit(event, f"Grouping failed with {type(error).__name__}: {error}"[:500]))
    return done, culprits


def place(event: Event, chosen: Grouping) -> None:
    """Gives an event its hashes, and the names that follow from what its project's rules say."""
    found = grouping.grouped(event, *configs.chosen(chosen, event.received / SECOND))
    event.grouping, event.older = found.grouping, found.older
    if found.moves or found.main is not None:
        event.title, event.culprit, event.metadata = titles.again(event.data, found.moves, found.main)
    event.title = found.title or event.title


def patiently(work: Callable[[], T]) -> T:
    """What the work returns, waiting while PostgreSQL is away; too long, and the message goes back."""
    results: list[T] = []
    failures.persist(lambda: results.append(work()))
    return results[0]


def quarantinable(group: bytes, culprits: list[Culprit]) -> list[Refused]:
    """The accepted request of each event that is to blame, to be kept and replayed as a whole."""
    return [
        Refused(
            project_id=culprit.event.project_id,
            key_id=culprit.event.key_id,
            received=culprit.event.received,
            reason=culprit.reason,
            category="error",
            frame=frame_of(group, culprit.event),
            item=-1,
        )
        for culprit in culprits
    ]


def unkept(group: bytes, requests: dict[str, str]) -> list[Refused]:
    """The accepted requests with something beside their events that cannot be stored, kept as well."""
    return [
        Refused(
            project_id=accepted.project_id,
            key_id=accepted.key_id,
            received=accepted.received,
            reason=requests[key],
            category="default",
            frame=frame,
            item=-1,
        )
        for frame, accepted in (frames(group) if requests else ())
        if (key := digest(frame)) in requests
    ]


def frame_of(group: bytes, event: Event) -> bytes:
    """The request an event came in; the whole group if damage hides it."""
    try:
        for frame, accepted in frames(group):
            near = accepted.received == event.received and accepted.project_id == event.project_id
            if near and any(one.event_id == event.event_id for one in read(frame, limits()).events):
                return frame
    except TornRecord:
        log.warning("A damaged group hides where event %s came from; all of it is kept", event.event_id)
    return group


def somebodys(refused: list[Refused]) -> list[Refused]:
    """Those that belong to a project; bytes too damaged to tell whose they are become failed tasks."""
    for one in refused:
        if not one.project_id:
            failures.persist(partial(keep_damaged, one))
    return [one for one in refused if one.project_id]


def keep_damaged(one: Refused) -> None:
    message_id = f"damaged:{hashlib.blake2b(one.frame, digest_size=16).hexdigest()}"
    failures.give_up(process_group.name, [one.frame], message_id, one.reason)


def limits() -> Limits:
    return Limits(max_envelope=settings.MAX_ENVELOPE, max_event=settings.MAX_EVENT)
