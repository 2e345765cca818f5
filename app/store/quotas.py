"""Who sends too much: an organization beyond what it may send in a month, a project beyond all it ever did.

What is found is written down for the accepting side, which reads it within seconds and refuses until then
(app.ingest.limits). A project that is a day old has no past, and is left alone.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Sum

from app import options
from app.base import clock
from app.models import Organization, Outcome, Project, RateLimit
from app.options import OrganizationOptions
from app.store.database import cursor

#: More than so many times the most of an hour in the last week is a spike, if it is at least so many.
TIMES, FLOOR = 10, 100_000
#: What spikes: not what belongs to something else.
SPIKY = ("error", "transaction", "span", "log_item", "session", "attachment", "security")
_SPIKES = """
with hours as (
    select project_id, category, hour, sum(quantity) as q from app_outcome
    where outcome = 'accepted' and hour >= %s and hour <= %s and category = any (%s) group by 1, 2, 3
),
past as (
    select project_id, category, max(q) as most from hours where hour < %s group by 1, 2
)
select h.project_id, h.category from hours h join past using (project_id, category)
join app_project p on p.id = h.project_id
where h.hour = %s and p.first_event < %s and h.q > greatest(%s, %s * past.most)"""

#: (project, category): until when, which scope, why.
Found = dict[tuple[int, str], tuple[datetime, str, str]]


def check() -> int:
    """Writes down who is limited now; how many projects and categories that are."""
    now = clock.now()
    chosen = {
        number: options.read(told, OrganizationOptions)
        for number, told in Organization.objects.values_list("pk", "options")
    }
    found = _spikes(now, {number for number, one in chosen.items() if one.spike_protection})
    found |= _beyond_quotas(now, {number: one.quotas for number, one in chosen.items() if one.quotas})
    _write(found)
    return len(found)


def used(organization: Organization, now: datetime) -> dict[str, int]:
    """What an organization has sent this month, by category."""
    rows = Outcome.objects.filter(
        project__organization=organization, outcome="accepted", hour__gte=_month(now)
    )
    return dict(rows.values_list("category").annotate(sum=Sum("quantity")))


def _beyond_quotas(now: datetime, quotas: dict[int, dict[str, int]]) -> Found:
    until = _month(_month(now) + timedelta(days=32))
    found: Found = {}
    for organization in Organization.objects.filter(pk__in=quotas):
        sums = used(organization, now)
        over = [name for name, most in quotas[organization.pk].items() if sums.get(name, 0) >= most]
        for project in Project.objects.filter(organization=organization).values_list("pk", flat=True):
            found |= {(project, category): (until, "organization", "quota_exceeded") for category in over}
    return found


def _spikes(now: datetime, organizations: set[int]) -> Found:
    hour = now.replace(minute=0, second=0, microsecond=0)
    week, day = hour - timedelta(days=7), hour - timedelta(days=1)
    with cursor() as statements:
        rows = statements.execute(
            _SPIKES, [week, hour, list(SPIKY), hour, hour, day, FLOOR, TIMES]
        ).fetchall()
    protected = set(Project.objects.filter(organization__in=organizations).values_list("pk", flat=True))
    until = hour + timedelta(hours=1)
    return {
        (project, category): (until, "project", "spike") for project, category in rows if project in protected
    }


def _write(found: Found) -> None:
    """What is no longer found is limited no longer."""
    rows = [RateLimit(project_id=key[0], category=key[1], until=one[0], scope=one[1], reason=one[2])
            for key, one in sorted(found.items())]  # fmt: skip
    with transaction.atomic():
        gone = [
            pk
            for pk, *key in RateLimit.objects.values_list("pk", "project_id", "category")
            if tuple(key) not in found
        ]
        RateLimit.objects.filter(pk__in=gone).delete()
        RateLimit.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["project", "category"],
            update_fields=["until", "scope", "reason"],
        )


def _month(at: datetime) -> datetime:
    return at.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
