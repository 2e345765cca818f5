"""All rules that hold in a project, ready to be applied, with what they found out about frames so far."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from app.grouping import fingerprint_rules, frames, places, stack_rules
from app.grouping.builtin import RULES
from app.grouping.fingerprint_rules import FingerprintRules
from app.grouping.stack_rules import Face, Settled, StackRules, State, Thrown

#: Frames that are remembered of one set of rules; sets of rules.
MOST_FRAMES, MOST_SETS = 4096, 32


class Met(NamedTuple):
    """A frame that was looked at before."""

    place: places.Place
    face: Face
    state: State  # as long as no rule looks further than the frame
    is_moved: bool  # whether rules made it in-app, or the contrary, in this state
    seen: frames.Seen  # likewise
    named: fingerprint_rules.Face
    others: dict[State, frames.Seen]  # in states that depend on the frames around it

    def seen_in(self, state: State) -> frames.Seen:
        """Its parts, as the rules about a whole trace left it."""
        found = self.others.get(state)
        if found is None:
            found = self.others[state] = frames.seen(self.place, state)
        return found


class Rules:
    """Rules about stack traces and fingerprints, the configuration's own and a project's, and what they found
    out about frames: the same ones come again with every event of an issue. Frames are known by their keys.
    """

    def __init__(self, stack: StackRules, prints: FingerprintRules) -> None:
        self.stack, self.prints = stack, prints
        self.number = next(_numbers)  # tells these rules from all others in this process
        self._met: dict[int, Met] = {}

    def mark(self, sources: Sequence[Any], keys: Sequence[int], platform: str, thrown: Thrown) -> Marked:
        """Applies the rules to the frames of a trace, which stay as they are."""
        known = self._met
        try:
            met = [known[key] for key in keys]
        except KeyError:
            met = [self._meet(*each, platform) for each in zip(sources, keys, strict=True)]
        about = self.stack.about(thrown)
        if not about and all([one.face.is_plain for one in met]):  # noqa: C419 a list is faster
            return Marked(met, None)
        faces, in_app = [one.face for one in met], [one.place.in_app for one in met]
        return Marked(met, self.stack.together(faces, in_app, about))

    def _meet(self, source: Any, key: int, platform: str) -> Met:
        if (known := self._met.get(key)) is not None:
            return known
        if len(self._met) >= MOST_FRAMES:
            self._met.clear()
        place = places.place(source, platform)
        face = self.stack.face(place)
        state = self.stack.alone(face, place.in_app)
        named = self.prints.face(place)
        found = self._met[key] = Met(
            place, face, state, state.in_app is not place.in_app, frames.seen(place, state), named, {}
        )
        return found


class Marked(NamedTuple):
    """The frames of a trace with what rules made of them."""

    met: Sequence[Met]
    settled: Settled | None  # None where each frame's own state holds

    def states(self) -> Iterable[State]:
        return self.settled.states if self.settled else [one.state for one in self.met]

    def changes(self) -> list[tuple[int, bool]]:
        """The frames that are in-app now and were not, and the other way round, with what they are."""
        if self.settled is None:
            return [(index, one.state.in_app) for index, one in enumerate(self.met) if one.is_moved]
        return [
            (index, state.in_app)
            for index, (one, state) in enumerate(zip(self.met, self.settled.states, strict=True))
            if state.in_app is not one.place.in_app
        ]


_numbers = itertools.count()


@lru_cache(MOST_SETS)
def rules(config: str, stack: str = "", prints: str = "") -> Rules:
    """The rules of a configuration with a project's behind or before them: of a stack's rules the last one
    holds, of fingerprints' the first. Lines that are no rules are passed over."""
    base_stack, base_prints = _base(config)
    own_stack, _ = stack_rules.parse(stack)
    own_prints, _ = fingerprint_rules.parse(prints)
    return Rules(StackRules([*base_stack, *own_stack]), FingerprintRules([*own_prints, *base_prints]))


@lru_cache
def _base(config: str) -> tuple[list[stack_rules.Rule], list[fingerprint_rules.FingerprintRule]]:
    """Raises ValueError where one of our own lines is no rule."""
    stack, prints = RULES[config]
    (found, wrong), (named, amiss) = stack_rules.parse(stack), fingerprint_rules.parse(prints)
    if wrong or amiss:
        raise ValueError("; ".join(map(str, [*wrong, *amiss])))
    return found, named
