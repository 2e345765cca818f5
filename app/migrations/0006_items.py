"""Tables of what comes beside events that are partitioned by day, like events: attachments and logs."""

from django.db import migrations

ATTACHMENTS = """
create table app_attachment (
    day date not null,
    id bigserial not null,
    project_id bigint not null,
    event_id uuid not null,
    received timestamptz not null,
    name varchar(255) not null,
    content_type varchar(100) not null,
    kind varchar(50) not null,
    size integer not null,
    content bytea not null,
    primary key (day, id)
) partition by range (day);
create index app_attachment_by_event on app_attachment (project_id, event_id);
"""

LOGS = """
create table app_log (
    day date not null,
    id bigserial not null,
    project_id bigint not null,
    "timestamp" timestamptz not null,
    severity smallint not null,
    trace_id uuid,
    span_id varchar(16) not null,
    environment varchar(64) not null,
    release varchar(250) not null,
    body text not null,
    attributes jsonb not null,
    primary key (day, id)
) partition by range (day);
create index app_log_by_project on app_log (project_id, "timestamp" desc, id desc);
create index app_log_by_trace on app_log (trace_id) where trace_id is not null;
create index app_log_by_words on app_log using gin (body gin_trgm_ops);
"""


class Migration(migrations.Migration):
    dependencies = [("app", "0005_options")]

    operations = [
        migrations.RunSQL(ATTACHMENTS, "drop table app_attachment"),
        migrations.RunSQL(LOGS, "drop table app_log"),
    ]
