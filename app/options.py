"""What a project's and an organization's people chose for what is sent to them; stored as JSON in their rows.

Names that are no longer known are ignored and missing ones have their default, so that a release can add and
drop options without touching a row.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeVar

import msgspec


class Rule(msgspec.Struct, frozen=True, omit_defaults=True):
    """One advanced scrubbing rule: what is done to what, and where."""

    method: Literal["mask", "remove", "hash", "replace"] = "replace"
    type: str = "anything"  # creditcard, email, ip, password, regex, …
    pattern: str = ""  # of type "regex"
    source: str = "**"  # selector: "$user.email", "extra.**", "$frame.vars.token"
    placeholder: str = ""  # of method "replace"


class Scrubbing(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which secrets are replaced before anything is stored."""

    defaults: bool = True  # password, secret, token, card numbers, …
    addresses: bool = False  # IP addresses are removed as well
    fields: list[str] = []  # names that are secret here too
    safe_fields: list[str] = []  # names that never are
    rules: list[Rule] = []


class Filters(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is answered like everything else and then only counted."""

    localhost: bool = False
    browser_extensions: bool = False
    legacy_browsers: list[str] = []  # "ie", "safari", … as app.normalize.filters names them
    web_crawlers: bool = False
    hydration_errors: bool = True
    chunk_load_errors: bool = True
    health_checks: bool = True  # transactions of health check addresses
    browser_reports: bool = True  # security reports that only an extension or the browser itself caused
    addresses: list[str] = []  # addresses or networks
    releases: list[str] = []  # globs, as all that follow
    messages: list[str] = []
    logs: list[str] = []
    transactions: list[str] = []
    csp_sources: list[str] = []


class Grouping(msgspec.Struct, frozen=True, omit_defaults=True):
    """What decides which events are one issue."""

    config: str = ""  # a name of app.grouping.configs; "" is the current one
    stack_rules: str = ""  # as they were written, one a line
    fingerprint_rules: str = ""
    # The configuration before, and until when (seconds since the epoch) issues are still found by its hashes.
    # With the same rules: who changes these wants other issues, an upgrade never does.
    older_config: str = ""
    older_until: int = 0


#: Large, and only to be downloaded: kept where somebody asks for them.
UNASKED = frozenset(("profile", "profile_chunk", "replay"))


class Options(msgspec.Struct, frozen=True, omit_defaults=True):
    """A project's choices."""

    origins: tuple[str, ...] = ("*",)  # pages that may send from a browser
    off: frozenset[str] = frozenset()  # categories that are not wanted: "session", "log_item", …
    on: frozenset[str] = frozenset()  # those of UNASKED that are
    filters: Filters = Filters()
    scrubbing: Scrubbing = Scrubbing()
    grouping: Grouping = Grouping()

    def wants(self, category: str) -> bool:
        """Whether anything of a category is kept."""
        return category not in self.off and (category not in UNASKED or category in self.on)


#: Of a project whose people chose nothing: this very object, so that it is told by identity.
DEFAULT = Options()
#: What a project's people chose, by its number.
Choices = Callable[[int], Options]


def unchosen(_: int) -> Options:
    """For whom nobody chose."""
    return DEFAULT


class OrganizationOptions(msgspec.Struct, frozen=True, omit_defaults=True):
    """An organization's choices."""

    quotas: dict[str, int] = {}  # category to the most per month; none = no limit
    spike_protection: bool = True


T = TypeVar("T", Options, OrganizationOptions)


def read(stored: Any, kind: type[T]) -> T:
    """Options of a row's JSON; what makes no sense of it counts as not chosen."""
    try:
        return msgspec.convert(stored or {}, kind)
    except msgspec.ValidationError:
        return kind()


def of_project(stored: Any) -> Options:
    """The same of a project: what equals the default is the default's own object."""
    found = read(stored, Options)
    if found == DEFAULT:
        return DEFAULT
    same = {
        name: getattr(DEFAULT, name)
        for name in ("filters", "scrubbing", "grouping")
        if getattr(found, name) == getattr(DEFAULT, name)
    }
    return msgspec.structs.replace(found, **same)
