"""Groups of accepted requests as messages: raw bytes, no JSON and no base64 around them.

A group is the one argument of `events.process_group`. In the message it *is* the body.
"""

from __future__ import annotations

import os
from typing import Any

from kombu.serialization import register as register_serializer

SERIALIZER = "tocsin-group"
CONTENT_TYPE = "application/x-tocsin-group"
TASK = "events.process_group"


def register() -> None:
    """Make kombu know the content type; may be called more than once."""
    register_it: Any = register_serializer  # whose stubs know only text
    register_it(SERIALIZER, dumps, loads, content_type=CONTENT_TYPE, content_encoding="binary")


def dumps(body: Any) -> bytes:
    """The raw group, from the bytes themselves or from Celery's (args, kwargs, embed)."""
    group = body if isinstance(body, bytes | bytearray | memoryview) else body[0][0]
    return bytes(group)


def loads(body: bytes | bytearray | memoryview) -> tuple[list[bytes], dict[str, Any], dict[str, Any]]:
    """Celery's (args, kwargs, embed) of a message."""
    return [bytes(body)], {}, {}


def headers(message_id: str) -> dict[str, Any]:
    """The message headers of Celery's protocol, version 2, for a group published without Celery."""
    return {
        "lang": "py",
        "task": TASK,
        "id": message_id,
        "root_id": message_id,
        "parent_id": None,
        "group": None,
        "retries": 0,
        "eta": None,
        "expires": None,
        "timelimit": [None, None],
        "argsrepr": "(a group,)",
        "kwargsrepr": "{}",
        "origin": f"shipper@{os.getpid()}",
        "ignore_result": True,
    }
