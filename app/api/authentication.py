"""Who calls the API: the owner of a token, or, for what SDKs' side may do, a DSN."""

from __future__ import annotations

from urllib.parse import urlsplit

from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from app.accounts import tokens
from app.models import ApiToken, DsnKey, User


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer <token>`; a wrong token is refused, a missing one is nobody."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        scheme, _, plaintext = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        token = tokens.find(plaintext.strip())
        if token is None:
            raise exceptions.AuthenticationFailed("Invalid token")
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class DsnAuthentication(BaseAuthentication):
    """`Authorization: DSN https://<key>@host/<project>`: nobody, with a key; only the views that say so."""

    def authenticate(self, request: Request) -> tuple[None, DsnKey] | None:
        scheme, _, dsn = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "dsn":
            return None
        key = dsn_key(dsn.strip())
        if key is None:
            raise exceptions.AuthenticationFailed("Invalid DSN")
        return None, key

    def authenticate_header(self, request: Request) -> str:
        return "DSN"


def dsn_key(dsn: str) -> DsnKey | None:
    """The active key that a DSN names, if it leads to its project."""
    try:
        parts = urlsplit(dsn)
        named, public_key = parts.path.rstrip("/").rpartition("/")[2], parts.username or ""
    except ValueError:
        return None
    keys = DsnKey.objects.filter(public_key=public_key.replace("\0", ""), is_active=True)
    key = keys.select_related("project__organization").first()
    return key if key is not None and named == str(key.project_id) else None
