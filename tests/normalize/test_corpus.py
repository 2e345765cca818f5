"""Events of many languages, as their clients send them."""

from __future__ import annotations

import json
import re

import pytest

from app.base.json import encode
from tests.events import NAMES, payload
from tests.normalize.senders import noted, sent

#: Title, culprit, level, platform, user, and whose each frame of the thrown exception is (A: our user's).
EXPECTED = {
    "as3": (
        "Error #1009: Cannot access a property or method of a null object reference.",
        "Till.as in shop.view.Till/charge()",
        "error",
        "as3",
        "",
        "",
    ),
    "c": ("charge: Segfault", "charge", "fatal", "c", "", "AA"),
    "cfml": (
        "Expression: Element GROSS is undefined in ORDER.",
        "payments.cfc in charge",
        "error",
        "cfml",
        "",
        "AA",
    ),
    "cocoa": (
        "Shop.Payment.charge: Attempted to dereference garbage pointer at 0x10.",
        "Shop.Payment.charge",
        "fatal",
        "cocoa",
        "id:u-1",
        "--AA",
    ),
    "csharp": (
        "System.InvalidOperationException: Sequence contains no elements",
        "Shop.Payments in Charge",
        "error",
        "csharp",
        "",
        "-A",
    ),
    "dart": ("StateError: Bad state: No element", "package:shop in Pay.charge", "error", "dart", "", "-A"),
    "elixir": (
        "KeyError: key :gross not found in: %{net: 12}",
        "Elixir.Shop.Pay in Shop.Pay.charge/1",
        "error",
        "elixir",
        "",
        "-A",
    ),
    "go": (
        "*errors.errorString: charge of order 4711 failed",
        "example.com/shop/pay in (*Shop).Charge",
        "error",
        "go",
        "",
        "--A",
    ),
    "groovy": (
        "MissingPropertyException: No such property: gross for class: shop.Order",
        "shop.Payments$_closure1 in doCall",
        "error",
        "groovy",
        "",
        "AA",
    ),
    "haskell": ("Prelude.head: empty list", "", "fatal", "haskell", "", ""),
    "java": ("IllegalStateException: no balance", "io.shop.Payments in charge", "fatal", "java", "", "--AAA"),
    "javascript": (
        "TypeError: Cannot read properties of undefined (reading 'total')",
        "Cart.checkout(/static/app.3f2a1c.js)",
        "error",
        "javascript",
        "ip:203.0.113.9",
        "AA",
    ),
    "native": ("shop::Cart<T>::charge: abort", "shop::Cart<T>::charge", "error", "native", "", "-A-"),
    "node": ("Error: connect ECONNREFUSED 10.0.0.5:5432", "loadOrder(orders)", "error", "node", "", "--A"),
    "perl": (
        'Can\'t locate object method: Can\'t locate object method "gross" via package "Shop::Order"'
        " at lib/Shop/Payments.pm line 41.",
        "Shop::Payments in Shop::Payments::charge",
        "error",
        "perl",
        "",
        "",
    ),
    "php": (
        'ErrorException: Undefined array key "gross"',
        "/app/Pay.php in class@anonymous\ufffd/srv/shop/app/Pay.php:12$0::charge",
        "error",
        "php",
        "ip:198.51.100.7",
        "A-A",
    ),
    "python": (
        "PaymentError: order 4711 cannot be charged",
        "/checkout/{cart_id}/",
        "error",
        "python",
        "id:7",
        "-AA",
    ),
    "raven-js": ("Error: boom", "http://shop/static/app.js", "error", "javascript", "ip:203.0.113.9", "AA"),
    "raven-message": ("disk /dev/sda1 at 91 percent", "http://shop/pay", "warning", "python", "id:7", ""),
    "raven-node": ("Error: boom", "index", "error", "node", "", "-A"),
    "raven-python": (
        "ValueError: invalid literal for int() with base 10: 'x7'",
        "shop.pay in charge",
        "error",
        "python",
        "",
        "A",
    ),
    "ruby": (
        "NoMethodError: undefined method `total' for nil (NoMethodError)",
        "OrdersController#charge",
        "error",
        "ruby",
        "",
        "-AA",
    ),
    "rust": (
        "panic: index out of bounds: the len is 3 but the index is 7",
        "shop::pay::Charge::call_once",
        "error",
        "native",
        "",
        "-A--",
    ),
}


@pytest.mark.parametrize("name", NAMES)
def test_every_language_is_understood(name: str) -> None:
    event = sent(payload(name))
    values = event.data.get("exception", {"values": [{}]})["values"]
    frames = values[-1].get("stacktrace", {"frames": []})["frames"]
    owners = "".join("A" if frame["in_app"] else "-" for frame in frames)
    assert (event.title, event.culprit, event.level, event.platform, event.user, owners) == EXPECTED[name]


@pytest.mark.parametrize(
    "name", [name for name in NAMES if name != "php"]
)  # it has a NUL in a function's name
def test_nothing_is_wrong_with_what_real_clients_send(name: str) -> None:
    assert noted(sent(payload(name))) == set()


#: Not found again word by word: times, ids in capitals, secrets, queries, a NUL, a mechanism out of place.
REWRITTEN = re.compile(
    r"2026-11-22T1[34]:59:59|0F4E2A6C|hunter2|Bearer|/cart\?|^get$|^x=1$|/pay\?x=1|class@anonymous\0|^instrument$"
    r"|^a=1&token|^CFID="
)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_lost_of_what_real_clients_send(name: str) -> None:
    event = sent(payload(name))
    kept = encode([event.data, event.tags]).decode()
    gone = [text for text in texts(payload(name)) if encode(text)[1:-1].decode() not in kept]
    assert [text for text in gone if not REWRITTEN.search(text)] == []


def texts(value: object) -> list[str]:
    if isinstance(value, dict):
        return [text for inner in value.values() for text in texts(inner)]
    if isinstance(value, list):
        return [text for inner in value for text in texts(inner)]
    return [value] if isinstance(value, str) and value else []


@pytest.mark.parametrize("name", NAMES)
def test_sending_a_normalised_event_again_changes_nothing(name: str) -> None:
    event = sent(payload(name))
    again = sent(json.loads(encode(event.data)))
    assert again.data == event.data
    assert (again.title, again.culprit, again.tags, again.user) == (
        event.title,
        event.culprit,
        event.tags,
        event.user,
    )
