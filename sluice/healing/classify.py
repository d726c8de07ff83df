"""Which class of failure an error is: told by its type and typed fields, never by its words."""

from __future__ import annotations

import errno
import ssl
from typing import TYPE_CHECKING

from sluice import errors
from sluice.healing.failure import Failure, FailureClass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import timedelta

_TRANSIENT, _RESOURCE, _PERMISSION = FailureClass.TRANSIENT, FailureClass.RESOURCE, FailureClass.PERMISSION
_MISSING, _QUALITY, _CODE = FailureClass.UPSTREAM_MISSING, FailureClass.QUALITY, FailureClass.CODE
_SINK = FailureClass.SINK_UNAVAILABLE

_OWN: Mapping[type[BaseException], FailureClass] = {
    errors.ContractError: _CODE,
    errors.RawError: _QUALITY,
    errors.RawPartitionEmpty: _MISSING,
    errors.RawObjectChanged: _TRANSIENT,
    errors.RawObjectCutShort: _TRANSIENT,
    errors.LandingRefused: _CODE,
    errors.GenerationRefused: _CODE,
    errors.PullError: _CODE,
    errors.SecretMissing: _PERMISSION,
    errors.AnswerUnreadable: FailureClass.UPSTREAM_UNAVAILABLE,
    errors.AnswerUnexpected: FailureClass.SCHEMA_DRIFT,
    errors.PullUnfinished: _TRANSIENT,  # the next run pulls again
    errors.InputNotPublished: _MISSING,
    errors.ServiceFailed: _CODE,
    errors.AcceptanceRefused: _CODE,
    errors.RewindRefused: _CODE,
    errors.RedriveRefused: _CODE,
    errors.ReplayRefused: _CODE,
    errors.BackfillRefused: _CODE,
    errors.CompactionUnfaithful: _CODE,
    errors.PublishError: _SINK,
    errors.PublishConflict: _TRANSIENT,
    errors.StagedFilesMissing: _TRANSIENT,  # the next run stages anew
    errors.TableIncompatible: FailureClass.SCHEMA_DRIFT,
    errors.PlainTableTaken: _CODE,
    errors.QueryError: _CODE,
    errors.QueryTooLarge: FailureClass.COST,
    errors.QueryFailed: FailureClass.UPSTREAM_UNAVAILABLE,
    errors.WorkgroupUnusable: _CODE,
    errors.StoreError: _CODE,
    errors.StoreForbidden: _PERMISSION,
    errors.CredentialsInvalid: _PERMISSION,
    errors.QueueError: _CODE,
    errors.QueueForbidden: _PERMISSION,
    errors.TopicError: _SINK,
    errors.TopicMissing: _CODE,
    errors.TopicForbidden: _PERMISSION,
    errors.SparkError: _CODE,
    errors.SparkJobLost: _TRANSIENT,
    errors.SettingInvalid: _CODE,
    errors.UnresolvedReference: _CODE,
    errors.ReferenceForbidden: _PERMISSION,
    errors.ReferenceUnavailable: FailureClass.UPSTREAM_UNAVAILABLE,
    errors.LedgerUnavailable: _SINK,
    errors.LedgerMissing: _CODE,
    errors.LedgerTooNew: _CODE,
}

_GATES: Mapping[str, FailureClass] = {
    "breaker_is_closed": _TRANSIENT,
    "raw_objects_exist": _MISSING,
    "raw_is_complete": _MISSING,
    "reference_data_is_current": _MISSING,
    "schema_has_not_drifted": FailureClass.SCHEMA_DRIFT,
    "estimated_cost_is_within_budget": FailureClass.COST,
    "runtime_is_within_budget": FailureClass.COST,
    "scan_cost_is_within_budget": FailureClass.COST,
}
"""All other gates are about data."""

_ERRNO: Mapping[int, FailureClass] = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.EFBIG), _RESOURCE),
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), _PERMISSION),
    **dict.fromkeys((errno.ETIMEDOUT, errno.ECONNRESET, errno.ECONNREFUSED, errno.ECONNABORTED), _TRANSIENT),
    **dict.fromkeys((errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN, errno.ENETRESET), _TRANSIENT),
    **dict.fromkeys((errno.EPIPE, errno.EAGAIN, errno.EINTR, errno.EBUSY, errno.EIO, errno.ESTALE), _TRANSIENT),
}

