"""Which events are one issue, and why."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from msgspec.json import decode, encode

from app.event import Component, Grouping
from app.grouping import CURRENT, explain, group
from app.grouping.components import Part, branch, leaf
from app.grouping.engine import balanced
from tests.events import NAMES, payload
from tests.normalize.senders import sent


def grouped(payload: dict[str, Any]) -> Grouping:
    """With its trees; that the hashes alone are the same is seen in passing."""
    event = sent(payload)
    found, short = explain(event.data, event.tags), group(event)
    assert (short.hashes, short.fingerprint) == (found.hashes, found.fingerprint)
    return found


def trace(*frames: str, in_app: bool | None = True, **more: Any) -> dict[str, Any]:
    return {"frames": [{"function": name, "module": "shop.pay", "in_app": in_app, **more} for name in frames]}


def error(value: str = "v", *, kind: str = "E", **more: Any) -> dict[str, Any]:
    return {"platform": "python", "exception": [{"type": kind, "value": value, **more}]}


def texts(grouping: Grouping, variant: str) -> list[str]:
    """What went into the hash of a variant."""
    component = next(one.component for one in grouping.variants if one.name == variant)
    assert component is not None
    return leaves(component)


def leaves(component: Component) -> list[str]:
    """The texts in a tree that count, in order."""
    found: list[str] = []
    for value in component.values if component.contributes else ():
        found += [value] if isinstance(value, str) else leaves(value)
    return found


def hints(component: Component | None) -> list[str]:
    if component is None:
        return []
    inner = [hint for value in component.values if isinstance(value, Component) for hint in hints(value)]
    return [component.hint, *inner] if component.hint else inner


def all_hints(grouping: Grouping) -> list[str]:
    return [
        hint for variant in grouping.variants for hint in [variant.hint, *hints(variant.component)] if hint
    ]


def test_frames_of_ours_and_of_others_give_two_hashes_ours_first() -> None:
    stack = {"frames": [{"function": "lib", "in_app": False}, {"function": "pay", "in_app": True}]}
    found = grouped(error(stacktrace=stack))
    assert [variant.name for variant in found.variants] == ["app", "system"]
    assert found.hashes == [variant.hash for variant in found.variants]
    assert texts(found, "app") == ["E", "pay"]
    assert texts(found, "system") == ["E", "lib", "pay"]
    assert "ignored because it is not in-app" in all_hints(found)
    assert found.config == CURRENT


@pytest.mark.parametrize("in_app", [True, False])
def test_frames_of_one_kind_give_one_hash(in_app: bool) -> None:
    found = grouped(error(stacktrace=trace("a", "b", in_app=in_app)))
    assert len(found.hashes) == 1
    assert texts(found, "system") == ["E", "shop.pay", "a", "shop.pay", "b"]
    assert ("ignored because it has no in-app frames" in all_hints(found)) is not in_app


def test_a_hash_is_the_md5_of_its_parts_without_separators() -> None:
    found = grouped(error(stacktrace=trace("a", in_app=True)))
    assert found.hashes == [hashlib.md5(b"Eshop.paya").hexdigest()]


def test_the_message_of_an_exception_with_a_trace_does_not_matter() -> None:
    one, two = (grouped(error(value, stacktrace=trace("a"))) for value in ("order 1", "no such customer"))
    assert one.hashes == two.hashes
    assert "ignored because the stack trace says more" in all_hints(one)


@pytest.mark.parametrize(
    ("one", "two", "same"),
    [
        (error("order 17 is gone"), error("order 18 is gone"), True),
        (error("order 17 is gone"), error("cart 17 is gone"), False),
        (error("x", kind="A"), error("x", kind="B"), False),
        ({"message": "user 7 logged in"}, {"message": "user 8 logged in"}, True),
        ({"message": "user ada logged in"}, {"message": "user bob logged in"}, False),
        (
            {"logentry": {"message": "user %s", "params": ["ada"]}},
            {"logentry": {"message": "user %s", "params": ["bob"]}},
            True,
        ),
        (error("x", stacktrace=trace("a", lineno=1)), error("x", stacktrace=trace("a", lineno=99)), True),
        (error("x", stacktrace=trace("a")), error("x", stacktrace=trace("b")), False),
        (error("x", stacktrace=trace("a")), {"message": "x"}, False),
        (
            error("x", stacktrace=trace("a", context_line="  a =  1")),
            error("x", stacktrace=trace("a", context_line="\ta = 1\n")),
            True,
        ),
        (
            error("x", stacktrace=trace("a", context_line="a = 1")),
            error("x", stacktrace=trace("a", context_line="a = 2")),
            False,
        ),
    ],
)
def test_what_is_one_issue(one: dict[str, Any], two: dict[str, Any], same: bool) -> None:
    assert (grouped(one).hashes == grouped(two).hashes) is same


def test_an_exception_without_a_trace_is_known_by_type_and_message() -> None:
    assert texts(grouped(error("order 17\nat 10:15\nand more")), "system") == [
        "E",
        "order <int>\nat <date>...",
    ]


def test_recursion_counts_once() -> None:
    deep, shallow = (grouped(error(stacktrace=trace("a", *["b"] * times, "c"))) for times in (1000, 1))
    assert deep.hashes == shallow.hashes
    assert "ignored because it calls itself" in all_hints(deep)
    other_line = {"frames": [{"function": "b", "lineno": 1}, {"function": "b", "lineno": 2}]}
    assert texts(grouped(error(stacktrace=other_line)), "system") == ["E", "b", "b"]


def test_a_chain_counts_from_its_oldest_cause_on() -> None:
    chain = {"exception": [{"type": "Cause", "value": "x"}, {"type": "Thrown", "stacktrace": trace("a")}]}
    assert texts(grouped(chain), "system") == ["Cause", "x", "Thrown", "shop.pay", "a"]


def group_of(*members: tuple[str, str], parent: int = 0) -> dict[str, Any]:
    """A payload with an exception group, its root last."""
    values = [
        {
            "type": kind,
            "value": value,
            "mechanism": {"type": "chained", "exception_id": index + 1, "parent_id": parent},
        }
        for index, (kind, value) in enumerate(members)
    ]
    root = {
        "type": "ExceptionGroup",
        "value": "many",
        "mechanism": {"exception_id": 0, "is_exception_group": True},
    }
    return {"platform": "python", "exception": [*reversed(values), root]}


def test_a_group_of_three_equal_exceptions_is_the_single_one() -> None:
    single = grouped(group_of(("E", "order 1")))
    assert grouped(group_of(("E", "order 1"), ("E", "order 2"), ("E", "order 3"))).hashes == single.hashes
    assert texts(single, "system") == ["E", "order <int>"]


def test_a_group_of_different_exceptions_keeps_one_of_each_and_the_group() -> None:
    found = grouped(group_of(("B", "x"), ("A", "y"), ("B", "x")))
    assert texts(found, "system") == ["B", "x", "A", "y", "ExceptionGroup", "many"]


def test_a_group_that_is_its_own_parent_is_a_chain() -> None:
    loop = group_of(("A", "x"), parent=1)
    assert texts(grouped(loop), "system") == ["A", "x", "ExceptionGroup", "many"]


def test_a_lone_script_frame_without_a_function_says_nothing() -> None:
    frame = {"module": "app", "abs_path": "https://shop.io/app.js", "in_app": True}
    lone = {
        "platform": "javascript",
        "exception": [{"type": "E", "value": "v", "stacktrace": {"frames": [frame]}}],
    }
    assert texts(grouped(lone), "system") == ["E", "v"]
    lone["exception"][0]["stacktrace"]["frames"].append({**frame, "function": "pay"})  # type: ignore[index]
    assert texts(grouped(lone), "system") == ["E", "app", "app", "pay"]


def test_a_group_inside_itself_ends() -> None:
    payload = group_of(("Inner", "x"), ("E", "y"))
    inner, root = payload["exception"][1], payload["exception"][2]
    inner["mechanism"]["is_exception_group"] = True
    root["mechanism"]["parent_id"] = 1
    assert texts(grouped(payload), "system") == ["E", "y"]
    inner["mechanism"]["is_exception_group"] = False
    assert texts(grouped(payload), "system")


def test_a_variant_without_a_trace_never_stands_beside_one_with_a_trace() -> None:
    whole = branch("exception", [leaf("type", "E"), branch("stacktrace", [leaf("frame", "f")])])
    bare, nothing = branch("exception", [leaf("type", "E")]), branch("exception", [])

    def counting(app: Part, system: Part) -> list[str]:
        kept = balanced({"app": app, "system": system})
        return [name for name, part in kept.items() if part.contributes]

    assert counting(whole, nothing) == []
    assert counting(whole, bare) == ["app"]
    assert counting(bare, whole) == ["system"]
    assert counting(whole, whole) == ["system"]
    assert counting(nothing, whole) == ["system"]


def test_a_made_up_type_counts_only_in_the_system_variant() -> None:
    stack = {"frames": [{"function": "lib", "in_app": False}, {"function": "pay", "in_app": True}]}
    found = grouped(error(kind="SIGSEGV", mechanism={"type": "signal", "synthetic": True}, stacktrace=stack))
    assert texts(found, "app") == ["pay"]
    assert texts(found, "system") == ["SIGSEGV", "lib", "pay"]


def test_an_error_code_of_apple_counts_instead_of_its_message() -> None:
    mechanism = {"type": "NSError", "meta": {"ns_error": {"domain": "ShopErrors", "code": 7}}}
    assert texts(grouped(error("text", mechanism=mechanism)), "system") == ["E", "ShopErrors", "7"]


def test_the_thread_that_crashed_counts() -> None:
    threads = [{"id": 1, "stacktrace": trace("idle")}, {"id": 2, "crashed": True, "stacktrace": trace("pay")}]
    assert texts(grouped({"threads": threads}), "system") == ["shop.pay", "pay"]
    undecided = grouped({"threads": [{**one, "crashed": False} for one in threads], "message": "hello"})
    assert texts(undecided, "default") == ["hello"]


def test_a_template_is_known_by_its_line() -> None:
    found = grouped(
        {"template": {"filename": "cart.html", "context_line": "{{ total }}", "lineno": 7}, "message": "x"}
    )
    assert texts(found, "default") == ["cart.html", "{{ total }}"]


def test_the_strongest_strategy_switches_the_others_off() -> None:
    found = grouped({**error(stacktrace=trace("a")), "message": "hello", "threads": [{"id": 1}]})
    assert "ignored because the exception takes precedence" in all_hints(found)
    assert len(found.hashes) == 1


def test_nothing_at_all_is_one_issue_for_a_project() -> None:
    found = grouped({})
    assert found.hashes == [hashlib.md5(b"").hexdigest()]
    assert found.variants[0].name == "fallback"
    assert grouped({"exception": [{"type": "", "value": ""}]}).hashes == found.hashes


@pytest.mark.parametrize(
    ("checksum", "expected"),
    [
        ("C" * 32, "c" * 32),
        ("my own", hashlib.md5(b"my own").hexdigest()),
        ("x" * 32, hashlib.md5(b"x" * 32).hexdigest()),
    ],
)
def test_a_checksum_decides_alone(checksum: str, expected: str) -> None:
    found = grouped({**error(stacktrace=trace("a")), "checksum": checksum})
    assert found.hashes == [expected]
    assert [variant.name for variant in found.variants] == ["checksum"]


# -- fingerprints ------------------------------------------------------------------------------------------


def test_the_default_fingerprint_changes_nothing() -> None:
    plain = grouped(error(stacktrace=trace("a")))
    for default in ("{{ default }}", "{{default}}", "  {{ default}} "):
        assert grouped({**error(stacktrace=trace("a")), "fingerprint": [default]}).hashes == plain.hashes


def test_a_fingerprint_replaces_what_would_count() -> None:
    found = grouped({**error(stacktrace=trace("a")), "fingerprint": ["payments", "down"]})
    assert found.hashes == [hashlib.md5(b"paymentsdown").hexdigest()]
    assert found.fingerprint == ["payments", "down"]
    assert found.hashes == grouped({"message": "other", "fingerprint": ["payments", "down"]}).hashes
    assert "ignored because the fingerprint replaces it" in all_hints(found)


def test_a_fingerprint_with_the_default_splits_what_would_be_one() -> None:
    payload = error(
        stacktrace={"frames": [{"function": "lib", "in_app": False}, {"function": "pay", "in_app": True}]}
    )
    one, two = (grouped({**payload, "fingerprint": ["{{ default }}", tenant]}) for tenant in ("t1", "t2"))
    assert len(one.hashes) == 2
    assert not set(one.hashes) & {*two.hashes, *grouped(payload).hashes}
    assert one.hashes[0] == hashlib.md5(b"Epayt1").hexdigest()


def test_variables_are_filled_in_and_what_is_missing_is_said() -> None:
    frames = [
        {
            "function": "pay",
            "module": "shop.pay",
            "abs_path": "/srv/pay.py",
            "package": "/opt/shop.so",
            "in_app": True,
        },
        {"function": "lib", "in_app": False},
    ]
    payload = {
        "platform": "python",
        "level": "fatal",
        "logger": "shop",
        "transaction": "/pay",
        "message": "hello",
        "tags": {"tenant": "t7"},
        "exception": [{"type": "E", "value": "v", "stacktrace": {"frames": frames}}],
    }
    names = [
        "transaction",
        "message",
        "error.type",
        "type",
        "value",
        "function",
        "stack.module",
        "path",
        "package",
        "level",
        "logger",
        "tags.tenant",
        "tags.none",
        "stack.filename",
        "odd",
    ]
    wanted = [
        "/pay",
        "hello",
        "E",
        "E",
        "v",
        "pay",
        "shop.pay",
        "/srv/pay.py",
        "shop.so",
        "fatal",
        "shop",
        "t7",
        "<no-value-for-tag-none>",
        "/srv/pay.py",
        "<unrecognized-variable-odd>",
    ]
    fingerprint = [f"{{{{ {name} }}}}" for name in names]
    assert grouped({**payload, "fingerprint": fingerprint}).fingerprint == wanted
    known = ["function", "path", "stack.filename", "type"]
    assert grouped({"fingerprint": [f"{{{{ {name} }}}}" for name in known]}).fingerprint == [
        "<no-function>",
        "<no-abs-path>",
        "<no-filename>",
        "<no-type>",
    ]


def test_braces_that_are_no_variable_stay_as_they_are() -> None:
    odd = ["{{}}", "{{ a b }}", "{ default }", "{{ a.__class__ }}"]
    assert grouped({"fingerprint": odd}).fingerprint == [*odd[:3], "<unrecognized-variable-a.__class__>"]


# -- released configurations -------------------------------------------------------------------------------

#: These never change: a different hash makes a new issue of every old one.
RELEASED: dict[str, list[str]] = {
    "as3": ["589b62c3c5d9e1989084c0307ba252f1"],
    "c": ["a0cbd5ef41c6c3d27647a139c8909343", "a12e94471974ff055ada825675b81612"],
    "cfml": ["a9750d63f4c8e2ba939132bef55f5ff6"],
    "cocoa": ["0998d4f66fdbb3b096a6d76c9cf7e194", "129ed925df08686c5ba920ff9aa8d161"],
    "csharp": ["4a87dc645f24bed2689f213767aabd7e", "1e61ae4de8651eeafd9a4d2bd6729811"],
    "dart": ["004411dee9a4da4c650e1176c0000f6b", "0e326cb2d554ba31a6cd433b4c41bf95"],
    "elixir": ["06a81e1a5159dcd14ed18d26f9788183", "a4fc1054a9878f69cf10b2d61174a283"],
    "go": ["4263a04c221db7798626bbeda2a924ca", "41ce39bea2135000c49967d47fbf5c04"],
    "groovy": ["34576be27e5418a4f42fd6f83831ade9"],
    "haskell": ["ade1b4660ac98ca6adbfca256424e6d3"],
    "java": ["55730ecb731cc871b09f51c91c6c9802", "d85a39452650a46eab17d3396f74bf55"],
    "javascript": ["37c2f0e4ccd65abe3ed9f31668b08c4e"],
    "native": ["341431dffd84940a6a031756b263c27d", "ba30fb2565c1c5aad2ee559570d5a305"],
    "node": ["5aa9c36bd7c7e301f5fe9c1fcff015fa", "eba760499722f95e2d0b9cb5cbaca03d"],
    "perl": ["16fe3e7e7a01eeee875c7076f2b23e86"],
    "php": ["fb421ea60ac0b5b229599f2d7cc0c622", "0af65534903e2bf33d6a21578a6c29dd"],
    "python": ["30e10f7c935255d2762fcb2f56c720a1", "00b94af5b188a06d1af8e5cc6e0208d7"],
    "raven-js": ["9f2e81f46c0e7343c57be7475faa7986"],
    "raven-message": ["2e3583f766e4066d08a8a9a4d2de9772"],
    "raven-node": ["10e041f64685811f02fbaf32e1f06085", "8bd21c1a349f22e23a39926a11d563d4"],
    "raven-python": ["92e7d2084982093069844cd100f30728"],
    "ruby": ["70caea7262199eccbed6cba462feeee7", "c0d53cf64f86f33c02bd890b6993c556"],
    "rust": ["ad6b4021c5d0d480414d724133082809", "a80aa30dcf4cc1f9c433736854fcd565"],
}


@pytest.mark.parametrize("name", NAMES)
def test_a_released_configuration_never_changes(name: str) -> None:
    assert group(sent(payload(name)), "2026-11").hashes == RELEASED[name]


#: The same of those that the rules of 2026-12 changed.
RULED = {
    "java": ["55730ecb731cc871b09f51c91c6c9802", "9a6195ece1864d48e518548b61c9340a"],
    "native": ["341431dffd84940a6a031756b263c27d", "81341078a3c3dab4bb0f4105f627d0e5"],
    "node": ["5aa9c36bd7c7e301f5fe9c1fcff015fa", "b161b8cdb27277f8f3abe4c9a49c97b4"],
    "rust": ["ad6b4021c5d0d480414d724133082809"],
}


@pytest.mark.parametrize("name", NAMES)
def test_the_configuration_with_rules_never_changes(name: str) -> None:
    assert group(sent(payload(name)), "2026-12").hashes == RULED.get(name, RELEASED[name])


@pytest.mark.parametrize("name", NAMES)
def test_a_stored_event_explains_itself(name: str) -> None:
    event = sent(payload(name))
    found = explain(decode(encode(event.data)), event.tags, CURRENT)
    short = group(event)
    assert [variant.hash for variant in found.variants if variant.hash] == short.hashes
    assert [(variant.name, variant.hash) for variant in found.variants if variant.hash] == [
        (variant.name, variant.hash) for variant in short.variants
    ]


@pytest.mark.parametrize("name", NAMES)
def test_the_tree_that_is_shown_is_the_one_that_was_hashed(name: str) -> None:
    event = sent(payload(name))
    for variant in explain(event.data, event.tags).variants:
        assert variant.component is not None
        counted = "".join(leaves(variant.component)).encode()
        assert variant.hash == (hashlib.md5(counted).hexdigest() if variant.component.contributes else None)


@pytest.mark.parametrize("name", NAMES)
def test_every_part_that_does_not_count_says_why(name: str) -> None:
    event = sent(payload(name))
    for variant in explain(event.data, event.tags).variants:
        assert variant.component is not None
        for part in parts(variant.component):
            inner = [value for value in part.values if isinstance(value, Component)]
            nothing_inside = bool(inner) and not any(one.contributes for one in inner)
            assert part.contributes or part.hint or nothing_inside


def parts(component: Component) -> list[Component]:
    inner = [value for value in component.values if isinstance(value, Component)]
    return [component, *(part for value in inner for part in parts(value))]
