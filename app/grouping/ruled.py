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
    seen: frames.Seen  # likewise
    named: fingerprint_rules.Face
    others: dict[State, frames.Seen]  # in states that depend on the frames around it

    def seen_in(self, state: State) -> frames.Seen:
        """Its parts, as the rules about a whole trace left it."""
        found = self.others.get(state)
        if found is None:
            found = self.others[state] = frames.seen(self.place, state)
        return found


class _Met(dict[places.Key, Met]):
    """Frames of one platform by their keys: the same ones come again with every event of an issue."""

    def __init__(self, rules: Rules, platform: str) -> None:
        super().__init__()
        self._rules, self._platform = rules, platform

    def __missing__(self, key: places.Key) -> Met:
        if len(self) >= MOST_FRAMES:
            self.clear()
        place = places.of_key(key, self._platform)
        face = self._rules.stack.face(place)
        state = self._rules.stack.alone(face, place.in_app)
        named = self._rules.prints.face(place)
        found = self[key] = Met(place, face, state, frames.seen(place, state), named, {})
        return found


class Rules(dict[str, _Met]):
    """Rules about stack traces and fingerprints, the configuration's own and a project's; by platform, what
    they found out about frames."""

    def __init__(self, stack: StackRules, prints: FingerprintRules) -> None:
        super().__init__()
        self.stack, self.prints = stack, prints
        self.number = next(_numbers)  # tells these rules from all others in this process

    def __missing__(self, platform: str) -> _Met:
        found = self[platform] = _Met(self, platform)
        return found

    def mark(self, sources: Sequence[Any], platform: str, thrown: Thrown) -> Marked:
        """Applies the rules to the frames of a trace, which stay as they are."""
        known = self[platform]
        if not sources or type(sources[0]) is dict:
            met = [known[places.of_dict(source, platform)] for source in sources]
        else:
            met = [known[key] for key in map(places.of_struct, sources)]
        about = self.stack.about(thrown)
        if not about and all([one.face.is_plain for one in met]):  # noqa: C419 a list is faster
            return Marked(met, None)
        faces, in_app = [one.face for one in met], [one.place.in_app for one in met]
        return Marked(met, self.stack.together(faces, in_app, about))


class Marked(NamedTuple):
    """The frames of a trace with what rules made of them."""

    met: Sequence[Met]
    settled: Settled | None  # None where each frame's own state holds

    def states(self) -> Iterable[State]:
        return self.settled.states if self.settled else [one.state for one in self.met]

    def changes(self) -> list[tuple[int, bool]]:
        """The frames that are in-app now and were not, and the other way round, with what they are."""
        if self.settled is None:
            return [
                (index, one.state.in_app)
                for index, one in enumerate(self.met)
                if one.state.in_app is not one.place.in_app
            ]
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
