"""The transport for Redis and Valkey is ours, whatever form the address has."""

from __future__ import annotations

import pytest
from pytest_django.fixtures import Settings

from tasks import queues, valkey


@pytest.mark.parametrize(
    "url", ["redis://127.0.0.1:6379/3", "rediss://example.com/0", "redis+socket:///run/v.sock?virtual_host=0"]
)
def test_every_form_of_address_has_dead_letters(url: str, settings: Settings) -> None:
    settings.QUEUE_URL = url
    assert queues.connect().transport_cls is not None
    assert isinstance(queues.connect().transport, valkey.Transport)
