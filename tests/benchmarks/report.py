"""What every benchmark has in common: its options, the machine's facts, and how figures are printed."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from typing import Any

from tests.benchmarks import machine
from tests.benchmarks.bodies import CORPORA

Options = argparse.Namespace


def arguments(name: str, doc: str | None, seconds: float) -> argparse.ArgumentParser:
    """The options that all of them know."""
    parser = argparse.ArgumentParser(
        f"manage.py bench {name}", description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    parser.add_argument("--seconds", type=float, default=seconds, help="of each load (%(default)g)")
    parser.add_argument("--corpus", choices=CORPORA, default="python", help="(%(default)s)")
    parser.add_argument("--issues", type=int, default=200, help="that the events belong to (%(default)d)")
    parser.add_argument("--connections", type=int, default=32, help="of the load generator (%(default)d)")
    return parser


def run(name: str, parser: argparse.ArgumentParser, measure: Callable[[Options], dict[str, Any]]) -> None:
    """Measures, and prints one object or a table."""
    options = parser.parse_args()
    facts = machine.facts()
    figures = {"benchmark": name, "options": vars(options), "machine": facts, **measure(options)}
    if options.json:
        print(json.dumps(figures))
        return
    for depth, title, value in lines(figures):
        print(f"{'  ' * depth}{title:{34 - 2 * depth}} {value}".rstrip())


def lines(figures: dict[str, Any], depth: int = 0) -> Iterator[tuple[int, str, str]]:
    """A heading for each group of figures; small groups stand in one line."""
    for name, value in figures.items():
        if isinstance(value, dict) and any(isinstance(each, dict | list) for each in value.values()):
            yield depth, name, ""
            yield from lines(value, depth + 1)
        elif isinstance(value, dict):
            yield depth, name, "  ".join(f"{key} {each}" for key, each in value.items())
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            yield depth, name, ""
            for number, each in enumerate(value, 1):
                yield from lines({str(number): each}, depth + 1)
        elif isinstance(value, list):
            yield depth, name, " ".join(map(str, value))
        else:
            yield depth, name, str(value)


def corpus(options: Options) -> dict[str, Any]:
    """What of the options says which events, for `measure`."""
    return {"corpus": options.corpus, "issues": options.issues, "connections": options.connections}


def ratio(figure: float, floor: float) -> float:
    return round(figure / floor, 3) if floor else 0.0
