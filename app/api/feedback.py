"""What people say, by API: for forms of one's own."""

from __future__ import annotations

from typing import Any, cast

from django.shortcuts import get_object_or_404
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from app.accounts.access import visible_projects
from app.api.authentication import DsnAuthentication, TokenAuthentication
from app.api.direct import keep
from app.api.permissions import HasKeyOrToken
from app.item import Feedback
from app.models import DsnKey, Project, User
from app.normalize.event import event_id

_NEEDED = ("event_id", "name", "email", "comments")


class UserFeedback(APIView):
    authentication_classes = [TokenAuthentication, DsnAuthentication]
    permission_classes = [HasKeyOrToken]

    def post(self, request: Request, organization: str, project: str) -> Response:
        found = self.project(organization, project)
        told: dict[str, Any] = request.data if isinstance(request.data, dict) else {}
        missing = {name: ["This field is required."] for name in _NEEDED if not told.get(name)}
        if missing:
            raise exceptions.ValidationError(missing)
        about = event_id(told["event_id"])
        if not about:
            raise exceptions.ValidationError({"event_id": ["An event has an id of 32 hexadecimal digits."]})
        key = request.auth.pk if isinstance(request.auth, DsnKey) else 0
        kept = keep("user_report", {name: told[name] for name in _NEEDED}, found, key, event_id=about)
        return Response(next((_shown(one) for one in kept if isinstance(one, Feedback)), {}))

    def project(self, organization: str, slug: str) -> Project:
        """The key's own, or one that the token's owner sees."""
        key = self.request.auth
        if not isinstance(key, DsnKey):
            seen = visible_projects(cast("User", self.request.user))
            return get_object_or_404(seen, organization__slug=organization, slug=slug)
        if (key.project.organization.slug, key.project.slug) != (organization, slug):
            raise exceptions.NotFound("The DSN belongs to another project.")
        return key.project


def _shown(one: Feedback) -> dict[str, Any]:
    return {"eventID": one.event_id, "name": one.name, "email": one.email, "comments": one.message}
