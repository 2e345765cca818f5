"""What the figures were measured on.

Machines differ by more than most changes do, and one of them by a third within minutes. So every run times
a fixed loop first: `machine_factor` is how many times as long it took as on the budgets' machine.
Divide microseconds by it, and multiply events per second, to compare runs of different days.
"""

from __future__ import annotations

import json
import os
import platform
import time
import zlib
from pathlib import Path

#: Seconds the loop took where an event's gunzip takes 20 µs and its typed decoding 30 (app/normalize).
BUDGETED = 0.0129


def facts() -> dict[str, object]:
    """Cores we may use, their model, and how busy the machine was before we began."""
    return {
        "machine_factor": factor(),
        "cores": len(os.sched_getaffinity(0)),
        "cpu": cpu(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3, 1),
        "load_before": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "kernel": platform.release(),
    }


def cpu() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), "")


def factor(rounds: int = 15) -> float:
    """The best of some rounds, so that what else the machine does counts little."""
    best = float("inf")
    for _ in range(rounds):
        began = time.process_time()
        loop()
        best = min(best, time.process_time() - began)
    return round(best / BUDGETED, 2)


def loop() -> int:
    """A bit of all that processing consists of: interpreting, dictionaries, decoding, checksums, copying."""
    found: dict[str, int] = {}
    for number in range(20_000):
        name = f"frame {number % 977}"
        found[name] = found.get(name, 0) * 31 + number & 0xFFFF
    text = json.dumps([{"name": name, "value": value, "on": True} for name, value in found.items()] * 8)
    packed = zlib.compress(text.encode(), 1)
    return len(json.loads(zlib.decompress(packed))) + zlib.crc32(packed)
