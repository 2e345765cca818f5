"""How values look on a page: times, counts, bars. Everything here escapes what it is given."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from html import escape

from django import template
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from lucide.templatetags.lucide import lucide

from app.base import clock
from app.models import Activity, CheckIn
from app.web.issues.source import Line

register = template.Library()


@register.filter
def compact(number: int) -> str:
    """42600 -> "42.6k"."""
    for size, unit in ((1_000_000_000, "b"), (1_000_000, "m"), (1_000, "k")):
        if number >= size * 0.9995:
            return f"{number / size:.1f}".removesuffix(".0") + unit
    return str(number)


@register.filter
def grouped(number: int) -> str:
    """42600 -> "42,600": the exact number, for reading."""
    return f"{number:,}"


@register.simple_tag
def count(number: int, one: str) -> SafeString:
    """A compact number whose exact value is shown on hover."""
    many = one if number == 1 else f"{one}s"
    return format_html('<span title="{} {}">{}</span>', f"{number:,}", many, compact(number))


@register.filter
def exact(at: datetime) -> str:
    """The moment in the viewer's zone, with the zone."""
    local = timezone.localtime(at)
    return f"{local:%a} {local.day} {local:%b %Y, %H:%M:%S %Z}"


@register.simple_tag
def ago(at: datetime | None) -> SafeString:
    """How long ago, in one unit; the exact moment on hover."""
    if at is None:
        return format_html("<span>{}</span>", "never")
    return format_html('<time datetime="{}" title="{}">{}</time>', at.isoformat(), exact(at), _ago(at))


