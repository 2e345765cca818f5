"""`manage.py bench`: how fast this machine accepts, processes and shows, measured with the code as it is."""

from __future__ import annotations

import argparse
import ast
import os
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

FOLDER = Path(settings.ROOT) / "tests" / "benchmarks"
NO_CHECKOUT = "Benchmarks are in tests/benchmarks, which the image does not have: run this from a checkout."


class Command(BaseCommand):
    help = "Run a benchmark by its name; without a name, say which there are."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", nargs="?", help="of the benchmark")
        parser.add_argument("options", nargs=argparse.REMAINDER, help="its own; NAME --help tells them")

    def handle(self, *, name: str | None, options: list[str], **_: Any) -> None:
        found = benchmarks()
        if not found:
            raise CommandError(NO_CHECKOUT)
        if name is None:
            for title, (_module, words) in found.items():
                self.stdout.write(f"  {title:12} {words}")
            self.stdout.write("\npython3 manage.py bench NAME [--json] [--help]")
            return
        if name not in found:
            raise CommandError(f"There is no benchmark {name}: {', '.join(found)}.")
        module, _words = found[name]
        os.chdir(settings.ROOT)
        os.execv(sys.executable, [sys.executable, "-m", f"tests.benchmarks.{module}", *options])  # noqa: S606


def benchmarks() -> dict[str, tuple[str, str]]:
    """Name to module and first words: those whose docstring begins with `bench NAME: `."""
    found = {}
    for path in sorted(FOLDER.glob("*.py")):
        first = (ast.get_docstring(ast.parse(path.read_text())) or "").partition("\n")[0]
        if first.startswith("bench ") and ": " in first:
            name, _, words = first.removeprefix("bench ").partition(": ")
            found[name] = (path.stem, words)
    return found
