"""Events of every platform, many of each of several errors: what varies between two of one varies here.

python -m tests.grouping.corpus [EVENTS]    how many issues they fall into, and how many they should
"""

from __future__ import annotations

import copy
import random
import re
import sys
from collections.abc import Iterator
from typing import Any

from app.grouping import group
from tests.events import NAMES, payload
from tests.normalize.senders import sent

ISSUES = 5
WORDS = ("charge", "refund", "invoice", "parcel", "ledger")
_NUMBER = re.compile(r"\b\d{2,}\b")
#: What tools write into names anew with every build, every release or every process.
_GENERATED = (
    (re.compile(r"(?<=app\.)[0-9a-f]{6}(?=\.js)"), 6),
    (re.compile(r"(?<=CGLIB\$\$)[0-9a-f]+"), 8),
    (re.compile(r"(?<=::h)[0-9a-f]{16}"), 16),
)
_COUNTED = re.compile(r"(?<=MethodAccessor)\d+|(?<=erb__)_?\d{5,}_\d{5,}|(?<=Lambda\$)\d+")


def errors(name: str, events: int, seed: int = 1) -> Iterator[tuple[str, dict[str, Any]]]:
    """An error's name and an event of it, of ISSUES errors in turn."""
    some = random.Random(f"{name} {seed}")
    for number in range(events):
        word = WORDS[number % ISSUES]
        yield word, _varied(_another(payload(name), word), some)


def _another(event: dict[str, Any], word: str) -> dict[str, Any]:
    """The same event of another error: its type and its message say another word."""
    event = copy.deepcopy(event)
    for thrown in _exceptions(event):
        for attribute in ("type", "value"):
            if thrown.get(attribute):
                thrown[attribute] = f"{thrown[attribute]} {word}"
    for trace in _traces(event):
        frames = trace["frames"]
        own = [frame for frame in frames if frame.get("in_app")] or [frames[len(frames) // 2]]
        own[-1]["function"] = f"{word}_it"
    if isinstance(event.get("message"), str):
        event["message"] += f" {word}"
    for entry in (event.get("logentry"), event.get("sentry.interfaces.Message")):
        for attribute in ("message", "formatted"):
            if isinstance(entry, dict) and entry.get(attribute):
                entry[attribute] += f" {word}"
    for report in ("culprit", "transaction"):
        event.pop(report, None)
    return event


def _varied(event: dict[str, Any], some: random.Random) -> dict[str, Any]:
    """The same error again: another request, another machine, another build."""
    event["user"] = {"id": str(some.randrange(10**6))}
    event["server_name"] = f"web-{some.randrange(99)}"
    event["release"] = f"shop@{some.randrange(9)}.{some.randrange(99)}"
    for thrown in _exceptions(event):
        if isinstance(thrown.get("value"), str):
            thrown["value"] = _NUMBER.sub(lambda _: str(some.randrange(10, 10**6)), thrown["value"])
    for trace in _traces(event):
        lines = some.randrange(50)
        for frame in trace["frames"]:
            _vary(frame, lines, some)
    if isinstance(event.get("message"), str):
        event["message"] = _NUMBER.sub(lambda _: str(some.randrange(10, 10**6)), event["message"])
    return event


def _vary(frame: dict[str, Any], lines: int, some: random.Random) -> None:
    if isinstance(frame.get("lineno"), int):
        frame["lineno"] += lines
    if "vars" in frame:
        frame["vars"] = {"order": str(some.randrange(10**6))}
    if isinstance(frame.get("instruction_addr"), str):
        frame["instruction_addr"] = hex(some.getrandbits(40))
    for attribute in ("abs_path", "filename", "function", "module"):
        text = frame.get(attribute)
        if isinstance(text, str):
            for pattern, length in _GENERATED:
                text = pattern.sub(f"{some.getrandbits(4 * length):0{length}x}", text)
            frame[attribute] = _COUNTED.sub(lambda found: _numbered(found[0], some), text)


def _numbered(text: str, some: random.Random) -> str:
    return re.sub(r"\d+", lambda _: str(some.randrange(10**5, 10**6)), text)


def _exceptions(event: dict[str, Any]) -> list[dict[str, Any]]:
    found = event.get("exception") or event.get("sentry.interfaces.Exception") or []
    return list(found.get("values", [found]) if isinstance(found, dict) else found)


def _traces(event: dict[str, Any]) -> list[dict[str, Any]]:
    found = [holder.get("stacktrace") for holder in (*_exceptions(event), event)]
    found.append(event.get("sentry.interfaces.Stacktrace"))
    return [trace for trace in found if trace and trace.get("frames")]


def found(name: str, events: int) -> dict[str, set[str]]:
    """For each error, the issues its events fall into: those that share a hash are one."""
    leads: dict[str, str] = {}
    issues: dict[str, set[str]] = {}
    for word, one in errors(name, events):
        hashes = group(sent(one)).hashes
        issue = next((leads[each] for each in hashes if each in leads), hashes[0])
        leads.update(dict.fromkeys(hashes, issue))
        issues.setdefault(word, set()).add(issue)
    return issues


def main() -> None:
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    print(f"{'platform':16} {'events':>7} {'issues':>7} {'errors':>7}")
    for name in NAMES:
        issues = found(name, events)
        print(f"{name:16} {events:7} {len(set.union(*issues.values())):7} {len(issues):7}")


if __name__ == "__main__":
    main()
