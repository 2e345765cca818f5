"""bench accept: one ingest process as shipped, asked directly, through nginx, and through HAProxy and nginx.

Every way is taken twice: as fast as answers come, and at a fixed rate for the latencies. No workers run; what
arrived at the broker is counted and taken out after each load. Floor: an nginx that answers 200 to the same
requests of the same generator.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import psutil

from tests.benchmarks import arrivals, floors, proxies, report
from tests.benchmarks.measure import ask
from tests.benchmarks.stand import Families, shipped_families, shipped_services, spent, stand_of
from tests.docker.test_processes import VARIABLES, Installed


def main() -> None:
    parser = report.arguments("accept", __doc__, seconds=6)
    parser.add_argument("--rate", type=float, default=2000, help="of the latencies (%(default)g)")
    report.run("accept", parser, figures)


def figures(options: report.Options) -> dict[str, Any]:
    with shipped_services() as installed, floors.nginx() as (address, family):
        key, project = stand_of(installed).key, str(stand_of(installed).project)
        floor = loads(options, (address, key, project), lambda: {"nginx": family}, None)
        broker = (
            f"amqp://tocsin:{VARIABLES['RABBITMQ_PASSWORD']}@127.0.0.1:{installed.stage.ports['rabbitmq']}//"
        )
        found = {}
        for name, way in WAYS.items():
            if name == "haproxy_nginx" and not proxies.haproxy_program():
                continue
            with way(installed) as (door, more):
                found[name] = loads(options, (door, key, project), with_more(installed, more), broker)
    return {
        "accepted_per_s": found["direct"]["flat_out"]["accepted_per_s"],
        "accept_p99_ms": found["direct"]["at_rate"]["accept_ms"]["p99"],
        "us_per_event": found["direct"]["flat_out"]["us_per_event"],
        "us_per_event_by_role": found["direct"]["flat_out"]["us_per_event_by_role"],
        "lost": sum(load["lost"] for way in found.values() for load in way.values()),
        "doubled": sum(load["doubled"] for way in found.values() for load in way.values()),
        "floors": {"nginx_returns_200": floor},
        "ratios": {
            f"{name}_to_floor": report.ratio(
                way["flat_out"]["accepted_per_s"], floor["flat_out"]["accepted_per_s"]
            )
            for name, way in found.items()
        },
        **found,
    }


Way = contextlib.AbstractContextManager[tuple[str, Families]]


@contextlib.contextmanager
def directly(installed: Installed) -> Iterator[tuple[str, Families]]:
    yield installed.stage.address("ingest"), {}


@contextlib.contextmanager
def by_nginx(installed: Installed) -> Iterator[tuple[str, Families]]:
    yield installed.stage.address("nginx"), {}


@contextlib.contextmanager
def by_haproxy(installed: Installed) -> Iterator[tuple[str, Families]]:
    with proxies.haproxy(f"127.0.0.1:{installed.stage.ports['nginx']}") as (address, family):
        yield address, {"haproxy": family}


WAYS: dict[str, Callable[[Installed], Way]] = {
    "direct": directly,
    "nginx": by_nginx,
    "haproxy_nginx": by_haproxy,
}


def with_more(installed: Installed, more: Families) -> Callable[[], Families]:
    return lambda: {**shipped_families(installed), **more}


def loads(
    options: report.Options, where: tuple[str, str, str], families: Callable[[], Families], broker: str | None
) -> dict[str, Any]:
    """Both loads by one way, each with its cost and its count."""
    profiles = {"flat_out": f"0:{options.seconds}", "at_rate": f"{options.rate}:{options.seconds}"}
    given = [f"--{name}={value}" for name, value in report.corpus(options).items()]
    return {name: one(where, profile, given, families, broker) for name, profile in profiles.items()}


def one(
    where: tuple[str, str, str],
    profile: str,
    given: list[str],
    families: Callable[[], Families],
    broker: str | None,
) -> dict[str, Any]:
    before = spent(families())
    load = ask(*where, profile, *given)
    arrived = arrivals.take(broker, load["accepted"]) if broker else None
    after = spent(families())
    events = max(1, load["accepted"])
    by_role = {role: round((after[role] - before.get(role, 0)) / events * 1e6, 1) for role in after}
    counted = (
        {
            "lost": max(0, load["accepted"] - len(arrived)),
            "doubled": arrived.total() - len(arrived),  # the store would take each of them once
        }
        if arrived is not None
        else {}
    )
    return {
        **{name: load[name] for name in ("accepted_per_s", "accepted", "refused", "unanswered", "accept_ms")},
        **counted,
        "us_per_event": round(sum(by_role.values()), 1),
        "us_per_event_by_role": by_role,
        "us_load_generator": round(load["cpu_s"] / events * 1e6, 1),
        "memory_mb": {role: memory(family) for role, family in families().items()},
    }


def memory(family: list[psutil.Process]) -> list[int]:
    """Resident MB of each process, the largest first."""
    sizes = []
    for process in family:
        with contextlib.suppress(psutil.Error):
            sizes.append(round(process.memory_info().rss / 1024**2))
    return sorted(sizes, reverse=True)


if __name__ == "__main__":
    main()
