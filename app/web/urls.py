from __future__ import annotations

from django.urls import URLPattern, URLResolver, path, re_path, register_converter

from app.web import (
    attachments,
    crons,
    feedback,
    health,
    home,
    logs,
    members,
    performance,
    profile,
    releases,
    usage,
)
from app.web.admin import mail, state
from app.web.converters import EventId, ShortId
from app.web.issues import actions, merging, page, similar, views
from app.web.onboarding import views as onboarding
from app.web.projects import grouping, incoming
from app.web.projects import settings as project_settings

register_converter(ShortId, "short_id")
register_converter(EventId, "event_id")

ISSUE = "<slug:org>/issues/<short_id:short_id>"
PROJECT = "<slug:org>/<slug:project>"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", home.home, name="home"),
    path("_health/", health.health, name="health"),
    path("robots.txt", health.robots, name="robots"),
    path("favicon.ico", health.favicon, name="favicon"),
    path("profile/", profile.profile, name="profile"),
    path("admin/", state.state, name="admin-state"),
    path("admin/quarantined/<int:pk>/replay/", state.replay_quarantined, name="replay-quarantined"),
    path("admin/failed/<int:pk>/replay/", state.replay_failed, name="replay-failed"),
    path("admin/mail/", mail.mails, name="admin-mail"),
    path("admin/mail/<str:mail_id>/", mail.letter, name="admin-letter"),
    path("admin/mail/<str:mail_id>/html/", mail.body, name="admin-letter-body"),
    path("<slug:org>/", home.organization, name="organization"),
    path("<slug:org>/issues/", views.issue_list, name="issues"),
    path("<slug:org>/issues/bulk/", actions.bulk, name="bulk"),
    path("<slug:org>/issues/undo/", actions.undo, name="undo"),
    path(f"{ISSUE}.md", page.markdown, name="issue-markdown"),
    path(f"{ISSUE}/", page.issue, name="issue"),
    path(f"{ISSUE}/similar/", similar.similar, name="similar"),
    path(f"{ISSUE}/compare/<short_id:other>/", similar.compare, name="compare"),
    path(f"{ISSUE}/merge/", merging.merge, name="merge"),
    path(f"{ISSUE}/split/", merging.split, name="split"),
    path(f"{ISSUE}/discard/", merging.discard, name="discard"),
    path(f"{ISSUE}/events/oldest/", page.oldest, name="oldest-event"),
    path(f"{ISSUE}/events/<event_id:event_id>/", page.issue, name="event"),
    path(f"{ISSUE}/events/<event_id:event_id>/json/", page.raw, name="event-json"),
    path(
        f"{ISSUE}/events/<event_id:event_id>/files/<int:number>/", attachments.attachment, name="attachment"
    ),
    path("<slug:org>/feedback/", feedback.feedback, name="feedback"),
    path("<slug:org>/feedback/<int:pk>/resolve/", feedback.resolve, name="resolve-feedback"),
    path("<slug:org>/logs/", logs.logs, name="logs"),
    path("<slug:org>/crons/", crons.crons, name="crons"),
    path("<slug:org>/crons/<slug:project>/<slug:slug>/", crons.cron, name="cron"),
    path("<slug:org>/performance/", performance.performance, name="performance"),
    path("<slug:org>/performance/<slug:project>/", performance.endpoint, name="endpoint"),
    path(
        "<slug:org>/files/<slug:project>/<event_id:event_id>/<int:micros>/<int:number>/",
        attachments.blob,
        name="blob",
    ),
    path("<slug:org>/traces/<str:trace_id>/", performance.trace, name="trace"),
    path("<slug:org>/releases/", releases.releases, name="releases"),
    path("<slug:org>/releases/<str:version>/", releases.release, name="release"),
    path("<slug:org>/usage/", usage.usage, name="usage"),
    path("<slug:org>/usage/limits/", usage.limits, name="limits"),
    path("<slug:org>/members/", members.members, name="members"),
    path("<slug:org>/projects/new/", onboarding.new_project, name="new-project"),
    path(f"{PROJECT}/start/", onboarding.start, name="start"),
    path(f"{PROJECT}/start/waiting/", onboarding.waiting, name="waiting"),
    path(f"{PROJECT}/settings/", project_settings.settings, name="project-settings"),
    path(f"{PROJECT}/settings/incoming/", incoming.incoming, name="incoming"),
    path(f"{PROJECT}/settings/grouping/", grouping.grouping, name="project-grouping"),
    path(f"{PROJECT}/settings/grouping/<int:pk>/undo/", grouping.undo_regrouping, name="undo-regrouping"),
    path(f"{PROJECT}/settings/discarded/<int:pk>/", project_settings.stop_discarding, name="stop-discarding"),
    path(f"{PROJECT}/settings/keys/", project_settings.new_key, name="new-key"),
    path(f"{PROJECT}/settings/keys/<int:pk>/", project_settings.change_key, name="change-key"),
    path(f"{PROJECT}/settings/keys/<int:pk>/delete/", project_settings.delete_key, name="delete-key"),
    re_path(r"^(?P<short_id>[A-Za-z0-9_-]+-[0-9A-Za-z]+)$", home.short_id, name="short-id"),
]
