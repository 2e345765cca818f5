"""The Celery application: queues, routes and manners, all read from the catalogue and the settings."""

from __future__ import annotations

import os

from celery import Celery
from django.conf import settings

from tasks import groups, queues
from tasks.catalogue import QUEUES, TASKS
from tasks.schedule import schedule

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "app.settings")
queues.register()

# No Django fixup: it would run the system checks and so import every page into every worker. The command
# `work` sets Django up, and tasks.base minds the database connections.
app = Celery("tocsin", fixups=[])
app.conf.update(
    broker_url=settings.QUEUE_URL,
    broker_transport_options=queues.transport_options(),
    broker_connection_timeout=3,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    # A worker whose Valkey went while it worked came back to its loop without a socket, and took no message
    # any more. So it ends and its parent starts another one, which has its messages at once.
    broker_connection_retry=queues.is_amqp(),
    # A solo worker sends no heartbeats while it works, and must not be thrown out for that.
    broker_heartbeat=0,
    broker_pool_limit=1,
    imports=sorted({f"tasks.{spec.name.partition('.')[0]}" for spec in TASKS}),
    task_queues=[queues.consumed(queue.name) for queue in QUEUES],
    task_routes={spec.name: {"queue": queues.queue_name(spec.queue)} for spec in TASKS},
    task_default_queue=queues.queue_name("schedule"),
    task_create_missing_queues=False,
    task_default_delivery_mode=2,
    task_publish_retry_policy={"max_retries": 2, "interval_start": 0, "interval_step": 0.2},
    task_serializer="json",
    accept_content=["json", groups.CONTENT_TYPE],
    task_ignore_result=True,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    # What failed and could not even be noted (tasks.failures) becomes a dead letter, not an acknowledgement.
    task_acks_on_failure=False,
    task_acks_on_timeout=False,
    worker_consumer="tasks.worker:Consumer",
    worker_prefetch_multiplier=1,
    worker_detect_quorum_queues=False,
    worker_enable_remote_control=False,
    worker_send_task_events=False,
    worker_hijack_root_logger=False,
    worker_redirect_stdouts=False,
    worker_cancel_long_running_tasks_on_connection_loss=False,
    beat_schedule=schedule(),
    beat_schedule_filename=str(settings.DATA / "schedule"),
    timezone="UTC",
)
