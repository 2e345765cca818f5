"""Stack traces: oldest frame first, the crash last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Protocol, TypedDict, cast

import msgspec
from msgspec import Meta

from app.base.text import cut
from app.normalize import bags
from app.normalize.fields import (
    LARGEST,
    Attributes,
    Field,
    anything,
    bag,
    ends,
    label,
    lines,
    shaped,
    text,
    truth,
    whole,
)
from app.normalize.functions import TRIMMED, trimmed
from app.normalize.in_app import looks_in_app
from app.normalize.limits import DETAILED_FRAMES, FRAMES, MEDIUM, SHORT
from app.normalize.notes import TOO_LONG, Notes


def variables(value: object, path: str, notes: Notes) -> object:
    if isinstance(value, list):
        value = {str(index): item for index, item in enumerate(value)}
    return bags.bounded_object(value, MEDIUM, path, notes)


_line = text(SHORT)

_FRAME: dict[str, Field] = {
    **dict.fromkeys(
        ("function", "raw_function", "symbol", "module", "package", "filename", "abs_path"), _line
    ),
    "lineno": whole,
    "colno": whole,
    "pre_context": lines(SHORT),
    "context_line": _line,
    "post_context": lines(SHORT),
    "in_app": truth,
    "vars": variables,
    **dict.fromkeys(("instruction_addr", "symbol_addr", "image_addr", "function_id"), label(64)),
    "addr_mode": text(64),
    "platform": text(64),
    "stack_start": truth,
    "lock": bag(MEDIUM),
    "data": bag(MEDIUM),
}
_TRACE: dict[str, Field] = {
    "registers": bag(MEDIUM),
    "snapshot": truth,
    "instruction_addr_adjustment": text(32),
    "lang": anything(MEDIUM),
}

_Short = Annotated[str, Meta(max_length=SHORT)]
_Lines = Annotated[list[Annotated[str, Meta(max_length=SHORT)]], Meta(min_length=1, max_length=100)]
_Number = Annotated[int, Meta(ge=0, le=LARGEST)]


_OBJECTS = frozenset({dict})
_LISTS = frozenset({"pre_context", "post_context", "vars"})


class _Frame(TypedDict, total=False):
    """A frame that needs no change, as nearly all do: all of them are checked in C at once."""

    function: _Short
    raw_function: _Short
    symbol: _Short
    module: _Short
    package: _Short
    filename: _Short
    abs_path: _Short
    lineno: _Number
    colno: _Number
    pre_context: _Lines
    context_line: _Short
    post_context: _Lines
    in_app: bool
    vars: dict[str, object]
    platform: Annotated[str, Meta(max_length=64)]


def stacktrace(value: object, platform: str, path: str, notes: Notes) -> dict[str, object] | None:
    """{"frames": […], …} of a trace, with every frame's in_app decided; None when no frame is left."""
    trace = {"frames": value} if isinstance(value, list) else value
    if not isinstance(trace, dict):
        if trace is not None:
            notes.invalid(path, trace)
        return None
    frames = trace.get("frames")
    if not isinstance(frames, list):
        if frames is not None:
            notes.invalid(f"{path}.frames", frames)
        return None
    kept = _frames(ends(frames, FRAMES, f"{path}.frames", notes), f"{path}.frames", notes)
    if not kept:
        return None
    names_stay = platform not in TRIMMED
    for frame in kept:
        # What such a frame lacks, nothing follows from.
        is_complete = "in_app" in frame and "filename" in frame and "abs_path" in frame
        if not (names_stay and is_complete and "platform" not in frame):
            complete(frame, platform)
    slim(kept, f"{path}.frames", notes)
    return {"frames": kept, **shaped(trace, _TRACE, path, notes)}


def _frames(frames: list[object], path: str, notes: Notes) -> list[dict[str, object]]:
    """The known attributes of each frame."""
    regular = _regular(frames)
    if not regular:  # some clients write what they do not know, and some frames are odd
        frames = [_without_nothing(frame) for frame in frames]
        regular = _regular(frames) or [(_regular([frame]) or [{}])[0] for frame in frames]
    if _are_whole(frames, regular):
        return regular
    kept: list[dict[str, object]] = []
    for index, frame in enumerate(frames):
        if isinstance(frame, dict):
            checked = regular[index]
            if len(checked) != len(frame):  # it has attributes that are rarer, or wrong
                kept.append(shaped(frame, _FRAME, f"{path}.{index}", notes))
            else:
                kept.append(_with_bounded_vars(checked, f"{path}.{index}", notes))
        elif frame is not None:
            notes.invalid(f"{path}.{index}", frame)
    return kept


