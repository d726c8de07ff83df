"""JSON text that loses nothing: numbers keep every digit, instants are ISO 8601 in UTC."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal


def json_array(rows: Iterable[Mapping[str, object]]) -> str:
    """Return an array of objects, one object a line."""
    lines = ",\n".join(f"  {json_text(row)}" for row in rows)
    return f"[\n{lines}\n]" if lines else "[]"


def json_text(value: object) -> str:
    """Return one value. The standard encoder knows no decimals and writes NaN, which is not JSON."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return str(int(value))
        case float():
            return repr(value) if math.isfinite(value) else f'"{value}"'
        case Decimal():
            return format(value, "f")
        case str():
            return json.dumps(str(value), ensure_ascii=False)
        case Mapping():
            return "{" + ", ".join(f"{json_text(str(key))}: {json_text(item)}" for key, item in value.items()) + "}"
        case bytes():
            return json_text(escaped(value))
        case Sequence():
            return "[" + ", ".join(json_text(item) for item in value) + "]"
        case _:
            return json_text(plain_text(value))


def plain_text(value: object) -> str:
    """Return a value as one line of text, as a table cell or a CSV field shows it; no value is empty."""
    match value:
        case None:
            return ""
        case str():
            return value
        case bool() | Mapping() | list() | tuple():
            return json_text(value)
        case bytes():
            return escaped(value)
        case datetime():
            return _instant(value)
        case date():
            return value.isoformat()
        case Decimal():
            return format(value, "f")
        case _:
            return str(value)


def escaped(raw: bytes) -> str:
    r"""Return bytes as text one can read: UTF-8 where it is valid, `\xNN` elsewhere and for control characters."""
    text = raw.decode("utf-8", errors="backslashreplace")
    return "".join(char if char.isprintable() else _escape(char) for char in text)


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


def _instant(value: datetime) -> str:
    if value.tzinfo is None:
        return value.isoformat()
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