def _ago(at: datetime) -> str:
    seconds = int((clock.now() - at).total_seconds())
    for size, unit in ((31_557_600, "y"), (86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return "now" if seconds > -60 else "soon"


@register.filter
def moment(text: str) -> str:
    """An ISO time of an event as "12:04:31.220" in the viewer's zone; other text stays as it is."""
    try:
        at = parse_datetime(text)
    except (ValueError, TypeError):
        return str(text)
    if at is None:
        return text
    local = timezone.localtime(at) if timezone.is_aware(at) else at
    return f"{local:%H:%M:%S}.{local.microsecond // 1000:03d}"


@register.simple_tag
def spark(values: list[int], width: int = 112, height: int = 24, of: str = "events") -> SafeString:
    """Bars in the order of time, drawn on the server: no chart library, and it works without JavaScript."""
    when = f"in the last {len(values)} hours" if of == "events" else f"in {len(values)} steps of time"
    label = f"{sum(values):,} {of} {when}, at most {max(values, default=0):,} in one"
    return format_html(
        '<svg class="{}" role="img" aria-label="{}" viewBox="0 0 {} {}" width="{}" height="{}">{}</svg>',
        "spark" if height < 40 else "spark large",
        label,
        *(width, height, width, height),
        mark_safe(_bars(values, width, height, is_large=height >= 40)),  # noqa: S308 - made of numbers alone
    )


def _bars(values: list[int], width: int, height: int, *, is_large: bool) -> str:
    top, step = max(values, default=0) or 1, width / (len(values) or 1)
    wide = f' width="{step * 0.72:.3g}"' if is_large else ""  # small ones have theirs from the style sheet
    bars = []
    for place, value in enumerate(values):
        tall = max(1.5, value / top * height)
        quiet = "" if value else ' class="z"'
        bars.append(
            f'<rect x="{place * step:.4g}" y="{height - tall:.3g}" height="{tall:.3g}"{wide}{quiet}/>'
        )
    return "".join(bars)


@register.simple_tag
def share(part: int, whole: int) -> SafeString:
    """A bar as long as the part is of the whole; the number beside it is its text."""
    percent = round(100 * part / whole) if whole else 0
    return format_html('<svg aria-hidden="true"><rect width="{}%" height="100%"/></svg>', max(percent, 1))


@register.filter
def percent(part: int, whole: int) -> str:
    if not whole:
        return "0%"
    return f"{round(100 * part / whole)}%" if part * 100 >= whole else "<1%"


@register.filter
def rate(part: float | None) -> str:
    """0.99953 -> "99.95%": never rounded up to all, nor down to none."""
    if part is None:
        return "–"
    rounded = round(part * 100, 2)
    if part < 1:
        rounded = min(rounded, 99.99)
    return f"{max(rounded, 0.01) if part > 0 else 0:.2f}".rstrip("0").rstrip(".") + "%"


@register.filter
def took(micros: int | None) -> str:
    """A duration in µs as people say it: "310 µs", "12 ms", "3.4 s", "2.1 min"."""
    if micros is None:
        return "–"
    for size, unit in ((3_600_000_000, "h"), (60_000_000, "min"), (1_000_000, "s"), (1000, "ms")):
        if micros >= size:
            number = micros / size
            return f"{number:.0f} {unit}" if number >= 100 else f"{number:.3g} {unit}"
    return f"{micros} µs"


@register.filter
def took_ms(millis: int | None) -> str:
    return took(None if millis is None or millis == "" else millis * 1000)  # type: ignore[comparison-overlap]


_RUNS = {"ok": "resolved", "error": "failed", "timeout": "failed", "missed": "failed"}


@register.filter
def run_class(state: str) -> str:
    """The colour of a run's state."""
    return _RUNS.get(state, "")


@register.simple_tag
def strip(runs: list[CheckIn]) -> SafeString:
    """One tick for each run, the newest at the right."""
    failed = sum(run.status == "error" for run in runs)
    ticks = "".join(
        f'<rect x="{place * 4}" width="3" height="16" class="{run.status}"/>'
        for place, run in enumerate(runs)
    )
    label = f"{len(runs)} runs, {failed} of them failed"
    return format_html(
        '<svg class="strip" role="img" aria-label="{}" viewBox="0 0 120 16" width="120" height="16">{}</svg>',
        label,
        mark_safe(ticks),  # noqa: S308 - made of numbers and our own words
    )


@register.filter
def few(number: float) -> str:
    """A number that may be small: 0.04 is "0.04", 0.004 is "< 0.01", 1234.5 is "1.2k"."""
    if 0 < number < 0.01:
        return "< 0.01"
    return compact(round(number)) if number >= 100 else f"{number:.2g}" if number < 10 else f"{number:.0f}"


@register.filter
def micros(at: datetime) -> int:
    return clock.to_micros(at)


@register.filter
def unlocalized(number: float) -> str:
    """For attributes of SVG, whatever the language of the page."""
    return f"{number:g}"


@register.filter
def ago_is_counted(at: datetime) -> bool:
    """Whether "ago" reads well behind the time."""
    return _ago(at)[0].isdigit()


@register.simple_tag
def words(line: Line) -> SafeString:
    """A line of source with a class on each word that has a colour."""
    return mark_safe(_words(line))  # noqa: S308 - every text in it is escaped


@register.simple_tag
def source(lines: list[Line]) -> SafeString:
    """Numbered lines, the one that ran marked; in one go, for a long stack has a thousand of them."""
    rows = (
        f'<li{HIT if line.is_hit else ""}><span class="ln">{line.number or ""}</span>'
        f"<span>{_words(line)}</span></li>"
        for line in lines
    )
    return mark_safe("".join(rows))  # noqa: S308 - every text in it is escaped


HIT = ' class="hit"'


def _words(line: Line) -> str:
    return "".join(
        f'<span class="{css}">{escape(text)}</span>' if css else escape(text) for css, text in line.words
    )


@register.simple_tag
@cache
def icon(name: str, size: int = 16) -> SafeString:
    """A lucide icon, drawn once per process."""
    return mark_safe(lucide(name, size=size))  # noqa: S308 - ours


NOTES = {
    "invalid_data": "is not valid",
    "value_too_long": "was too long",
    "past_timestamp": "lies too far in the past",
    "future_timestamp": "lies in the future",
    "clock_drift": "corrected: the client's clock is wrong",
    "missing_attribute": "is missing",
    "unknown_attribute": "is not known",
}


@register.filter
def said(kind: str) -> str:
    """What happened to an attribute, in words."""
    return NOTES.get(kind, kind.replace("_", " "))


DEEDS = {
    "first_seen": "First seen",
    "regressed": "Came back",
    "resolved": "resolved it",
    "unresolved": "reopened it",
    "archived": "archived it",
    "undone": "took the last change back",
    "merged": "merged in",
    "merged_into": "merged it into",
    "split_off": "split off",
    "split_from": "split it off",
    "discarded": "discarded it",
    "restored": "brought it back",
    "assigned": "assigned it",
    "comment": "commented",
}


@register.filter
def did(activity: Activity) -> str:
    """What happened to an issue, in words that follow the person's name."""
    deed = DEEDS.get(activity.kind, activity.kind.replace("_", " "))
    data = activity.data if isinstance(activity.data, dict) else {}
    release, issues = data.get("release"), data.get("issues") or []
    named = f"{deed} {', '.join(map(str, issues[:5]))}{' …' if len(issues) > 5 else ''}" if issues else deed
    return f"{named} in {release}" if release else named
