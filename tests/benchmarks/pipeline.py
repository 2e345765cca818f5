"""bench pipeline: accepted to visible, the whole shipped configuration.

First as many events as the pipeline sustains: the generator sends as fast as answers come, but never lets
more than --bound events be accepted and not yet stored, so that the figure is no queue's length. Then the
time from accepted to visible at a fixed rate. Floor: one process that unpacks, decodes, compresses and COPYs
the same bodies, and nothing else.
"""

from __future__ import annotations

from typing import Any

from tests.benchmarks import floors, pure, report
from tests.benchmarks.measure import measure
from tests.benchmarks.stand import Stand, shipped


def main() -> None:
    parser = report.arguments("pipeline", __doc__, seconds=20)
    parser.add_argument("--rate", type=float, default=2000, help="of the latencies; 0 = none (%(default)g)")
    parser.add_argument("--bound", type=int, default=3000, help="accepted and not stored (%(default)d)")
    report.run("pipeline", parser, figures)


def figures(options: report.Options) -> dict[str, Any]:
    with shipped() as stand:
        return sustained(stand, options)


def sustained(stand: Stand, options: report.Options) -> dict[str, Any]:
    """Both loads against a stand; the totals are of the first one, and losses of both."""
    corpus = report.corpus(options)
    floor = floors.process(stand.database, corpus=options.corpus, issues=options.issues)
    flat_out = measure(stand, f"0:{options.seconds}", bound=options.bound, **corpus)
    loads = {"flat_out": flat_out}
    if options.rate:
        loads["at_rate"] = measure(stand, f"{options.rate}:{options.seconds}", **corpus)
    return {
        "end_to_end_per_s": flat_out["end_to_end_per_s"],
        "us_per_event": flat_out["us_per_event"],
        "us_per_event_by_role": flat_out["us_per_event_by_role"],
        "us_of_stages": stages(),
        "lost": sum(load["lost"] for load in loads.values()),
        "doubled": sum(load["doubled"] for load in loads.values()),
        "floors": {"process": floor},
        "ratios": {
            "events_per_s_to_floor": report.ratio(flat_out["end_to_end_per_s"], floor["events_per_s"]),
            "us_per_event_to_floor": report.ratio(flat_out["us_per_event"], floor["us_per_event"]),
        },
        **loads,
    }


def stages() -> dict[str, float]:
    """Where a worker's time goes, each stage alone in one process: see tests.benchmarks.pure."""
    return {name: round(value, 1) for name, value in pure.figures().items()}


if __name__ == "__main__":
    main()
