"""The story of one request: who sends, may it, what it brings, on disk, answered."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable
from typing import Any, Literal, NamedTuple, TypeVar
from urllib.parse import parse_qsl

from app.base import address, clock
from app.ingest import answers, auth, check, edges, limits
from app.ingest.answers import RETRY_AFTER, Answer, Refusal
from app.ingest.auth import Sender
from app.ingest.body import Body, Disconnected
from app.ingest.check import Checked
from app.ingest.edges import EDGES, Came
from app.ingest.keys import Key, Unreachable
from app.ingest.service import Service
from app.wire import compress, origins
from app.wire.record import Accepted, frame

logger = logging.getLogger(__name__)

T = TypeVar("T")
#: "envelope", "store", or an address of app.ingest.edges.
Kind = str


class Target(NamedTuple):
    """What an address names."""

    project: str  # "" for /api/store/
    kind: Kind
    rest: str = ""  # the slug of a monitor, the id of an event
    key: str = ""  # a public key that stands in the path


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
    origin: str  # of the page that sends, or its whole address; "" when no browser does
    content_type: str
    rest: str
    key: str


async def answer(service: Service, request: Request, body: Body) -> Answer | None:
    """One answer for every request, readable by any origin; None when nobody waits. Never raises."""
    try:
        if request.method == "OPTIONS":
            return answers.preflight()
        return await _accept_any(service, request, body)
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


async def _accept_any(service: Service, request: Request, body: Body) -> Answer:
    if request.kind in EDGES:
        return await _accept_edge(service, request, body)
    if request.method == "GET" and request.kind == "store":
        return await _accept_pixel(service, request)
    if request.method != "POST":
        allow = "GET, POST, OPTIONS" if request.kind == "store" else "POST, OPTIONS"
        raise Refusal(405, "events are sent by POST", allow=allow)
    return await accept(service, request, body)


async def accept(service: Service, request: Request, body: Body) -> Answer:
    """Answers when the request is on disk. Raises Refusal, or body.Disconnected when nobody waits."""
    sender = auth.sender(request.sentry_auth, request.authorization, request.query)
    if sender is None and request.kind == "store":
        raise auth.missing()
    key = await _admit(service, sender, request) if sender else None
    try:
        if key:
            _limit(service, key)
        return await _keep(service, request, sender, key, await body.read())
    except Refusal as refusal:
        if key and refusal.reason and not refusal.is_counted:
            service.refusals.count(key, refusal.outcome, refusal.reason)
        raise


async def _keep(
    service: Service, request: Request, sender: Sender | None, key: Key | None, data: bytes
) -> Answer:
    encoding = _encoding(request.encoding)
    if sender is None or key is None:
        sender = auth.from_dsn(check.header(data, encoding).get("dsn"), request.project)
        key = await _admit(service, sender, request)
        _limit(service, key)
    checked = await _check(request.kind, data, encoding, service)
    if checked.dsn is not None and auth.from_dsn(checked.dsn, request.project).key != sender.key:
        raise Refusal(403, "the dsn in the envelope header names another key", reason="auth_ambiguous")
    limited = _limited(service, key, limits.categories(checked.types)) if key.limits else {}
    event_id = checked.event_id or uuid.uuid4().hex
    kind: Literal["envelope", "store"] = "store" if request.kind == "store" else "envelope"
    await _write(service, request, sender, key, Packed(kind, encoding, event_id, data, limited))
    if checked.has_event:
        service.quotas.count(key)
    if limited:  # the others are kept; the 429 is how a client learns
        raise limits.refusal(limits.hit(key, frozenset(limited)).values())
    return answers.accepted(event_id if checked.has_event else checked.event_id)


class Packed(NamedTuple):
    """A body as it is written down."""

    kind: Literal["envelope", "store"]
    encoding: str
    event_id: str
    body: bytes
    limited: dict[str, str] = {}  # categories that are left out, with the reason


def _limited(service: Service, key: Key, sent: frozenset[str]) -> dict[str, str]:
    """What is left out, with the reason. Raises Refusal 429 when nothing would be left."""
    found = limits.hit(key, sent)
    if not found or found.keys() < sent:
        return {category: one.reason for category, one in found.items()}
    for category, one in found.items():
        service.refusals.count(key, "rate_limited", one.reason, category)
    raise limits.refusal(found.values())


async def _write(service: Service, request: Request, sender: Sender, key: Key, packed: Packed) -> None:
    """On disk when this returns. Raises Refusal 503."""
    record = Accepted(
        received=clock.micros(),
        project_id=key.project_id,
        key_id=key.id,
        kind=packed.kind,
        encoding=packed.encoding,
        client=sender.client,
        address=request.address,
        agent=request.agent,
        event_id=packed.event_id,
        body=packed.body,
        limited=packed.limited,
    )
    try:
        await service.commit.write(frame(record))
    except OSError:
        raise _busy("nothing can be kept at the moment, try again later", "journal_full") from None


# -- other addresses than an SDK's -------------------------------------------------------------------------


async def _accept_edge(service: Service, request: Request, body: Body) -> Answer:
    """What comes to an address of app.ingest.edges, on disk as an envelope. Raises as `accept` does."""
    edge = EDGES[request.kind]
    edges.refuse_unwanted(edge, request.method, edges.essence(request.content_type))
    sender = auth.sender(request.sentry_auth, request.authorization, request.query, request.key)
    if sender is None:
        raise auth.missing()
    key = await _admit(service, sender, request)
    try:
        return await _keep_edge(service, request, sender, key, await body.read())
    except Refusal as refusal:
        if refusal.reason and not refusal.is_counted:
            service.refusals.count(key, refusal.outcome, refusal.reason, edge.category)
        if refusal.status == 429 and edge.is_never_limited:
            return edge.answer(_came(request, b""), uuid.uuid4().hex)
        raise


async def _keep_edge(service: Service, request: Request, sender: Sender, key: Key, data: bytes) -> Answer:
    edge = EDGES[request.kind]
    _limit(service, key)
    if key.limits:
        _limited(service, key, frozenset((edge.category,)))
    data = await _off_the_loop(len(data), _decompress, service, request, data)
    came = _came(request, data)
    items = await _off_the_loop(len(data), edge.items, came)
    event_id = edge.event_id(came, items)
    packed = await _off_the_loop(len(data), _packed, event_id, items)
    await _write(service, request, sender, key, packed)
    if edge.is_event:
        service.quotas.count(key)
    return edge.answer(came, event_id)


def _decompress(service: Service, request: Request, data: bytes) -> bytes:
    try:
        return compress.decompress(data, _encoding(request.encoding), service.limits.envelope)
    except (compress.Damaged, compress.TooLarge) as error:
        raise check.refusal(error) from error


def _packed(event_id: str, items: list[edges.Item]) -> Packed:
    whole = edges.envelope(event_id, items)
    is_large = len(whole) > check.AT_ONCE  # it came compressed, perhaps
    return Packed(
        "envelope",
        "gzip" if is_large else "",
        event_id or uuid.uuid4().hex,
        compress.gzipped(whole) if is_large else whole,
    )


def _came(request: Request, body: bytes) -> Came:
    return Came(request.method, request.rest, request.query, request.content_type, body)


async def _off_the_loop(size: int, work: Callable[..., T], *args: Any) -> T:
    """What is large is worked at in a thread, so that others are answered meanwhile."""
    return await asyncio.to_thread(work, *args) if size > check.AT_ONCE // 8 else work(*args)


async def _accept_pixel(service: Service, request: Request) -> Answer:
    """An event in an image's address, from before browsers let scripts send to other sites."""
    data = dict(parse_qsl(request.query)).get("sentry_data", "").replace(" ", "+").encode()
    body = Body(service.max_body, service.room, lambda: None, len(data))
    try:
        body.add(data)
        body.end()
        await accept(service, request._replace(encoding=""), body)
    finally:
        body.release()
    return answers.pixel()


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


