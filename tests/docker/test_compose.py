"""docker/compose.yaml keeps its promises, as far as the file alone can tell."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.docker import compose

SECRETS = {"SECRET_KEY": "s" * 64, "POSTGRES_PASSWORD": "p" * 64, "RABBITMQ_PASSWORD": "r" * 64}
SETTINGS = (compose.DOCKER.parent / "app" / "settings.py").read_text()
EVERY = pytest.mark.parametrize("name", sorted(compose.raw()["services"]))


def service(name: str) -> Any:
    return compose.services(SECRETS)[name]


def test_the_file_fits_the_schema_of_the_compose_specification() -> None:
    check = Path(sys.executable).with_name("check-jsonschema")
    checked = subprocess.run(
        [check, "--builtin-schema", "vendor.compose-spec", compose.FILE], capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_memory_limits_add_up_to_less_than_two_gigabytes() -> None:
    limits = {name: compose.limit(service) for name, service in compose.services(SECRETS).items()}
    print(f"{sum(limits.values()) / 1024**2:.0f} MB: {limits}")
    assert sum(limits.values()) < 2 * 1024**3


@EVERY
def test_no_service_may_write_to_its_image_or_gain_rights(name: str) -> None:
    described = service(name)
    assert described["read_only"] is True
    assert described["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in described["security_opt"]
    assert described["pids_limit"] <= 256
    assert not {"privileged", "cap_add", "pid", "network_mode", "devices"} & set(described)
    assert "mem_limit" in described


@EVERY
def test_every_service_that_stays_tells_its_health_and_comes_back(name: str) -> None:
    described = service(name)
    if name == "migrate":  # runs to its end
        assert described["restart"] == "no"
        return
    assert described["restart"] == "unless-stopped"
    assert described["healthcheck"]["test"][0] == "CMD"
    assert "stop_grace_period" in described


@EVERY
def test_logs_cannot_fill_the_disk(name: str) -> None:
    assert service(name)["logging"]["options"] == {"max-size": "10m", "max-file": "3"}


def test_only_nginx_can_be_reached_from_outside() -> None:
    published = {name for name, service in compose.raw()["services"].items() if "ports" in service}
    assert published == {"nginx"}


def test_data_services_are_on_a_network_without_a_way_out() -> None:
    assert compose.raw()["networks"]["back"] == {"internal": True}
    for name in ("postgres", "rabbitmq", "valkey"):
        assert service(name)["networks"] == ["back"]
    assert "back" not in service("nginx")["networks"]


@pytest.mark.parametrize("secret", sorted(SECRETS))
def test_a_missing_secret_is_named_and_has_no_default(secret: str) -> None:
    others = {name: value for name, value in SECRETS.items() if name != secret}
    with pytest.raises(compose.Missing, match=f"{secret} is missing, see docker/.env.example"):
        compose.services(others)


def test_no_password_stands_in_the_file() -> None:
    assert not re.search(r"guest|changeme|:postgres@|password", compose.FILE.read_text())


def test_every_variable_our_services_get_is_a_setting() -> None:
    known = set(re.findall(r'env\.\w+\(\s*"(\w+)"', SETTINGS))
    for name in compose.OURS:
        unknown = set(service(name)["environment"]) - known
        assert not unknown, f"{name}: app/settings.py does not read {unknown}"


def test_everything_compose_asks_for_is_in_the_example_or_the_readme() -> None:
    words = (compose.DOCKER / ".env.example").read_text() + (compose.DOCKER.parent / "README.md").read_text()
    assert not {name for name in compose.variables() if not re.search(rf"\b{name}\b", words)}


def test_the_example_gives_no_secret() -> None:
    given = compose.example()
    assert not set(SECRETS) & set(given)
    assert set(given) <= compose.variables()


def test_the_line_of_the_example_makes_secrets_that_fit(tmp_path: Path) -> None:
    told = re.search(r"^#   (for name in .*)$", (compose.DOCKER / ".env.example").read_text(), re.MULTILINE)
    assert told
    (tmp_path / "docker").mkdir()
    subprocess.run(["sh", "-c", told[1]], cwd=tmp_path, check=True)
    lines = (tmp_path / "docker" / ".env").read_text().splitlines()
    made = dict(line.split("=", 1) for line in lines)
    assert set(made) == set(SECRETS)
    assert all(re.fullmatch(r"[0-9a-f]{64}", value) for value in made.values())
    assert len(set(made.values())) == len(SECRETS)


def test_every_volume_and_network_is_declared_and_used() -> None:
    described = compose.raw()
    used = {
        volume.split(":")[0]
        for service in described["services"].values()
        for volume in service.get("volumes", [])
        if not volume.startswith(".")
    }
    assert used == set(described["volumes"])
    networks = {network for service in described["services"].values() for network in service["networks"]}
    assert networks == set(described["networks"])


def test_every_mounted_file_exists() -> None:
    for service in compose.raw()["services"].values():
        for volume in service.get("volumes", []):
            if volume.startswith("."):
                assert (compose.DOCKER / volume.split(":")[0]).is_file()
                assert volume.endswith(":ro")


def test_nothing_of_ours_starts_before_the_tables_are_there() -> None:
    for name in compose.OURS:
        if name != "migrate":
            needs = service(name)["depends_on"]
            assert needs["migrate"] == {"condition": "service_completed_successfully"}
            assert needs["postgres"] == {"condition": "service_healthy"}


def test_rabbitmq_and_postgres_are_tuned_to_fit_their_limits() -> None:
    rabbitmq = (compose.DOCKER / "rabbitmq.conf").read_text()
    watermark = re.search(r"vm_memory_high_watermark.absolute = (\d+)MB", rabbitmq)
    assert watermark
    assert int(watermark[1]) * 1024**2 < 0.65 * compose.limit(service("rabbitmq"))
    buffers = re.search(r"shared_buffers=(\d+)MB", " ".join(service("postgres")["command"]))
    assert buffers
    assert int(buffers[1]) * 1024**2 < 0.35 * compose.limit(service("postgres"))
    command = service("valkey")["command"]
    maximum = command[command.index("--maxmemory") + 1]
    assert int(maximum.removesuffix("mb")) * 1024**2 < 0.65 * compose.limit(service("valkey"))
    assert command[command.index("--maxmemory-policy") + 1] == "noeviction"


def test_accepting_goes_first_and_workers_get_what_is_left() -> None:
    services = compose.raw()["services"]
    shares = {name: described.get("cpu_shares", 1024) for name, described in services.items()}
    first, last = (shares.pop("nginx"), shares.pop("ingest")), shares.pop("worker")
    assert min(first) == 4 * max(shares.values())
    assert last * 8 == min(shares.values())


def test_the_readme_tells_every_service_and_its_limit() -> None:
    readme = (compose.DOCKER.parent / "README.md").read_text()
    told = dict(re.findall(r"^\| (\w+) \| .* \| (\d+) MB \|$", readme, re.MULTILINE))
    limits = {name: compose.limit(service) for name, service in compose.services(SECRETS).items()}
    assert told == {name: str(limit // 1024**2) for name, limit in limits.items()}
