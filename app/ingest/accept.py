"""The story of one request: who sends, may it, what it brings, on disk, answered."""

from __future__ import annotations

import logging
import uuid
from typing import Literal, NamedTuple

from app.base import address, clock
from app.ingest import answers, auth, check
from app.ingest.answers import RETRY_AFTER, Answer, Refusal
from app.ingest.auth import Sender
from app.ingest.body import Body, Disconnected
from app.ingest.check import Checked
from app.ingest.keys import Key, Unreachable
from app.ingest.service import Service
from app.wire import compress
from app.wire.record import Accepted, frame

logger = logging.getLogger(__name__)

Kind = Literal["envelope", "store"]


class Request(NamedTuple):
    """What is known before the body."""

    method: str
    kind: Kind
    project: str  # as the address names it, "" for /api/store/
    query: str
    sentry_auth: str
    authorization: str
    encoding: str  # as the header names it
    length: int | None
    agent: str
    address: str


async def answer(service: Service, request: Request, body: Body) -> Answer | None:
    """One answer for every request, readable by any origin; None when nobody waits. Never raises."""
    try:
        if request.method == "OPTIONS":
            return answers.preflight()
        if request.method != "POST":
            raise Refusal(405, "events are sent by POST")
        return await accept(service, request, body)
    except Refusal as refusal:
        return answers.refused(refusal)
    except Disconnected:
        return None
    except Exception:
        # The edge of the process: even then an SDK in a browser must be able to read an answer.
        logger.exception("a request could not be answered")
        return answers.refused(Refusal(500, "the server failed", reason="internal"))
    finally:
        body.release()


async def accept(service: Service, request: Request, body: Body) -> Answer:
    """Answers when the request is on disk. Raises Refusal, or body.Disconnected when nobody waits."""
    sender = auth.sender(request.sentry_auth, request.authorization, request.query)
    if sender is None and request.kind == "store":
        raise auth.missing()
    key = await _admit(service, sender, request.project) if sender else None
    try:
        if key:
            _limit(service, key)
        return await _keep(service, request, sender, key, await body.read())
    except Refusal as refusal:
        if key and refusal.reason:
            service.refusals.count(key, refusal.outcome, refusal.reason)
        raise


async def _keep(
    service: Service, request: Request, sender: Sender | None, key: Key | None, data: bytes
) -> Answer:
    encoding = _encoding(request.encoding)
    if sender is None or key is None:
        sender = auth.from_dsn(check.header(data, encoding).get("dsn"), request.project)
        key = await _admit(service, sender, request.project)
        _limit(service, key)
    checked = await _check(request.kind, data, encoding, service)
    if checked.dsn is not None and auth.from_dsn(checked.dsn, request.project).key != sender.key:
        raise Refusal(403, "the dsn in the envelope header names another key", reason="auth_ambiguous")
    event_id = checked.event_id or uuid.uuid4().hex
    record = Accepted(
        received=clock.micros(),
        project_id=key.project_id,
        key_id=key.id,
        kind=request.kind,
        encoding=encoding,
        client=sender.client,
        address=request.address,
        agent=request.agent,
        event_id=event_id,
        body=data,
    )
    try:
        await service.commit.write(frame(record))
    except OSError:
        raise _busy("nothing can be kept at the moment, try again later", "journal_full") from None
    if checked.has_event:
        service.quotas.count(key)
    return answers.accepted(event_id if checked.has_event else checked.event_id)


def _limit(service: Service, key: Key) -> None:
    """Raises Refusal 429 when the key has used up what it may send."""
    if seconds := service.quotas.wait(key):
        raise Refusal(
            429,
            f"this key may send {key.rate_limit} events in {key.rate_window} seconds",
            reason="key_quota",
            outcome="rate_limited",
            retry_after=seconds,
        )


async def _admit(service: Service, sender: Sender, project: str) -> Key:
    """The key, when it may send to that project. Raises Refusal 400, 403 or 503."""
    if project and not (project.isascii() and project.isdigit() and len(project) <= 18):
        raise Refusal(400, "the project in the address is not a number", reason="project_unreadable")
    try:
        key = await service.keys.find(sender.key)
    except Unreachable:
        raise _busy("this key cannot be checked at the moment, try again later", "") from None
    if key is None or not key.is_active:
        service.refusals.count_stranger()
        raise Refusal(
            403, "this key does not exist" if key is None else "this key is disabled", reason="auth_unknown"
        )
    if project and int(project) != key.project_id:
        service.refusals.count_stranger()
        raise Refusal(403, "this key does not belong to this project", reason="project_mismatch")
    return key


async def _check(kind: Kind, data: bytes, encoding: str, service: Service) -> Checked:
    if not data:
        raise Refusal(400, "the body is empty", reason="empty")
    if kind == "store":
        return check.check_store(data, encoding, service.limits)
    return await check.check_envelope(data, encoding, service.limits)


def _encoding(name: str) -> str:
    try:
        return compress.canonical(name)
    except compress.Unsupported as error:
        raise Refusal(415, str(error), reason="invalid_encoding") from error


def _busy(detail: str, reason: str) -> Refusal:
    return Refusal(503, detail, reason=reason, outcome="rate_limited", retry_after=RETRY_AFTER)


# -- from HTTP ---------------------------------------------------------------------------------------------

_PLACES = {
    b"x-sentry-auth": 0,
    b"authorization": 1,
    b"content-encoding": 2,
    b"content-length": 3,
    b"user-agent": 4,
    b"x-forwarded-for": 5,
    b"content-type": 6,
}


class Line(NamedTuple):
    """What stands before the headers, and who is connected."""

    method: bytes
    project: str
    kind: Kind
    query: bytes
    peer: str


def read_request(line: Line, headers: list[tuple[bytes, bytes]], proxies: int) -> Request:
    """The request's head; names of headers come in lower case. Repeated ones are joined as HTTP says."""
    kind = line.kind
    found = [""] * len(_PLACES)
    for name, value in headers:
        place = _PLACES.get(name)
        if place is not None:
            text = value.decode("latin-1")
            found[place] = f"{found[place]}, {text}" if found[place] else text
    sentry_auth, authorization, encoding, length, agent, forwarded, content_type = found
    if kind == "store" and content_type.startswith("application/x-sentry-envelope"):
        kind = "envelope"
    return Request(
        method=line.method.decode("latin-1"),
        kind=kind,
        project=line.project,
        query=line.query.decode("latin-1"),
        sentry_auth=sentry_auth,
        authorization=authorization,
        encoding=encoding,
        length=int(length) if length.isdigit() else None,
        agent=agent[:500],
        address=address.of(line.peer, forwarded, proxies),
    )
