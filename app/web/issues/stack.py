"""The stack trace as a page shows it: the thrown exception first, framework frames folded, one frame open."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any

from app.web.issues import source
from app.web.issues.values import Pairs, pairs, reprs

#: Colouring is for what is read; beyond this many frames it only costs time.
COLOURED = 30


@dataclass(frozen=True)
class Frame:
    function: str
    path: str
    line: int | None
    column: int | None
    module: str
    package: str
    in_app: bool
    lines: list[source.Line] = field(default_factory=list)
    locals: Pairs = field(default_factory=list)
    is_open: bool = False

    @property
    def place(self) -> str:
        numbers = [str(each) for each in (self.line, self.column) if each is not None]
        return ":".join([self.path or self.module or "?", *numbers])

    @property
    def hit(self) -> str:
        """The line that ran, as it was written."""
        return next(("".join(text for _, text in line.words) for line in self.lines if line.is_hit), "")

    @property
    def has_more(self) -> bool:
        return bool(self.lines or self.locals)


@dataclass(frozen=True)
class Run:
    """Frames next to each other: one of the application, or several of frameworks, folded."""

    frames: list[Frame]

    @property
    def is_folded(self) -> bool:
        return len(self.frames) > 1

    @property
    def label(self) -> str:
        """ "14 frames in django, gunicorn"."""
        origins = list(dict.fromkeys(origin for frame in self.frames if (origin := origin_of(frame))))
        named = ", ".join(origins[:3]) + (" and more" if len(origins) > 3 else "")
        return f"{len(self.frames)} frames" + (f" in {named}" if named else "")


@dataclass(frozen=True)
class Trace:
    """One exception, or one thread, with its frames in the order to be read."""

    number: int
    type: str
    value: str
    module: str = ""
    mechanism: str = ""
    is_handled: bool | None = None
    frames: list[Frame] = field(default_factory=list)

    @property
    def runs(self) -> list[Run]:
        return list(_runs(self.frames))

    @property
    def headline(self) -> str:
        return f"{self.type}: {self.value}" if self.type and self.value else self.type or self.value


def traces(data: dict[str, Any], platform: str, newest_first: bool = True) -> list[Trace]:
    """The thrown exception, then what caused it; without any, the threads or the bare stack of a message."""
    found = [_exception(number, each, platform) for number, each in enumerate(_values(data, "exception"))]
    found.reverse()  # SDKs send the root cause first
    if not any(trace.frames for trace in found):
        found += _threads(data, platform)
    if not found and (stack := data.get("stacktrace")):
        found = [Trace(0, "", "Stack where the message was sent", frames=_frames(stack, platform))]
    opened = _opened(found)
    if newest_first:
        return opened
    return [replace(trace, frames=trace.frames[::-1]) for trace in opened]


def origin_of(frame: Frame) -> str:
    """The package a framework's frame comes from, as short as it can be named."""
    if frame.package:
        return frame.package.replace("\\", "/").rpartition("/")[2]
    for folder in ("node_modules/", "site-packages/", "dist-packages/", "vendor/", "gems/"):
        if folder in frame.path:
            rest = frame.path.rpartition(folder)[2].split("/")
            return "/".join(rest[:2]) if rest[0].startswith("@") else rest[0].removesuffix(".py")
    if frame.module:
        return frame.module.split(".")[0] if "/" not in frame.module else frame.module.split("/")[0]
    return ""


def _exception(number: int, value: dict[str, Any], platform: str) -> Trace:
    mechanism = value.get("mechanism") or {}
    return Trace(
        number,
        value.get("type") or "",
        value.get("value") or "",
        value.get("module") or "",
        mechanism.get("type") or "",
        mechanism.get("handled"),
        _frames(value.get("stacktrace") or {}, platform),
    )


def _threads(data: dict[str, Any], platform: str) -> list[Trace]:
    threads = sorted(
        _values(data, "threads"), key=lambda each: not (each.get("crashed") or each.get("current"))
    )
    return [
        Trace(
            1000 + number,
            f"Thread {each.get('name') or each.get('id') or number}"
            + (" (crashed)" if each.get("crashed") else ""),
            "",
            frames=_frames(each["stacktrace"], platform),
        )
        for number, each in enumerate(threads)
        if each.get("stacktrace")
    ]


def _values(data: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return [each for each in (data.get(name) or {}).get("values") or () if each]


def _frames(stack: dict[str, Any], platform: str) -> list[Frame]:
    """The newest call first."""
    frames = [each for each in stack.get("frames") or () if each]
    frames.reverse()
    return [_frame(each, platform, colour=at < COLOURED) for at, each in enumerate(frames)]


def _frame(frame: dict[str, Any], platform: str, colour: bool) -> Frame:
    path = _first(frame, "filename", "abs_path")
    in_app = bool(frame.get("in_app"))
    return Frame(
        function=_first(frame, "function", "raw_function", "symbol", "instruction_addr") or "?",
        path=path,
        line=frame.get("lineno"),
        column=frame.get("colno"),
        module=frame.get("module") or "",
        package=frame.get("package") or "",
        in_app=in_app,
        lines=_lines(frame, path, frame.get("platform") or platform, colour),
        locals=_locals(frame.get("vars"), frame.get("platform") or platform),
    )


#: What every Python module has: at the level of a module they would hide what the program itself set.
OF_ANY_MODULE = frozenset(
    f"__{name}__"
    for name in ("name", "doc", "package", "loader", "spec", "annotations", "builtins", "file", "cached")
)


def _locals(variables: Any, platform: str) -> Pairs:
    if platform == "python" and isinstance(variables, dict):
        return [(str(name), reprs(value)) for name, value in variables.items() if name not in OF_ANY_MODULE]
    return pairs(variables)


def _first(frame: dict[str, Any], *names: str) -> str:
    return next((str(frame[name]) for name in names if frame.get(name)), "")


def _lines(frame: dict[str, Any], path: str, platform: str, colour: bool) -> list[source.Line]:
    hit = frame.get("context_line")
    if hit is None:
        return []
    before, after = frame.get("pre_context") or [], frame.get("post_context") or []
    lines = [str(line or "") for line in (*before, hit, *after)]
    first = None if frame.get("lineno") is None else frame["lineno"] - len(before)
    if not colour:
        return source.plain(lines, first, len(before))
    return source.coloured(lines, first, len(before), path, platform)


def _runs(frames: list[Frame]) -> Iterator[Run]:
    for shown, group in groupby(frames, key=lambda frame: frame.in_app or frame.is_open):
        together = list(group)
        if shown:
            yield from (Run([frame]) for frame in together)
        else:
            yield Run(together)


def _opened(found: list[Trace]) -> list[Trace]:
    """The same, with the first frame of the application (else the crash itself) open in the first stack."""
    for at, trace in enumerate(found):
        if trace.frames:
            chosen = next((n for n, frame in enumerate(trace.frames) if frame.in_app), 0)
            frames = [replace(frame, is_open=n == chosen) for n, frame in enumerate(trace.frames)]
            return [*found[:at], replace(trace, frames=frames), *found[at + 1 :]]
    return found
