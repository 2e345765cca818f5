"""Contexts, extra data, modules, the SDK and debug images: what surrounds an error."""

from __future__ import annotations

from app.base.text import cut
from app.normalize import bags
from app.normalize.fields import Field, ends, label, shaped, text
from app.normalize.limits import EXTRA, IMAGES, LARGE, LARGER, MEDIUM, SHORT, SMALL
from app.normalize.notes import Notes

MOST_CONTEXTS = 100
_TEXT = frozenset({str})


def contexts(value: object, notes: Notes) -> dict[str, object] | None:
    """{name: {"type": …, …}}; the type of a context is its name unless it says otherwise."""
    if not isinstance(value, dict):
        notes.invalid("contexts", value)
        return None
    kept: dict[str, object] = {}
    for name, context in list(value.items())[:MOST_CONTEXTS]:
        if context is None:
            continue
        inner = bags.bounded_object(context, LARGE, f"contexts.{name}", notes)
        if inner:
            if not isinstance(inner.get("type"), str):
                inner["type"] = name
            kept[cut(name, SHORT)] = inner
    return kept or None


def more(value: object, notes: Notes) -> dict[str, object] | None:
    """Extra data: each value within 16 KiB, all within 256."""
    if not isinstance(value, dict):
        if value != []:
            notes.invalid("extra", value)
        return None
    if not bags.fits(value, LARGER):
        value = {name: bags.bounded(item, LARGER, f"extra.{name}", notes) for name, item in value.items()}
    return bags.bounded_object(value, EXTRA, "extra", notes)


def modules(value: object, notes: Notes) -> dict[str, object] | None:
    """{name: version}."""
    if not isinstance(value, dict):
        if value != []:
            notes.invalid("modules", value)
        return None
    if not _TEXT.issuperset(map(type, value.values())):
        value = {name: "" if version is None else version for name, version in value.items()}
        for name in [name for name, version in value.items() if not isinstance(version, str)]:
            notes.invalid(f"modules.{name}", value.pop(name))
    return bags.bounded_object(value, LARGE, "modules", notes)


def _names(value: object, path: str, notes: Notes) -> object:
    if not isinstance(value, list):
        notes.invalid(path, value)
        return None
    return [cut(item, SHORT) for item in value[:200] if isinstance(item, str)] or None


def _packages(value: object, path: str, notes: Notes) -> object:
    if not isinstance(value, list):
        notes.invalid(path, value)
        return None
    items = [item for item in value[:200] if isinstance(item, dict)]
    return [kept for kept in (shaped(item, _PACKAGE, path, notes) for item in items) if kept] or None


_PACKAGE: dict[str, Field] = {"name": text(SHORT), "version": label(SHORT)}
_SDK: dict[str, Field] = {
    "name": text(SHORT),
    "version": label(SHORT),
    "packages": _packages,
    "integrations": _names,
    "features": _names,
}


def sdk(value: object, notes: Notes) -> dict[str, object] | None:
    """Name, version and parts of the client."""
    if not isinstance(value, dict):
        notes.invalid("sdk", value)
        return None
    return shaped(value, _SDK, "sdk", notes) or None


def infer_ip(sdk: object) -> object:
    """What the client says about taking the address of the connection for the user's."""
    settings = sdk.get("settings") if isinstance(sdk, dict) else None
    return settings.get("infer_ip") if isinstance(settings, dict) else None


def debug_meta(value: object, notes: Notes) -> dict[str, object] | None:
    """Images that addresses or minified files belong to."""
    if not isinstance(value, dict):
        notes.invalid("debug_meta", value)
        return None
    kept: dict[str, object] = {}
    images = value.get("images")
    if isinstance(images, list):
        found = _images(ends(images, IMAGES, "debug_meta.images", notes), notes)
        if found:
            kept["images"] = found
    elif images is not None:
        notes.invalid("debug_meta.images", images)
    info = value.get("sdk_info")
    if info is not None and (info := bags.bounded_object(info, SMALL, "debug_meta.sdk_info", notes)):
        kept["sdk_info"] = info
    return kept or None


def _images(images: list[object], notes: Notes) -> list[dict[str, object]]:
    kept = []
    for index, image in enumerate(images):
        if image is not None:
            inner = bags.bounded_object(image, MEDIUM, f"debug_meta.images.{index}", notes)
            if inner:
                kept.append(inner)
    return kept
