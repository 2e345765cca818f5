"""Check-ins by API: how the first clients said that a job runs."""

from __future__ import annotations

import uuid
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
from app.models import CheckIn, DsnKey, Monitor, Project, User

NEWEST = "latest"
_FIELDS = ("duration", "environment", "release", "monitor_config", "contexts")


class _OfMonitor(APIView):
    authentication_classes = [TokenAuthentication, DsnAuthentication]
    permission_classes = [HasKeyOrToken]

    def place(self, slug: str, organization: str) -> tuple[Project, int]:
        """The project of a monitor, and the key that was used; of a token's owner one that they see."""
        key = self.request.auth
        if isinstance(key, DsnKey):
            if organization not in ("", key.project.organization.slug):
                raise exceptions.NotFound("There is no such organization.")
            return key.project, key.pk
        seen = visible_projects(cast("User", self.request.user))
        found = Monitor.objects.filter(slug=slug, project__in=seen)
        if organization:
            found = found.filter(project__organization__slug=organization)
        monitor = get_object_or_404(found.select_related("project").order_by("pk")[:1])
        return monitor.project, 0


class CheckIns(_OfMonitor):
    def post(self, request: Request, slug: str, organization: str = "") -> Response:
        project, key = self.place(slug, organization)
        check_in_id = uuid.uuid4().hex
        told = _told(request) | {"monitor_slug": slug, "check_in_id": check_in_id}
        keep("check_in", told, project, key)
        return Response(_shown(project, slug, check_in_id), status=201)


class OneCheckIn(_OfMonitor):
    def get(self, request: Request, slug: str, check_in_id: str, organization: str = "") -> Response:
        project, _ = self.place(slug, organization)
        return Response(_shown(project, slug, check_in_id))

    def put(self, request: Request, slug: str, check_in_id: str, organization: str = "") -> Response:
        project, key = self.place(slug, organization)
        run = _run(project, slug, check_in_id)
        told = {"environment": run.environment, **_told(request)}
        keep("check_in", told | {"monitor_slug": slug, "check_in_id": run.check_in_id.hex}, project, key)
        return Response(_shown(project, slug, run.check_in_id.hex))


def _told(request: Request) -> dict[str, Any]:
    if not isinstance(request.data, dict):
        raise exceptions.ValidationError({"detail": "A check-in is an object with a status."})
    told = {name: request.data[name] for name in _FIELDS if name in request.data}
    return told | {"status": request.data.get("status")}


def _run(project: Project, slug: str, check_in_id: str) -> CheckIn:
    found = CheckIn.objects.filter(monitor__project=project, monitor__slug=slug).select_related("monitor")
    if check_in_id == NEWEST:
        return get_object_or_404(found.filter(status="in_progress").order_by("-started")[:1])
    try:
        return get_object_or_404(found, check_in_id=uuid.UUID(check_in_id))
    except ValueError:
        raise exceptions.NotFound("That is no id of a check-in.") from None


def _shown(project: Project, slug: str, check_in_id: str) -> dict[str, Any]:
    run = _run(project, slug, check_in_id)
    return {
        "id": str(run.check_in_id),
        "status": run.status,
        "duration": run.duration,
        "environment": run.environment,
        "dateCreated": run.started.isoformat(),
    }
