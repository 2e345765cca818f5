"""Sessions for release health: updates of one (`session`), and what a server counted (`sessions`)."""

from __future__ import annotations

from collections import Counter
from typing import Any
from uuid import UUID

from app.base.text import storable
from app.item import ENDINGS, Headers, Invalid, Read, Session, Sessions, Whence
from app.normalize import filters, labels, payloads, times
from app.normalize.notes import Notes
from app.normalize.quantities import number

#: Buckets of one item; days after its start for which a session may still be updated.
MOST, DAYS = 100, 5
_NIL = "0" * 32
_AHEAD = 60 * times.SECOND
_ENDINGS = {
    "ok": 0, "exited": 0, "errored": 1, "degraded": 1, "unhandled": 2, "abnormal": 3, "crashed": 4,
}  # fmt: skip


def update(payload: bytes, headers: Headers, whence: Whence) -> Read:  # noqa: ARG001 what every reader gets
    """One update. Raises Invalid."""
    told = payloads.told(payload)
    release, environment = _attributes(told)
    if reason := filters.unwanted_release(release, whence.options.filters):
        return Read([], Counter({("session", "filtered", reason): 1}))
    shift = times.drift(whence.received, whence.sent_at, Notes())
    status = str(told.get("status") or "ok").lower()
    if status not in _ENDINGS:
        raise Invalid("unknown_status")
    errors = number(told.get("errors"))
    sequence = told.get("seq")
    session = Session(
        project_id=whence.project_id,
        received=whence.received,
        started=_started(told.get("started") or told.get("timestamp"), shift, whence.received),
        sid=_sid(told.get("sid")),
        user=_user(told.get("did")),
        release=release,
        environment=environment,
        is_first=told.get("init") is True or (sequence == 0 and not isinstance(sequence, bool)),
        ending=_ENDINGS[status] or min(errors, 1),
    )
    return Read([session], Counter({("session", "accepted", ""): 1}))


def aggregates(payload: bytes, headers: Headers, whence: Whence) -> Read:  # noqa: ARG001
    """The buckets that make sense; the others are counted as invalid. Raises Invalid."""
    told = payloads.told(payload)
    release, environment = _attributes(told)
    buckets = told.get("aggregates")
    if not isinstance(buckets, list):
        raise Invalid("unreadable")
    if reason := filters.unwanted_release(release, whence.options.filters):
        return Read([], Counter({("session", "filtered", reason): len(buckets) or 1}))
    shift = times.drift(whence.received, whence.sent_at, Notes())
    found, lost = [], Counter[tuple[str, str, str]]()
    for bucket in buckets[:MOST]:
        try:
            found.append(_bucket(bucket, release, environment, shift, whence))
        except Invalid as invalid:
            lost["session", "invalid", str(invalid)] += 1
    if beyond := len(buckets) - MOST:
        lost["session", "invalid", "too_many"] += max(beyond, 0)
    accepted = Counter({("session", "accepted", ""): len(found)})
    return Read(list(found), +(accepted + lost))


def _bucket(bucket: object, release: str, environment: str, shift: int, whence: Whence) -> Sessions:
    if not isinstance(bucket, dict):
        raise Invalid("unreadable")
    healthy, *others = (number(bucket.get("exited" if one == "healthy" else one)) for one in ENDINGS)
    errored, unhandled, abnormal, crashed = others
    return Sessions(
        project_id=whence.project_id,
        received=whence.received,
        started=_started(bucket.get("started"), shift, whence.received),
        user=_user(bucket.get("did")),
        release=release,
        environment=environment,
        counts=(healthy, errored, unhandled, abnormal, crashed),
    )


def _attributes(told: dict[str, Any]) -> tuple[str, str]:
    """Release and environment; without a release a session is of no use."""
    attributes = told.get("attrs")
    attributes = attributes if isinstance(attributes, dict) else {}
    release = labels.release(attributes.get("release"), Notes())
    if not release:
        raise Invalid("no_release")
    return storable(release), storable(labels.environment(attributes.get("environment"), Notes()))


def _started(value: object, shift: int, received: int) -> int:
    at = times.micros(value)
    if at is None:
        raise Invalid("no_timestamp")
    at += shift
    if at > received + _AHEAD:
        raise Invalid("future_timestamp")
    if at < received - DAYS * 86400 * times.SECOND:
        raise Invalid("past_timestamp")
    return at


def _sid(value: object) -> str:
    """Raises Invalid. A nil one tells nothing."""
    try:
        found = UUID(str(value)).hex
    except ValueError:
        raise Invalid("no_session_id") from None
    return "" if found == _NIL else found


def _user(value: object) -> str:
    return storable(str(value))[:200] if isinstance(value, str | int) and not isinstance(value, bool) else ""
