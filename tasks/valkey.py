"""kombu's Redis transport with what RabbitMQ has and it lacks.

A message is always in exactly one place: in its queue, in hand of one consumer, or with the dead letters. It
moves from one to the next in a single step of the server's, so no kill comes in between (kombu takes it off
its queue and only then writes down that it is in hand). A rejected message becomes a dead letter instead of
vanishing, and each consumer keeps its unfinished messages under its own name, so that a restarted one takes
them up at once instead of after a time-out.

A script cannot wait. So a consumer waits for a hint in a second list, where a publisher adds one with each
message, and then takes what there is. Hints may be lost or too many: whoever takes a message and leaves
others leaves a hint as well, and every consumer sees to its queues once a second.

What is taken must be acknowledged; otherwise it comes back.

A message is one value: what kombu says of it as JSON, and behind that the body's own bytes. kombu would write
them into the JSON in base64, a third larger than what came in. What an older version left in a queue is read
too.
"""

from __future__ import annotations

import base64
import struct
import uuid
from collections.abc import Iterable
from functools import cached_property
from queue import Empty
from time import monotonic, time
from typing import Any

import redis as client
from kombu import Connection
from kombu.transport import redis, virtual
from kombu.utils.json import dumps, loads

from tasks import queues

#: Before the JSON: a byte that none begins with, and its length.
_HEAD = struct.Struct(">cI")
_MARK = b"\x01"
#: What a queue's list of hints is called after it.
HINTS = ":wake"
#: Hints kept for a queue; more do not wake anybody sooner.
MOST_HINTS = 100
#: Seconds after which a consumer makes sure that its queues have their hints.
LOOK_EVERY = 1.0

# All three first do what a server out of memory allows, after which it allows the rest: taking and giving
# back must go on when it takes no new messages.

#: The next message of queue KEYS[1], from now on in hand as ARGV[1]; asked again, the same one.
TAKE = """
local message = redis.call('HGET', KEYS[2], ARGV[1])
if message then return message end
message = redis.call('RPOP', KEYS[1])
if not message then return false end
redis.call('HSET', KEYS[2], ARGV[1], message)
redis.call('ZADD', KEYS[3], ARGV[2], ARGV[1])
if redis.call('EXISTS', KEYS[1]) == 1 and redis.call('EXISTS', KEYS[4]) == 0 then
    redis.call('LPUSH', KEYS[4], 1)
end
return message
"""
#: What is in hand as ARGV[1] goes, as ARGV[2], to that end of queue KEYS[3] which ARGV[3] pushes to.
MOVE = """
redis.call('ZREM', KEYS[2], ARGV[1])
if redis.call('HDEL', KEYS[1], ARGV[1]) == 1 then
    redis.call(ARGV[3], KEYS[3], ARGV[2])
    redis.call('LPUSH', KEYS[4], 1)
    redis.call('LTRIM', KEYS[4], 0, ARGV[4])
end
"""
#: A hint for each queue that has messages and none; KEYS are pairs of both.
HINT = """
for i = 1, #KEYS, 2 do
    if redis.call('EXISTS', KEYS[i]) == 1 and redis.call('EXISTS', KEYS[i + 1]) == 0 then
        redis.call('DEL', KEYS[i + 1])
        redis.call('LPUSH', KEYS[i + 1], 1)
    end
end
"""


class QoS(redis.QoS):
    """A delivery tag is the queue's name and an id; kombu's two keys hold what is in hand, unchanged."""

    channel: Any

    def append(self, message: Any, delivery_tag: str) -> None:
        """The server has noted it already."""
        virtual.QoS.append(self, message, delivery_tag)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        if not requeue:
            self.channel.move(delivery_tag, queues.dead_name(), "LPUSH")
        super().reject(delivery_tag, requeue=requeue)

    def restore_by_tag(self, tag: str | bytes, client: Any = None, leftmost: bool = False) -> None:
        """Back into its queue: as the next one, or with `leftmost` as the last."""
        name = tag.decode() if isinstance(tag, bytes) else tag
        self.channel.move(name, name.rpartition("/")[0], "LPUSH" if leftmost else "RPUSH", again=True)


