"""Inferring from bytes, and running the inferred contract over them."""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import pytest

from sluice.inference import InferredDataset, Limits, SampleFile, infer_contract
from sluice.manifest import RawObject, build_manifest
from sluice.transform import Transformed, transform

Infer = Callable[..., InferredDataset]
Build = Callable[..., Transformed]
Lines = Callable[[Iterable[object]], bytes]


def _infer(name: str, limits: Limits = Limits(), **files: bytes) -> InferredDataset:  # noqa: B008
    return infer_contract(name, _samples(files), limits)


def _samples(files: dict[str, bytes]) -> list[SampleFile]:
    return [SampleFile(name.replace("__", "."), partial(io.BytesIO, body)) for name, body in files.items()]


def _build(inferred: InferredDataset, *bodies: bytes) -> Transformed:
    contract = inferred.contract
    assert contract.source is not None
    manifest = build_manifest(
        contract.dataset, "2026-11-01", tuple(RawObject(str(number), "test", 0) for number in range(len(bodies)))
    )
    with tempfile.TemporaryDirectory() as workspace:
        return transform(
            contract,
            contract.source,
            manifest,
            lambda item: io.BytesIO(bodies[int(item.key)]),
            Path(workspace),
            run_id="test",
        )


@pytest.fixture(scope="session")
def infer() -> Infer:
    """Infer from files given as `a__jsonl=b"..."`, the double underscore being a point."""
    return _infer


@pytest.fixture(scope="session")
def build() -> Build:
    """Transform bodies under the inferred contract; the written files are gone, the counts stay."""
    return _build


@pytest.fixture(scope="session")
def lines() -> Lines:
    """JSON Lines of records."""
    return lambda records: "".join(f"{json.dumps(record)}\n" for record in records).encode()
