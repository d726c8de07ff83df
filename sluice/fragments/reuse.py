"""Which fragments of an earlier build hold for a manifest, and which objects are left to be parsed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sluice.contract import CODE_VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sluice.contract import Contract
    from sluice.manifest import Manifest, RawObject
    from sluice.outcome import Fragment, Outcome


def is_divisible(contract: Contract) -> bool:
    """Whether what some objects come to says all that the whole has to know of them.

    It does not where values of a column must be unique: a record that loses its key to another fragment sets its
    unique value free, and a record of a third fragment that was rejected for that value would have to come back.
    """
    return contract.source is not None and not any(
        column.unique and contract.primary_key != (column.name,) for column in contract.columns
    )


def same_rules(contract: Contract, outcome: Outcome) -> bool:
    """Whether the outcome was built by today's contract and code; only then its fragments say anything."""
    return (outcome.contract_fingerprint, outcome.code_version) == (contract.fingerprint, CODE_VERSION)


def reusable(outcome: Outcome, manifest: Manifest) -> tuple[Fragment, ...]:
    """Return the fragments whose objects are all in the manifest, unchanged.

    A fragment dropped the records that lost to those of a removed object, so its other objects are parsed again.
    """
    present = {(item.key, item.etag) for item in manifest.objects}
    return tuple(
        fragment
        for fragment in outcome.fragments
        if all((outcome.objects[place].key, outcome.objects[place].etag) in present for place in fragment.objects)
    )


def left_to_parse(outcome: Outcome, fragments: Iterable[Fragment], manifest: Manifest) -> tuple[RawObject, ...]:
    """Return the objects of the manifest that none of the fragments was made from."""
    known = {outcome.objects[place].key for fragment in fragments for place in fragment.objects}
    return tuple(item for item in manifest.objects if item.key not in known)
