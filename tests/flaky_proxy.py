"""A proxy in front of a server, which throttles and breaks off as networks do: no emulator does it by itself."""

from __future__ import annotations

import http.client
import json
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum, auto
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from email.message import Message

_XML = (
    "<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code><Message>Words.</Message>"
    "<RequestId>1</RequestId></Error>"
)
_QUERY = (
    "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>Words.</Message></Error>"
    "<RequestId>1</RequestId></ErrorResponse>"
)
_OF_ONE_BODY = frozenset({"connection", "content-length", "expect", "transfer-encoding"})
_OF_ONE_HOP = frozenset({"connection", "transfer-encoding", "content-length", "date", "server"})


class Trouble(Enum):
    SLOW_DOWN = auto()
    CUT_OFF = auto()  # half of the body, then nothing
    LOST_ANSWER = auto()  # the server has done it, and nobody hears of it


@dataclass(frozen=True)
class Refusal:
    """An error as AWS's own references have it; ministack by itself asks nobody who he is."""

    status: int
    code: str

    def answer(self, headers: Message) -> tuple[str, bytes]:
        """Return type and body in the protocol of the service that was asked."""
        if target := headers.get("X-Amz-Target"):  # SQS, Glue, Athena
            kind = headers.get("Content-Type", "application/x-amz-json-1.0")
            return kind, json.dumps({"__type": f"{target}#{self.code}", "message": "Words."}).encode()
        form = _QUERY if "form-urlencoded" in headers.get("Content-Type", "") else _XML  # STS; S3
        return "application/xml", form.format(code=self.code).encode()


_SLOW_DOWN = Refusal(503, "SlowDown")


@contextmanager
def flaky(endpoint: str, trouble: Callable[[str, str], Trouble | Refusal | None]) -> Iterator[str]:
    """Yield the URL of the proxy; `trouble` is asked of each request by method and path."""
    target = urlsplit(endpoint).netloc

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass_on(self) -> None:
            body = _body_of(self)
            found = trouble(self.command, self.path)
            refused = _SLOW_DOWN if found is Trouble.SLOW_DOWN else found
            if isinstance(refused, Refusal):
                kind, words = refused.answer(self.headers)
                self._answer(refused.status, [("Content-Type", kind)], words)
                return
            connection = http.client.HTTPConnection(target, timeout=60)
            connection.request(self.command, self.path, body, _headers_of(self, body))
            response = connection.getresponse()
            content = response.read()
            connection.close()
            if found is Trouble.LOST_ANSWER:
                self.close_connection = True
                return
            length = response.headers.get("Content-Length") or str(len(content))
            half = content[: len(content) // 2] if found is Trouble.CUT_OFF else content
            self._answer(response.status, response.getheaders(), half, length)
            self.close_connection = found is Trouble.CUT_OFF

        do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _pass_on  # noqa: N815  names that http.server looks for

        def _answer(self, status: int, headers: list[tuple[str, str]], content: bytes, length: str = "") -> None:
            self.send_response(status)
            for name, value in headers:
                if name.lower() not in _OF_ONE_HOP:
                    self.send_header(name, value)
            self.send_header("Content-Length", length or str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class's name
            pass

    server = _Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:  # Any: as the base class has it
        """Say nothing of clients that are gone: some are killed on purpose."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def _body_of(request: BaseHTTPRequestHandler) -> bytes:
    """Read all of it before anything is said: what is left unread would be taken for the next request."""
    if request.headers.get("Transfer-Encoding", "").lower() != "chunked":  # as Arrow sends what it writes
        return request.rfile.read(int(request.headers.get("Content-Length") or 0))
    chunks = []
    while size := int(request.rfile.readline().split(b";")[0], 16):
        chunks.append(request.rfile.read(size))
        request.rfile.readline()
    while request.rfile.readline().strip():
        pass
    return b"".join(chunks)


def _headers_of(request: BaseHTTPRequestHandler, body: bytes) -> dict[str, str]:
    kept = {name: value for name, value in request.headers.items() if name.lower() not in _OF_ONE_BODY}
    return {**kept, "Content-Length": str(len(body))}
