"""The object store that the settings name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from resources.object_store import LocalObjectStore

if TYPE_CHECKING:
    from resources.object_store import ObjectStore
    from resources.settings import Settings


def open_store(settings: Settings) -> ObjectStore:
    return LocalObjectStore(settings.home)
