"""Sessions of AWS that share what never changes: descriptions of services, which take 50 ms to read for each client."""

from __future__ import annotations

from functools import lru_cache
from typing import Any


def aws_session() -> Any:  # noqa: ANN401  boto3 has no types
    """Return a session of its own, with the credentials of this moment."""
    import boto3  # type: ignore[import-untyped]
    import botocore.session  # type: ignore[import-untyped]

    core = botocore.session.Session()
    core.get_component("data_loader").file_loader = _files()
    return boto3.session.Session(botocore_session=core)


@lru_cache(maxsize=1)
def _files() -> Any:  # noqa: ANN401
    from botocore.loaders import JSONFileLoader  # type: ignore[import-untyped]

    class FilesReadOnce(JSONFileLoader):  # type: ignore[misc]
        load_file = lru_cache(maxsize=None)(JSONFileLoader.load_file)

    return FilesReadOnce()
