"""Whether the code server answers: the process that we started only passes questions on to one that it started."""

from __future__ import annotations

import threading
import time
from pathlib import Path

_BEAT_SECONDS = 2.0
_MOST_MISSED = 3


class Pulse:
    """Asks again and again, beside whoever looks at it."""

    def __init__(self, code_socket: Path) -> None:
        self._socket = code_socket
        self._missed = 0
        threading.Thread(target=self._beat, name="pulse", daemon=True).start()

    def is_lost(self) -> bool:
        return self._missed >= _MOST_MISSED

    def forget(self) -> None:
        self._missed = 0

    def _beat(self) -> None:
        while True:
            time.sleep(_BEAT_SECONDS)
            # Without a socket the server is being started.
            self._missed = self._missed + 1 if self._socket.exists() and not answers(self._socket) else 0


def answers(code_socket: Path) -> bool:
    """Code that cannot be loaded is an answer as well, which Dagster shows in its UI."""
    from dagster._core.errors import DagsterUserCodeUnreachableError
    from dagster._grpc.client import DagsterGrpcClient

    try:
        DagsterGrpcClient(socket=str(code_socket)).list_repositories()
    except DagsterUserCodeUnreachableError:
        return False
    return True
