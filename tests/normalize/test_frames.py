"""Stack traces, exceptions and threads."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.normalize.functions import trimmed
from app.normalize.in_app import looks_in_app
from tests.normalize.senders import noted, sent


def frames_of(frames: list[Any], **payload: Any) -> list[dict[str, Any]]:
    event = sent({"exception": [{"type": "E", "stacktrace": {"frames": frames}}], **payload})
    found: list[dict[str, Any]] = event.data["exception"]["values"][0]["stacktrace"]["frames"]
    return found


def test_a_frame_keeps_what_is_right_and_loses_what_is_wrong() -> None:
    (frame,) = frames_of(
        [
            {
                "function": "pay",
                "module": 7,
                "filename": "a.py",
                "lineno": "42",
                "colno": -1,
                "in_app": "yes",
                "pre_context": ["a", None, 3],
                "context_line": None,
                "post_context": [],
                "vars": ["x", 1],
                "instruction_addr": 4096,
                "unknown": 1,
            }
        ]
    )
    assert frame == {
        "function": "pay",
        "filename": "a.py",
        "lineno": 42,
        "pre_context": ["a", "", ""],
        "in_app": True,
        "vars": {"0": "x", "1": 1},
        "instruction_addr": "4096",
    }


def test_a_filename_is_made_of_the_path() -> None:
    paths = ["/srv/a.py", "https://cdn.shop.io/static/app.js?v=1#x", "app:///main.js"]
    kept = frames_of([{"abs_path": path} for path in paths])
    assert [frame["filename"] for frame in kept] == ["/srv/a.py", "/static/app.js", "/main.js"]


def test_a_filename_that_is_an_address_is_the_path_of_the_file() -> None:
    (frame, other) = frames_of([{"filename": "https://shop.io/static/app.js"}, {"filename": "shop/a.py"}])
    assert (frame["abs_path"], frame["filename"]) == ("https://shop.io/static/app.js", "/static/app.js")
    assert "abs_path" not in other


def test_of_a_thousand_frames_both_ends_are_kept() -> None:
    event = sent({"stacktrace": {"frames": [{"function": f"f{n}"} for n in range(1000)]}})
    kept = event.data["stacktrace"]["frames"]
    assert len(kept) == 250
    assert (kept[0]["function"], kept[124]["function"], kept[125]["function"], kept[-1]["function"]) == (
        "f0",
        "f124",
        "f875",
        "f999",
    )
    assert ("value_too_long", "stacktrace.frames") in noted(event)


def test_variables_go_from_system_frames_first_and_from_the_middle() -> None:
    frames = [{"function": str(n), "in_app": n % 10 == 0, "vars": {"n": n}} for n in range(100)]
    kept = frames_of(frames)
    with_vars = [int(frame["function"]) for frame in kept if "vars" in frame]
    assert len(with_vars) == 50
    assert set(range(0, 100, 10)) <= set(with_vars)
    assert {1, 99} <= set(with_vars)
    assert 51 not in with_vars


def test_a_trace_may_be_a_bare_list_and_one_without_frames_is_none() -> None:
    event = sent(
        {"exception": {"type": "E", "stacktrace": [{"function": "f"}]}, "stacktrace": {"frames": []}}
    )
    assert event.data["exception"]["values"][0]["stacktrace"]["frames"][0]["function"] == "f"
    assert "stacktrace" not in event.data


@pytest.mark.parametrize(
    ("frame", "platform", "own"),
    [
        ({"filename": "shop/pay.py"}, "python", True),
        ({"abs_path": "/venv/lib/python3.13/site-packages/django/x.py"}, "python", False),
        ({"abs_path": "/usr/lib/python3.13/json/decoder.py"}, "python", False),
        ({"abs_path": "C:\\Python\\Lib\\site-packages\\x.py"}, "python", False),
        ({"abs_path": "C:\\Python312\\Lib\\json\\decoder.py"}, "python", False),
        ({"abs_path": "/root/.pyenv/versions/3.12/lib/python3.12/json/decoder.py"}, "python", False),
        ({"filename": "<frozen importlib._bootstrap>"}, "python", False),
        ({"filename": "/srv/app/node_modules/express/lib/router.js"}, "node", False),
        ({"filename": "node:internal/process/task_queues"}, "node", False),
        ({"filename": "/srv/app/src/pay.js"}, "node", True),
        ({"abs_path": "chrome-extension://abc/x.js"}, "javascript", False),
        ({"abs_path": "https://shop.io/static/app.js"}, "javascript", True),
        ({"abs_path": "https://unpkg.com/react.js"}, "javascript", False),
        ({"module": "java.lang.Thread"}, "java", False),
        ({"module": "org.springframework.web.Servlet"}, "java", False),
        ({"module": "io.shop.Payments"}, "java", True),
        ({"module": "System.Threading.Tasks.Task"}, "csharp", False),
        ({"module": "Shop.Payments"}, "csharp", True),
        ({"abs_path": "/root/go/pkg/mod/github.com/x/y@v1/z.go", "module": "github.com/x/y"}, "go", False),
        ({"abs_path": "/src/main.go", "module": "main"}, "go", True),
        ({"module": "runtime"}, "go", False),
        ({"abs_path": "/usr/local/bundle/gems/rack-3.0/lib/rack.rb"}, "ruby", False),
        ({"abs_path": "/srv/app/vendor/symfony/Kernel.php"}, "php", False),
        ({"function": "std::panicking::begin_panic"}, "native", False),
        ({"function": "charge", "package": "/usr/lib/libc.so.6"}, "native", False),
        ({"package": "/var/containers/Bundle/Application/1/Shop.app/Shop", "function": "f"}, "cocoa", True),
        ({"package": "/System/Library/Frameworks/UIKit.framework/UIKit", "function": "f"}, "cocoa", False),
        ({"module": "Elixir.Phoenix.Router"}, "elixir", False),
        ({"abs_path": "package:flutter/src/widgets.dart", "module": "package:flutter/src"}, "dart", False),
    ],
)
def test_whose_a_frame_is_when_the_client_does_not_say(
    frame: dict[str, Any], platform: str, own: bool
) -> None:
    assert looks_in_app(frame, platform) is own


def test_what_the_client_says_of_a_frame_counts() -> None:
    frames = [{"abs_path": "/x/site-packages/a.py", "in_app": True}, {"filename": "own.py", "in_app": False}]
    assert [frame["in_app"] for frame in frames_of(frames, platform="python")] == [True, False]


@pytest.mark.parametrize(
    ("function", "platform", "short"),
    [
        ("Shop.Pay.Charge (System.String id)", "csharp", "Shop.Pay.Charge"),
        ("void shop::charge(std::string const&, int)", "native", "shop::charge"),
        ("shop::Cart<std::vector<int>>::add(int) const", "native", "shop::Cart<T>::add"),
        ("operator<<(std::ostream&, int)", "native", "operator<<"),
        ("bool shop::Price::operator<(Price const&) const", "native", "shop::Price::operator<"),
        ("shop::(anonymous namespace)::charge(int)", "native", "shop::(anonymous namespace)::charge"),
        ("?A0x1234abcd::charge", "native", "(anonymous namespace)::charge"),
        ("<alloc::vec::Vec<T> as core::ops::Drop>::drop", "native", "alloc::vec::Vec<T>::drop"),
        ("shop::pay::h0123456789abcdef", "native", "shop::pay"),
        ("-[ShopController pay:]", "cocoa", "-[ShopController pay:]"),
        ("static Shop.Payment.charge(order: Shop.Order) throws -> Swift.Int", "cocoa", "Shop.Payment.charge"),
        ("closure #1 (Swift.Int) -> () in Shop.pay() async -> ()", "cocoa", "Shop.pay"),
        ("thunk for @escaping @callee_guaranteed () -> ()", "cocoa", "thunk for closure"),
        ("auto shop::pay(std::function<int ()>) -> int", "native", "shop::pay"),
        ("<redacted>", "native", "<redacted>"),
        ("_charge@12", "native", "_charge"),
        ("memcpy@@GLIBC_2.14", "native", "memcpy"),
        ("charge(int) [clone .cold]", "native", "charge"),
        ("charge (x)", "python", "charge (x)"),
        ("a(b", "native", "a(b"),
        ("", "native", ""),
    ],
)
def test_functions_lose_what_changes_from_build_to_build(function: str, platform: str, short: str) -> None:
    assert trimmed(function, platform) == short


def test_a_trimmed_function_keeps_its_whole_name_aside() -> None:
    (frame,) = frames_of([{"function": "void charge(int)"}], platform="native")
    assert (frame["function"], frame["raw_function"]) == ("charge", "void charge(int)")


@pytest.mark.parametrize(
    "exception",
    [
        [{"type": "A", "value": "b"}],
        {"values": [{"type": "A", "value": "b"}]},
        {"type": "A", "value": "b"},
        {"values": [None, {"type": "A", "value": "b"}]},
    ],
)
def test_exceptions_are_a_list_or_values_or_a_single_one(exception: Any) -> None:
    for name in ("exception", "sentry.interfaces.Exception"):
        event = sent({name: exception})
        assert event.data["exception"] == {"values": [{"type": "A", "value": "b"}]}
        assert (event.kind, event.title) == ("error", "A: b")


@pytest.mark.parametrize(
    ("sent_exception", "kept"),
    [
        ({"type": "A", "value": {"a": [1]}}, {"type": "A", "value": '{"a":[1]}'}),
        ({"type": "A", "value": 5}, {"type": "A", "value": "5"}),
        ({"value": "ValueError: too many: 3"}, {"type": "ValueError", "value": "too many: 3"}),
        ({"value": "no type"}, {"value": "no type"}),
        ({"type": "A", "mechanism": "onerror"}, {"type": "A", "mechanism": {"type": "onerror"}}),
        (
            {"type": "A", "mechanism": {"handled": True}},
            {"type": "A", "mechanism": {"type": "generic", "handled": True}},
        ),
        ({"type": "A", "thread_id": 12}, {"type": "A", "thread_id": "12"}),
    ],
)
def test_an_exceptions_attributes(sent_exception: dict[str, Any], kept: dict[str, Any]) -> None:
    assert sent({"exception": [sent_exception]}).data["exception"]["values"] == [kept]


def test_an_exception_that_says_nothing_is_left_out_with_a_note() -> None:
    event = sent({"exception": [{"module": "x"}, {"type": "A"}]})
    assert event.data["exception"]["values"] == [{"type": "A"}]
    assert noted(event) == {("missing_attribute", "exception.values.0.type")}


def test_threads_keep_their_names_and_traces() -> None:
    event = sent(
        {"threads": {"values": [{"id": 1, "crashed": True, "stacktrace": {"frames": [{"function": "f"}]}}]}}
    )
    assert event.data["threads"]["values"] == [
        {"id": "1", "crashed": True, "stacktrace": {"frames": [{"function": "f", "in_app": True}]}}
    ]
    assert event.culprit == "f"


def test_what_is_checked_quickly_is_kept_as_what_is_checked_slowly() -> None:
    frame = {
        "function": "pay",
        "module": "shop",
        "filename": "a.py",
        "abs_path": "/a.py",
        "lineno": 4,
        "colno": 2,
        "pre_context": ["a"],
        "context_line": "b",
        "post_context": ["c"],
        "in_app": True,
        "vars": {"a": {"b": [1]}},
        "platform": "python",
    }
    quick, slow = frames_of([frame, {**frame, "stack_start": True}])
    assert {**quick, "stack_start": True} == slow
    assert json.dumps(quick, sort_keys=True) == json.dumps(frame, sort_keys=True)


def test_nulls_of_a_frame_are_absent_attributes() -> None:
    frame = {
        "function": "pay",
        "module": None,
        "filename": "a.py",
        "vars": {"a": None},
        "in_app": None,
        "lineno": None,
    }
    assert frames_of([frame]) == [{"function": "pay", "filename": "a.py", "in_app": True}]


def test_frames_without_source_and_an_odd_one_leave_their_neighbours_as_they_are() -> None:
    whole = {"function": "pay", "filename": "a.py", "abs_path": "/a.py", "in_app": True, "pre_context": ["x"]}
    bare = {**whole, "pre_context": [], "post_context": [], "context_line": None, "vars": {}}
    odd = {**whole, "lineno": "7", "platform": "p" * 65}
    (alone,) = frames_of([whole])
    kept = frames_of([whole, bare, odd, None, whole])
    assert (kept[0], kept[3]) == (alone, alone) == (whole, whole)
    assert kept[1] == {name: value for name, value in whole.items() if name != "pre_context"}
    assert kept[2] == {**whole, "lineno": 7, "platform": "p" * 61 + "..."}
