"""The platforms to choose from, and what to do on each: data read from the files beside this one.

A snippet file is a list of steps, each begun by a line `=== language | what to do`; `{dsn}` is the project's
DSN, `{key}` its key alone and `{store}` the address that takes one event. The last step sends a first error.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from app.web.issues import source

SNIPPETS = Path(__file__).parent / "snippets"

#: Key as stored in Project.platform, and the name people know. In the order they are offered.
PLATFORMS = {
    "python": "Python", "python-django": "Django", "python-flask": "Flask", "python-fastapi": "FastAPI",
    "python-celery": "Celery", "javascript": "Browser JavaScript", "javascript-react": "React",
    "javascript-vue": "Vue", "javascript-nextjs": "Next.js", "node": "Node.js",
    "node-express": "Express",
    "java": "Java", "java-spring-boot": "Spring Boot", "android": "Kotlin, Android", "go": "Go", "php": "PHP",
    "php-laravel": "Laravel", "ruby": "Ruby", "ruby-rails": "Rails",
    "csharp": ".NET, C#", "apple": "Swift, iOS",
    "rust": "Rust", "elixir": "Elixir", "dart-flutter": "Dart, Flutter", "other": "Something else",
}  # fmt: skip


@dataclass(frozen=True)
class Step:
    language: str
    title: str
    code: str

    @property
    def lines(self) -> list[source.Line]:
        return source.coloured(self.code.split("\n"), None, -1, f"x.{self.language}", "")


def steps(platform: str, dsn: str) -> list[Step]:
    """What to do on a platform, with the DSN in its place; "other" for one that is not known."""
    key = platform if platform in PLATFORMS else "other"
    return [Step(each.language, each.title, _filled(each.code, dsn)) for each in _read(key)]


def _filled(code: str, dsn: str) -> str:
    address = urlsplit(dsn)
    folder, _, project = address.path.rpartition("/")
    host = address.netloc.rpartition("@")[2]
    store = f"{address.scheme}://{host}{folder}/api/{project}/store/"
    return code.replace("{dsn}", dsn).replace("{key}", address.username or "").replace("{store}", store)


@cache
def _read(key: str) -> list[Step]:
    text = (SNIPPETS / f"{key}.txt").read_text(encoding="utf-8")
    found = []
    for part in text.split("=== ")[1:]:
        heading, _, code = part.partition("\n")
        language, _, title = heading.partition(" | ")
        found.append(Step(language, title, code.strip("\n")))
    return found
