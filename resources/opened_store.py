"""The object store that the settings name."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from resources.object_store import SweptStore
    from resources.settings import Settings


def open_store(settings: Settings) -> SweptStore:
    if settings.s3 is not None:
        from resources.s3_store import S3ObjectStore

        return S3ObjectStore(settings.s3)
    from resources.object_store import LocalObjectStore

    return LocalObjectStore(settings.home)
