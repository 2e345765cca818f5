"""docker/compose.yaml as compose reads it: merged, and with the variables of docker/.env put in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

DOCKER = Path(__file__).resolve().parents[2] / "docker"
FILE = DOCKER / "compose.yaml"
VARIABLE = re.compile(r"\$(?:(?P<dollar>\$)|\{(?P<name>\w+)(?::(?P<how>[-?])(?P<word>[^}]*))?\})")
OURS = ("dashboard", "ingest", "worker", "scheduler", "migrate")
BYTES = {"k": 1024, "m": 1024**2, "g": 1024**3}


class Missing(Exception):
    """A variable without a default is not set; the text is compose's own."""


def raw() -> dict[str, Any]:
    """The file with its anchors merged, before any variable is put in."""
    loaded: dict[str, Any] = yaml.safe_load(FILE.read_text())
    return loaded


def services(environment: Mapping[str, str]) -> dict[str, Any]:
    """The services with every `${…}` replaced from `environment`, which stands for docker/.env."""
    replaced: dict[str, Any] = put_in(raw()["services"], environment)
    return replaced


def put_in(value: Any, environment: Mapping[str, str]) -> Any:
    """Compose's interpolation: `${A}`, `${A:-default}`, `${A:?message}` and `$$`, in every string."""
    if isinstance(value, dict):
        return {name: put_in(inner, environment) for name, inner in value.items()}
    if isinstance(value, list):
        return [put_in(inner, environment) for inner in value]
    return VARIABLE.sub(lambda found: one(found, environment), value) if isinstance(value, str) else value


def one(found: re.Match[str], environment: Mapping[str, str]) -> str:
    if found["dollar"]:
        return "$"
    if given := environment.get(found["name"]):
        return given
    if found["how"] == "?":
        raise Missing(f"{found['name']} {found['word']}")
    return found["word"] or ""


def variables() -> set[str]:
    """Every name the file asks docker/.env for."""
    return {found["name"] for found in VARIABLE.finditer(FILE.read_text()) if found["name"]}


def limit(service: Mapping[str, Any]) -> int:
    """A service's memory limit in bytes."""
    words = str(service["mem_limit"])
    return int(words[:-1]) * BYTES[words[-1]]


def example() -> dict[str, str]:
    """docker/.env.example as compose would read a copy of it: without what is commented out."""
    lines = (DOCKER / ".env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
