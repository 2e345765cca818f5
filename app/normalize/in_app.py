"""Whether a frame is the application's own, where the client does not say."""

from __future__ import annotations

import re

from app.normalize.fields import Attributes

#: Directories that hold other people's code, whatever the language.
_FOREIGN_PATH = re.compile(
    r"(?:^|/)(?:site-packages|dist-packages|node_modules|bower_components|vendor|\.cargo/registry|rustlib"
    r"|pkg/mod|\.pub-cache|gems|usr/lib|usr/share|usr/local/lib|usr/local/go|usr/include|lib/python\d[^/]*|[Pp]ython\d+/[Ll]ib)/"
    r"|^(?:/rustc/|/usr/local/go/|node:|internal/|native |<frozen |/buildroot/|/build/glibc|/System/Library/)"
    r"|^\w+-extension://|//(?:cdn|ajax|unpkg|cdnjs|code\.jquery|www\.googletagmanager|connect\.facebook)[.\w-]*/"
)

#: Packages that come with the language or its usual frameworks, by the beginning of the module's name.
_FOREIGN_MODULES: dict[str, tuple[str, ...]] = {
    "java": (
        "java.", "javax.", "jakarta.", "jdk.", "sun.", "com.sun.", "scala.", "kotlin.", "kotlinx.",
        "groovy.", "android.", "androidx.", "dalvik.", "com.android.", "com.google.android.",
        "libcore.", "org.springframework.", "org.apache.", "io.netty.", "org.hibernate.",
        "org.eclipse.jetty.", "reactor.", "io.undertow.", "io.opentelemetry.", "org.junit.",
        "io.reactivex.", "okhttp3.", "retrofit2.", "io.sentry.",
    ),
    "csharp": (
        "System.", "Microsoft.", "mscorlib.", "Newtonsoft.Json.", "FSharp.", "Serilog.", "Giraffe.",
        "Sentry.",
    ),
    "elixir": (
        "Elixir.Plug.", "Elixir.Phoenix.", "Elixir.Ecto.", "Elixir.GenServer.", "gen_server.",
        "proc_lib.",
    ),
    "go": ("runtime.", "net/http.", "testing.", "reflect.", "internal/"),
    "rust": ("std::", "core::", "alloc::", "tokio::", "backtrace::", "sentry"),
    "dart": ("dart:", "package:flutter/"),
}  # fmt: skip
_LIKE_JAVA = frozenset({"java", "kotlin", "scala", "groovy", "clojure"})
_NATIVE = frozenset({"native", "c", "cocoa", "objc", "swift"})
_FOREIGN_FUNCTIONS = (
    "std::",
    "core::",
    "alloc::",
    "__rust",
    "rust_begin_unwind",
    "__libc_",
    "_start",
    "__cxa_",
)
#: Libraries of the system a native frame may lie in; an application's bundle on Apple's systems is its own.
_SYSTEM_PACKAGE = re.compile(
    r"^(?:/usr/lib|/lib|/System/|/Library/|/Developer/|[A-Za-z]:[\\/]Windows[\\/]|linux-vdso|ld-linux)"
    r"|(?:^|/)(?:libc\.so|libpthread|libstdc\+\+|libsystem_|UIKit|Foundation|CoreFoundation)", re.IGNORECASE
)  # fmt: skip


def looks_in_app(frame: Attributes, platform: str) -> bool:
    """True unless its path, module or package is known to be somebody else's."""
    path = frame.get("abs_path") or frame.get("filename")
    if isinstance(path, str) and _FOREIGN_PATH.search(path.replace("\\", "/")):
        return False
    family = "java" if platform in _LIKE_JAVA else platform
    module = frame.get("module")
    if isinstance(module, str) and f"{module}.".startswith(_FOREIGN_MODULES.get(family, ())):
        return False
    if family in _NATIVE or family == "rust":
        return _native_in_app(frame)
    return True


def _native_in_app(frame: Attributes) -> bool:
    package, function = frame.get("package"), frame.get("function")
    if isinstance(package, str):
        if ".app/" in package and "/Frameworks/libswift" not in package:
            return True
        if _SYSTEM_PACKAGE.search(package):
            return False
    return not (isinstance(function, str) and function.startswith(_FOREIGN_FUNCTIONS))
