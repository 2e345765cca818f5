"""Events that a filter met, or whose issue is discarded, use up nothing of their key's limit.

They are given back to the number that all share. The accepting side counts before anybody knows what is in
an event, so this comes a moment later. It may come twice, when a group is delivered twice; a limit is no
account.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Iterable

import redis
from django.conf import settings

from app.item import Once
from app.models import DsnKey
from app.wire import windows

log = logging.getLogger(__name__)
#: What the accepting side counts.
COUNTED = frozenset(("error", "transaction", "security", "feedback"))


def give_back(onces: Iterable[Once]) -> None:
    """For the windows that are not over. Never raises: a limit that is a little strict is no harm."""
    filtered = Counter[tuple[int, int]]()
    for once in onces:
        for one in once.counts:
            if one.outcome == "filtered" and one.category in COUNTED:
                filtered[one.key_id, one.at // 1_000_000] += one.quantity
    if not filtered:
        return
    keys = DsnKey.objects.filter(pk__in={key for key, _ in filtered}, rate_limit__isnull=False)
    limited = {pk: seconds for pk, seconds in keys.values_list("pk", "rate_window") if seconds}
    given = Counter[tuple[str, int]]()
    for (key, at), quantity in filtered.items():
        seconds = limited.get(key)
        if seconds and at // seconds == int(time.time() // seconds):
            given[windows.name(key, seconds, at), seconds] += quantity
    if given:
        _subtract(given)


def _subtract(given: Counter[tuple[str, int]]) -> None:
    cache = settings.CACHES["default"]
    try:
        with (
            redis.Redis.from_url(cache["LOCATION"], socket_timeout=2, socket_connect_timeout=2) as client,
            client.pipeline(transaction=False) as pipeline,
        ):
            for (name, seconds), quantity in given.items():
                pipeline.decrby(f"{cache['KEY_PREFIX']}:{name}", quantity)
                pipeline.expire(f"{cache['KEY_PREFIX']}:{name}", 2 * seconds)
            pipeline.execute()
    except (redis.RedisError, OSError) as error:
        log.warning("filtered events could not be given back to their keys' limits: %s", error)
