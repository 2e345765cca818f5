"""What machines ask for: is it alive, what may be crawled."""

from __future__ import annotations

import logging

from django.core.cache import cache
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect, JsonResponse
from django.templatetags.static import static
from redis.exceptions import RedisError

log = logging.getLogger(__name__)


def health(_request: HttpRequest) -> JsonResponse:
    """200 when database and cache answer, 503 and which one does not otherwise."""
    parts = {"database": _database_answers(), "cache": _cache_answers()}
    well = all(parts.values())
    answer = {"status": "ok" if well else "failing"} | {
        name: "ok" if works else "failing" for name, works in parts.items()
    }
    return JsonResponse(answer, status=200 if well else 503)


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        log.warning("The database does not answer: %s", error)
        return False
    return True


def _cache_answers() -> bool:
    try:
        cache.get("health")
    except (RedisError, OSError) as error:
        log.warning("The cache does not answer: %s", error)
        return False
    return True


def robots(_request: HttpRequest) -> HttpResponse:
    return HttpResponse("User-agent: *\nDisallow: /\n", content_type="text/plain")


def favicon(_request: HttpRequest) -> HttpResponse:
    return HttpResponsePermanentRedirect(static("favicon.svg"))
