"""Upkeep of people's accounts."""

from __future__ import annotations

from app.accounts.expiry import expire as delete_expired
from tasks.base import task


@task("accounts.expire")
def expire() -> None:
    """Deletes sessions and tokens whose time is over."""
    delete_expired()
