"""Projects that exist move to the configuration of 2026-12: for 90 days their issues are found by its
predecessor's hashes as well, so that none is split."""

from __future__ import annotations

from typing import Any

from django.db import migrations

_MOVE = """
update app_project set options = jsonb_set(
    options, '{grouping}',
    coalesce(options -> 'grouping', '{}') || jsonb_build_object(
        'older_config', '2026-11', 'older_until', extract(epoch from now() + interval '90 days')::bigint
    )
)"""


def move(apps: Any, editor: Any) -> None:  # noqa: ARG001
    editor.execute(_MOVE)


class Migration(migrations.Migration):
    dependencies = [("app", "0011_limits")]
    operations = [migrations.RunPython(move, migrations.RunPython.noop)]
