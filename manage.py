#!/usr/bin/env python3
"""The one door: `python3 manage.py up` runs Tocsin, `python3 manage.py test` proves that it works.

This file must be readable by Pythons that are too old for the rest, so that they are told so.
"""

import os
import sys

OLDEST = (3, 11)
ROOT = os.path.dirname(os.path.realpath(__file__))


def main() -> None:
    if sys.version_info < OLDEST:
        wanted, found = ".".join(map(str, OLDEST)), sys.version.split()[0]
        sys.exit(f"Tocsin needs Python {wanted} or newer; this is Python {found}.")
    sys.path.insert(0, ROOT)
    from app.local.install import enter

    command = sys.argv[1] if len(sys.argv) > 1 else ""
    if command in ("", "-h", "--help", "help"):
        print(__doc__.splitlines()[0])
    if not command:
        return
    enter(command, sys.argv)
    if command == "up":  # stays small: Django is loaded by its children only
        from app.local.up import main as up

        sys.exit(up(sys.argv[2:]))
    if command == "test":  # pytest finds the services before any setting is read
        os.execv(sys.executable, [sys.executable, "-m", "pytest", *sys.argv[2:]])  # noqa: S606
    if os.environ.get("TOCSIN_IMAGE") != "1":
        from app.local.folder import join

        join()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "app.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