def _regular(frames: list[object]) -> list[dict[str, object]]:
    """The frames if none of them needs a closer look, nothing otherwise."""
    try:
        return cast("list[dict[str, object]]", msgspec.convert(frames, list[_Frame]))
    except msgspec.ValidationError:
        return []


def _without_nothing(frame: object) -> object:
    """Without null and, where lines are not known, empty lists."""
    if isinstance(frame, dict):
        return {
            name: value
            for name, value in frame.items()
            if value is not None and (value != [] or name not in _LISTS)
        }
    return frame


def _are_whole(frames: list[object], regular: list[dict[str, object]]) -> bool:
    """Whether the frames can be taken as they were checked: nothing is missing or too much."""
    if not _OBJECTS.issuperset(map(type, frames)):
        return False
    if list(map(len, frames)) != list(map(len, regular)):  # type: ignore[arg-type]
        return False
    return bags.are_plain([frame["vars"] for frame in regular if "vars" in frame], MEDIUM)  # type: ignore[misc]


def _with_bounded_vars(frame: dict[str, object], path: str, notes: Notes) -> dict[str, object]:
    if "vars" in frame:
        kept = variables(frame["vars"], f"{path}.vars", notes)
        if kept:
            frame["vars"] = kept
        else:
            del frame["vars"]
    return frame


def complete(frame: Attributes, platform: str) -> None:
    """Adds what follows from the rest: a file's name, a function's short name, whose code it is."""
    if "abs_path" in frame:
        if "filename" not in frame:
            frame["filename"] = _path_of(str(frame["abs_path"]))
    elif "://" in (filename := str(frame.get("filename", ""))):
        frame["abs_path"], frame["filename"] = filename, _path_of(filename)
    platform = str(frame.get("platform", platform))
    function = frame.get("function")
    if isinstance(function, str) and "raw_function" not in frame:
        short = trimmed(function, platform)
        if short != function:
            frame["raw_function"], frame["function"] = function, short
    if "in_app" not in frame:
        frame["in_app"] = looks_in_app(frame, platform)


class TypedFrame(Attributes, Protocol):
    """What decides whether a frame that was decoded with its types is complete."""

    in_app: bool | None
    filename: str | None
    abs_path: str | None
    platform: str | None


def complete_typed(frames: Sequence[TypedFrame], platform: str) -> None:
    """Completes the frames of a trace, most of which lack nothing."""
    names_stay = platform not in TRIMMED
    for frame in frames:
        is_complete = frame.in_app is not None and frame.filename is not None and frame.abs_path is not None
        if not (names_stay and is_complete and frame.platform is None):
            complete(frame, platform)


def _path_of(abs_path: str) -> str:
    """The path of a URL without its host and query; any other path as it is."""
    scheme, separator, rest = abs_path.partition("://")
    if not separator or not scheme.isalnum():
        return abs_path
    path = rest.partition("/")[2].partition("?")[0].partition("#")[0]
    return cut("/" + path, SHORT)


def slim(frames: Sequence[Attributes], path: str, notes: Notes) -> None:
    """Keeps variables and surrounding lines of the frames that matter: ours, and both ends of the trace."""
    excess = len(frames) - DETAILED_FRAMES
    if excess <= 0:
        return
    system = [frame for frame in frames if not frame["in_app"]]
    own = [frame for frame in frames if frame["in_app"]]
    stripped = _middle(system, excess)
    stripped += _middle(own, excess - len(stripped))
    changed = False
    for frame in stripped:
        for name in ("vars", "pre_context", "post_context"):
            changed = frame.pop(name, None) is not None or changed
    if changed:
        notes.add(TOO_LONG, path, f"{len(frames)} frames, {DETAILED_FRAMES} with variables")


def _middle(frames: Sequence[Attributes], count: int) -> list[Attributes]:
    """`count` frames out of the middle, or all if there are fewer."""
    start = max((len(frames) - count) // 2, 0)
    return list(frames[start : start + count]) if count > 0 else []
