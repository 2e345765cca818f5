"""bench hot-issue: every event belongs to one issue, with four event workers, beside the mixed load.

Workers that wait for each other at the hot issue's rows would show here: as fewer events per second than of
many issues in the same run.
"""

from __future__ import annotations

from typing import Any

from tests.benchmarks import floors, report
from tests.benchmarks.measure import measure
from tests.benchmarks.stand import shipped

WORKERS = 4


def main() -> None:
    parser = report.arguments("hot-issue", __doc__, seconds=10)
    parser.add_argument("--bound", type=int, default=3000, help="accepted and not stored (%(default)d)")
    report.run("hot-issue", parser, figures)


def figures(options: report.Options) -> dict[str, Any]:
    corpus, profile = report.corpus(options), f"0:{options.seconds}"
    with shipped(workers=WORKERS) as stand:
        floor = floors.process(stand.database, corpus=options.corpus, issues=1)
        many = measure(stand, profile, bound=options.bound, **corpus)
        hot = measure(stand, profile, bound=options.bound, **{**corpus, "issues": 1})
    return {
        "end_to_end_per_s": hot["end_to_end_per_s"],
        "us_per_event": hot["us_per_event"],
        "us_per_event_by_role": hot["us_per_event_by_role"],
        "lost": many["lost"] + hot["lost"],
        "doubled": many["doubled"] + hot["doubled"],
        "floors": {"process": floor},
        "ratios": {
            "hot_to_mixed_events_per_s": report.ratio(hot["end_to_end_per_s"], many["end_to_end_per_s"]),
            "hot_to_mixed_us_per_event": report.ratio(hot["us_per_event"], many["us_per_event"]),
            "events_per_s_to_floor": report.ratio(hot["end_to_end_per_s"], floor["events_per_s"]),
        },
        "hot": hot,
        "mixed": many,
    }


if __name__ == "__main__":
    main()
