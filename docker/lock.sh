#!/usr/bin/env bash
# Writes the three locks from pyproject.toml again; run it after a change of the dependencies.
# The widest is resolved first and binds the others, so that all three name the same versions.
set -euo pipefail
cd "$(dirname "$0")/.."
UV="${UV:-uv}"
compile() {
    "$UV" pip compile --quiet --generate-hashes --no-header --universal --python-version 3.11 pyproject.toml "$@"
}
compile --extra local --extra test --output-file docker/requirements-test.lock
compile --extra local --constraint docker/requirements-test.lock --no-annotate --output-file docker/requirements-local.lock
compile --constraint docker/requirements-test.lock --no-annotate --output-file docker/requirements.lock
