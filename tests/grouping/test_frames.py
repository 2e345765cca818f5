"""What of a frame counts, language by language."""

from __future__ import annotations

from typing import Any

import pytest

from app.grouping.frames import frame


def counted(platform: str, attributes: dict[str, Any]) -> list[str]:
    return [*frame({"in_app": True, **attributes}, platform).system.texts]


@pytest.mark.parametrize(
    ("platform", "attributes", "texts"),
    [
        ("python", {"module": "a.b", "filename": "x/b.py", "function": "f"}, ["a.b", "f"]),
        ("python", {"filename": "C:\\x\\B.py", "function": "f"}, ["b.py", "f"]),
        ("python", {"function": "f", "context_line": "\tx  =  1 "}, ["f", "x = 1"]),
        ("python", {"function": "f", "context_line": "x" * 121}, ["f"]),
        ("go", {"function": "f", "context_line": "x"}, ["f"]),
        ("python", {"function": "f", "platform": "go", "context_line": "x"}, ["f"]),
        ("python", {}, []),
        ("javascript", {"filename": "/a.js", "abs_path": "https://x/a.js", "function": "A.b.c"}, ["c"]),
        ("javascript", {"filename": "/a.js", "abs_path": "blob:x", "function": "c"}, ["c"]),
        ("javascript", {"filename": "a.js", "abs_path": "file:///a.js", "function": "c"}, ["a.js", "c"]),
        (
            "javascript",
            {"filename": "a.js", "module": "src/a", "abs_path": "app:///src/a", "function": "c"},
            ["a.js", "c"],
        ),
        ("javascript", {"module": "src/a", "abs_path": "https://x/1.js", "function": "c"}, ["src/a", "c"]),
        ("javascript", {"filename": "a.js", "function": "?"}, ["a.js"]),
        ("javascript", {"filename": "a.js", "function": "<anonymous>"}, ["a.js"]),
        ("javascript", {"filename": "a.js", "function": "Foo.<anonymous>"}, ["a.js"]),
        ("javascript", {"filename": "a.js", "function": "eval"}, []),
        ("javascript", {"filename": "<anonymous>", "function": "f"}, []),
        ("node", {"abs_path": "[native code]", "function": "f"}, []),
        (
            "javascript",
            {
                "module": "m",
                "function": "minified",
                "context_line": "pay()",
                "data": {"sourcemap": "a.js.map"},
            },
            ["m", "pay()"],
        ),
        ("javascript", {"abs_path": "https://x/a.js", "filename": "/a.js", "context_line": "pay()"}, []),
        ("java", {"module": "a.B$$Lambda$17/0x1", "function": "run"}, ["run"]),
        (
            "java",
            {"module": "sun.reflect.GeneratedMethodAccessor17", "function": "f"},
            ["sun.reflect.GeneratedMethodAccessor", "f"],
        ),
        ("java", {"module": "a.B$$EnhancerBySpringCGLIB$$1f", "function": "f"}, ["a.B$$<auto>", "f"]),
        ("java", {"module": "a.B$$FastClassBySpringCGLIB$$1f", "function": "f"}, ["a.B$$<auto>", "f"]),
        ("java", {"module": "a.B$HibernateProxy$x1", "function": "f"}, ["a.B$HibernateProxy$<auto>", "f"]),
        (
            "clojure",
            {"module": "shop.core$fn__123", "function": "invoke"},
            ["shop.core$fn__<auto>", "invoke"],
        ),
        ("java", {"module": "a.B", "function": "lambda$f$0"}, ["a.B"]),
        ("php", {"filename": "a.php", "function": "[Anonymous function]"}, ["a.php"]),
        ("php", {"filename": "a.php", "function": "class@anonymous\ufffd/x:1::pay"}, ["a.php", "pay"]),
        ("php", {"filename": "a.php", "function": "class@anonymous\ufffd/x:1"}, ["a.php"]),
        ("ruby", {"filename": "a.rb", "function": "block (2 levels) in pay"}, ["a.rb", "block"]),
        ("ruby", {"filename": "a.erb", "function": "_view_erb__3902812_70190"}, ["a.erb", "_view_erb"]),
        ("native", {"function": "<redacted>", "filename": "a.c"}, ["a.c"]),
        ("native", {"function": "<unknown>"}, []),
    ],
)
def test_what_counts_of_a_frame(platform: str, attributes: dict[str, Any], texts: list[str]) -> None:
    assert counted(platform, attributes) == texts


def test_a_frame_of_others_counts_only_in_the_system_variant() -> None:
    found = frame({"in_app": False, "function": "f"}, "python")
    assert ([*found.app.texts], [*found.system.texts]) == ([], ["f"])
    assert found.app.tree.hint == "ignored because it is not in-app"
