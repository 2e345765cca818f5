from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("accounts/", include("allauth.account.urls")),
    path("api/0/", include("app.api.urls")),
    path("", include("app.web.urls")),
]

handler400 = "app.web.errors.bad_request"
handler403 = "app.web.errors.forbidden"
handler404 = "app.web.errors.not_found"
handler500 = "app.web.errors.broken"
