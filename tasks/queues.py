"""The queues as the broker knows them, and the only place that declares them.

RabbitMQ: durable queues on one topic exchange; what a consumer rejects goes through the dead-letter exchange
to the queue `dead`. From version 4 on they are quorum queues with a delivery limit, before that classic ones
(their federation and redelivery are sounder there).
Redis or Valkey: a list per queue, addressed directly, and the transport of `tasks.valkey`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from amqp.exceptions import MessageNacked, PreconditionFailed
from django.conf import settings
from kombu import Connection, Exchange, Queue
from kombu.exceptions import OperationalError
from kombu.transport import TRANSPORT_ALIASES

from tasks import groups
from tasks.catalogue import QUEUES

#: How often a message may come back after its worker died before it is a dead letter.
DELIVERY_LIMIT = 5
#: Seconds until the message of a machine that never came back is given to another one (Valkey).
VISIBILITY_TIMEOUT = 1200


def is_amqp() -> bool:
    return str(settings.QUEUE_URL).startswith(("amqp", "pyamqp"))


def queue_name(queue: str) -> str:
    """The broker's name of a queue of the catalogue."""
    return f"{settings.QUEUE_PREFIX}{queue}"


def dead_name() -> str:
    return queue_name("dead")


def route(queue: str) -> tuple[str, str]:
    """(exchange, routing key) that lead to a queue of the catalogue."""
    return (queue_name("tasks") if is_amqp() else "", queue_name(queue))


def event_route() -> tuple[str, str]:
    """(exchange, routing key) for groups of accepted events."""
    return route("events")


def transport_options(node: str = "") -> dict[str, Any]:
    """What kombu must know about our broker; under its `node` a consumer keeps what it has in hand."""
    if is_amqp():
        return {"confirm_publish": True, "confirm_timeout": 5, "read_timeout": 30, "write_timeout": 10}
    return {
        "global_keyprefix": f"{settings.QUEUE_PREFIX or 'tocsin-'}queue:",
        "unacked_key": f"in_hand:{node}",
        "unacked_index_key": f"in_hand_index:{node}",
        "unacked_mutex_key": f"in_hand_mutex:{node}",
        "visibility_timeout": VISIBILITY_TIMEOUT,
        # kombu's own defaults look for lost messages every 100 s.
        "unacked_restore_interval": 5,
        "unacked_restore_throttle": 1,
        "socket_keepalive": True,
    }


def register() -> None:
    """Makes kombu read groups and use our transport for every form a Redis address has; may be repeated.

    By its alias, since for redis+socket:// kombu heeds no other choice.
    """
    groups.register()
    TRANSPORT_ALIASES.update({"redis": "tasks.valkey:Transport", "rediss": "tasks.valkey:Transport"})


def connect(node: str = "") -> Connection:
    """A connection of one's own to the broker, not yet opened."""
    register()
    return Connection(
        settings.QUEUE_URL,
        transport_options=transport_options(node),
        heartbeat=0,
        connect_timeout=3,
    )


def publish_errors() -> tuple[type[Exception], ...]:
    """What a publisher raises when the broker is away, refuses or has no queue for the message."""
    register()
    kombu_transport: Any = Connection(settings.QUEUE_URL).transport
    errors: tuple[type[Exception], ...] = kombu_transport.connection_errors + kombu_transport.channel_errors
    return (OperationalError, MessageNacked, OSError, *errors)


def declare(connection: Connection) -> None:
    """Every queue exists when this returns; harmless when it already did."""
    quorum = has_quorum_queues(connection)
    for queue in [dead_queue(quorum=quorum), *(work_queue(spec.name, quorum=quorum) for spec in QUEUES)]:
        with connection.channel() as channel:
            try:
                queue(channel).declare()
            except PreconditionFailed:
                # It is there, made by an older broker or with other arguments: it serves as it is.
                continue


@dataclass(frozen=True)
class Depth:
    """How much waits in a queue, and for how many; Redis does not know its consumers."""

    queue: str
    messages: int
    consumers: int | None


def depth(connection: Connection, queue: str) -> Depth | None:
    """What the broker says of a queue of the catalogue or of "dead"; None when there is no such queue."""
    channel: Any = connection.channel()
    with channel:
        if not is_amqp():  # kombu's passive declare asks for the list without the prefix of our keys
            return Depth(queue, channel._size(queue_name(queue)), None)
        try:
            answer = channel.queue_declare(queue_name(queue), passive=True)
        except connection.channel_errors:
            return None
        return Depth(queue, answer.message_count, answer.consumer_count)


def has_quorum_queues(connection: Connection) -> bool:
    """Whether this broker is RabbitMQ 4 or later."""
    if not is_amqp():
        return False
    connection.ensure_connection(max_retries=1)
    version = str(connection.connection.server_properties.get("version", "0"))
    return int(version.partition(".")[0]) >= 4


def dead_queue(*, quorum: bool = False) -> Queue:
    """Where rejected messages wait for `operations.collect_dead_letters`."""
    exchange = Exchange(dead_name(), "topic", durable=True) if is_amqp() else Exchange("")
    arguments = {"x-queue-type": "quorum"} if quorum else None
    return Queue(dead_name(), exchange, routing_key="#", durable=True, queue_arguments=arguments)


def work_queue(queue: str, *, quorum: bool = False) -> Queue:
    """A queue of the catalogue, as it is to be declared."""
    exchange, key = route(queue)
    return Queue(
        key,
        Exchange(exchange, "topic", durable=True) if exchange else Exchange(""),
        routing_key=key,
        durable=True,
        queue_arguments=_arguments(quorum=quorum) if is_amqp() else None,
    )


def consumed(queue: str) -> Queue:
    """The same queue for a consumer or a publisher, which must not declare it (see `declare`)."""
    return Queue(queue_name(queue), Exchange(route(queue)[0], "topic"), queue_name(queue), no_declare=True)


def _arguments(*, quorum: bool) -> dict[str, Any]:
    arguments: dict[str, Any] = {"x-dead-letter-exchange": dead_name()}
    if quorum:
        arguments |= {
            "x-queue-type": "quorum",
            "x-delivery-limit": DELIVERY_LIMIT,
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",
        }
    return arguments
