"""The API's entrance: what clients ask first, to learn whether their token is good."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Any

from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from app.models import ApiToken, User


def own_version() -> str:
    """As installed; from a checkout, which is not installed, "0"."""
    try:
        return version("tocsin")
    except PackageNotFoundError:
        return "0"


class Index(APIView):
    permission_classes = [AllowAny]

    def get(self, request: Request) -> Response:
        user, token = request.user, request.auth
        answer: dict[str, Any] = {"version": own_version(), "user": None, "auth": None}
        if isinstance(user, User):
            answer["user"] = {"id": str(user.pk), "email": user.email, "name": user.name}
        if isinstance(token, ApiToken):
            answer["auth"] = {"scopes": token.scopes}
        return Response(answer)
