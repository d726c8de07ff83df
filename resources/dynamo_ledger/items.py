"""How values are written into items of DynamoDB, and times into keys."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

Key = tuple[str, str]
"""The table's two keys, `pk` and `sk`."""

Item = Mapping[str, Any]
"""Attributes by name: str, int, bool or bytes."""

PART_BYTES = 300_000
"""An item may have 400 KB, with its names and keys; what is longer is cut into parts."""

_PLAIN_BYTES = 4_096  # below it people may read it in the console; above it DynamoDB charges for each further 4 KB


def write_item(item: Item) -> dict[str, dict[str, Any]]:
    """Return the item as DynamoDB takes it; what is None is left out."""
    return {name: _write(value) for name, value in item.items() if value is not None}


def read_item(item: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {name: _read(value) for name, value in item.items()}


def key_of(item: Item) -> Key:
    return item["pk"], item["sk"]


def write_body(body: Any) -> str | bytes:  # noqa: ANN401  any JSON
    """Return JSON in ASCII, so that half a surrogate pair survives too; compressed when it is long."""
    text = json.dumps(body, separators=(",", ":"), allow_nan=False)
    return text if len(text) <= _PLAIN_BYTES else zlib.compress(text.encode("ascii"))


def read_body(content: str | bytes) -> str:
    return content if isinstance(content, str) else zlib.decompress(content).decode("ascii")


def cut(content: bytes) -> list[bytes]:
    return [content[start : start + PART_BYTES] for start in range(0, len(content), PART_BYTES)]


def number(value: int) -> str:
    """Return a number that sorts as text."""
    return f"{value:020d}"


def write_time(at: datetime) -> str:
    """Return text that sorts by time; raises ValueError without a zone."""
    if at.tzinfo is None:
        raise ValueError(f"{at} has no zone")
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def write_time_or_none(at: datetime | None) -> str | None:
    return None if at is None else write_time(at)


def read_time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def read_time_or_none(text: str | None) -> datetime | None:
    return None if text is None else read_time(text)


def _write(value: Any) -> dict[str, Any]:  # noqa: ANN401
    match value:
        case bool():
            return {"BOOL": value}
        case int():
            return {"N": str(value)}
        case bytes():
            return {"B": value}
        case str():
            return {"S": value}
        case _:
            raise TypeError(f"An item takes no {type(value).__name__}.")


def _read(value: Mapping[str, Any]) -> Any:  # noqa: ANN401
    ((kind, content),) = value.items()
    return int(content) if kind == "N" else content
