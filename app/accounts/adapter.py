"""How signing in differs from allauth's defaults."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest

from app.base import address


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """People are invited; nobody registers by themselves."""
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """Whose failed attempts are counted together: never everybody behind our own proxy."""
        peer, forwarded = request.META.get("REMOTE_ADDR", ""), request.headers.get("X-Forwarded-For", "")
        return address.of(peer, forwarded, settings.TRUSTED_PROXIES) or peer
