"""Whether this container does its work: `python docker/health.py web|work`; if not, one line and exit code 1.

Only the standard library and one driver, because it runs every half minute: Django would cost a second each time.
"""

from __future__ import annotations

import os
import sys
import urllib.error
import urllib.request

# Every queue answers a beat each minute (operations.heartbeat); three missed ones are no accident.
SILENCE = "3 minutes"


def web() -> str | None:
    """Why the web server here is not healthy, or None."""
    try:
        with urllib.request.urlopen("http://127.0.0.1:8000/_health/", timeout=4):
            return None
    except urllib.error.HTTPError as error:
        return f"/_health/ answered {error.code}: {error.read(200).decode(errors='replace')}"
    except OSError as error:
        return f"/_health/ did not answer: {error}"


def work() -> str | None:
    """Which queues have not answered lately, or None: the scheduler beats and the workers work."""
    import psycopg  # noqa: PLC0415 - only two of the four roles need it

    overdue = "SELECT queue FROM app_heartbeat WHERE at < now() - %s::interval"
    try:
        with psycopg.connect(os.environ["DATABASE_URL"], connect_timeout=4) as connection:
            silent = [str(row[0]) for row in connection.execute(overdue, [SILENCE])]
            known = connection.execute("SELECT count(*) FROM app_heartbeat").fetchone()
    except psycopg.Error as error:
        return f"the database did not answer: {error}"
    if not known or not known[0]:
        return "no queue has answered yet"
    return f"silent for {SILENCE}: {', '.join(silent)}" if silent else None


if __name__ == "__main__":
    if complaint := {"web": web, "work": work}[sys.argv[1]]():
        sys.exit(complaint)
