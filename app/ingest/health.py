"""Whether this process can accept: asked by load balancers, container engines and people."""

from __future__ import annotations

import shutil

import msgspec

from app.ingest.answers import Answer
from app.ingest.service import Service

#: Less room on disk than this and most requests would be refused.
LEAST_FREE = 64 * 1024


async def answer(service: Service, *, full: bool) -> Answer:
    """200 when the journal can be written, else 503; with `full` the figures of this process."""
    problem = await _problem(service)
    text = problem or "ok"
    body = msgspec.json.encode(service.state() | {"status": text}) if full else text.encode()
    kind = b"application/json" if full else b"text/plain; charset=utf-8"
    headers = (
        (b"content-type", kind),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
    )
    return Answer(503 if problem else 200, headers, body)


async def _problem(service: Service) -> str:
    journal = service.journal
    try:
        await service.commit.write(b"")
        free = shutil.disk_usage(journal.root).free
    except OSError as error:
        return f"the journal cannot be written: {error}"
    if free < LEAST_FREE:
        return f"the journal's disk is full: {free} bytes are free"
    if journal.waiting >= journal.limit:
        return f"the journal is full: {journal.waiting} bytes wait for the broker"
    return ""
