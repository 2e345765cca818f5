"""What an event is called and where it happened."""

from __future__ import annotations

from typing import Any

import pytest

from tests.normalize.senders import sent


def frames(*names: str, **more: Any) -> dict[str, Any]:
    return {
        "frames": [{"function": name, "module": "shop.pay", "filename": "pay.py", **more} for name in names]
    }


@pytest.mark.parametrize(
    ("payload", "title"),
    [
        ({"exception": [{"type": "KeyError", "value": "'gross'"}]}, "KeyError: 'gross'"),
        ({"exception": [{"type": "A"}, {"type": "B", "value": "last\nwins"}]}, "B: last"),
        ({"exception": [{"type": "A", "value": "x" * 200}]}, "A: " + "x" * 97 + "..."),
        ({"exception": [{"value": "no type"}]}, "<unknown>: no type"),
        (
            {
                "exception": [
                    {"type": "SIGSEGV", "mechanism": {"synthetic": True}, "stacktrace": frames("f", "crash")}
                ]
            },
            "crash",
        ),
        ({"message": "\n first line \n second"}, "first line"),
        (
            {
                "message": "the shelf is empty",
                "exception": [{"value": "the shelf is empty", "stacktrace": frames("main", "report")}],
            },
            "the shelf is empty",
        ),
        ({"message": "x" * 300}, "x" * 253 + "..."),
        ({}, "<unlabeled event>"),
        ({"csp": {"effective-directive": "img-src", "blocked-uri": "data"}}, "Blocked 'image' from 'data:'"),
    ],
)
def test_titles(payload: dict[str, Any], title: str) -> None:
    assert sent(payload).title == title


@pytest.mark.parametrize(
    ("payload", "culprit"),
    [
        ({"transaction": "/pay", "stacktrace": frames("f")}, "/pay"),
        ({"platform": "python", "stacktrace": frames("f", "charge")}, "shop.pay in charge"),
        ({"platform": "javascript", "stacktrace": frames("charge")}, "charge(shop.pay)"),
        ({"platform": "native", "stacktrace": frames("charge")}, "charge"),
        (
            {"platform": "python", "stacktrace": {"frames": [{"function": "f", "filename": "a.py"}]}},
            "a.py in f",
        ),
        ({"request": {"url": "https://a.b/c?d=e"}}, "https://a.b/c"),
        ({"request": {"url": "https://a.b/c"}, "culprit": "shop.views.pay"}, "shop.views.pay"),
        ({"threads": [{"id": 1}, {"id": 2, "crashed": True, "stacktrace": frames("f")}]}, "shop.pay in f"),
        ({}, ""),
    ],
)
def test_culprits(payload: dict[str, Any], culprit: str) -> None:
    assert sent(payload).culprit == culprit


def test_the_crash_is_the_last_frame_of_ours_that_has_a_name() -> None:
    trace = {
        "frames": [
            {"function": "main", "module": "shop", "in_app": True},
            {"function": "charge", "module": "shop.pay", "filename": "shop/pay.py", "in_app": True},
            {"function": "<anonymous>", "module": "shop.pay", "in_app": True},
            {"function": "send", "module": "http.client", "in_app": False},
        ]
    }
    event = sent({"platform": "python", "exception": [{"type": "E", "value": "v", "stacktrace": trace}]})
    assert event.culprit == "shop.pay in charge"
    assert event.metadata == {"type": "E", "value": "v", "filename": "shop/pay.py", "function": "charge"}
