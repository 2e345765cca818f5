"""Who met the error."""

from __future__ import annotations

import ipaddress
from functools import lru_cache

from app.normalize.fields import Field, bag, label, shaped, text
from app.normalize.limits import EMAIL, MEDIUM, SMALL
from app.normalize.notes import Notes

#: No IPv6 address with its zone is longer.
_LONGEST_ADDRESS = 64
AUTO = "{{auto}}"
#: SDKs that run at the user's and cannot know their own address: the connection tells it.
_AT_THE_USERS = frozenset({"javascript", "cocoa", "objc"})


def _address(value: object, path: str, notes: Notes) -> object:
    if isinstance(value, str):
        value = value.strip()
        if value == AUTO or is_address(value):
            return value
        if not value:
            return None
    notes.invalid(path, value)
    return None


_USER: dict[str, Field] = {
    "id": label(128),
    "email": text(EMAIL),
    "username": label(128),
    "name": label(128),
    "ip_address": _address,
    "geo": bag(SMALL),
    "data": bag(MEDIUM),
    "segment": label(128),
}


def user(value: object, notes: Notes) -> dict[str, object]:
    """What is known of the user; the client's own attributes go into `data`."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        notes.invalid("user", value)
        return {}
    others = {name: item for name, item in value.items() if name not in _USER}
    if others:
        data = value.get("data")
        value = {**value, "data": {**others, **data} if isinstance(data, dict) else others}
    return {name: item for name, item in shaped(value, _USER, "user", notes).items() if item != ""}


def add_address(
    user: dict[str, object], request: dict[str, object] | None, platform: str, infer: object, address: str
) -> None:
    """Fills in the address the event came from, when the client asked for it and did not forbid it."""
    env = request.get("env") if request else None
    if isinstance(env, dict) and env.get("REMOTE_ADDR") == AUTO:
        env["REMOTE_ADDR"] = address or "unknown"
    wanted = user.get("ip_address") == AUTO
    if wanted:
        del user["ip_address"]
    if "ip_address" in user or infer == "never":
        return
    remote = env.get("REMOTE_ADDR") if isinstance(env, dict) else None
    if isinstance(remote, str) and is_address(remote):
        user["ip_address"] = remote
    elif (wanted or infer == "auto" or platform in _AT_THE_USERS) and is_address(address):
        user["ip_address"] = address


def identity(user: dict[str, object]) -> str:
    """The first of id:…, username:…, email:…, ip:… that is known; "" when none is."""
    for name in ("id", "username", "email"):
        if user.get(name):
            return f"{name}:{user[name]}"
    return f"ip:{user['ip_address']}" if user.get("ip_address") else ""


def is_address(text: str) -> bool:
    return len(text) <= _LONGEST_ADDRESS and _is_address(text)


@lru_cache(4096)
def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
