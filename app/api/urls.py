from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from app.api.views import Index

urlpatterns: list[URLPattern | URLResolver] = [path("", Index.as_view(), name="api-index")]
