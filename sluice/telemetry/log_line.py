"""One log record as one line of JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC
from typing import TYPE_CHECKING

from sluice.telemetry.redaction import redacted

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

CORRELATION = ("run", "dataset", "partition", "incident", "job", "step")
"""By these the lines of one run, partition or incident are found."""

_CUT = " ... (cut) ... "


@dataclass(frozen=True, slots=True)
class LogRecord:
    """`about` holds what is known of CORRELATION; `stack` is the traceback, its cause last."""

    at: datetime
    level: str
    logger: str
    message: str
    process: int
    about: Mapping[str, str] = field(default_factory=dict)
    error: str = ""
    stack: str = ""


def log_line(record: LogRecord, most_bytes: int) -> bytes:
    """Return the line with its end; of one that would be longer than `most_bytes` the texts are cut in the middle."""
    longest = most_bytes
    while len(line := _line(record, longest)) > most_bytes:
        longest //= 2
    return line


def _line(record: LogRecord, longest: int) -> bytes:
    fields: dict[str, object] = {
        "time": record.at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "level": record.level,
        "logger": record.logger,
        "message": _short(redacted(record.message), longest),
        **{name: _short(record.about[name], longest) for name in CORRELATION if record.about.get(name)},
    }
    if record.error or record.stack:
        fields["exception"] = {
            "type": _short(record.error, longest),
            "stack": _short(redacted(record.stack), longest),
        }
    fields["process"] = record.process
    return json_line(fields)


def json_line(fields: Mapping[str, object]) -> bytes:
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode(errors="backslashreplace") + b"\n"


def _short(text: str, longest: int) -> str:
    if len(text) <= longest:
        return text
    return f"{text[: longest // 2]}{_CUT}{text[len(text) - longest // 2 :]}"