async def _admit(service: Service, sender: Sender, request: Request) -> Key:
    """The key, when it may send to that project from that page. Raises Refusal 400, 403 or 503."""
    project = request.project
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
    if request.origin and key.origins != _ANYWHERE and not origins.is_allowed(request.origin, key.origins):
        service.refusals.count(key, "invalid", "cors")
        raise Refusal(403, "Invalid origin", reason="cors")
    return key


_ANYWHERE = (origins.ANY,)


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
    b"origin": 7,
    b"referer": 8,
}


class Line(NamedTuple):
    """What stands before the headers, and who is connected."""

    method: bytes
    target: Target
    query: bytes
    peer: str


def read_request(line: Line, headers: list[tuple[bytes, bytes]], proxies: int) -> Request:
    """The request's head; names of headers come in lower case. Repeated ones are joined as HTTP says."""
    project, kind, rest, key = line.target
    found = [""] * len(_PLACES)
    for name, value in headers:
        place = _PLACES.get(name)
        if place is not None:
            text = value.decode("latin-1")
            found[place] = f"{found[place]}, {text}" if found[place] else text
    sentry_auth, authorization, encoding, length, agent, forwarded, content_type, origin, referer = found
    if kind == "store" and content_type.startswith("application/x-sentry-envelope"):
        kind = "envelope"
    return Request(
        method=line.method.decode("latin-1"),
        kind=kind,
        project=project,
        query=line.query.decode("latin-1"),
        sentry_auth=sentry_auth,
        authorization=authorization,
        encoding=encoding,
        length=int(length) if length.isdigit() else None,
        agent=agent[:500],
        address=address.of(line.peer, forwarded, proxies),
        origin=origin or referer,
        content_type=content_type,
        rest=rest,
        key=key,
    )
