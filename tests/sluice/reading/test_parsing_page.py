"""The page for users names every reason that a reader can give."""

from __future__ import annotations

from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[3] / "docs" / "parsing.md").read_text()


@pytest.mark.parametrize(
    "reason",
    [
        "bad_header",
        "bad_quoting",
        "broken_parquet",
        "corrupt_gzip",
        "corrupt_zstd",
        "encoding_mismatch",
        "invalid_encoding",
        "invalid_utf8",
        "malformed_json",
        "not_compressed",
        "not_parquet",
        "not_utf8",
        "record_too_long",
        "trailing_garbage",
        "truncated_gzip",
        "truncated_zstd",
        "unclosed_quote",
        "unsupported_compression",
        "unsupported_parquet",
        "wrong_format",
    ],
)
def test_the_page_names_the_reason(reason: str) -> None:
    assert f"`{reason}`" in PAGE
