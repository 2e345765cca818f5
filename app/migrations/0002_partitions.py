"""The two tables Django cannot describe: partitioned by day, so that a day is dropped whole.

Partitions themselves are made by app.store.partitions, ahead of time.
"""

from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations

EVENTS = """
create table app_event (
    day date not null,
    project_id bigint not null,
    event_id uuid not null,
    issue_id bigint not null,
    received timestamptz not null,
    "timestamp" timestamptz not null,
    level smallint not null,
    environment_id bigint not null,
    release_id bigint,
    user_hash bigint,
    title varchar(300) not null,
    tags bigint[] not null,
    dictionary integer,
    body bytea not null,
    primary key (day, project_id, event_id)
) partition by range (day);
create index app_event_by_issue on app_event (issue_id, received desc, event_id);
create index app_event_by_project on app_event (project_id, received desc);
"""

APPLIED = """
create table app_applied (
    day date not null,
    key uuid not null,
    primary key (day, key)
) partition by range (day);
"""

SEARCH = """
create index issue_title_trigrams on app_issue using gin (title gin_trgm_ops);
create index issue_culprit_trigrams on app_issue using gin (culprit gin_trgm_ops);
"""


class Migration(migrations.Migration):
    dependencies = [("app", "0001_initial")]

    operations = [
        TrigramExtension(),
        migrations.RunSQL(EVENTS, "drop table app_event"),
        migrations.RunSQL(APPLIED, "drop table app_applied"),
        migrations.RunSQL(
            SEARCH, "drop index issue_title_trigrams; drop index issue_culprit_trigrams"
        ),
    ]
