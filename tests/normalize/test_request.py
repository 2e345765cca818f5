"""Requests and breadcrumbs."""

from __future__ import annotations

from typing import Any

import pytest

from tests.normalize.senders import noted, sent


def request_of(request: Any) -> dict[str, Any]:
    found: dict[str, Any] = sent({"request": request}).data.get("request", {})
    return found


def test_query_and_fragment_are_taken_out_of_the_address() -> None:
    assert request_of({"url": "https://shop.io/pay?page=2&sort=#top", "method": "post"}) == {
        "url": "https://shop.io/pay",
        "query_string": [["page", "2"], ["sort", ""]],
        "fragment": "top",
        "method": "POST",
    }


@pytest.mark.parametrize(
    "query", ["?a=b&c=d%20e", {"a": "b", "c": "d e"}, [["a", "b"], ["c", "d e"]], "a=b&c=d+e"]
)
def test_a_query_comes_as_text_as_an_object_or_as_pairs(query: Any) -> None:
    assert request_of({"query_string": query})["query_string"] == [["a", "b"], ["c", "d e"]]


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "text/html", "X-MANY": ["a", "b"], "cookie": "theme=dark; lang=en", "age": 7},
        [["content-type", "text/html"], ["X-MANY", "a, b"], ["Cookie", "theme=dark; lang=en"], ["age", 7]],
    ],
)
def test_headers_are_pairs_with_usual_names_and_cookies_apart(headers: Any) -> None:
    kept = request_of({"headers": headers})
    assert kept["headers"] == [["Content-Type", "text/html"], ["X-Many", "a, b"], ["Age", "7"]]
    assert kept["cookies"] == [["theme", "dark"], ["lang", "en"]]


@pytest.mark.parametrize(
    ("data", "headers", "kept", "kind"),
    [
        ('{"a": [1, {"b": null}]}', {}, {"a": [1, {"b": None}]}, "application/json"),
        ("[1, 2]", {}, [1, 2], "application/json"),
        ("{broken", {}, "{broken", None),
        ("a=b&c=d+e", {}, {"a": "b", "c": "d e"}, "application/x-www-form-urlencoded"),
        (
            "a=b",
            {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"},
            {"a": "b"},
            "application/x-www-form-urlencoded",
        ),
        ("a = b is prose", {}, "a = b is prose", None),
        ("<a href='x=y'>", {}, "<a href='x=y'>", None),
        ({"a": 1}, {"content-type": "application/json"}, {"a": 1}, "application/json"),
        (7, {}, 7, None),
    ],
)
def test_bodies_are_parsed_so_that_they_can_be_read(
    data: Any, headers: Any, kept: Any, kind: str | None
) -> None:
    found = request_of({"data": data, "headers": headers})
    assert found["data"] == kept
    assert found.get("inferred_content_type") == kind


def test_a_large_body_is_cut_with_a_note() -> None:
    event = sent({"request": {"data": {"a": "x" * 20_000, "b": 1}}})
    assert len(str(event.data["request"]["data"])) < 9000
    assert ("value_too_long", "request.data") in noted(event)


@pytest.mark.parametrize("name", ["headers", "cookies", "query_string"])
def test_endless_pairs_are_cut(name: str) -> None:
    event = sent({"request": {name: {f"k{n}": "x" * 100 for n in range(1000)}}})
    assert len(str(event.data["request"][name])) < 12_000
    assert ("value_too_long", f"request.{name}") in noted(event)


def test_breadcrumbs_have_a_type_a_level_and_a_time_in_utc() -> None:
    event = sent(
        {
            "breadcrumbs": {
                "values": [
                    {
                        "timestamp": 1795355998.5,
                        "category": "auth",
                        "message": "in",
                        "data": {"a": None, "b": 1},
                    },
                    {"timestamp": "2026-11-22T14:59:59+01:00", "ty": "http", "level": "log"},
                    {"timestamp": "2026-13-22T14:59:59.000000Z", "message": "a month too many"},
                    {"timestamp": "soon", "level": "nonsense", "type": "x" * 200},
                    None,
                    {},
                ]
            }
        }
    )
    assert event.data["breadcrumbs"]["values"] == [
        {
            "timestamp": "2026-11-22T13:59:58.500000Z",
            "category": "auth",
            "message": "in",
            "data": {"b": 1},
            "type": "default",
            "level": "info",
        },
        {"timestamp": "2026-11-22T13:59:59.000000Z", "type": "http", "level": "info"},
        {"message": "a month too many", "type": "default", "level": "info"},
        {"type": "x" * 125 + "...", "level": "info"},
    ]
    assert noted(event) == {
        ("invalid_data", "breadcrumbs.values.3.level"),
        ("invalid_data", "breadcrumbs.values.2.timestamp"),
        ("invalid_data", "breadcrumbs.values.3.timestamp"),
        ("value_too_long", "breadcrumbs.values.3.type"),
    }


def test_bags_are_bounded_in_depth_and_size() -> None:
    deep: Any = "bottom"
    for _ in range(30):
        deep = {"a": [deep]}
    event = sent(
        {
            "extra": {"deep": deep, "wide": ["x" * 50] * 1000, "kept": 1},
            "contexts": {"big": {"a": "é" * 20_000}},
        }
    )
    assert event.data["extra"]["kept"] == 1
    assert "bottom" not in str(event.data["extra"]["deep"])
    assert len(str(event.data["extra"]["wide"])) < 20_000
    assert event.data["contexts"]["big"]["a"].endswith("é...")
    assert {name for _, name in noted(event)} == {"extra.deep", "extra.wide", "contexts.big"}
