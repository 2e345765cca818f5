"""The web request during which an error happened."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import parse_qsl

from app.base.json import NotJson, decode
from app.normalize import bags, pairs
from app.normalize.fields import Field, bag, shaped, text, whole, within
from app.normalize.limits import LARGE, MEDIUM, SHORT, SMALL, Bag
from app.normalize.notes import Notes

_JSON, _FORM = "application/json", "application/x-www-form-urlencoded"
#: Texts of a body that are worth parsing are not longer than what would be kept of them.
_LONGEST_PARSED = 64 * 1024
#: Names of parameters, not of prose that happens to hold a "=".
_LONGEST_NAME = 64


def _method(value: object, path: str, notes: Notes) -> object:
    name = text(32)(value, path, notes)
    return name.strip().upper() or None if isinstance(name, str) else None


def _query(value: object, path: str, notes: Notes) -> object:
    value = pairs.of_query(value[: LARGE.size]) if isinstance(value, str) else value
    return pairs.of(value, SMALL, path, notes)


def _cookies(value: object, path: str, notes: Notes) -> object:
    value = pairs.of_cookies(value[: LARGE.size]) if isinstance(value, str) else value
    return pairs.of(value, MEDIUM, path, notes)


def _headers(value: object, path: str, notes: Notes) -> object:
    kept = pairs.of(value, LARGE, path, notes)
    for pair in kept or ():
        pair[0] = _title(pair[0])
    return kept


@lru_cache(4096)
def _title(name: str) -> str:
    return "-".join(part.capitalize() for part in name.strip().split("-"))


_REQUEST: dict[str, Field] = {
    "url": text(8 * SHORT),
    "method": _method,
    "query_string": _query,
    "fragment": text(1024),
    "headers": _headers,
    "cookies": _cookies,
    "env": bag(LARGE),
    "inferred_content_type": text(SHORT),
    "protocol": text(32),
    "body_size": whole,
    "api_target": text(64),
}


def request(value: object, notes: Notes) -> dict[str, object] | None:
    """The request's known attributes; query and fragment are taken out of the URL, cookies out of headers."""
    if not isinstance(value, dict):
        notes.invalid("request", value)
        return None
    kept = shaped(value, _REQUEST, "request", notes)
    _split_url(kept, notes)
    _move_cookies(kept, notes)
    if value.get("data") is not None:
        _add_data(kept, value["data"], notes)
    return kept or None


def _split_url(kept: dict[str, object], notes: Notes) -> None:
    url = kept.get("url")
    if not isinstance(url, str):
        return
    url, _, fragment = url.partition("#")
    url, _, query = url.partition("?")
    if fragment and "fragment" not in kept:
        kept["fragment"] = within(fragment, 1024, "request.fragment", notes)
    if query and "query_string" not in kept:
        found = _query(query, "request.query_string", notes)
        if found:
            kept["query_string"] = found
    if url := within(url, SHORT, "request.url", notes):
        kept["url"] = url
    else:
        del kept["url"]


def _move_cookies(kept: dict[str, object], notes: Notes) -> None:
    """The Cookie header is shown, and scrubbed, as cookies."""
    headers = kept.get("headers")
    if not isinstance(headers, list):
        return
    rest = [header for header in headers if header[0] != "Cookie"]
    if len(rest) == len(headers):
        return
    found = [value for name, value in headers if name == "Cookie"]
    kept["headers"] = rest
    if not rest:
        del kept["headers"]
    if "cookies" not in kept and (cookies := _cookies(found[0], "request.headers.Cookie", notes)):
        kept["cookies"] = cookies


def _add_data(kept: dict[str, object], data: object, notes: Notes) -> None:
    """The body; JSON and forms that come as text are parsed, so that they can be read and scrubbed."""
    kind = _content_type(kept)
    if isinstance(data, str) and 0 < len(data) <= _LONGEST_PARSED:
        parsed, inferred = _parsed(data, kind)
        if inferred:
            data = parsed
            kept.setdefault("inferred_content_type", inferred)
    limit: Bag = LARGE
    data = bags.bounded(data, limit, "request.data", notes)
    if data not in ("", {}, []):
        kept["data"] = data
        if kind:
            kept.setdefault("inferred_content_type", kind)


def _content_type(kept: dict[str, object]) -> str:
    headers = kept.get("headers")
    found = [value for name, value in headers if name == "Content-Type"] if isinstance(headers, list) else []
    return str(found[0]).partition(";")[0].strip().lower()[:SHORT] if found else ""


def _parsed(text: str, kind: str) -> tuple[object, str]:
    start = text.lstrip()[:1]
    if start and start in "{[":
        try:
            return decode(text.encode()).value, _JSON
        except NotJson:
            return text, ""
    name = text.partition("=")[0]
    is_form = kind == _FORM or (
        not kind and "=" in text and 0 < len(name) < _LONGEST_NAME and not set(name) & set(" \n<")
    )
    if not is_form or "=" not in text:
        return text, ""
    fields: dict[str, object] = {}
    for name, value in parse_qsl(text, keep_blank_values=True, errors="replace"):
        fields.setdefault(name, value)
    return fields, _FORM if fields else ""
