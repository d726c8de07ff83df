"""Where the bytes of a landed object stay when a corrected file takes its place."""

from __future__ import annotations

_FOLDER = "_replaced"  # names that begin with _ are in no listing, so no sweep takes what is there for news


def replaced_key(key: str, etag: str) -> str:
    """Return the key under which the bytes that were `key`, with this ETag, are kept."""
    folder, _, name = key.rpartition("/")
    return f"{folder}/{_FOLDER}/{etag}/{name}"
