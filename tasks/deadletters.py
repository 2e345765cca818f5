"""Dead letters: messages that were rejected, could not be read, or killed every worker that tried them."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from kombu import Connection
from kombu.message import Message

from app.base.text import storable
from app.models import FailedTask
from tasks import groups, queues, valkey

#: Letters collected in one run; the next run takes the rest.
AT_MOST = 1000


def collect() -> int:
    """Moves dead letters to the table of failures; how many. Each is acknowledged once its row is stored."""
    with queues.connect() as connection:
        queues.declare(connection)
        if not queues.is_amqp():
            valkey.restore_abandoned(connection)
        return _collect(connection)


def _collect(connection: Connection) -> int:
    with connection.channel() as channel:
        queue = queues.dead_queue(quorum=queues.has_quorum_queues(connection))(channel)
        for collected in range(AT_MOST):
            message = queue.get()
            if message is None:
                return collected
            FailedTask.objects.bulk_create([failed_task(message)], ignore_conflicts=True)
            message.ack()
    return AT_MOST


def failed_task(message: Message) -> FailedTask:
    """The row for a dead letter: its arguments where they can be read, its bytes where not."""
    headers = message.headers or {}
    args, body = readable(message)
    return FailedTask(
        task=storable(str(headers.get("task", "?")))[:64],
        message_id=storable(str(headers.get("id") or digest(message)))[:64],
        args=args,
        body=body,
        error=f"dead letter: {why(headers)}",
    )


def readable(message: Message) -> tuple[list[Any] | None, bytes | None]:
    """(args, body) as a row keeps them: see tasks.due.split; args is None when nobody can read them."""
    content: Any = message.body
    raw = content.encode() if isinstance(content, str) else bytes(content)
    if message.content_type == groups.CONTENT_TYPE:
        return [], raw
    try:
        args = json.loads(raw)[0]
    except (ValueError, LookupError, TypeError):
        return None, raw
    return (args, None) if isinstance(args, list) and "\\u0000" not in json.dumps(args) else (None, raw)


def why(headers: dict[str, Any]) -> str:
    """In words: what the broker noted about its death."""
    deaths = headers.get("x-death") or []
    reasons = [
        f"{death.get('reason')} from {death.get('queue')}" for death in deaths if isinstance(death, dict)
    ]
    return storable(", ".join(reasons) or "rejected")


def digest(message: Message) -> str:
    """A name for a message that has none, the same each time it comes."""
    return hashlib.blake2b(repr(message.body).encode(), digest_size=16).hexdigest()
