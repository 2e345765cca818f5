"""API tokens: made once, shown once, kept as a hash."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable

from django.db.models import Q

from app.base import clock
from app.models import ApiToken, User

# The names Sentry's API gives them, because tools such as sentry-cli ask for them by these names.
SCOPES = (
    "org:read",
    "org:write",
    "org:admin",
    "org:ci",
    "member:read",
    "member:write",
    "member:admin",
    "team:read",
    "team:write",
    "team:admin",
    "project:read",
    "project:write",
    "project:admin",
    "project:releases",
    "event:read",
    "event:write",
    "event:admin",
    "alerts:read",
    "alerts:write",
)
# What sentry-cli expects in front of a person's token; anything else makes it warn.
PREFIX = "sntryu_"


class UnknownScope(ValueError):
    """A scope was asked for that does not exist."""


def create(user: User, name: str, scopes: Iterable[str]) -> str:
    """A new token for `user`; the answer is the only time its plaintext exists."""
    wanted = list(dict.fromkeys(scopes))
    if unknown := [scope for scope in wanted if scope not in SCOPES]:
        raise UnknownScope(f"There is no scope {', '.join(unknown)}.")
    plaintext = PREFIX + secrets.token_hex(32)
    ApiToken.objects.create(
        user=user, name=name, digest=digest(plaintext), last_characters=plaintext[-4:], scopes=wanted
    )
    return plaintext


def find(plaintext: str) -> ApiToken | None:
    """The living token of an active person, with its user loaded; None when there is none."""
    alive = Q(expires=None) | Q(expires__gt=clock.now())
    return (
        ApiToken.objects.select_related("user")
        .filter(alive, digest=digest(plaintext), user__is_active=True)
        .first()
    )


def digest(plaintext: str) -> str:
    return hashlib.sha256(plaintext.encode("utf-8", "replace")).hexdigest()
