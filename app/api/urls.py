from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from app.api.checkins import CheckIns, OneCheckIn
from app.api.feedback import UserFeedback
from app.api.views import Index

MONITOR = "monitors/<slug:slug>/checkins/"
OF_ORGANIZATION = f"organizations/<slug:organization>/{MONITOR}"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", Index.as_view(), name="api-index"),
    path(MONITOR, CheckIns.as_view(), name="api-check-ins"),
    path(f"{MONITOR}<str:check_in_id>/", OneCheckIn.as_view(), name="api-check-in"),
    path(OF_ORGANIZATION, CheckIns.as_view(), name="api-organization-check-ins"),
    path(f"{OF_ORGANIZATION}<str:check_in_id>/", OneCheckIn.as_view(), name="api-organization-check-in"),
    path(
        "projects/<slug:organization>/<slug:project>/user-feedback/",
        UserFeedback.as_view(),
        name="api-user-feedback",
    ),
]
