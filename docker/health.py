"""Whether this container does its work; if not, one line and exit code 1.

`python docker/health.py http://…/_health/` asks a web server, `python docker/health.py work` asks the
database when each queue last answered the clock. It runs every half minute, so it does without Django,
which would cost a second each time.
"""

from __future__ import annotations

import os
import sys
import urllib.error
import urllib.request

# Every queue answers a beat each minute (operations.heartbeat); three missed ones are no accident.
SILENCE = "3 minutes"


def web(address: str) -> str | None:
    """Why the web server at `address` is not healthy, or None."""
    try:
        with urllib.request.urlopen(address, timeout=4):  # noqa: S310 - the address is our own
            return None
    except urllib.error.HTTPError as error:
        return f"{address} answered {error.code}: {error.read(200).decode(errors='replace')}"
    except OSError as error:
        return f"{address} did not answer: {error}"


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
    what = sys.argv[1]
    sys.exit(work() if what == "work" else web(what))
