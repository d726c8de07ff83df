"""Which class of failure the errors of outside libraries are; no library is imported for it."""

from __future__ import annotations

import sqlite3
import ssl
from http import HTTPStatus
from typing import TYPE_CHECKING

from resources.arrow_s3_errors import arrow_refusal
from sluice.healing.backoff import asked_wait
from sluice.healing.classify import class_of, classify_error, named_in, qualified
from sluice.healing.failure import Failure, FailureClass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import timedelta

_TRANSIENT, _RESOURCE, _PERMISSION = FailureClass.TRANSIENT, FailureClass.RESOURCE, FailureClass.PERMISSION
_SOURCE, _SINK, _CODE = FailureClass.UPSTREAM_UNAVAILABLE, FailureClass.SINK_UNAVAILABLE, FailureClass.CODE


def _names(module: str, names: str, failure_class: FailureClass) -> Mapping[str, FailureClass]:
    return {f"{module}.{name}": failure_class for name in names.split()}


_BOTO, _ICEBERG, _SQL = "botocore.exceptions", "pyiceberg.exceptions", "sqlalchemy.exc"

BY_NAME: Mapping[str, FailureClass] = {
    **_names(_BOTO, "ConnectionError HTTPClientError ResponseStreamingError IncompleteReadError", _TRANSIENT),
    **_names(_BOTO, "ChecksumError FlexibleChecksumError CapacityNotAvailableError", _TRANSIENT),
    **_names(
        _BOTO, "NoCredentialsError PartialCredentialsError CredentialRetrievalError NoAuthTokenError", _PERMISSION
    ),
    **_names(_BOTO, "TokenRetrievalError SSOError LoginError MetadataRetrievalError", _PERMISSION),
    **_names(_BOTO, "BotoCoreError", _CODE),
    **_names(_ICEBERG, "CommitFailedException WaitingForLockException ValidationException", _TRANSIENT),
    **_names(_ICEBERG, "ConditionalCheckFailedException", _TRANSIENT),
    **_names(_ICEBERG, "RESTError DynamoDbError", _SINK),
    **_names(_ICEBERG, "UnauthorizedError ForbiddenError AuthorizationExpiredError OAuthError SignError", _PERMISSION),
    **_names(_ICEBERG, "BadRequestError ValidationError NotInstalledError", _CODE),
    **_names(_ICEBERG, "ResolveError", FailureClass.SCHEMA_DRIFT),
    **_names(_SQL, "OperationalError InterfaceError DisconnectionError TimeoutError", _SINK),
    **_names(_SQL, "SQLAlchemyError", _CODE),
    **_names("sqlite3", "OperationalError", _SINK),
    **_names("sqlite3", "Error", _CODE),
    **_names("requests.exceptions", "ConnectionError Timeout ChunkedEncodingError", _TRANSIENT),
    **_names("httpx", "TransportError DecodingError", _TRANSIENT),
    **_names("httpx", "LocalProtocolError UnsupportedProtocol TooManyRedirects InvalidURL", _CODE),
    "dagster._core.errors.DagsterExecutionInterruptedError": _TRANSIENT,
}

_THROTTLED = frozenset(
    {
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestThrottled",
        "RequestThrottledException",
        "RequestLimitExceeded",
        "TooManyRequestsException",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "BandwidthLimitExceeded",
        "ServiceUnavailable",
    }
)
_FORBIDDEN = frozenset({"AccessDenied", "AccessDeniedException", "ExpiredToken", "ExpiredTokenException"})
_MISTAKEN = frozenset({"NoSuchBucket", "PermanentRedirect", "301"})  # the settings name what is not there
_RACED = frozenset({"ConcurrentModificationException", "ConditionalRequestConflict", "OperationAborted"})
_OF_SOURCES = frozenset(
    {
        *("GetObject", "HeadObject", "ListObjects", "ListObjectsV2", "ListObjectVersions"),
        *("GetWorkGroup", "StartQueryExecution", "GetQueryExecution", "GetQueryResults"),
    }
)
_NOTHING_THERE = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
_GONE = frozenset({"NoSuchKey", "404", "NoSuchVersion"})

_SQLITE: Mapping[int, FailureClass] = {
    **dict.fromkeys((sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_INTERRUPT), _TRANSIENT),
    **dict.fromkeys((sqlite3.SQLITE_FULL, sqlite3.SQLITE_NOMEM), _RESOURCE),
    **dict.fromkeys((sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH), _PERMISSION),
    **dict.fromkeys((sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PROTOCOL), _SINK),
    **dict.fromkeys((sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB), FailureClass.UNKNOWN),
    sqlite3.SQLITE_ERROR: _CODE,  # wrong SQL, a missing table
}
_PRIMARY = 0xFF  # an extended code of SQLite holds the primary one in its lowest byte

_SQLSTATE: Mapping[str, FailureClass] = {
    "08": _SINK,  # connection
    "28": _PERMISSION,  # authorization
    "40": _TRANSIENT,  # serialization, deadlock
    "53": _RESOURCE,  # disk, memory
    "53300": _SINK,  # too many connections
    "55": _TRANSIENT,  # somebody holds a lock
    "57": _SINK,  # shutdown, start
    "58": _SINK,  # the server's own system
    "42501": _PERMISSION,
}


class TypedFailures:
    def classify(self, error: BaseException) -> Failure:
        return classify(error)


