"""What signs people and programs in, and is over."""

from __future__ import annotations

from django.contrib.sessions.models import Session

from app.base import clock
from app.models import ApiToken


def expire() -> int:
    """Deletes sessions and API tokens whose time is over; how many."""
    now = clock.now()
    sessions, _ = Session.objects.filter(expire_date__lt=now).delete()
    tokens, _ = ApiToken.objects.filter(expires__lt=now).delete()
    return sessions + tokens
