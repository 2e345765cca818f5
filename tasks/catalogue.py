"""Every task, its queue, its retries and what makes it idempotent, in one place.

A task that is not listed here cannot be defined, and one that is listed must exist (a test holds both).
Queues: F = may be federated between brokers, so nothing in it is ever delayed by the broker;
L = local, because of order, locks or freshly written local data.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Queue:
    name: str
    federated: bool
    carries: str


@dataclass(frozen=True)
class Spec:
    """`retries` waits that many times, 2^n seconds with jitter up to an hour, through the due table."""

    name: str
    queue: str
    idempotent_by: str
    trigger: str
    retries: int = 5
    soft_limit: int = 60  # seconds; the hard limit is half as much again
    every: float | None = None  # seconds between beats, for what the clock starts


QUEUES = (
    Queue("events", True, "groups of envelopes: the hot path"),
    Queue("process", True, "replayed and slow events"),
    Queue("alerts", True, "notable outcomes"),
    Queue("notify", True, "the outbox and everything that leaves by HTTP"),
    Queue("email", True, "SMTP"),
    Queue("stats", True, "counters"),
    Queue("merge", False, "events that go from one issue to another"),
    Queue("schedule", False, "beat's fan-outs"),
    Queue("cleanup", False, "partitions, retention, expiry"),
)

TASKS = (
    Spec("events.process_group", "events", "(project, event id)", "an accepted group", soft_limit=300),
    Spec("events.replay_quarantined", "process", "(project, event id)", "a person, a new version"),
    Spec("issues.update_similar", "process", "overwrite", "a new issue"),
    Spec(
        "issues.sweep_similar", "cleanup", "overwrite", "what a killed worker left, a new version", every=60
    ),
    Spec("alerts.announce", "alerts", "(cause, recipient, channel)", "a new or regressed issue"),
    Spec("alerts.sweep", "schedule", "(cause, recipient, channel)", "what a killed worker left", every=5),
    Spec("notify.relay_outbox", "notify", "claim of the outbox row", "on commit, and every 5 s", every=5),
    Spec("notify.send_email", "email", "claim of the outbox row, Message-Id", "the outbox", soft_limit=45),
    Spec("operations.dispatch_due", "schedule", "claim of the due row", "every second", every=1),
    Spec("operations.heartbeat", "schedule", "overwrite", "every minute", every=60),
    Spec("operations.collect_dead_letters", "cleanup", "(message id)", "every minute", every=60),
    Spec("stats.fold", "stats", "tallies are deleted as they are counted", "every second", every=1),
    Spec("stats.fold_tags", "stats", "tallies are deleted as they are counted", "every 10 s", every=10),
    Spec("stats.fold_durations", "stats", "tallies are deleted as they are counted", "every 5 s", every=5),
    Spec("stats.check_quotas_and_spikes", "schedule", "(project, category)", "every minute", every=60),
    Spec("releases.roll_up_health", "stats", "tallies are deleted as they are counted", "every 5 s", every=5),
    Spec("issues.regroup", "merge", "where the walk stands, the issue of each event", "rules for the past"),
    Spec("issues.merge", "merge", "(cause), rows move once, under the job's lock", "a person merges"),
    Spec(
        "issues.unmerge",
        "merge",
        "(cause), rows move once, under the job's lock",
        "a person splits",
    ),
    Spec("issues.sweep_merged", "schedule", "(cause of the job)", "every minute", every=60),
    Spec("issues.purge_discarded", "cleanup", "DELETE of what is there", "every 10 minutes", every=600),
    Spec("store.rotate_partitions", "cleanup", "IF NOT EXISTS", "hourly", every=3600),
    Spec("store.train_dictionaries", "cleanup", "(family, version)", "every 10 minutes", every=600),
    Spec("accounts.expire", "cleanup", "guarded DELETE", "hourly", every=3600),
)

BY_NAME = {spec.name: spec for spec in TASKS}
