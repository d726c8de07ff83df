"""Notices reach a real HTTP receiver and a real SMTP server; what cannot be delivered is said, and no secret is."""

from __future__ import annotations

import json
import logging
import socketserver
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_string, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from resources.notifier import AppriseNotifier, MemoryNotifier

if TYPE_CHECKING:
    from collections.abc import Iterator

    from resources.notifier import Notifier

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # Apprise imports it

SECRET = "T0KEN5ECRET"


@dataclass
class Receiver:
    """What arrived; `status` is the answer, after `delay` seconds."""

    port: int = 0
    status: int = 200
    delay: float = 0.0
    bodies: list[dict[str, Any]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"json://127.0.0.1:{self.port}/{SECRET}"


@contextmanager
def serving(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    state = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            state.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            time.sleep(state.delay)
            self.send_response(state.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server, serving(server):
        state.port = server.server_port
        yield state


class MailHandler(socketserver.StreamRequestHandler):
    """As much of RFC 5321 as a sender without a password needs."""

    def handle(self) -> None:
        self.say("220 test")
        while command := self.rfile.readline().decode().strip():
            verb = command.upper()
            if verb == "DATA":
                self.say("354 go on")
                self.server.mails.append(self.read_mail())  # type: ignore[attr-defined]
            self.say("221 bye" if verb == "QUIT" else "250 OK")
            if verb == "QUIT":
                return

    def say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())

    def read_mail(self) -> str:
        return b"".join(iter(self.rfile.readline, b".\r\n")).decode()


class MailServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), MailHandler)
        self.mails: list[str] = []


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    with MailServer() as server, serving(server):
        yield server


def notifier(url: str) -> AppriseNotifier:
    return AppriseNotifier({"SLUICE_NOTIFY_SHOP": url})


def test_an_http_receiver_gets_title_and_body(receiver: Receiver) -> None:
    sent = notifier(receiver.url).send("SHOP", "orders 2026-11-20 failed: quality", "12 %.\nOwner: <shop> & co")

    (body,) = receiver.bodies
    assert sent
    assert (body["title"], body["message"]) == (
        "orders 2026-11-20 failed: quality",
        "12 %.\nOwner: <shop> & co",
    )


def test_a_mail_server_gets_title_and_body(mail_server: MailServer) -> None:
    port = mail_server.server_address[1]
    url = f"mailto://127.0.0.1:{port}?from=sluice@example.com&to=shop@example.com&mode=insecure&format=text"

    sent = notifier(url).send("SHOP", "orders 2026-11-20 failed", "12 % rejected ≥ 5 %.")

    (mail,) = (message_from_string(text, policy=policy.default) for text in mail_server.mails)
    body = mail.get_body(("plain",))
    assert sent
    assert mail["Subject"] == "orders 2026-11-20 failed"
    assert "shop@example.com" in mail["To"]
    assert body is not None
    assert body.get_content().strip() == "12 % rejected ≥ 5 %."


def test_all_receivers_of_a_route_are_told(receiver: Receiver) -> None:
    sent = notifier(f"{receiver.url}, json://127.0.0.1:{receiver.port}/second").send("SHOP", "title", "body")

    assert sent
    assert len(receiver.bodies) == 2


@pytest.mark.parametrize("status", [404, 429, 500, 503])
def test_a_receiver_that_refuses_is_reported(receiver: Receiver, status: int) -> None:
    receiver.status = status

    assert not notifier(receiver.url).send("SHOP", "title", "body")


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("json://127.0.0.1:1/x", id="nobody listens"),
        pytest.param("json://host.invalid/x", id="no such host"),
        pytest.param("mailto://127.0.0.1:1?from=a@example.com&mode=insecure", id="no mail server"),
        pytest.param("nonsense://x", id="no such service"),
        pytest.param("not a url", id="no URL"),
        pytest.param("kde://[", id="a URL that Apprise breaks on"),
        pytest.param("   ", id="blank"),
        pytest.param("", id="empty"),
    ],
)
def test_what_cannot_be_delivered_is_reported_and_raises_nothing(url: str) -> None:
    assert not notifier(url).send("SHOP", "title", "body")


@pytest.mark.parametrize("other", ["json://127.0.0.1:1/second", "nonsense://x"], ids=["not there", "no service"])
def test_one_of_two_receivers_that_fails_is_reported_and_the_other_is_told(receiver: Receiver, other: str) -> None:
    sent = notifier(f"{receiver.url}, {other}").send("SHOP", "title", "body")

    assert not sent
    assert len(receiver.bodies) == 1


def test_a_route_whose_variable_is_not_set_is_reported() -> None:
    assert not AppriseNotifier({"SLUICE_NOTIFY_OTHER": "json://127.0.0.1:1"}).send("SHOP", "title", "body")


def test_a_receiver_that_does_not_answer_holds_nobody_up_for_long(receiver: Receiver) -> None:
    receiver.delay = 6.0
    began = time.monotonic()

    sent = notifier(f"{receiver.url}?rto=0.5").send("SHOP", "title", "body")

    assert not sent
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("status", [200, 500])
def test_no_secret_is_logged_or_printed(
    receiver: Receiver, status: int, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    receiver.status = status
    caplog.set_level(logging.DEBUG)
    for_all_levels = [caplog.at_level(1, logger=name) for name in ("apprise", "urllib3", "requests")]
    teller = notifier(receiver.url)

    with for_all_levels[0], for_all_levels[1], for_all_levels[2]:
        teller.send("SHOP", "title", "body")

    printed = capfd.readouterr()
    assert SECRET not in caplog.text + printed.out + printed.err + repr(teller) + str(teller)
    assert len(receiver.bodies) == 1


def test_other_logs_have_their_levels_back(receiver: Receiver) -> None:
    logger = logging.getLogger("urllib3")
    before = logger.level

    notifier(receiver.url).send("SHOP", "title", "body")

    assert logger.level == before


def test_apprise_is_loaded_only_to_send() -> None:
    code = (
        "import sys; from resources.notifier import AppriseNotifier;"
        "AppriseNotifier({}).send('SHOP', 'title', 'body'); print('apprise' in sys.modules)"
    )

    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert found.stdout.strip() == "False"


def test_the_memory_notifier_keeps_what_was_sent_and_breaks_on_demand() -> None:
    memory = MemoryNotifier(broken={"SHOP"})
    port: Notifier = memory

    assert port.send("OPS", "title", "body")
    assert not port.send("SHOP", "title", "body")
    assert memory.sent == [("OPS", "title", "body")]
