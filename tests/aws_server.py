"""A server with the APIs of AWS on this machine: ministack, in the environment that `make test-aws` installs."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from resources.aws_session import aws_session
from resources.s3_place import S3Place

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PROGRAM = Path(__file__).parents[1] / ".cache" / "ministack" / "bin" / "ministack"
REGION = "eu-central-1"
ROOT_KEY, ROOT_SECRET = "test", "test"  # the server takes these for the account itself
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": ROOT_KEY,
    "AWS_SECRET_ACCESS_KEY": ROOT_SECRET,
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}
_START_SECONDS = 180


@dataclass(frozen=True)
class AwsServer:
    endpoint: str

    def place(self, bucket: str, prefix: str = "", *, region: str = REGION) -> S3Place:
        return S3Place(bucket, prefix, region, self.endpoint)

    def client(self, service: str, *, region: str = REGION) -> Any:
        return aws_session().client(service, region_name=region, endpoint_url=self.endpoint)

    def new_bucket(self, name: str, *, versioned: bool = False, region: str = REGION) -> str:
        client = self.client("s3", region=region)
        client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": region})
        if versioned:
            client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        return name


@contextmanager
def running_aws(folder: Path, **settings: str) -> Iterator[AwsServer]:
    """Run a server that keeps all it has in memory and below `folder`, and is gone afterwards."""
    if not PROGRAM.exists():
        raise FileNotFoundError(f"{PROGRAM} is not there. Run: make test-aws, which installs it")
    with _held_port() as port, _ministack(folder, {"GATEWAY_PORT": str(port), **settings}) as process:
        _await_port(port, process, folder / "ministack.log")
        yield AwsServer(f"http://127.0.0.1:{port}")


@contextmanager
def _ministack(folder: Path, settings: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    environ = {
        **os.environ,
        "BIND_HOST": "127.0.0.1",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "S3_DATA_DIR": str(folder / "s3"),
        "TMPDIR": str(folder),
        "LOG_LEVEL": "WARNING",
        "ATHENA_ENGINE": "duckdb",
        **settings,
    }
    with (folder / "ministack.log").open("wb") as log:
        process = subprocess.Popen([PROGRAM], env=environ, cwd=folder, stdout=log, stderr=log, start_new_session=True)
        try:
            yield process
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextmanager
def _held_port() -> Iterator[int]:
    """Keep a port, lest it is given to others; who sets SO_REUSEADDR, as ministack does, may still listen on it."""
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        yield int(holder.getsockname()[1])


def _free_port() -> int:
    with _held_port() as port:
        return port


def _await_port(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            break
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"ministack did not start: {log.read_text()[-2000:]}")
