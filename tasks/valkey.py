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
    def reject(self, delivery_tag: Any, requeue: bool = False) -> None:  # noqa: FBT001, FBT002
        message = self._delivered.get(delivery_tag)
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
    with connection.channel() as channel, channel.conn_or_acquire() as client:
        tags = client.zrange(channel.unacked_index_key, 0, -1)
        for tag in tags:
            channel.qos.restore_by_tag(tag, client)
        return len(tags)
