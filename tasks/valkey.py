"""kombu's Redis transport with what RabbitMQ has and it lacks.

A rejected message goes to the dead-letter queue instead of vanishing, and each consumer keeps its unfinished
messages under its own name, so that a restarted one takes them up at once instead of after a time-out.
"""

from __future__ import annotations

from typing import Any

from kombu import Connection
from kombu.transport import redis

from tasks import queues


class QoS(redis.QoS):
    def reject(self, delivery_tag: Any, requeue: bool = False) -> None:
        message = (self._delivered or {}).get(delivery_tag)
        if message is not None and not requeue:
            # First there, then gone here: a crash between the two leaves it twice, never nowhere.
            self.channel._put(queues.dead_name(), message.serializable())
        super().reject(delivery_tag, requeue=requeue)


class Channel(redis.Channel):
    QoS = QoS


class Transport(redis.Transport):
    Channel = Channel


def restore_own(connection: Connection) -> int:
    """Gives back what this node had in hand when it was killed; how many messages that were."""
    channel: Any = connection.channel()
    with channel, channel.conn_or_acquire() as client:
        tags = client.zrange(channel.unacked_index_key, 0, -1)
        for tag in tags:
            channel.qos.restore_by_tag(tag, client)
        return len(tags)


def restore_abandoned(connection: Connection) -> None:
    """Gives back what nodes that never came again have had in hand for too long."""
    channel: Any = connection.channel()
    with channel, channel.conn_or_acquire() as client:
        prefix = f"{channel.global_keyprefix}unacked_index:"
        nodes = [key.decode().removeprefix(prefix) for key in client.scan_iter(match=f"{prefix}*")]
    for node in nodes:
        with queues.connect(node) as their:
            theirs: Any = their.channel()
            theirs.qos.restore_visible()
