"""Real services for the tests, found once per run: a pytest plugin (`-p tests.services`)."""

from __future__ import annotations

import os

os.environ.setdefault("DATABASE_URL", "postgres://root@127.0.0.1/postgres")
os.environ.setdefault("REDIS_URL", "redis://127.0.0.1:6379/9")
os.environ.setdefault("TOCSIN_BROKER_AMQP", "amqp://guest:guest@127.0.0.1:5672//")
os.environ.setdefault("QUEUE_URL", os.environ["TOCSIN_BROKER_AMQP"])
os.environ.setdefault("QUEUE_PREFIX", f"test-{os.getpid()}-")