class Channel(redis.Channel):
    QoS = QoS
    body_encoding: Any = None  # see `packed`
    priority_steps = [0]  # a queue is one list, whatever priority a message names
    supports_batch_publish = False
    _looked_at = float("-inf")
    # kombu's own, of which its stubs know nothing
    _closing: bool
    _queue_cycle: Any
    _flush_brpop_reauth: Any
    connection_errors: tuple[type[Exception], ...]

    def _put(self, queue: str, message: Any, **_: Any) -> None:
        with self._server.pipeline() as pipe:
            pipe.lpush(self._key(queue), packed(message))
            pipe.lpush(self._key(queue + HINTS), 1)
            pipe.ltrim(self._key(queue + HINTS), 0, MOST_HINTS - 1)
            pipe.execute()

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        """The next message, already in hand of this node; raises Empty."""
        tag = f"{queue}/{uuid.uuid4().hex}"
        keys = self._keys(queue, self.unacked_key, self.unacked_index_key, queue + HINTS)
        raw = self._scripts[TAKE](keys, [tag, time()], client=self._server)
        if raw is None:
            raise Empty
        return payload(raw, tag)

    def move(self, tag: str, queue: str, push: str, *, again: bool = False) -> None:
        """From the hand to a queue, in one step; nothing where it is in hand no more."""
        server = self._server
        raw = server.hget(self._key(self.unacked_key), tag)
        if raw is None:
            return
        keys = self._keys(self.unacked_key, self.unacked_index_key, queue, queue + HINTS)
        body = redelivered(raw) if again else raw
        self._scripts[MOVE](keys, [tag, body, push, MOST_HINTS - 1], client=server)

    def basic_get(self, queue: str, no_ack: bool = False, **how: Any) -> Any:
        message = super().basic_get(queue, **how)
        if message is not None and no_ack:
            message.ack()
        return message

    def _update_queue_cycle(self) -> None:
        """kombu waits for what this names."""
        self._queue_cycle.update([queue + HINTS for queue in self.active_queues])

    def _brpop_start(self, timeout: float | None = None) -> None:
        if monotonic() - self._looked_at >= LOOK_EVERY:
            self._hint(self.active_queues)
            self._looked_at = monotonic()
        start: Any = super()  # kombu's stubs do not know it
        start._brpop_start(timeout)

    def _hint(self, names: Iterable[str]) -> None:
        """Whoever waits for these queues is woken, if there is anything in them."""
        pairs = [key for name in names for key in (name, name + HINTS)]
        self._scripts[HINT](self._keys(*pairs), client=self._server)

    def _brpop_read(self, **options: Any) -> bool:
        """Takes and delivers what there was a hint for; raises Empty when nothing is there."""
        hints = self._hinted(**options)
        queue = hints.removesuffix(HINTS)
        if self._closing:
            self._hint([queue])  # it is for somebody else
            raise Empty
        self._queue_cycle.rotate(hints)
        self.connection._deliver(self._get(queue), queue)
        return True

    def _hinted(self, **options: Any) -> str:
        """The list that a hint came from; raises Empty."""
        try:
            answer = self.client.parse_response(self.client.connection, "BRPOP", **options)
        except self.connection_errors:
            self.client.connection.disconnect()  # so that kombu's next round connects again
            raise
        finally:
            self._in_poll = None
            self._flush_brpop_reauth()
        if not answer:
            raise Empty
        return str(answer[0].decode())

    @property
    def _server(self) -> Any:
        """Without kombu's prefixing, which knows neither scripts nor every command."""
        return client.Redis(connection_pool=self.pool)

    @cached_property
    def _scripts(self) -> dict[str, Any]:
        return {text: self._server.register_script(text) for text in (TAKE, MOVE, HINT)}

    def _key(self, name: str) -> str:
        return f"{self.global_keyprefix}{name}"

    def _keys(self, *names: str) -> list[str]:
        return [self._key(name) for name in names]


class Transport(redis.Transport):
    Channel = Channel
    supports_batch_publish = False


def packed(message: dict[str, Any]) -> bytes:
    """The message as it lies in a queue."""
    body = message["body"]
    head = dumps({name: part for name, part in message.items() if name != "body"}).encode()
    return b"".join((_HEAD.pack(_MARK, len(head)), head, body.encode() if isinstance(body, str) else body))


def payload(raw: bytes, tag: str) -> Any:
    """The message as kombu takes it, delivered as `tag`.

    What somebody else left in our list becomes one of a type that nobody accepts, and so a dead letter.
    """
    message = parsed(raw) or {
        "body": base64.b64encode(raw).decode(),
        "content-type": "application/octet-stream",
        "content-encoding": "binary",
        "headers": {},
        "properties": {"body_encoding": "base64", "delivery_info": {}},
    }
    message["properties"]["delivery_tag"] = tag
    return message


def redelivered(raw: bytes) -> bytes:
    """The same message, marked as one that was in hand before."""
    message = parsed(raw)
    if message is None:
        return raw
    message["headers"]["redelivered"] = True
    message["properties"]["delivery_info"]["redelivered"] = True
    return packed(message) if raw[:1] == _MARK else str(dumps(message)).encode()


def parsed(raw: bytes) -> Any:
    """None where kombu did not write it."""
    try:
        message = _unpacked(raw) if raw[:1] == _MARK else loads(raw)
        parts = message["headers"], message["properties"]["delivery_info"]
    except (ValueError, LookupError, TypeError, struct.error):
        return None
    return message if all(isinstance(part, dict) for part in parts) else None


def _unpacked(raw: bytes) -> Any:
    begin = _HEAD.size + _HEAD.unpack_from(raw)[1]
    return {**loads(raw[_HEAD.size : begin]), "body": raw[begin:]}


def restore_own(connection: Connection) -> int:
    """Gives back what this node had in hand when it was killed; how many messages that were."""
    channel: Any = connection.channel()
    with channel, channel.conn_or_acquire() as server:
        tags = server.zrange(channel.unacked_index_key, 0, -1)
        for tag in tags:
            channel.qos.restore_by_tag(tag, server)
        return len(tags)


def restore_abandoned(connection: Connection) -> None:
    """Gives back what nodes that never came again have had in hand for too long."""
    channel: Any = connection.channel()
    with channel, channel.conn_or_acquire() as server:
        prefix = f"{channel.global_keyprefix}in_hand_index:"
        nodes = [key.decode().removeprefix(prefix) for key in server.scan_iter(match=f"{prefix}*")]
    for node in nodes:
        with queues.connect(node) as their:
            theirs: Any = their.channel()
            theirs.qos.restore_visible()
