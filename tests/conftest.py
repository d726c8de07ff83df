"""Fixtures that more than one room's tests use."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.aws_server import AwsServer
    from tests.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    # Imported here: tests of the core never import Dagster.
    import dagster as dg

    from tests.world import World

    with dg.DagsterInstance.ephemeral() as instance:
        yield World(tmp_path, instance)


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwsServer]:
    """Return a server with the APIs of AWS; this process has its credentials."""
    with _running_aws(tmp_path_factory.mktemp("aws")) as server:
        yield server


@pytest.fixture(scope="session")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwsServer]:
    """Return a server that checks signatures and policies, too; this process has the credentials of its root."""
    with _running_aws(tmp_path_factory.mktemp("guarded"), AUTH="true") as server:
        yield server


@contextmanager
def _running_aws(folder: Path, **settings: str) -> Iterator[AwsServer]:
    from tests.aws_server import CREDENTIALS, running_aws

    with pytest.MonkeyPatch.context() as patch, running_aws(folder, **settings) as server:
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION"):
            patch.delenv(name, raising=False)
        yield server
