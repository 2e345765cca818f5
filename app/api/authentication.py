"""Who calls the API: the owner of a token."""

from __future__ import annotations

from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from app.accounts import tokens
from app.models import ApiToken, User


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
