"""What people say: reports about an error, and feedback of the newer SDKs, which is an event of its own."""

from __future__ import annotations

from typing import Any

from app.base.text import cut, storable
from app.item import Feedback, Headers, Invalid, Read, Whence, accepted
from app.normalize import payloads, rules, scrub
from app.normalize.attachments import word
from app.normalize.event import event_id
from app.options import Scrubbing

#: Characters of a message; of an address.
MESSAGE, URL = 4096, 1024


def report(payload: bytes, headers: Headers, whence: Whence) -> Read:  # noqa: ARG001 what every reader gets
    """`{"event_id", "name", "email", "comments"}`. Raises Invalid."""
    told = payloads.told(payload)
    about = event_id(told.get("event_id")) or whence.event_id
    return _kept(whence, about, about, told.get("comments"), told, source="user_report")


def feedback(payload: bytes, headers: Headers, whence: Whence) -> Read:  # noqa: ARG001
    """An event whose `contexts.feedback` is what was said. Raises Invalid."""
    event = payloads.told(payload)
    contexts = event.get("contexts")
    told = contexts.get("feedback") if isinstance(contexts, dict) else None
    if not isinstance(told, dict):
        raise Invalid("no_message")
    user = event["user"] if isinstance(event.get("user"), dict) else {}
    person = {
        "name": told.get("name") or user.get("name") or user.get("username"),
        "email": told.get("contact_email") or user.get("email"),
        "url": told.get("url"),
        "environment": event.get("environment"),
    }
    about = event_id(told.get("associated_event_id"))
    source = word(told.get("source"), 50) or "feedback"
    return _kept(whence, whence.event_id, about, told.get("message"), person, source=source)


def _kept(
    whence: Whence, own: str, about: str, message: object, person: dict[str, Any], *, source: str
) -> Read:
    if not isinstance(message, str) or not message.strip():
        raise Invalid("no_message")
    text, name, email, url = _scrubbed(
        cut(storable(message.strip()), MESSAGE),
        word(person.get("name"), 128),
        word(person.get("email"), 75),
        word(person.get("url"), URL),
        whence.options.scrubbing,
    )
    said = Feedback(
        project_id=whence.project_id,
        received=whence.received,
        feedback_id=own,
        event_id=about,
        message=text,
        name=name,
        email=email,
        url=url,
        source=source,
        environment=word(person.get("environment"), 64),
    )
    return accepted("feedback", [said])


def _scrubbed(message: str, name: str, email: str, url: str, chosen: Scrubbing) -> tuple[str, str, str, str]:
    """The same without secrets: rules find them where an event has them."""
    user, request = {"name": name, "email": email}, {"url": url}
    data: dict[str, Any] = {"logentry": {"formatted": message}, "user": user, "request": request}
    rules.apply(data, chosen, looks_clean=False)
    said = data.get("logentry", {}).get("formatted", "")
    url = str(request.get("url", ""))
    if chosen.defaults:
        url = scrub.parameters(url)
    return str(said), str(user.get("name", "")), str(user.get("email", "")), url
