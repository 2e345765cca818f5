"""Pairs of errors of every platform family that are one issue, or two, by the current configuration.

A frame is written as "module|file|function|line of source"; "-" before it: of others, not in-app. In front of
a trace may stand the type and the message of its exception.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.grouping import group, grouped
from app.grouping.configs import config
from app.normalize.limits import Limits
from app.normalize.read import read
from app.options import Filters, Options
from tests.normalize.senders import record, sent

ONE, TWO = True, False


def frame(text: str) -> dict[str, Any]:
    in_app = not text.startswith("-")
    parts = [*text.removeprefix("-").split("|"), "", "", ""]
    names = ("module", "abs_path", "function", "context_line")
    found: dict[str, Any] = {name: part for name, part in zip(names, parts, strict=False) if part}
    return {**found, "in_app": in_app}


def thrown(kind: str, value: str = "", *frames: str) -> dict[str, Any]:
    found: dict[str, Any] = {"type": kind, "value": value}
    if frames:
        found["stacktrace"] = {"frames": [frame(one) for one in frames]}
    return found


def e(*frames: str) -> dict[str, Any]:
    return thrown("E", "", *frames)


#: Some of what is compared here is filtered unless a project wants it.
WANTED = Options(filters=Filters(chunk_load_errors=False, hydration_errors=False))


def hashes(platform: str, error: dict[str, Any]) -> set[str]:
    body = json.dumps({"platform": platform, "exception": [error]}).encode()
    (event,) = read(record(body), Limits(), lambda _: WANTED).events
    return {*group(event).hashes}


#: platform, what differs, one, the other, whether they are one issue
VECTORS: list[tuple[str, str, dict[str, Any], dict[str, Any], bool]] = [
    # -- Python
    ("python", "the message", thrown("E", "order 1", "a|a.py|f|x"), thrown("E", "other", "a|a.py|f|x"), ONE),
    ("python", "the type", thrown("E", "v", "a|a.py|f|x"), thrown("F", "v", "a|a.py|f|x"), TWO),
    ("python", "the function", e("a|a.py|f|x"), e("a|a.py|g|x"), TWO),
    ("python", "the line of source", e("a|a.py|f|x = 1"), e("a|a.py|f|x = 2"), TWO),
    ("python", "blanks", e("a|a.py|f|x = 1"), e("a|a.py|f|\tx  =  1"), ONE),
    ("python", "the directory", e("a|/r1/a.py|f|x"), e("a|/r2/a.py|f|x"), ONE),
    ("python", "the file, not the module", e("a|a.py|f|"), e("a|b.py|f|"), ONE),
    ("python", "a library in between", e("a|a.py|f", "-l|l.py|g"), e("a|a.py|f"), ONE),
    ("python", "an id, without a trace", thrown("E", "order 17 lost"), thrown("E", "order 18 lost"), ONE),
    ("python", "a word, without a trace", thrown("E", "order 17 lost"), thrown("E", "order 17 found"), TWO),
    ("python", "a library that an SDK calls the application's",
     e("a|a.py|f", "x|/v/site-packages/x.py|g"), e("a|a.py|f"), ONE),
    ("python", "the SDK around what fails",
     e("-s|/v/site-packages/sentry_sdk/wsgi.py|run", "-d|/v/site-packages/dj/h.py|get"),
     e("-d|/v/site-packages/dj/h.py|get"), ONE),
    # -- JavaScript
    ("javascript", "the release in a URL",
     e("|https://a.example/app.1a2b.js|f"), e("|https://a.example/app.9f8e.js|f"), ONE),
    ("javascript", "the object of a method",
     e("|app.js|Cart.add|x"), e("|app.js|t.add|x"), ONE),
    ("javascript", "the method", e("|app.js|Cart.add"), e("|app.js|Cart.remove"), TWO),
    ("javascript", "a nameless function", e("|app.js|<anonymous>|x"), e("|app.js||x"), ONE),
    ("javascript", "native code in between",
     e("|app.js|f", "|[native code]|forEach"), e("|app.js|f"), ONE),
    ("javascript", "eval", e("|app.js|f", "|app.js|eval"), e("|app.js|f"), ONE),
    ("javascript", "a package", e("|app.js|f", "|webpack:///node_modules/r/i.js|g"),
     e("|app.js|f"), ONE),
    ("javascript", "a public server of scripts",
     e("|app.js|f", "|https://cdn.jsdelivr.net/npm/jquery/x.js|g"), e("|app.js|f"), ONE),
    ("javascript", "what babel puts in",
     e("|app.js|f", "|app.js|asyncGeneratorStep", "|app.js|g"),
     e("|app.js|f", "|app.js|g"), ONE),
    ("javascript", "chunks that are gone, by their type",
     thrown("ChunkLoadError", "Loading chunk 7 failed.", "|a.js|f"),
     thrown("ChunkLoadError", "Loading chunk 9 failed.", "|b.js|g"), ONE),
    ("javascript", "chunks that are gone, by what is said",
     thrown("Error", "Loading CSS chunk 7 failed (error: /a.css)", "|a.js|f"),
     thrown("TypeError", "Failed to fetch dynamically imported module: https://a.example/", "|b.js|g"), ONE),
    ("javascript", "complaints of hydration, of two kinds",
     thrown("Error", "Hydration failed because the initial UI does not match", "|a.js|f"),
     thrown("Error", "Minified React error #425; visit …", "|b.js|g"), TWO),
    ("node", "a tick of the engine",
     e("|/app/a.js|f", "-|node:internal/process/task_queues|processTicksAndRejections"),
     e("|/app/a.js|f"), ONE),
    ("node", "a package that an SDK calls the application's",
     e("|/app/a.js|f", "|/app/node_modules/express/i.js|next"), e("|/app/a.js|f"), ONE),
    # -- Java and Kotlin
    ("java", "the number of a generated accessor",
     e("a.B|B.java|f", "sun.reflect.GeneratedMethodAccessor17||invoke"),
     e("a.B|B.java|f", "sun.reflect.GeneratedMethodAccessor4||invoke"), ONE),
    ("java", "the number of a lambda",
     e("a.B$$Lambda$17||apply", "a.B||lambda$run$0"), e("a.B$$Lambda$4||apply", "a.B||lambda$run$3"), ONE),
    ("java", "a proxy's name",
     e("a.B$$EnhancerBySpringCGLIB$$1a2b||f"), e("a.B$$EnhancerBySpringCGLIB$$9f||f"), ONE),
    ("java", "the class", e("a.B|B.java|f"), e("a.C|C.java|f"), TWO),
    ("java", "the source, which is not looked at", e("a.B||f|x"), e("a.B||f|y"), ONE),
    ("java", "reflection in between",
     e("a.B||f", "-java.lang.reflect.Method||invoke", "-a.X||g"), e("a.B||f", "-a.X||g"), ONE),
    ("java", "the tracker around it",
     e("-io.sentry.spring.Filter||doFilter", "-a.X||g"), e("-a.X||g"), ONE),
    # -- C#
    ("csharp", "the arguments", e("a.B||Run (System.Int32 n)"), e("a.B||Run (System.String s)"), ONE),
    ("csharp", "the method", e("a.B||Run ()"), e("a.B||Stop ()"), TWO),
    ("csharp", "the tracker around it", e("a.B||Run", "-Sentry.AspNetCore.X||Invoke"), e("a.B||Run"), ONE),
    # -- Go
    ("go", "the directory", e("main|/a/main.go|f"), e("main|/b/main.go|f"), ONE),
    ("go", "a module of others",
     e("main|main.go|f", "x|/go/pkg/mod/x@v1/x.go|g"), e("main|main.go|f"), ONE),
    ("go", "the function", e("main|main.go|f"), e("main|main.go|g"), TWO),
    # -- Ruby
    ("ruby", "the block's place", e("|a.rb|block in run"), e("|a.rb|block (2 levels) in run"), ONE),
    ("ruby", "the number of a template",
     e("|a.html.erb|_app_views_a_html_erb__1234567_89012"),
     e("|a.html.erb|_app_views_a_html_erb__7654321_21098"), ONE),
    ("ruby", "the line of source", e("|a.rb|run|x"), e("|a.rb|run|y"), TWO),
    # -- PHP
    ("php", "a class without a name",
     e("|a.php|class@anonymous\0/a.php:3$0::handle"), e("|a.php|class@anonymous\0/b.php:9$1::handle"), ONE),
    ("php", "a function without a name",
     e("|a.php|[Anonymous function]|x"), e("|a.php||x"), ONE),
    ("php", "a package", e("|/a/a.php|f", "|/a/vendor/x/y.php|g"), e("|/a/a.php|f"), ONE),
    # -- native: C, C++, Objective-C, Swift, Rust
    ("native", "the arguments", e("||shop::pay(int, char*)"), e("||shop::pay(long)"), ONE),
    ("native", "the template", e("||void run<int>(int)"), e("||void run<std::string>(int)"), ONE),
    ("native", "what follows an exception thrown",
     e("||pay", "||__cxa_throw", "||abort"), e("||pay", "||__cxa_throw", "||raise", "||x"), ONE),
    ("native", "where a thread begins",
     e("||clone", "||start_thread", "||pay"), e("||_start", "||__libc_start_main", "||pay"), ONE),
    ("native", "the handler of a signal",
     e("||pay", "||_sigtramp", "||on_crash"), e("||pay", "||_sigtramp", "||report"), ONE),
    ("native", "the function", e("||pay"), e("||refund"), TWO),
    ("native", "a name that nobody knows", e("||pay", "||<unknown>"), e("||pay", "||<redacted>"), ONE),
    ("cocoa", "an exception raised",
     e("||-[Cart pay]", "||objc_exception_throw", "||a"),
     e("||-[Cart pay]", "||-[NSException raise]", "||b"), ONE),
    ("cocoa", "the selector", e("||-[Cart pay]"), e("||-[Cart refund]"), TWO),
    ("native", "Rust: the hash of a function",
     e("||shop::pay::h0123456789abcdef"), e("||shop::pay::hfedcba9876543210"), ONE),
    ("native", "Rust: what happens in a panic",
     e("||shop::pay", "||core::panicking::panic", "||rust_begin_unwind"),
     e("||shop::pay", "||core::panicking::panic", "||std::panicking::begin"), ONE),
    # -- Dart and Elixir
    ("dart", "a package of others", e("|main.dart|f", "|/h/.pub-cache/hosted/x/a.dart|g"),
     e("|main.dart|f"), ONE),
    ("dart", "the function", e("|main.dart|f"), e("|main.dart|g"), TWO),
    ("elixir", "the arity", e("Elixir.Shop|shop.ex|pay/1"), e("Elixir.Shop|shop.ex|pay/2"), TWO),
    ("elixir", "the module", e("Elixir.Shop|shop.ex|pay/1"), e("Elixir.Cart|shop.ex|pay/1"), TWO),
]  # fmt: skip


@pytest.mark.parametrize(
    ("platform", "one", "other", "same"),
    [pytest.param(p, a, b, same, id=f"{p}: {what}") for p, what, a, b, same in VECTORS],
)
def test_vectors(platform: str, one: dict[str, Any], other: dict[str, Any], same: bool) -> None:
    assert bool(hashes(platform, one) & hashes(platform, other)) is same


def test_the_main_exception_of_a_group_names_the_issue() -> None:

    def member(number: int, kind: str, **more: Any) -> dict[str, Any]:
        return {
            **thrown(kind, "v", f"a|a.py|{kind}"),
            "mechanism": {"type": "chained", "exception_id": number, **more},
        }

    group_of_two = [
        member(2, "ValueError", parent_id=0),
        member(1, "ValueError", parent_id=0),
        member(0, "ExceptionGroup", is_exception_group=True),
    ]
    event = sent({"platform": "python", "exception": group_of_two})
    for _ in range(2):
        assert grouped(event, config()).main in (0, 1)
    other = [member(2, "KeyError", parent_id=0), *group_of_two[1:]]
    assert grouped(sent({"platform": "python", "exception": other}), config()).main is None
