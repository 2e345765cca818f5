"""Which files of an event its page draws."""

from __future__ import annotations

from app.store.attachments import Listed

#: What is drawn in the page. An SVG is a program, and not among them.
IMAGES = frozenset(("image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"))
#: Bytes of an image that a page draws unasked.
DRAWN = 4 * 1024**2


def is_image(file: Listed) -> bool:
    return file.content_type.partition(";")[0].strip().lower() in IMAGES and file.size <= DRAWN
