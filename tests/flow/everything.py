"""One event that has every attribute an SDK may send, and the same event with one attribute spoilt."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

Path = tuple[str | int, ...]

FRAME = {
    "function": "charge",
    "raw_function": "_charge",
    "symbol": "_ZN4shop6chargeE",
    "module": "shop.payments",
    "package": "/usr/lib/libshop.so",
    "filename": "shop/payments.py",
    "abs_path": "/srv/shop/payments.py",
    "lineno": 38,
    "colno": 7,
    "pre_context": ["def charge(cart):"],
    "context_line": "    return cart['gross']",
    "post_context": ["", ""],
    "in_app": True,
    "vars": {"cart": {"net": 100, "lines": [1, 2]}},
    "instruction_addr": "0x7fff5fbff8c0",
    "symbol_addr": "0x7fff5fbff000",
    "image_addr": "0x7fff5fb00000",
    "addr_mode": "abs",
    "platform": "python",
    "stack_start": True,
    "lock": {
        "type": 1,
        "address": "0x07d7437b",
        "package_name": "io.shop",
        "class_name": "Till",
        "thread_id": 7,
    },
    "data": {"sourcemap": "https://shop.example/app.js.map", "orig_in_app": 1},
}
THIN: dict[str, Any] = {"frames": [{"function": "main", "lineno": 1}]}
STACK = {"frames": [FRAME], "registers": {"rip": "0x0"}, "snapshot": False}
MECHANISM = {
    "type": "signalhandler",
    "description": "by hand",
    "help_link": "https://shop.example/help",
    "handled": False,
    "synthetic": False,
    "exception_id": 1,
    "parent_id": 0,
    "is_exception_group": False,
    "source": "__cause__",
    "data": {"relevant_address": "0x1"},
    "meta": {
        "signal": {"number": 11, "code": 1, "name": "SIGSEGV", "code_name": "SEGV_MAPERR"},
        "mach_exception": {"exception": 1, "code": 1, "subcode": 8, "name": "EXC_BAD_ACCESS"},
        "ns_error": {"domain": "SCShop", "code": 5},
        "errno": {"number": 1, "name": "EPERM"},
    },
}
EVERYTHING: dict[str, Any] = {
    "type": "error",
    "timestamp": "2026-11-22T14:00:00.123456Z",
    "received": 1700000000,
    "platform": "python",
    "level": "error",
    "logger": "shop.log",
    "transaction": "/checkout/",
    "transaction_info": {"source": "route"},
    "culprit": "shop.payments in charge",
    "server_name": "till-3",
    "release": "shop@1.4.2",
    "dist": "17",
    "environment": "production",
    "tags": {"till": "north", "paid": True, "lines": 3},
    "extra": {"weather": "light rain", "deep": {"er": [1, {"est": None}]}},
    "modules": {"django": "5.2"},
    "fingerprint": ["{{ default }}", "till"],
    "errors": [{"type": "invalid_data", "name": "user.id", "value": "?"}],
    "sdk": {
        "name": "sentry.python",
        "version": "2.75.0",
        "packages": [{"name": "pypi:sentry-sdk", "version": "2.75.0"}],
        "integrations": ["django"],
        "features": ["logs"],
        "settings": {"infer_ip": "auto"},
    },
    "site": "shop",
    "project": "1",
    "repos": {"/srv": {"name": "shop"}},
    "logentry": {"message": "cart of %s", "params": ["grace"], "formatted": "cart of grace"},
    "exception": {
        "values": [
            {
                "type": "KeyError",
                "value": "'gross'",
                "module": "builtins",
                "thread_id": 7,
                "stacktrace": STACK,
                "raw_stacktrace": THIN,
                "mechanism": MECHANISM,
            }
        ]
    },
    "threads": {
        "values": [
            {"id": 7, "name": "main", "crashed": True, "current": True, "main": True, "state": "RUNNABLE",
             "held_locks": {"0x1": {"type": 1, "address": "0x1"}}, "stacktrace": THIN}
        ]
    },
    "breadcrumbs": {
        "values": [
            {"timestamp": 1795356000.5, "type": "http", "category": "bank", "level": "info",
             "message": "asked", "data": {"url": "https://bank.example/", "status_code": 200},
             "event_id": "0" * 31 + "1"}
        ]
    },
    "request": {
        "url": "https://shop.example/checkout/?ref=mail#pay",
        "method": "post",
        "query_string": "ref=mail",
        "fragment": "pay",
        "data": {"article": "teapot", "amount": ["1", "2"]},
        "cookies": {"lang": "en"},
        "headers": {"User-Agent": "Mozilla/5.0", "Content-Type": "application/json"},
        "env": {"REMOTE_ADDR": "203.0.113.7"},
        "body_size": 120,
        "protocol": "http/1.1",
        "api_target": "graphql",
    },
    "user": {
        "id": "42",
        "email": "grace@example.com",
        "username": "grace",
        "ip_address": "203.0.113.7",
        "name": "Grace",
        "geo": {"city": "Vienna", "country_code": "AT", "region": "Austria", "subdivision": "Vienna"},
        "data": {"plan": "gold"},
    },
    "contexts": {
        "device": {"name": "till", "family": "Till", "model": "T3", "arch": "arm64", "battery_level": 20.5},
        "os": {"name": "Linux", "version": "6.1", "build": "7", "rooted": False},
        "runtime": {"name": "CPython", "version": "3.11.7"},
        "app": {"app_version": "1.4", "app_start_time": "2026-11-22T13:00:00Z", "view_names": ["till"]},
        "browser": {"name": "Firefox", "version": "140"},
        "culture": {"locale": "de-AT", "timezone": "Europe/Vienna", "is_24_hour_format": True},
        "trace": {"trace_id": "a" * 32, "span_id": "b" * 16, "op": "http.server", "data": {"k": 1}},
        "response": {"status_code": 500, "headers": {"X": "1"}, "cookies": {"a": "b"}, "data": "oh"},
        "flags": {"values": [{"flag": "new-till", "result": True}]},
        "replay": {"replay_id": "c" * 32},
        "order": {"number": "A-1001", "lines": [{"article": "teapot"}]},
    },
    "debug_meta": {
        "sdk_info": {"sdk_name": "iOS", "version_major": 12},
        "images": [
            {"type": "sourcemap", "code_file": "https://shop.example/app.js", "debug_id": "d" * 32},
            {"type": "macho", "debug_id": "d" * 32, "image_addr": "0x1", "image_size": 4096, "arch": "arm64"},
        ],
    },
    "template": {"filename": "cart.html", "abs_path": "/srv/cart.html", "lineno": 3},
    "measurements": {"fp": {"value": 1.5, "unit": "millisecond"}},
}  # fmt: skip
#: Shapes that only some SDKs send, put beside or instead of the others.
OLD_SHAPES: dict[str, Any] = {
    "message": {"message": "cart of %s", "params": ["'grace'"], "formatted": "cart of grace"},
    "checksum": "a" * 32,
    "level": 40,
    "platform": "python",
    "tags": [["till", "north"], ["paid", "yes"]],
    "stacktrace": THIN,
    "sentry.interfaces.Message": {"message": "cart of %s", "params": ["'grace'"]},
    "sentry.interfaces.Exception": [{"type": "KeyError", "value": "'gross'", "stacktrace": THIN}],
    "sentry.interfaces.Http": {"url": "https://shop.example/", "headers": [["Accept", "*/*"]],
                               "cookies": "lang=en", "query_string": [["ref", "mail"]]},
    "sentry.interfaces.User": {"id": 42, "ip_address": "{{auto}}"},
    "sentry.interfaces.Breadcrumbs": [{"timestamp": 1795356000, "message": "asked", "ty": "http"}],
    "sentry.interfaces.Contexts": {"os": {"name": "Linux"}},
    "sentry.interfaces.Stacktrace": THIN,
    "sentry.interfaces.Template": {"filename": "cart.html", "lineno": 3},
}  # fmt: skip

#: Every JSON type, in the forms that hurt.
WRONG: dict[str, Any] = {
    "null": None,
    "true": True,
    "negative": -1,
    "huge": 2**70,
    "float": 1.5e300,
    "text": "wrong \x00 \x1b[31m <b>&amp;</b> {a.__class__.__mro__} %60000000s",
    "surrogate": "\ud83d alone",
    "list": [None, 1, "two", [], {"three": 3}],
    "empty object": {},
    "object": {"": None, "\x00": {"values": {"values": 7}}, "type": ["error"]},
    "deep": json.loads("[" * 100 + "]" * 100),
}


def paths(node: Any, here: Path = ()) -> Iterator[Path]:
    """Every place in a JSON value, the value itself left out."""
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, below in items:
        yield (*here, key)
        yield from paths(below, (*here, key))


def spoilt(event: dict[str, Any], path: Path, wrong: Any) -> dict[str, Any]:
    """A copy of the event with the value at `path` replaced."""
    changed = copy.deepcopy(event)
    node: Any = changed
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = copy.deepcopy(wrong)
    return changed
