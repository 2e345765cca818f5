"""Events that could not be processed: kept as they were accepted, with the reason, once."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from hashlib import blake2b

from app.base import clock
from app.event import Refused
from app.store.database import Cursor, array, arrays, numbers, text

#: The key may have been deleted meanwhile; the event is kept all the same.
_FILE = f"""
insert into app_quarantined (project_id, key_id, digest, item, category, reason, frame, received, created)
select p, (select id from app_dsnkey where id = k), d, i, c, r, f, to_timestamp(a / 1e6), %s
from unnest({arrays("bigint bigint uuid int text text bytea bigint")})
     with ordinality u(p, k, d, i, c, r, f, a, place)
order by d on conflict (digest) do nothing returning digest"""


def digest(one: Refused) -> uuid.UUID:
    """The same item of the same accepted request has the same digest."""
    return uuid.UUID(bytes=blake2b(one.frame + b"%d" % one.item, digest_size=16).digest())


def file(statements: Cursor, refused: Sequence[Refused]) -> list[Refused]:
    """Keeps what is not kept yet; what was really added."""
    if not refused:
        return []
    by_digest = {digest(one): one for one in refused}
    ones = list(by_digest.values())
    values = [
        numbers(one.project_id for one in ones),
        numbers(one.key_id for one in ones),
        array(by_digest),
        numbers(one.item for one in ones),
        [text(one.category, 24) for one in ones],
        [text(one.reason, 1000) for one in ones],
        [one.frame for one in ones],
        numbers(one.received for one in ones),
    ]
    return [by_digest[found] for (found,) in statements.execute(_FILE, [clock.now(), *values])]
