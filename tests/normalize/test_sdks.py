"""What real, unmodified SDKs write is understood without a single remark."""

from __future__ import annotations

import gzip
import io
import zlib
from typing import Any

import pytest
import raven
import sentry_sdk
from raven.transport.base import Transport as RavenTransport
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport

from app.base import clock
from app.event import Event
from app.grouping import group
from tests.normalize.senders import batch, record

DSN = "http://" + "a" * 32 + "@127.0.0.1:9/1"


class Kept(Transport):
    """Keeps envelopes instead of sending them."""

    def __init__(self) -> None:
        super().__init__()
        self.bodies: list[bytes] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        body = io.BytesIO()
        envelope.serialize_into(body)
        self.bodies.append(gzip.compress(body.getvalue()))


class RavenKept(RavenTransport):  # type: ignore[misc]
    bodies: list[bytes] = []

    def send(self, url: str, data: bytes, headers: dict[str, str]) -> None:
        self.bodies.append(data)


def charge(order: dict[str, Any], password: str) -> Any:
    try:
        return order["gross"]
    except KeyError as cause:
        raise ValueError(f"order {order['id']} cannot be charged") from cause


def failing(order: int) -> ValueError:
    try:
        charge({"id": order, "net": "12"}, password="hunter2-s3cr3t")
    except ValueError as error:
        return error
    raise AssertionError


def sent_by_sdk(order: int) -> Event:
    kept = Kept()
    # Without integrations: they would stay in this process for the tests after this one.
    client = sentry_sdk.Client(
        DSN,
        transport=kept,
        release="shop@1.0",
        environment="prod",
        server_name="web-1",
        default_integrations=False,
    )
    with sentry_sdk.isolation_scope() as scope:
        scope.set_client(client)
        scope.set_user({"id": 7, "email": "ada@example.com"})
        scope.set_tag("tenant", "t7")
        scope.set_extra("cart", {"items": [1, 2, float("nan")]})
        scope.add_breadcrumb(category="shop", message="opened", data={"n": 1})
        scope.capture_exception(failing(order))
    (event,) = batch(record(kept.bodies[0], "envelope", encoding="gzip", received=clock.micros())).events
    return event


def sent_by_raven(order: int) -> Event:
    RavenKept.bodies = []
    client = raven.Client(DSN, transport=RavenKept, release="shop@1.0", environment="prod", name="web-1")
    client.user_context({"id": 7})
    try:
        raise failing(order)
    except ValueError:
        client.captureException(tags={"tenant": "t7"}, extra={"cart": [1, 2]})
    (event,) = batch(record(RavenKept.bodies[0], encoding="deflate", received=clock.micros())).events
    assert zlib.decompress(RavenKept.bodies[0])
    return event


@pytest.mark.parametrize("sent", [sent_by_sdk, sent_by_raven])
def test_an_error_of_a_real_sdk_is_whole(sent: Any) -> None:
    event: Event = sent(4711)
    assert event.notes == []
    assert event.title == "ValueError: order 4711 cannot be charged"
    assert event.culprit == "tests.normalize.test_sdks in charge"
    assert (event.release, event.environment, event.tags["tenant"]) == ("shop@1.0", "prod", "t7")
    assert event.tags["server_name"] == "web-1"
    assert event.user == "id:7"
    assert [value["type"] for value in event.data["exception"]["values"]] == ["KeyError", "ValueError"]
    crash = event.data["exception"]["values"][0]["stacktrace"]["frames"][-1]
    assert crash["vars"]["password"] == "[Filtered]"
    assert crash["context_line"].strip() == 'return order["gross"]'
    assert crash["in_app"] is True


@pytest.mark.parametrize("sent", [sent_by_sdk, sent_by_raven])
def test_the_same_error_of_a_real_sdk_is_one_issue(sent: Any) -> None:
    assert group(sent(1)).hashes == group(sent(2)).hashes


def test_a_message_of_raven_is_known_by_its_template() -> None:
    RavenKept.bodies = []
    client = raven.Client(DSN, transport=RavenKept)
    for user in ("ada", "bob"):
        client.captureMessage("user %s is gone", params=(user,), level=30)
    one, two = (
        batch(record(body, encoding="deflate", received=clock.micros())).events[0]
        for body in RavenKept.bodies
    )
    assert (one.title, one.level) == ("user 'ada' is gone", "warning")
    assert group(one).hashes == group(two).hashes
