"""Brings a day's pages from an HTTP source into the raw zone, so that from there on they are files like any other."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipeline_assets.breakers import judge_breakers
from sluice.arrivals import sweep_partition
from sluice.contract import CODE_VERSION
from sluice.gates.breaker_is_closed import BREAKER_IS_CLOSED
from sluice.judging import closed, stopping
from sluice.pulling.note import (
    EMPTY_PAGE,
    EMPTY_SHA256,
    LandedPage,
    PullNote,
    note_key,
    page_key,
    pages_prefix,
    read_note,
    require_whole,
)
from sluice.pulling.schedule import is_pull, pull_fingerprint
from sluice.version import Version

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import dagster as dg

    from pipeline_assets.incidents import Chronicle
    from pipeline_assets.ports import Clock, Sources, Store
    from sluice.arrivals import Noticed
    from sluice.contract import Contract, FileFormat
    from sluice.manifest import Manifest
    from sluice.pulling.pages import PulledPage
    from sluice.pulling.pull import Pull

FINGERPRINT_TAG = "sluice/fingerprint"
_RUNNER_TAG = "sluice/runner"


@dataclass(frozen=True, slots=True)
class Puller:
    """One partition of a dataset whose source is an API."""

    contracts: Mapping[str, Contract]
    chronicle: Chronicle
    store: Store
    sources: Sources
    scratch: Path
    goes_on: bool  # whether the run builds the partition, too

    def notice(self, run: dg.DagsterRun) -> Noticed | None:
        """Pull if the run is to, then notice what is there; raises PullUnfinished where that is not all of one pull."""
        fingerprint = self._asked(run.tags)
        noticed = self._notice() if fingerprint is None else self._pull_and_notice(fingerprint)
        if noticed:
            require_whole_pull(self.store, noticed.manifest)
        return noticed

    @property
    def _contract(self) -> Contract:
        return self.chronicle.contract

    @property
    def _partition(self) -> str:
        return self.chronicle.partition

    @property
    def _clock(self) -> Clock:
        return self.chronicle.clock

    @property
    def _source(self) -> tuple[Pull, FileFormat]:
        source = self._contract.source
        assert source is not None  # noqa: S101  only such datasets come here
        assert source.pull is not None  # noqa: S101
        return source.pull, source.format

    def _asked(self, tags: Mapping[str, str]) -> str | None:
        """Return the name of the pull this run is for, None when it is about what has landed already.

        A person's run says nothing of what it is for; it pulls. What an interrupted pull has mixed is pulled again.
        """
        pull, _ = self._source
        told = tags.get(FINGERPRINT_TAG)
        if told is not None and is_pull(told):
            return told
        note = fetch_note(self.store, self._contract.dataset, self._partition)
        by_person = told is None and _RUNNER_TAG not in tags
        is_mixed = note is not None and not note.is_complete
        return pull_fingerprint(pull, self._clock.now()) if by_person or is_mixed else None

    def _pull_and_notice(self, fingerprint: str) -> Noticed | None:
        version = Version(fingerprint, self._contract.fingerprint, CODE_VERSION)
        ledger, place = self.chronicle.ledger, (self._contract.dataset, self._partition)
        self._require_closed_breakers(version)
        with self.chronicle.attempt_at(version) as attempt:
            self._pull(fingerprint)
            noticed = self._notice()
            if noticed and self.goes_on:
                # The attempt at building it begins before this one ends: a kill between the two leaves one open.
                built = replace(version, fingerprint=noticed.manifest.fingerprint)
                ledger.begin(*place, str(built), self.chronicle.run_id, self._clock.now())
            ledger.end(attempt, self._clock.now(), None)
        return noticed

    def _require_closed_breakers(self, version: Version) -> None:
        """A pull that is held is no attempt; the verdict is not kept, for it would replace those on what has landed."""
        acceptances = self.chronicle.ledger.acceptances(self._contract.dataset)
        for item in stopping(judge_breakers(self.contracts, self.chronicle, version), acceptances):
            raise closed(item, (BREAKER_IS_CLOSED,))

    def _notice(self) -> Noticed | None:
        return sweep_partition(self._contract, self._partition, self.store, self.chronicle.ledger, self._clock.now())

    def _pull(self, fingerprint: str) -> None:
        pull, file_format = self._source
        folder = self.scratch / "pulls" / self._contract.dataset / self._partition
        began_at = self._clock.now()
        with self.sources.pulled(pull, file_format, self._partition, folder, fingerprint) as pages:
            landing = _Landing(self.store, self._contract.dataset, self._partition, file_format, folder)
            landing.land(pages, PullNote(is_complete=True, pulled_at=began_at))


@dataclass(frozen=True, slots=True)
class _Landing:
    """Replaces the pages of one pull by those of another; `folder` is for the files on their way."""

    store: Store
    dataset: str
    partition: str
    file_format: FileFormat
    folder: Path

    def land(self, pages: Sequence[PulledPage], note: PullNote) -> None:
        """Pages that are the same already stay untouched: the same content must not look like news."""
        before = fetch_note(self.store, self.dataset, self.partition)
        known = {page.key: page for page in before.pages} if before else {}
        wanted: dict[str, PulledPage | None] = {self._key(number): page for number, page in enumerate(pages, start=1)}
        there = [item.key for item in self.store.list(pages_prefix(self.dataset, self.partition))]
        wanted |= {key: None for key in there if key not in wanted}
        changed = {key: page for key, page in wanted.items() if not self._is_there(known.get(key), page)}
        if changed:
            self._put_note(note.model_copy(update={"is_complete": False}))
        for key, page in sorted(changed.items()):
            self._put(key, page)
        landed = tuple(
            known[key] if key not in changed else LandedPage(key=key, etag=self._etag(key), sha256=_hash(page))
            for key, page in sorted(wanted.items())
        )
        self._put_note(note.model_copy(update={"pages": landed}))

    def _key(self, number: int) -> str:
        return page_key(self.dataset, self.partition, number, self.file_format)

    def _is_there(self, known: LandedPage | None, page: PulledPage | None) -> bool:
        return known is not None and known.sha256 == _hash(page) and known.etag == self.store.etag(known.key)

    def _put(self, key: str, page: PulledPage | None) -> None:
        """The page itself stays where it is: a kill in the middle finds all of them there again."""
        copy = self.folder / ".landing"
        if page is None:
            copy.write_bytes(EMPTY_PAGE)
        else:
            shutil.copyfile(page.file, copy)
        self.store.put(key, copy)

    def _put_note(self, note: PullNote) -> None:
        written = self.folder / ".note"
        written.write_text(note.model_dump_json(indent=1) + "\n")
        self.store.put(note_key(self.dataset, self.partition), written)

    def _etag(self, key: str) -> str:
        return self.store.etag(key) or ""


def require_whole_pull(store: Store, manifest: Manifest) -> None:
    """Raise PullUnfinished where a manifest is not all of one pull; what was not pulled is left alone."""
    require_whole(fetch_note(store, manifest.dataset, manifest.partition), manifest)


def fetch_note(store: Store, dataset: str, partition: str) -> PullNote | None:
    """Return what is known of the pages of a day; None when none were pulled."""
    try:
        with store.open(note_key(dataset, partition)) as opened:
            return read_note(opened.read())
    except FileNotFoundError:
        return None


def _hash(page: PulledPage | None) -> str:
    """A page that an earlier pull had and this one lacks is made empty, for nothing is deleted in the raw zone."""
    return EMPTY_SHA256 if page is None else page.sha256
