"""Writes log records as lines of JSON, and metrics between them: whole lines, whatever else writes there.

Dagster, its web server and its steps put handlers on loggers of their own, at times of their own. So whatever would
write to the terminal is replaced by one handler at the moment when a logger is given it.
"""

from __future__ import annotations

import logging
import os
import select
import stat
import sys
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sluice.telemetry.emf import emf_line
from sluice.telemetry.log_line import LogRecord, log_line
from sluice.telemetry.measured import METRICS_LOGGER, Measured

if TYPE_CHECKING:
    from collections.abc import Mapping

    from resources.telemetry_settings import TelemetrySettings

METRICS = logging.getLogger(METRICS_LOGGER)
"""A record with `measured` is a metric."""

STDOUT, STDERR = 1, 2
_MOST_BYTES = 250_000
"""CloudWatch takes events of 256 KB."""

_TERMINAL = frozenset({"<stdout>", "<stderr>"})
_WRITTEN = "_sluice_is_written"
_add_handler = logging.Logger.addHandler


class JsonHandler(logging.Handler):
    """Writes each line by one call to a descriptor of its own: Dagster redirects the usual ones while a step works.

    One write to a file that is appended to is never mixed with another; to a pipe, if it is no longer than PIPE_BUF.
    """

    def __init__(self, settings: TelemetrySettings, descriptor: int) -> None:
        super().__init__()
        self.asked = settings, descriptor
        self._settings = settings
        self._descriptor = os.dup(descriptor)  # never closed: logging.config closes every handler, and goes on using it
        is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)
        self._most_bytes = _MOST_BYTES if is_file else select.PIPE_BUF

    def emit(self, record: logging.LogRecord) -> None:
        if getattr(record, _WRITTEN, False):
            return  # by a handler of a logger below this one
        try:
            os.write(self._descriptor, self._line(record))
            setattr(record, _WRITTEN, True)
        except Exception:  # noqa: BLE001  logging has its own way to tell that it cannot
            self.handleError(record)

    def _line(self, record: logging.LogRecord) -> bytes:
        measured = getattr(record, "measured", None)
        if isinstance(measured, Measured) and self._settings.namespace:
            return emf_line(measured, self._settings.namespace)
        return log_line(_read(record), self._most_bytes)


def keep_telemetry(settings: TelemetrySettings, descriptor: int = STDOUT) -> None:
    """Have this process write as the settings say; doing it again changes nothing."""
    root = logging.getLogger()
    if any(isinstance(item, JsonHandler) and item.asked == (settings, descriptor) for item in METRICS.handlers):
        return
    if not settings.is_on:
        return
    handler = JsonHandler(settings, descriptor)
    METRICS.propagate = False
    METRICS.setLevel(logging.INFO if settings.namespace else logging.CRITICAL)
    _add_handler(METRICS, handler)
    if settings.are_logs_json:
        _take_over(root, handler)


def writes_json() -> bool:
    """Whether this process's logs are JSON."""
    return any(isinstance(handler, JsonHandler) for handler in logging.getLogger().handlers)


def _take_over(root: logging.Logger, handler: JsonHandler) -> None:
    def add(logger: logging.Logger, added: logging.Handler) -> None:
        _add_handler(logger, handler if _is_terminal(added) else added)

    logging.Logger.addHandler = add  # type: ignore[assignment,method-assign]
    for logger in [root, *logging.Logger.manager.loggerDict.values()]:
        if isinstance(logger, logging.Logger):
            for other in [item for item in logger.handlers if _is_terminal(item)]:
                logger.removeHandler(other)
                _add_handler(logger, handler)
    _add_handler(root, handler)
    logging.getLogger("sluice").setLevel(logging.INFO)
    logging.captureWarnings(capture=True)
    sys.excepthook = lambda kind, error, trace: root.critical("It ended.", exc_info=(kind, error, trace))
    threading.excepthook = lambda told: root.critical(
        "A thread ended.", exc_info=(told.exc_type, told.exc_value or told.exc_type(), told.exc_traceback)
    )


def _is_terminal(handler: logging.Handler) -> bool:
    if isinstance(handler, JsonHandler):
        return True
    return getattr(getattr(handler, "stream", None), "name", None) in _TERMINAL


def _read(record: logging.LogRecord) -> LogRecord:
    meta: Mapping[str, Any] = getattr(record, "dagster_meta", None) or {}  # Any: Dagster's
    told = getattr(getattr(meta.get("dagster_event"), "event_specific_data", None), "error", None)
    error, stack = _exception(record, told)
    return LogRecord(
        at=datetime.fromtimestamp(record.created, UTC),
        level=record.levelname,
        logger=record.name,
        message=str(meta.get("orig_message") or record.getMessage()),
        process=os.getpid(),
        about={**_about(meta), **getattr(record, "about", {})},
        error=error,
        stack=stack,
    )


def _about(meta: Mapping[str, Any]) -> Mapping[str, str]:
    tags, step = meta.get("job_tags") or {}, meta.get("step_key") or ""
    found = {
        "run": meta.get("run_id"),
        "dataset": tags.get("sluice/dataset") or step.partition("__")[2],
        "partition": tags.get("dagster/partition"),
        "job": meta.get("job_name"),
        "step": step,
    }
    return {name: str(value) for name, value in found.items() if value}


def _exception(record: logging.LogRecord, told: Any) -> tuple[str, str]:  # noqa: ANN401  Dagster's SerializableErrorInfo
    """Return type and traceback, of the exception itself or as Dagster has written it down."""
    if record.exc_info and record.exc_info[0]:
        return record.exc_info[0].__name__, logging.Formatter().formatException(record.exc_info)
    if told is None:
        return "", ""
    innermost = told
    while innermost.cause:
        innermost = innermost.cause
    return str(innermost.cls_name or ""), str(told.to_string())
