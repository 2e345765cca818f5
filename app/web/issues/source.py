"""Lines of source, split into words with the class their colour hangs on. Nothing here makes HTML."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import Comment, Keyword, Number, String, _TokenType
from pygments.util import ClassNotFound

CLASSES = ((Keyword, "k"), (String, "st"), (Comment, "c"), (Number, "nu"))
BY_SUFFIX = {
    "py": "python", "js": "javascript", "jsx": "jsx", "mjs": "javascript", "cjs": "javascript",
    "ts": "typescript",
    "tsx": "tsx", "vue": "javascript", "java": "java", "kt": "kotlin", "cs": "csharp", "fs": "fsharp",
    "go": "go",
    "rb": "ruby", "erb": "erb", "php": "php", "rs": "rust", "ex": "elixir", "exs": "elixir", "dart": "dart",
    "swift": "swift", "m": "objective-c", "mm": "objective-c", "c": "c", "h": "c", "cc": "cpp", "cpp": "cpp",
    "scala": "scala", "pl": "perl", "html": "html+django", "sql": "sql", "lua": "lua",
    "sh": "bash", "groovy": "groovy", "kotlin": "kotlin", "xml": "xml", "properties": "properties",
}  # fmt: skip
BY_PLATFORM = {
    "python": "python", "javascript": "javascript", "node": "javascript", "java": "java", "csharp": "csharp",
    "go": "go", "ruby": "ruby", "php": "php", "rust": "rust", "elixir": "elixir", "dart": "dart",
    "perl": "perl",
    "cocoa": "swift", "native": "cpp", "c": "c", "objc": "objective-c", "groovy": "groovy",
}  # fmt: skip
#: Longer lines are minified code: colouring them helps nobody and takes long.
LONGEST = 500

Word = tuple[str, str]  # class ("" for none), text


@dataclass(frozen=True)
class Line:
    number: int | None
    words: list[Word]
    is_hit: bool = False


def plain(lines: list[str], first: int | None, hit: int) -> list[Line]:
    """The lines without colours; `first` numbers the first, `hit` is the one that ran."""
    return [_line(at, [("", text)], first, hit) for at, text in enumerate(lines)]


def coloured(lines: list[str], first: int | None, hit: int, filename: str, platform: str) -> list[Line]:
    """The lines as words with classes; without colours for an unknown language or a very long line."""
    lexer = _lexer(language(filename, platform))
    if lexer is None or any(len(line) > LONGEST for line in lines):
        return plain(lines, first, hit)
    split: list[list[Word]] = [[]]
    for token, text in lexer.get_tokens("\n".join(lines)):
        pieces = text.split("\n")
        _add(split[-1], token, pieces[0])
        for piece in pieces[1:]:
            split.append([])
            _add(split[-1], token, piece)
    return [_line(at, words, first, hit) for at, words in enumerate(split[: len(lines)])]


def language(filename: str, platform: str) -> str:
    """A lexer's name, by the file's suffix before the platform."""
    suffix = filename.partition("?")[0].rpartition(".")[2].lower()
    return BY_SUFFIX.get(suffix) or BY_PLATFORM.get(platform, "")


def _line(at: int, words: list[Word], first: int | None, hit: int) -> Line:
    return Line(None if first is None else first + at, words, at == hit)


def _add(words: list[Word], token: _TokenType, text: str) -> None:
    if not text:
        return
    css = next((css for kind, css in CLASSES if token in kind), "")
    if words and words[-1][0] == css:
        words[-1] = (css, words[-1][1] + text)
    else:
        words.append((css, text))


@lru_cache(maxsize=64)
def _lexer(name: str) -> Lexer | None:
    options = {"startinline": True} if name == "php" else {}
    try:
        return get_lexer_by_name(name, stripnl=False, ensurenl=False, **options) if name else None
    except ClassNotFound:
        return None