# By qualified name: an error of a library that was never imported cannot be here, so nothing is imported for it.
_BY_NAME: Mapping[str, FailureClass] = {
    "builtins.MemoryError": _RESOURCE,
    "builtins.TimeoutError": _TRANSIENT,
    "builtins.ConnectionError": _TRANSIENT,
    "builtins.InterruptedError": _TRANSIENT,
    "builtins.BlockingIOError": _TRANSIENT,
    "builtins.PermissionError": _PERMISSION,
    "builtins.KeyboardInterrupt": _TRANSIENT,  # a machine that shuts down interrupts, too
    "socket.gaierror": _TRANSIENT,
    "_duckdb.OutOfMemoryException": _RESOURCE,
    "_duckdb.PermissionException": _PERMISSION,
    "_duckdb.ConnectionException": _TRANSIENT,
    "_duckdb.TransactionException": _TRANSIENT,
    "_duckdb.ResourceInUseException": _TRANSIENT,
    "_duckdb.InterruptException": _TRANSIENT,
    "pyarrow.lib.ArrowCancelled": _TRANSIENT,
}

_PROGRAMMING = (
    *(ArithmeticError, AssertionError, AttributeError, ImportError, LookupError, NameError),
    *(NotImplementedError, RecursionError, SyntaxError, TypeError, ValueError),
)

_UNLESS_CAUSED: Mapping[str, FailureClass] = {
    "_duckdb.IOException": _TRANSIENT,
    "_duckdb.Error": _CODE,
    "pyarrow.lib.ArrowException": _CODE,
    **{f"builtins.{kind.__name__}": _CODE for kind in _PROGRAMMING},
}
"""What wraps anything at all, so a cause that is known says more."""


def nobody(_error: BaseException) -> FailureClass | None:
    return None


def never(_error: BaseException) -> timedelta | None:
    return None


def classify_error(
    error: BaseException,
    foreign: Callable[[BaseException], FailureClass | None] = nobody,
    retry_after: Callable[[BaseException], timedelta | None] = never,
) -> Failure:
    """Return what kind of failure it is: the outermost of error and causes whose type says so decides.

    `foreign` knows the types of other libraries and is asked first; `retry_after` reads what the other side asked for.
    """
    chain = tuple(_with_causes(error))

    def typed(item: BaseException) -> FailureClass | None:
        return foreign(item) or class_of(item)

    for judge in (typed, _class_unless_caused):
        for item in chain:
            failure_class = judge(item)
            if failure_class is not None:
                return _failure(failure_class, item, retry_after)
    return _failure(FailureClass.UNKNOWN, error, retry_after)


def class_of(error: BaseException) -> FailureClass | None:
    """Return the class of Sluice's own errors, the system's, and those of the libraries of the core."""
    if isinstance(error, errors.GateClosed):
        return _GATES.get(error.gate, _QUALITY)
    if isinstance(error, errors.SparkJobFailed):  # its type was known where it was raised, and there only
        return FailureClass(error.failure_class)
    if isinstance(error, ssl.SSLError):  # its errno is not the system's: 1 would read as EPERM
        return _PERMISSION if isinstance(error, ssl.SSLCertVerificationError) else _TRANSIENT
    if isinstance(error, OSError) and error.errno is not None and error.errno in _ERRNO:
        return _ERRNO[error.errno]
    own = next((_OWN[kind] for kind in type(error).__mro__ if kind in _OWN), None)
    return own or named_in(_BY_NAME, error)


def named_in(table: Mapping[str, FailureClass], error: BaseException) -> FailureClass | None:
    """Return the class of the nearest type of the error that the table names."""
    return next((table[name] for kind in type(error).__mro__ if (name := qualified(kind)) in table), None)


def qualified(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _class_unless_caused(error: BaseException) -> FailureClass | None:
    return named_in(_UNLESS_CAUSED, error)


def _failure(
    failure_class: FailureClass, error: BaseException, retry_after: Callable[[BaseException], timedelta | None]
) -> Failure:
    return Failure(failure_class, qualified(type(error)), str(error) or type(error).__name__, retry_after(error))


def _with_causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and its causes; a chain may be a ring."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__
