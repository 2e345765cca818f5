"""Dictionaries for bodies that have no base yet: trained per platform family from what was stored last."""

from __future__ import annotations

from datetime import timedelta

from app.base import clock
from app.base.zstandard import zstd
from app.models import BodyDictionary
from app.store import bodies
from app.store.database import cursor

#: Bytes of a dictionary; bodies a family must have for one; how long it is the newest.
SIZE, FEWEST, RENEWED = 112 * 1024, 200, timedelta(days=1)
#: Issues that were met last, and bodies taken of each.
ISSUES, EACH = 400, 3

_SAMPLES = """
select e.dictionary, e.body from (select id from app_issue order by last_seen desc limit %s) i
cross join lateral (
    select dictionary, body from app_event where issue_id = i.id and day >= %s order by received desc limit %s
) e"""


def train() -> list[BodyDictionary]:
    """Makes a dictionary for each family that has none, or an old one, and bodies enough; those it made."""
    since = clock.now() - RENEWED
    fresh = set(
        BodyDictionary.objects.filter(project=None, created__gt=since).values_list("family", flat=True)
    )
    made = []
    for family, samples in _samples().items():
        if family not in fresh and len(samples) >= FEWEST:
            content = zstd.train_dict(samples, SIZE).dict_content
            before = BodyDictionary.objects.filter(project=None, family=family).order_by("-version").first()
            version = before.version + 1 if before else 1
            row, is_new = BodyDictionary.objects.get_or_create(
                project=None, family=family, version=version, defaults={"content": content}
            )
            made += [row] if is_new else []
    return made


def _samples() -> dict[str, list[bytes]]:
    """JSON of bodies by family."""
    found: dict[str, list[bytes]] = {}
    with cursor() as statements:
        rows = statements.execute(_SAMPLES, [ISSUES, clock.now().date() - RENEWED, EACH]).fetchall()
    for dictionary, packed in rows:
        raw = bodies.unpacked(dictionary, packed)
        found.setdefault(bodies.family(bodies.platform(raw)), []).append(raw)
    return found
