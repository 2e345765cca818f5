"""Headers, cookies and query strings: from text, an object or pairs, always to [[name, value], …]."""

from __future__ import annotations

from itertools import chain
from urllib.parse import parse_qsl

from app.base.json import encode
from app.base.text import cut
from app.normalize.limits import Bag
from app.normalize.notes import TOO_LONG, Notes

Pairs = list[list[str]]
_TEXT = frozenset({str})


def of(value: object, bag: Bag, path: str, notes: Notes) -> Pairs | None:
    """The pairs of an object or a list of pairs, within the size of `bag`; None when there are none."""
    if isinstance(value, dict):
        if _TEXT.issuperset(map(type, value.values())):  # names of members are texts anyway
            return _bounded(list(map(list, value.items())), bag, path, notes) or None
        items = [[name, item] for name, item in value.items()]
    elif isinstance(value, list):
        items = [item for item in value if _is_pair(item, path, notes)]
    else:
        notes.invalid(path, value)
        return None
    kept: Pairs = []
    for name, item in items:
        texts = [_text(one) for one in item if one is not None] if isinstance(item, list) else [_text(item)]
        kept.append([_text(name), ", ".join(texts)])
    return _bounded(kept, bag, path, notes) or None


def of_query(text: str) -> Pairs:
    text = text.lstrip("?")
    if "%" in text or "+" in text:
        return [list(pair) for pair in parse_qsl(text, keep_blank_values=True, errors="replace")]
    pairs = (part.partition("=") for part in text.split("&") if part)
    return [[name, value] for name, _, value in pairs]


def of_cookies(text: str) -> Pairs:
    pairs = (part.strip().partition("=") for part in text.split(";"))
    return [[name, value] for name, _, value in pairs if name]


def _is_pair(item: object, path: str, notes: Notes) -> bool:
    if isinstance(item, list) and len(item) == 2 and item[0] is not None:
        return True
    if item is not None:
        notes.invalid(path, item)
    return False


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else encode(value).decode()


def _bounded(pairs: Pairs, bag: Bag, path: str, notes: Notes) -> Pairs:
    if sum(map(len, chain.from_iterable(pairs))) <= bag.size:
        return pairs
    notes.add(TOO_LONG, path, f"{len(pairs)} pairs")
    kept: Pairs = []
    room = bag.size
    for name, value in pairs:
        short = cut(name, 256)
        room -= len(short) + 3
        if room <= 3:
            break
        kept.append([short, cut(value, room)])
        room -= len(kept[-1][1])
    return kept
