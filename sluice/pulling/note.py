"""What Sluice keeps beside the pages of a day: which they are, and whether they are all there."""

from __future__ import annotations

import gzip
import hashlib
from typing import TYPE_CHECKING

from pydantic import AwareDatetime, BaseModel, ConfigDict

from sluice.arrivals import RAW_ZONE
from sluice.errors import PullUnfinished

if TYPE_CHECKING:
    from sluice.contract import FileFormat
    from sluice.manifest import Manifest

EMPTY_PAGE = gzip.compress(b"", mtime=0)
EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()


class LandedPage(BaseModel):
    """`sha256` is of the content before Sluice compressed it."""

    model_config = ConfigDict(frozen=True)

    key: str
    etag: str
    sha256: str


class PullNote(BaseModel):
    """`is_complete` is false while pages are being replaced: then old and new ones may stand side by side."""

    model_config = ConfigDict(frozen=True)

    is_complete: bool
    pulled_at: AwareDatetime
    pages: tuple[LandedPage, ...] = ()


def pages_pattern(dataset: str, file_format: FileFormat) -> str:
    """Return the location of the pages, as a contract of type local would write it."""
    return f"{dataset}/date={{date}}/page-*.{file_format}.gz"


def pages_prefix(dataset: str, partition: str) -> str:
    return f"{RAW_ZONE}{dataset}/date={partition}/page-"


def page_key(dataset: str, partition: str, number: int, file_format: FileFormat) -> str:
    return f"{pages_prefix(dataset, partition)}{number:05}.{file_format}.gz"


def note_key(dataset: str, partition: str) -> str:
    """Listings leave out names that begin with an underscore."""
    return f"{RAW_ZONE}{dataset}/date={partition}/_pull.json"


def read_note(data: bytes) -> PullNote:
    return PullNote.model_validate_json(data)


def require_whole(note: PullNote | None, manifest: Manifest) -> None:
    """Raise PullUnfinished where a manifest mixes pages of two pulls; without a note nothing was pulled."""
    if note is None:
        return
    etags = {item.key: item.etag for item in manifest.objects}
    if not note.is_complete or any(etags.get(page.key) != page.etag for page in note.pages):
        raise PullUnfinished(dataset=manifest.dataset, partition=manifest.partition)
