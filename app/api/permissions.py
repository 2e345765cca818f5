"""Who may call what; a module of its own, since the framework loads authentication before views."""

from __future__ import annotations

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView


class HasKeyOrToken(BasePermission):
    """A DSN's key, or somebody's token."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return request.auth is not None
