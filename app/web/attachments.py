"""Files of an event: shown where a browser can do nothing but draw or print them, otherwise downloaded."""

from __future__ import annotations

import uuid

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.http import content_disposition_header

from app.base import clock
from app.models import Issue
from app.store import attachments
from app.web.issues.files import IMAGES
from app.web.issues.page import event_of, of_issue
from app.web.shell import Place, in_organization

#: What is shown as the text it is, whatever it is called.
TEXTS = frozenset(("text/plain", "text/csv", "application/json", "text/xml", "application/xml"))
TEXT_NAMES = (".txt", ".log", ".csv", ".json", ".xml", ".runtime-xml", ".ini", ".yaml", ".yml", ".md")


@of_issue
def attachment(
    request: HttpRequest, _place: Place, found: Issue, event_id: uuid.UUID, number: int
) -> HttpResponse:
    """The bytes. `?show` asks for them in the browser's window, which is given for harmless kinds only."""
    event = event_of(found, event_id)
    file = attachments.file(event.project_id, event.event_id, event.received, number)
    return _given(request, file)


@in_organization
def blob(  # noqa: PLR0917 what an address says
    request: HttpRequest, place: Place, project: str, event_id: uuid.UUID, micros: int, number: int
) -> HttpResponse:
    """The same of a profile, which belongs to a transaction that was received about then."""
    found = place.project(project)
    received = clock.read_micros(str(micros))
    file = attachments.file(found.pk, event_id.hex, received, number) if received else None
    return _given(request, file)


def _given(request: HttpRequest, file: attachments.File | None) -> HttpResponse:
    if file is None:
        raise Http404("This file is not kept any more, or never belonged to this event.")
    kind = file.content_type.partition(";")[0].strip().lower()
    is_shown = "show" in request.GET
    if is_shown and kind in IMAGES:
        given = kind
    elif is_shown and (kind in TEXTS or file.name.lower().endswith(TEXT_NAMES)):
        given = "text/plain; charset=utf-8"
    else:
        is_shown, given = False, "application/octet-stream"
    answer = HttpResponse(file.content, content_type=given)
    answer["Content-Disposition"] = content_disposition_header(not is_shown, file.name) or "attachment"
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Cache-Control"] = "private, max-age=86400, immutable"
    return answer