def classify(error: BaseException) -> Failure:
    """Return what kind of failure it is; Dagster's wrapping of a step's error is taken off."""
    return classify_error(_unwrapped(error), foreign_class, asked_of)


def foreign_class(error: BaseException) -> FailureClass | None:
    status = status_of(error)
    if _is(error, f"{_BOTO}.ClientError"):
        return _class_of_answer(error, status)
    if (refused := arrow_refusal(error)) is not None:
        return _class_of_code(refused.code, refused.status, reads=refused.operation in _OF_SOURCES)
    if isinstance(error, sqlite3.Error) and (code := getattr(error, "sqlite_errorcode", None)) is not None:
        return _SQLITE.get(code & _PRIMARY, _CODE)
    if _is(error, "httpx.ConnectError") and any(
        isinstance(item, ssl.SSLCertVerificationError) for item in _causes(error)
    ):
        return _PERMISSION
    if _is(error, "httpx.HTTPStatusError") and status is not None and (told := _class_of_source(status)) is not None:
        return told
    driver = getattr(error, "orig", None) if _is(error, f"{_SQL}.DBAPIError") else None
    if isinstance(driver, BaseException) and (told := _class_of_driver(driver)) is not None:
        return told
    if status is not None and not _is(error, f"{_ICEBERG}.RESTError"):
        return _class_of_status(status, _SOURCE)
    return named_in(BY_NAME, error)


def status_of(error: BaseException) -> int | None:
    """Return the HTTP status an error carries: the libraries keep it in different places."""
    if _is(error, f"{_BOTO}.ClientError"):
        found: object = _mapping(_response(error).get("ResponseMetadata")).get("HTTPStatusCode")
    elif _is(error, "_duckdb.HTTPException"):
        found = getattr(error, "status_code", None)
    elif _is(error, "requests.exceptions.HTTPError") or _is(error, "httpx.HTTPStatusError"):
        found = getattr(getattr(error, "response", None), "status_code", None)
    else:
        found = getattr(error, "code", None) if _is(error, "urllib.error.HTTPError") else None
    return found if isinstance(found, int) and found else None


def asked_of(error: BaseException) -> timedelta | None:
    """Return how long the other side asks to wait."""
    if _is(error, f"{_BOTO}.ClientError"):
        return asked_wait(_texts(_mapping(_response(error).get("ResponseMetadata")).get("HTTPHeaders")))
    if status_of(error) is None:
        return None
    holder = error if hasattr(error, "headers") else getattr(error, "response", None)
    return asked_wait(_texts(getattr(holder, "headers", None)))


def _class_of_answer(error: BaseException, status: int | None) -> FailureClass:
    code = str(_mapping(_response(error).get("Error")).get("Code", ""))
    return _class_of_code(code, status, reads=getattr(error, "operation_name", "") in _OF_SOURCES)


def _class_of_code(code: str, status: int | None, *, reads: bool) -> FailureClass:
    if code in _THROTTLED:
        return _SOURCE if reads else _SINK
    if code in _FORBIDDEN:
        return _PERMISSION
    if code in _RACED or code == "RequestTimeout":
        return _TRANSIENT
    if reads and code in _GONE:
        return FailureClass.UPSTREAM_MISSING
    if code in _MISTAKEN:
        return _CODE
    return _class_of_status(status, _SOURCE if reads else _SINK) or FailureClass.UNKNOWN


def _class_of_status(status: int | None, side: FailureClass) -> FailureClass | None:
    """`side` is what is unavailable when the other side says so."""
    match status:
        case HTTPStatus.TOO_MANY_REQUESTS | HTTPStatus.SERVICE_UNAVAILABLE:
            return side
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
            return _PERMISSION
        case HTTPStatus.REQUEST_TIMEOUT | HTTPStatus.CONFLICT | HTTPStatus.PRECONDITION_FAILED:
            return _TRANSIENT
        case int() if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return _TRANSIENT
        case int() if status >= HTTPStatus.BAD_REQUEST and status != HTTPStatus.NOT_FOUND:
            return _CODE
    return None


def _class_of_source(status: int) -> FailureClass | None:
    """A source may say in several ways that it has nothing; where it leads in circles its contract is wrong."""
    if status in _NOTHING_THERE:
        return FailureClass.UPSTREAM_MISSING
    return _CODE if status < HTTPStatus.BAD_REQUEST else None


def _class_of_driver(driver: BaseException) -> FailureClass | None:
    """PostgreSQL's drivers name the state `pgcode` or `sqlstate`; the first two characters are its class."""
    state = getattr(driver, "pgcode", None) or getattr(driver, "sqlstate", None)
    if isinstance(state, str):
        return _SQLSTATE.get(state) or _SQLSTATE.get(state[:2], _CODE)
    return foreign_class(driver) if isinstance(driver, sqlite3.Error) else class_of(driver)


def _unwrapped(error: BaseException) -> BaseException:
    inner = getattr(error, "user_exception", None)
    return inner if isinstance(inner, BaseException) else error


def _is(error: BaseException, name: str) -> bool:
    return any(qualified(kind) == name for kind in type(error).__mro__)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield what led to the error, also where a library says it only as context."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or current.__context__


def _response(error: BaseException) -> Mapping[str, object]:
    return _mapping(getattr(error, "response", None))


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _texts(value: object) -> Mapping[str, str]:
    items = getattr(value, "items", None)
    return {str(name): str(item) for name, item in items()} if callable(items) else {}
