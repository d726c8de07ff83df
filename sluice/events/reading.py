"""Reads a message: S3's own notification, its event through EventBridge, either through SNS, or a request for a run."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from sluice.arrivals import RAW_ZONE
from sluice.events.message import Reading, RunAsked

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sluice.events.message import Zone

RUN = "sluice.run"
"""The detail-type of an event that asks for a run."""

_SHOWN = 80
_HALF_PAIR = re.compile("[\ud800-\udfff]")  # JSON can write it, UTF-8 cannot
_WRITTEN = ("ObjectCreated:", "ObjectRestore:Completed")  # what comes back from an archive can be read again
_NO_NEWS = (
    # A removal is no news: what is published stays until something new lands in its partition.
    *("ObjectRemoved:", "LifecycleExpiration:", "ObjectRestore:", "ReducedRedundancyLostObject", "Replication:"),
    *("LifecycleTransition", "IntelligentTiering", "ObjectTagging:", "ObjectAcl:", "ObjectAnnotation:"),
)
_BRIDGED_WRITTEN = frozenset({"Object Created", "Object Restore Completed"})
_BRIDGED_NO_NEWS = frozenset(
    {
        *("Object Deleted", "Object Restore Initiated", "Object Restore Expired", "Object Storage Class Changed"),
        *("Object Access Tier Changed", "Object ACL Updated", "Object Tags Added", "Object Tags Deleted"),
    }
)


class _NotUnderstood(ValueError):
    """Says why, in words that fit behind "the message"."""


def read_message(body: str, zone: Zone) -> Reading:
    """Return what a message says of the zone. Never raises: what is not understood is in `problems`."""
    try:
        return _read(_fields(body), zone)
    except _NotUnderstood as error:
        return Reading(problems=(str(error),))


def _read(fields: Mapping[str, Any], zone: Zone) -> Reading:
    if fields.get("Type") == "Notification" and "TopicArn" in fields:  # SNS between S3 and the queue
        return _read(_fields(_text(fields, "Message")), zone)
    if fields.get("Event") == "s3:TestEvent":  # sent once when notifications are switched on
        return Reading()
    if "Records" in fields:
        return _joined(_attempted(record, zone) for record in _list(fields, "Records"))
    if "detail-type" in fields:
        return _bridged(fields, zone)
    raise _NotUnderstood("is neither an event of S3 nor one of EventBridge")


def _attempted(record: object, zone: Zone) -> Reading:
    """Read one of several records; the others count whatever this one is."""
    try:
        return _record(_mapping(record, "Records"), zone)
    except _NotUnderstood as error:
        return Reading(problems=(str(error),))


def _record(record: Mapping[str, Any], zone: Zone) -> Reading:
    if record.get("eventSource") != "aws:s3":
        raise _NotUnderstood(f"has a record of {_shown(record.get('eventSource'))}, not of aws:s3")
    name = _text(record, "eventName").removeprefix("s3:")
    s3 = _mapping(record.get("s3"), "s3")
    _check_bucket(_text(_mapping(s3.get("bucket"), "s3.bucket"), "name"), zone)
    if name.startswith(_WRITTEN):
        key = _text(_mapping(s3.get("object"), "s3.object"), "key")
        return _written(_decoded(key), zone)
    if name.startswith(_NO_NEWS):
        return Reading()
    raise _NotUnderstood(f"has an event {_shown(name)} that Sluice does not know")


def _bridged(fields: Mapping[str, Any], zone: Zone) -> Reading:
    kind, detail = _text(fields, "detail-type"), _mapping(fields.get("detail"), "detail")
    if kind == RUN:
        return Reading(runs=(RunAsked(_text(fields, "id"), _text(detail, "dataset"), _text(detail, "partition")),))
    if fields.get("source") != "aws.s3":
        raise _NotUnderstood(f"has the detail-type {_shown(kind)}; a run is asked for with {RUN}")
    _check_bucket(_text(_mapping(detail.get("bucket"), "detail.bucket"), "name"), zone)
    if kind in _BRIDGED_WRITTEN:  # EventBridge gets keys as they are, not encoded for a URL
        return _written(_text(_mapping(detail.get("object"), "detail.object"), "key"), zone)
    if kind in _BRIDGED_NO_NEWS:
        return Reading()
    raise _NotUnderstood(f"has the detail-type {_shown(kind)} that Sluice does not know")


def _check_bucket(bucket: str, zone: Zone) -> None:
    if bucket != zone.bucket:
        raise _NotUnderstood(f"is about the bucket {_shown(bucket)}, but objects are in {zone.bucket}")


def _written(key: str, zone: Zone) -> Reading:
    """What is written elsewhere in the bucket, also by Sluice itself, is none of our business."""
    inside = key.removeprefix(zone.prefix)
    is_raw = key.startswith(zone.prefix) and inside.startswith(RAW_ZONE) and not inside.endswith("/")
    return Reading(keys=(inside,)) if is_raw else Reading()


def _decoded(key: str) -> str:
    try:
        return unquote_plus(key, errors="strict")
    except UnicodeDecodeError as error:
        raise _NotUnderstood(f"has a key that is no UTF-8: {_shown(key)}") from error


def _fields(text: str) -> Mapping[str, Any]:
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError) as error:  # also a number with too many digits
        raise _NotUnderstood(f"is no JSON: {_shown(text)}") from error
    return _mapping(value, "all of it")


def _mapping(value: object, name: str) -> Mapping[str, Any]:
    if isinstance(value, dict):
        return value
    raise _NotUnderstood(f"has no object in {name}")


def _list(fields: Mapping[str, Any], name: str) -> list[object]:
    value = fields[name]
    if isinstance(value, list):
        return value
    raise _NotUnderstood(f"has no list in {name}")


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    if isinstance(value, str) and value and not _HALF_PAIR.search(value):
        return value
    raise _NotUnderstood(f"has no text in {name}")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _joined(readings: Iterable[Reading]) -> Reading:
    found = list(readings)
    return Reading(
        tuple(dict.fromkeys(key for reading in found for key in reading.keys)),
        tuple(run for reading in found for run in reading.runs),
        tuple(dict.fromkeys(problem for reading in found for problem in reading.problems)),
    )
