"""Why two events are not one issue: what of their grouping is the same, what differs, said in a sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from difflib import SequenceMatcher
from typing import Literal, NamedTuple

from app.event import Component, Grouping, Variant
from app.grouping.fingerprint import DEFAULT

Mark = Literal["same", "differs", "out"]

#: Names in one list of a sentence, and characters of one of them.
MOST, LONGEST = 3, 120
_FIRST, _SECOND = "the first", "the second"


class Piece(NamedTuple):
    """A frame, or a single text such as a type: the smallest that two events have in common or not."""

    name: str  # frame, type, value, text, …
    #: As (module, "shop.pay"): what counts of it, and all of it where nothing does.
    texts: tuple[tuple[str, str], ...]
    counts: bool
    hint: str = ""

    def text(self, *names: str) -> str:
        """The first of these that is known of it."""
        return next((text for name in names for each, text in self.texts if each == name and text), "")

    @property
    def label(self) -> str:
        """What it is called in a sentence."""
        return self.text("function", "context-line", "module", "filename") or self.texts[0][1]


class Row(NamedTuple):
    """What stands beside each other; None where an event has nothing like it."""

    first: Piece | None
    second: Piece | None
    mark: Mark  # same: counts, and is equal; differs: counts in one at least; out: counts in neither

    @property
    def name(self) -> str:
        return (self.first or self.second or _NOTHING).name


class Word(NamedTuple):
    """A piece of a sentence: plain words, or a name that stands in an event."""

    text: str
    is_name: bool


class Comparison(NamedTuple):
    said: list[Word]
    rows: list[Row]


_NOTHING = Piece("", (("", ""),), counts=False)


def compare(first: Grouping, second: Grouping) -> Comparison:
    """Both are to come with their trees, as `explain` makes them; without them there is little to say."""
    one, other = _deciding(first), _deciding(second)
    rows = aligned(pieces(one.component), pieces(other.component))
    return Comparison(_words(_sentence(first, second, rows)), rows)


def _deciding(grouping: Grouping) -> Variant:
    """The variant of the primary hash."""
    found = (one for one in grouping.variants if one.hash == grouping.hashes[0])
    return next(found, Variant("", grouping.hashes[0]))


def _is_told(grouping: Grouping) -> bool:
    found = _deciding(grouping)
    return found.component is not None or found.name == "fallback"


# -- side by side ------------------------------------------------------------------------------------------


def pieces(component: Component | None, counts: bool = True, hint: str = "") -> list[Piece]:
    """A tree as the list of what is in it; what is below something that does not count does not either."""
    if component is None:
        return []
    counts, hint = counts and component.contributes, component.hint or hint
    inner = [part for part in component.values if isinstance(part, Component)]
    if component.id == "frame":
        known = [part for part in inner if part.contributes] or inner
        texts = tuple((part.id, str(text)) for part in known for text in part.values)
        return [Piece("frame", texts, counts, hint)] if texts else []
    if not inner:
        texts = tuple((component.id, str(text)) for text in component.values)
        return [Piece(component.id, texts, counts, hint)] if texts else []
    found = [piece for part in inner for piece in pieces(part, counts, "" if counts else hint)]
    if component.id == "fingerprint":
        return [piece._replace(name="fingerprint") for piece in found]
    return found


Key = Callable[[Piece], object]
#: What makes two pieces a pair: that they are equal, else the same function, else of the same kind.
_KEYS: tuple[Key, ...] = (
    lambda piece: piece[:3],
    lambda piece: (piece.name, piece.counts, piece.text("function")),
    lambda piece: (piece.name, piece.counts),
)


def aligned(first: Sequence[Piece], second: Sequence[Piece], keys: Sequence[Key] = _KEYS) -> list[Row]:
    """Both lists in their order, what belongs together in one row."""
    if not keys or not (first and second):
        return [_row(one, None) for one in first] + [_row(None, other) for other in second]
    matched = SequenceMatcher(None, [*map(keys[0], first)], [*map(keys[0], second)], autojunk=False)
    rows: list[Row] = []
    for tag, begin, end, from_, to in matched.get_opcodes():
        if tag == "equal":
            rows += map(_row, first[begin:end], second[from_:to])
        else:
            rows += aligned(first[begin:end], second[from_:to], keys[1:])
    return rows


def _row(one: Piece | None, other: Piece | None) -> Row:
    if not any(piece and piece.counts for piece in (one, other)):
        return Row(one, other, "out")
    return Row(one, other, "same" if one and other and one[:3] == other[:3] else "differs")


# -- in words ----------------------------------------------------------------------------------------------


def _sentence(first: Grouping, second: Grouping, rows: list[Row]) -> str:
    if set(first.hashes) & set(second.hashes):
        return "Nothing that counts differs: their latest events have the same hash."
    for grouping, which in ((first, _FIRST), (second, _SECOND)):
        if not _is_told(grouping):
            rules = _name(grouping.config)
            return f"How {which} was grouped cannot be worked out again: its rules, {rules}, are gone."
    versions = ""
    if first.config != second.config:
        pair = _pair(first.config, second.config)
        versions = f"They were grouped by different versions of the rules, {pair}. "
    return versions + (_of_clients(first, second) or _of_kinds(first, second) or _of_rows(rows))


def _of_clients(first: Grouping, second: Grouping) -> str:
    """What the clients decided, where they decided differently."""
    return _told("checksum", _checksum(first), _checksum(second)) or _told(
        "fingerprint", _fingerprint(first), _fingerprint(second)
    )


def _told(name: str, one: str, other: str) -> str:
    if one == other:
        return ""
    if one and other:
        return f"The client set different {name}s: {_pair(one, other)}."
    return f"The client set a {name} for {_FIRST if one else _SECOND} only: {_name(one or other)}."


def _checksum(grouping: Grouping) -> str:
    found = _deciding(grouping)
    return pieces(found.component)[0].label if found.name == "checksum" else ""


def _fingerprint(grouping: Grouping) -> str:
    return "" if grouping.fingerprint == [DEFAULT] else ", ".join(grouping.fingerprint)


def _of_kinds(first: Grouping, second: Grouping) -> str:
    """That one is told from others by something else than the other."""
    one, other = _ground(_deciding(first)), _ground(_deciding(second))
    if one == other:
        return ""
    return f"The first is grouped by {one}, the second by {other}."


def _ground(variant: Variant) -> str:
    """What of an event decides."""
    counting = {piece.name for piece in pieces(variant.component) if piece.counts}
    for name, ground in _GROUNDS.items():
        if name in counting:
            return ground
    return "the other parts of it" if counting else "nothing in particular"


_GROUNDS = {
    "frame": "its stack trace",
    "domain": "the code of its error",
    "value": "the message of its exception",
    "type": "the type of its exception",
    "text": "its message",
    "context-line": "the line of its template",
    "directive": "what a browser blocked",
    "hostname": "the host of a browser's report",
    "fingerprint": "the fingerprint that the client set",
}
_TITLES = {"type": "type", "value": "message", "text": "message", "context-line": "line", "filename": "file"}


def _of_rows(rows: list[Row]) -> str:
    """What differs of two that are grouped by the same kind of thing."""
    apart = [row for row in rows if row.mark == "differs"]
    frames = [row for row in apart if row.name == "frame"]
    others = [row for row in apart if row.name != "frame"]
    if not apart:
        return "Nothing that counts differs between their latest events."
    if not others:
        return _of_frames(rows, frames, "They differ in")
    said = " ".join(_of_part(row, rows) for row in others)
    return said + (f" {_of_frames(rows, frames, 'They also differ in')}" if frames else "")


def _of_part(row: Row, rows: list[Row]) -> str:
    title = _TITLES.get(row.name, row.name)
    if row.first and row.second:
        apart = {each.name for each in rows if each.mark == "differs"}
        counting = {each.name for each in rows if each.mark == "same"} - apart
        pair = _pair(row.first.label, row.second.label)
        if row.name in ("value", "text"):
            return f"The message decides: {pair}."
        if "frame" in counting and apart == {row.name}:
            return f"Same stack, but the {title} differs: {pair}."
        return f"The {title} differs: {pair}."
    piece = row.first or row.second or _NOTHING
    return f"The {title} {_name(piece.label)} is only in {_FIRST if row.first else _SECOND}."


def _of_frames(rows: list[Row], frames: list[Row], begin: str) -> str:
    """The frames by name: those of one alone, and those that are somewhere else or read otherwise."""
    count = sum(row.name == "frame" and row.mark != "out" for row in rows)
    pairs = [row for row in frames if row.first and row.second and row.first.label == row.second.label]
    alone = [row for row in frames if row not in pairs]
    one = [row.first.label for row in alone if row.first and row.first.counts]
    other = [row.second.label for row in alone if row.second and row.second.counts]
    moved = [label for label in one if label in other]
    clauses = [
        _clause([label for label in one if label not in moved], f"only in {_FIRST}"),
        _clause([label for label in other if label not in moved], f"only in {_SECOND}"),
        _clause(moved, "at another place in the stack"),
        *_of_pairs(pairs),
    ]
    said = ", ".join(clause for clause in clauses if clause)
    frames_ = "frame that counts" if count == 1 else "frames that count"
    return f"{begin} {len(frames)} of {count} {frames_}: {said}."


def _of_pairs(pairs: list[Row]) -> Iterator[str]:
    """Frames of the same name."""
    here: list[str] = []
    there: list[str] = []
    for row in pairs:
        if row.first and row.second:
            places = [piece.text("module", "filename") for piece in (row.first, row.second)]
            (here if places[0] == places[1] else there).append(row.first.label)
    yield _clause(here, "at another line of code")
    yield _clause(there, "in another module")


def _clause(labels: list[str], where: str) -> str:
    labels = list(dict.fromkeys(labels))
    if not labels:
        return ""
    names = [_name(label) for label in labels[:MOST]]
    if len(labels) > MOST:
        names.append(f"{len(labels) - MOST} more")
    listed = " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
    return f"{listed} {'is' if len(labels) == 1 else 'are'} {where}"


def _pair(one: str, other: str) -> str:
    return f"{_name(one)} and {_name(other)}"


def _name(text: str) -> str:
    """Marked, so that `_words` finds it again."""
    text = text.replace("\0", "")
    return f"\0{text if len(text) <= LONGEST else text[: LONGEST - 1] + '…'}\0"


def _words(sentence: str) -> list[Word]:
    return [Word(text, bool(place % 2)) for place, text in enumerate(sentence.split("\0")) if text]
