"""Faults laid out as files: whichever process comes first to where one waits takes it, so each happens once."""

from __future__ import annotations

import errno
import multiprocessing
import os
import signal
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError, ReadTimeoutError  # type: ignore[import-untyped]
from botocore.parsers import create_parser  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Never

_ENDPOINT = "http://127.0.0.1/bucket"
_API = {"list": "ListObjectsV2", "etag": "HeadObject", "open": "GetObject", "put": "PutObject"}


class Fault(StrEnum):
    ERROR = "error"  # 500 InternalError
    THROTTLED = "throttled"  # 503 SlowDown
    TIMEOUT = "timeout"  # nothing was done
    LOST_ANSWER = "lost_answer"  # it was done, but the answer never came
    TRUNCATED = "truncated"  # half the bytes, then an end like any other
    BROKEN = "broken"  # half the bytes, then the connection breaks
    FULL = "full"  # no space left, for this one call
    SMALL_DISK = "small_disk"  # no space left for whatever this process writes from now on
    KILL_BEFORE = "kill_before"
    KILL_AFTER = "kill_after"


AFTERWARDS = (Fault.LOST_ANSWER, Fault.KILL_AFTER)

FAULTS: dict[str, tuple[Fault, ...]] = {
    "list": (Fault.ERROR, Fault.THROTTLED, Fault.TIMEOUT),
    "etag": (Fault.ERROR, Fault.THROTTLED, Fault.TIMEOUT),
    "open": (Fault.ERROR, Fault.THROTTLED, Fault.TIMEOUT, Fault.TRUNCATED, Fault.BROKEN),
    "put": (Fault.ERROR, Fault.THROTTLED, Fault.LOST_ANSWER, Fault.FULL, Fault.KILL_BEFORE, Fault.KILL_AFTER),
    "build": (Fault.FULL, Fault.SMALL_DISK, Fault.KILL_BEFORE),
    "publish": (Fault.LOST_ANSWER, Fault.KILL_BEFORE, Fault.KILL_AFTER),
    "record": (Fault.KILL_BEFORE, Fault.KILL_AFTER),
    "end": (Fault.KILL_BEFORE,),
}


@dataclass(frozen=True, slots=True)
class FaultBox:
    """The folder that holds the faults: `armed` ones wait, `fired` ones have happened."""

    folder: Path

    def arm(self, number: int, operation: str, among: str, fault: Fault, *, in_run: bool = True) -> None:
        """Lay one out for the next call of `operation` on a key that contains `among`, in a run or anywhere."""
        for name in ("armed", "fired"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        (self.folder / "armed" / f"{number:04}~{operation}~{among}~{fault}~{'run' if in_run else 'any'}").touch()

    def take(self, operation: str, key: str) -> Fault | None:
        for name in sorted(self.names("armed")):
            _, wanted, among, fault, where = name.split("~")
            fits = wanted == operation and among in key and (where == "any" or _is_run())
            if fits and self._move(name):
                return Fault(fault)
        return None

    def names(self, state: str) -> list[str]:
        folder = self.folder / state
        return sorted(os.listdir(folder)) if folder.is_dir() else []  # noqa: PTH208  # thousands of times, so cheaply

    def _move(self, name: str) -> bool:
        try:
            (self.folder / "armed" / name).rename(self.folder / "fired" / name)
        except FileNotFoundError:  # another process was faster
            return False
        return True


def _is_run() -> bool:
    """Runs are executed in processes that the code server spawns."""
    return multiprocessing.parent_process() is not None


def fail(fault: Fault | None, operation: str) -> Never:
    match fault:
        case Fault.ERROR | Fault.THROTTLED:
            raise _answer(fault, operation)
        case Fault.TIMEOUT | Fault.LOST_ANSWER:
            raise ReadTimeoutError(endpoint_url=_ENDPOINT)
        case Fault.FULL:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        case Fault.KILL_BEFORE | Fault.KILL_AFTER:
            os.kill(os.getpid(), signal.SIGKILL)
        case _:
            pass
    raise AssertionError(fault)


def _answer(fault: Fault, operation: str) -> ClientError:
    """Return the error that botocore makes of such an answer."""
    status, code = (500, "InternalError") if fault is Fault.ERROR else (503, "SlowDown")
    body = f"<Error><Code>{code}</Code><Message>Please reduce your request rate.</Message></Error>".encode()
    answer = create_parser("rest-xml").parse({"status_code": status, "headers": {}, "body": body}, None)
    return ClientError(answer, _API[operation])
