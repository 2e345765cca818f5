"""bench burst: a calm rate, ten times as much for --seconds, and the calm rate again.

Accepting has to stay quick and may refuse nothing. What the workers cannot follow waits and is visible later.
"""

from __future__ import annotations

from typing import Any

from tests.benchmarks import floors, report
from tests.benchmarks.measure import measure
from tests.benchmarks.stand import shipped

CALM = 10  # seconds before and after


def main() -> None:
    parser = report.arguments("burst", __doc__, seconds=20)
    parser.add_argument("--rate", type=float, default=300, help="of the calm (%(default)g)")
    report.run("burst", parser, figures)


def figures(options: report.Options) -> dict[str, Any]:
    calm = f"{options.rate}:{CALM}"
    with shipped() as stand:
        floor = floors.process(stand.database, corpus=options.corpus, issues=options.issues)
        load = measure(
            stand, f"{calm},{10 * options.rate}:{options.seconds},{calm}", **report.corpus(options)
        )
    burst = load["phases"][1]
    return {
        "burst_accept_p99_ms": burst["accept_ms"]["p99"],
        "burst_visible_p99_ms": burst["visible_ms"]["p99"],
        "refused": load["refused"],
        "lost": load["lost"],
        "doubled": load["doubled"],
        "us_per_event": load["us_per_event"],
        "us_per_event_by_role": load["us_per_event_by_role"],
        "floors": {"process": floor},
        "ratios": {"us_per_event_to_floor": report.ratio(load["us_per_event"], floor["us_per_event"])},
        "load": load,
    }


if __name__ == "__main__":
    main()
