"""What every task has in common: where it goes, how long it may take, and what happens when it fails."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Sequence
from typing import Any

import celery
from celery.exceptions import Ignore, Reject
from django.db import transaction

from tasks import due, failures, groups, queues
from tasks.application import app
from tasks.catalogue import BY_NAME, Spec
from tasks.limits import limited

log = logging.getLogger(__name__)


class Task(celery.Task):  # type: ignore[type-arg]
    """A task of the catalogue. Called, it just runs; `later` is how work is handed to a worker."""

    abstract = True
    spec: Spec

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.request.called_directly:
            return self.run(*args, **kwargs)
        failures.refuse_killers(self.request)
        failures.drop_stale_connection()
        try:
            with limited(self.spec.soft_limit):
                return self.run(*args, **kwargs)
        except (Reject, Ignore):
            raise
        except Exception as error:  # noqa: BLE001 - whatever it was, it is noted and the message kept
            failures.note(self.spec, args, self.request, error)

    def later(self, *args: Any, after_seconds: float = 0, key: str = "") -> None:
        """Queue the task when the transaction commits, or now when there is none.

        With a delay or a key it becomes a row in the caller's transaction instead: it is queued when due,
        survives anything the transaction survives, and the same key waits only once.
        """
        if after_seconds or key:
            due.put(self.spec.name, args, after_seconds=after_seconds, key=key)
        else:
            transaction.on_commit(lambda: self.publish_or_keep(args))

    def publish_or_keep(self, args: Sequence[Any]) -> None:
        """Hand it to the broker; while that is away the work waits in the database."""
        try:
            self.publish(args)
        except queues.publish_errors() as error:
            log.warning("The broker took no %s (%s); it waits in the database", self.spec.name, error)
            due.put(self.spec.name, args)

    def publish(self, args: Sequence[Any], message_id: str = "", attempt: int = 0) -> None:
        """Hand it to the broker now and wait for the confirmation; raises when there is none."""
        as_group = bool(args) and isinstance(args[0], bytes)
        apply_async: Any = self.apply_async  # whose stubs know only half of its options
        apply_async(
            tuple(args),
            task_id=message_id or uuid.uuid4().hex,
            retries=attempt,
            serializer=groups.SERIALIZER if as_group else "json",
            argsrepr="(a group,)" if as_group else None,
            mandatory=True,
        )


def task(name: str) -> Callable[[Callable[..., None]], Task]:
    """Make a function the task of that name; KeyError when the catalogue does not list it."""
    spec = BY_NAME[name]

    def make(function: Callable[..., None]) -> Task:
        register: Any = app.task(base=Task, name=spec.name, lazy=False, typing=False)
        made: Task = register(function)
        made.spec = spec
        return made

    return make
