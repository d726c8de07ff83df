"""What S3 refused to Arrow's own client, by which pyiceberg reads and writes metadata and `sluice query` reads columns.

It is an OSError without a number or a type of its own, so the one form that Arrow gives it is read (ErrorToStatus in
arrow/filesystem/s3_internal.h). Where nobody has a name for a code, the code stands in the message; an answer
without a body, as to HEAD, has its status alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_FORM = re.compile(r"AWS Error (?P<name>\w+)(?: \(HTTP status (?P<status>\d+)\))? during (?P<operation>\w+) operation")
_UNNAMED = re.compile(r"ExceptionName: (?P<code>\w+)")
_NAMED = {  # S3's own code, and the status that comes with it
    "SLOW_DOWN": ("SlowDown", 503),
    "THROTTLING": ("Throttling", 503),
    "SERVICE_UNAVAILABLE": ("ServiceUnavailable", 503),
    "INTERNAL_FAILURE": ("InternalError", 500),
    "REQUEST_TIMEOUT": ("RequestTimeout", 400),
    "NETWORK_CONNECTION": ("RequestTimeout", 400),
    "ACCESS_DENIED": ("AccessDenied", 403),
    "INVALID_ACCESS_KEY_ID": ("InvalidAccessKeyId", 403),
    "SIGNATURE_DOES_NOT_MATCH": ("SignatureDoesNotMatch", 403),
    "REQUEST_TIME_TOO_SKEWED": ("RequestTimeTooSkewed", 403),
    "NO_SUCH_BUCKET": ("NoSuchBucket", 404),
    "NO_SUCH_KEY": ("NoSuchKey", 404),
}


@dataclass(frozen=True, slots=True)
class ArrowRefusal:
    """`code` is empty and `status` None where Arrow does not tell."""

    code: str
    status: int | None
    operation: str


def arrow_refusal(error: BaseException) -> ArrowRefusal | None:
    """Return None when it is no error of Arrow's client."""
    found = _FORM.search(str(error)) if isinstance(error, OSError) and error.errno is None else None
    if found is None:
        return None
    code, status = _NAMED.get(found["name"], ("", None))
    if unnamed := _UNNAMED.search(str(error)):
        code = unnamed["code"]
    return ArrowRefusal(code, int(found["status"]) if found["status"] else status, found["operation"])
