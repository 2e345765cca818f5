"""Files in an envelope."""

from __future__ import annotations

from app.base.text import storable
from app.item import Attachment, Headers, Invalid, Read, Whence, accepted
from app.normalize.quantities import CATEGORIES

#: Bytes of one file.
LARGEST = 100 * 1024**2
#: Stands for a file that is uploaded apart, which is not offered here.
REFERENCE = "application/vnd.sentry.attachment-ref+json"


def read(payload: bytes, headers: Headers, whence: Whence) -> Read:
    """The file under the name its sender gave it, as far as a name can be stored."""
    if len(payload) > LARGEST:
        raise Invalid("too_large")
    content_type = word(headers.get("content_type"), 100)
    if content_type == REFERENCE:
        raise Invalid("attachment_reference")
    name = word(headers.get("filename"), 255).replace("\\", "/").rsplit("/", 1)[-1]
    kind = word(headers.get("attachment_type"), 50) or "event.attachment"
    return accepted(
        "attachment",
        [
            Attachment(
                project_id=whence.project_id,
                received=whence.received,
                event_id=whence.event_id,
                name=name or "unnamed",
                content_type=content_type,
                kind=kind,
                content=payload,
            )
        ],
    )


#: Kept as the files they are, in projects that ask for them: what they are called, by the item's type.
_NAMES = {
    "profile": "profile.json", "profile_chunk": "profile-chunk.json", "replay_event": "replay.json",
    "replay_recording": "replay-recording.bin", "replay_video": "replay-video.bin",
}  # fmt: skip


def blob(payload: bytes, headers: Headers, whence: Whence) -> Read:
    """A profile, or a part of a replay; raises Invalid for one that is too large."""
    kind = str(headers["type"])
    if len(payload) > LARGEST // 2:
        raise Invalid("too_large")
    file = Attachment(
        project_id=whence.project_id,
        received=whence.received,
        event_id=whence.event_id,
        name=_NAMES[kind],
        content_type="application/json" if _NAMES[kind].endswith(".json") else "application/octet-stream",
        kind=kind,
        content=payload,
    )
    return accepted(CATEGORIES[kind], [file])


def word(value: object, longest: int) -> str:
    """A header's text in one line; "" for anything else."""
    return " ".join(storable(value).split())[:longest] if isinstance(value, str) else ""
