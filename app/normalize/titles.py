"""What an event is called in a list, and where it happened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from app.base.text import cut, first_line
from app.normalize import reports

#: Characters of an exception's message in its title; of a message's first line; of a culprit.
VALUE, LINE, CULPRIT = 100, 256, 200
NATIVE = frozenset({"native", "cocoa", "objc", "c", "swift"})
_NAMELESS = frozenset({"?", "<unknown>", "<redacted>", "<anonymous>"})

Frame = dict[str, Any]


def title(data: dict[str, Any]) -> str:
    """ "KeyError: 'gross'", the first line of a message, or "<unlabeled event>"."""
    thrown = _thrown(data)
    entry = data.get("logentry")
    if thrown is not None and not _is_message(thrown, entry):
        name = _type(thrown)
        value = cut(first_line(thrown.get("value", "")), VALUE)
        return f"{name}: {value}" if value else name
    if entry and (line := first_line(entry["formatted"])):
        return cut(line, LINE)
    for name in ("csp", "hpkp", "expectct", "expectstaple"):
        if name in data:
            return reports.sentence(name, data[name])
    return "<unlabeled event>"


def metadata(data: dict[str, Any]) -> dict[str, str]:
    """type, value, filename and function, as far as they are known."""
    found: dict[str, str] = {}
    thrown = _thrown(data)
    if thrown is not None:
        found["type"] = cut(_type(thrown), 128)
        if thrown.get("value"):
            found["value"] = cut(thrown["value"], 1024)
    elif "logentry" in data:
        found["value"] = cut(data["logentry"]["formatted"], 1024)
    frame = crash_frame(data)
    for name in ("filename", "function"):
        if frame is not None and frame.get(name):
            found[name] = frame[name]
    return found


def culprit(data: dict[str, Any]) -> str:
    """The transaction, or the frame that crashed, or what old clients say, or the address asked for."""
    if data.get("transaction"):
        return cut(str(data["transaction"]), CULPRIT)
    frame = crash_frame(data)
    if frame is not None and (place := _place(frame, frame.get("platform") or data["platform"])):
        return cut(place, CULPRIT)
    if data.get("culprit"):
        return str(data["culprit"])
    request = data.get("request")
    return cut(str(request.get("url", "")), CULPRIT) if request else ""


def crash_frame(data: dict[str, Any]) -> Frame | None:
    """The last frame of ours; of ours, or where there is none of all, the last one with a name."""
    nameless = None
    for frame in reversed(frames := _crashed_frames(data)):
        if frame["in_app"]:
            if _name(frame):
                return frame
            nameless = nameless or frame
    if nameless is not None or not frames:
        return nameless
    return next((frame for frame in reversed(frames) if _name(frame)), frames[-1])


class Named(NamedTuple):
    """What an event is called."""

    title: str
    culprit: str
    metadata: dict[str, str]


def again(data: dict[str, Any], moves: Sequence[tuple[Frame, bool]], main: int | None = None) -> Named:
    """The names of an event whose grouping found out more: which frames are in-app, and which of the
    exceptions, by its place, is the one that it is about."""
    if main is not None:
        data = {**data, "exception": {"values": data["exception"]["values"][: main + 1]}}
    for frame, in_app in moves:
        frame["in_app"] = in_app
    found = Named(title(data), culprit(data), metadata(data))
    for frame, in_app in moves:
        frame["in_app"] = not in_app  # as it is stored: rules are applied to what is shown, too
    return found


def _crashed_frames(data: dict[str, Any]) -> list[Frame]:
    thrown = _thrown(data)
    if thrown is not None and "stacktrace" in thrown:
        return list(thrown["stacktrace"]["frames"])
    if "stacktrace" in data:
        return list(data["stacktrace"]["frames"])
    threads = data["threads"]["values"] if "threads" in data else []
    for name in ("crashed", "current"):
        marked = [thread for thread in threads if thread.get(name)]
        if len(marked) == 1:
            threads = marked
            break
    if len(threads) == 1 and "stacktrace" in threads[0]:
        return list(threads[0]["stacktrace"]["frames"])
    return []


def _thrown(data: dict[str, Any]) -> dict[str, Any] | None:
    return data["exception"]["values"][-1] if "exception" in data else None


def _is_message(thrown: dict[str, Any], entry: dict[str, Any] | None) -> bool:
    """Whether an exception is only how a client sends the stack trace of a message (JavaScript since 11)."""
    return entry is not None and not thrown.get("type") and thrown.get("value") == entry["formatted"]


def _type(exception: dict[str, Any]) -> str:
    """A made-up exception, such as a native crash, is called by the function it happened in."""
    name = exception.get("type", "")
    if exception.get("mechanism", {}).get("synthetic") or not name:
        frames = exception.get("stacktrace", {}).get("frames", [])
        function = next((_name(frame) for frame in reversed(frames) if frame["in_app"] and _name(frame)), "")
        return function or name or "<unknown>"
    return str(name)


def _name(frame: Frame) -> str:
    name = str(frame.get("function", ""))
    return "" if name in _NAMELESS else name


def _place(frame: Frame, platform: str) -> str:
    function = _name(frame)
    if platform in NATIVE:
        return function
    where = frame.get("module") or frame.get("filename") or ""
    if platform in ("javascript", "node"):
        return f"{function}({where})" if where and function else where or function
    return f"{where} in {function}" if where and function else where or function
