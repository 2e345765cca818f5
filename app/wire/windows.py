"""The windows in which a key's events are counted, as processes name them to each other."""

from __future__ import annotations


def name(key_id: int, seconds: int, at: float) -> str:
    """Of the window that a moment (seconds since the epoch) lies in."""
    return f"quota:{key_id}:{seconds}:{int(at // seconds)}"
