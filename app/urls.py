from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from app.api import embed

urlpatterns: list[URLPattern | URLResolver] = [
    path("accounts/", include("allauth.account.urls")),
    path("api/0/", include("app.api.urls")),
    path("api/embed/error-page/", embed.error_page, name="crash-dialog"),
    path("js-sdk-loader/sdk.js", embed.bundle, name="browser-sdk"),
    path("js-sdk-loader/<slug:public_key>.js", embed.loader, name="loader"),
    path("js-sdk-loader/<slug:public_key>.min.js", embed.loader, name="loader-min"),
    path("", include("app.web.urls")),
]

handler400 = "app.web.errors.bad_request"
handler403 = "app.web.errors.forbidden"
handler404 = "app.web.errors.not_found"
handler500 = "app.web.errors.broken"
