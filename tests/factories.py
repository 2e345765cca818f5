"""Rows for tests: each factory makes one valid row and whatever it needs beside it."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import factory
from factory.django import DjangoModelFactory

from app import models
from app.base import clock

PASSWORD = "correct horse battery"


class UserFactory(DjangoModelFactory[models.User]):
    class Meta:
        model = models.User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda n: f"ada{n}@example.com")
    name = "Ada Lovelace"

    @classmethod
    def _create(cls, model_class: type[models.User], *args: Any, **kwargs: Any) -> models.User:
        kwargs.setdefault("password", PASSWORD)
        return models.User.objects.create_user(*args, **kwargs)


class OrganizationFactory(DjangoModelFactory[models.Organization]):
    class Meta:
        model = models.Organization

    slug = factory.Sequence(lambda n: f"acme{n}")
    name = "Acme"


class MembershipFactory(DjangoModelFactory[models.Membership]):
    class Meta:
        model = models.Membership

    organization = factory.SubFactory(OrganizationFactory)
    user = factory.SubFactory(UserFactory)
    role = models.Role.MEMBER


class ProjectFactory(DjangoModelFactory[models.Project]):
    class Meta:
        model = models.Project

    organization = factory.SubFactory(OrganizationFactory)
    slug = factory.Sequence(lambda n: f"shop{n}")
    name = "Shop"
    platform = "python"


class DsnKeyFactory(DjangoModelFactory[models.DsnKey]):
    class Meta:
        model = models.DsnKey

    project = factory.SubFactory(ProjectFactory)


class EnvironmentFactory(DjangoModelFactory[models.Environment]):
    class Meta:
        model = models.Environment

    project = factory.SubFactory(ProjectFactory)
    name = "production"
    first_seen = factory.LazyFunction(clock.now)


class ReleaseFactory(DjangoModelFactory[models.Release]):
    class Meta:
        model = models.Release

    organization = factory.SubFactory(OrganizationFactory)
    version = factory.Sequence(lambda n: f"shop@1.{n}.0")
    created = factory.LazyFunction(clock.now)


class ReleaseProjectFactory(DjangoModelFactory[models.ReleaseProject]):
    class Meta:
        model = models.ReleaseProject

    release = factory.SubFactory(ReleaseFactory)
    project = factory.SubFactory(ProjectFactory)
    first_seen = factory.LazyFunction(clock.now)
    last_seen = factory.LazyFunction(clock.now)


class IssueFactory(DjangoModelFactory[models.Issue]):
    class Meta:
        model = models.Issue

    project = factory.SubFactory(ProjectFactory)
    number = factory.Sequence(lambda n: n + 1)
    title = "KeyError: 'gross'"
    culprit = "shop.payments in charge"
    metadata = factory.LazyFunction(lambda: {"type": "KeyError", "value": "'gross'"})
    first_seen = factory.LazyFunction(lambda: clock.now() - timedelta(hours=2))
    last_seen = factory.LazyFunction(clock.now)
    events = 1


class NotificationFactory(DjangoModelFactory[models.Notification]):
    class Meta:
        model = models.Notification

    cause = factory.LazyFunction(lambda: f"new:{uuid.uuid4().hex}")
    recipient = "ada@example.com"
    channel = "email"
    kind = "issue_new"
    issue = factory.SubFactory(IssueFactory)
    due = factory.LazyFunction(clock.now)
