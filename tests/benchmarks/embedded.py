"""bench embedded: `manage.py up`, the default of a small server: events per second, cost and memory.

The same two loads as `bench pipeline`, against one command's PostgreSQL, Valkey, web server and workers.
"""

from __future__ import annotations

from typing import Any

from tests.benchmarks import report
from tests.benchmarks.pipeline import sustained
from tests.benchmarks.stand import embedded


def main() -> None:
    parser = report.arguments("embedded", __doc__, seconds=20)
    parser.add_argument("--rate", type=float, default=0, help="of a second load, for latencies (none)")
    parser.add_argument("--bound", type=int, default=3000, help="accepted and not stored (%(default)d)")
    report.run("embedded", parser, figures)


def figures(options: report.Options) -> dict[str, Any]:
    with embedded() as stand:
        return sustained(stand, options)


if __name__ == "__main__":
    main()
