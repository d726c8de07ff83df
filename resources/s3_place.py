"""Where in S3 the objects are, and how they are to be kept there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from resources.aws_session import aws_session
from resources.s3_errors import refuse_other_region
from sluice.errors import SettingInvalid

if TYPE_CHECKING:
    from pyarrow.fs import S3FileSystem

_CONNECT_SECONDS, _READ_SECONDS = 5, 30
_CONNECTIONS = 32
ATTEMPTS = 8
"""Of one request. botocore's standard mode waits up to 1, 2, 4 ... 20 seconds between them, at random from zero."""


@dataclass(frozen=True, slots=True)
class S3Place:
    """`prefix` is empty or ends with `/`. `endpoint` is for servers that speak S3 but are not AWS.

    With `kms_key` objects are encrypted under that key; without it the bucket's own default holds.
    """

    bucket: str
    prefix: str
    region: str
    endpoint: str | None = None
    kms_key: str | None = None

    def url(self, key: str) -> str:
        return f"s3://{self.bucket}/{self.prefix}{key}"

    def encryption(self) -> dict[str, Any]:
        """Return what a request that writes an object says of its key."""
        if self.kms_key is None:
            return {}
        # The bucket key saves one call of KMS for each object.
        return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self.kms_key, "BucketKeyEnabled": True}

    def client(self, service: str = "s3", *, attempts: int = ATTEMPTS) -> Any:  # noqa: ANN401  botocore makes its clients at run time
        from botocore.config import Config  # type: ignore[import-untyped]

        style = "path" if self.endpoint else "auto"  # no DNS name says the bucket of a server on this machine
        config = Config(
            region_name=self.region,
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
            retries={"mode": "standard", "total_max_attempts": attempts},
            max_pool_connections=_CONNECTIONS,
            tcp_keepalive=True,
            s3={"addressing_style": style},
        )
        client = aws_session().client(service, endpoint_url=self.endpoint, config=config)
        client.meta.events.register_first("needs-retry.s3", refuse_other_region)
        return client

    def file_system(self) -> S3FileSystem:
        """Return Arrow's own client: it reads single columns and row groups, in threads of its own."""
        from pyarrow.fs import S3FileSystem

        return S3FileSystem(**self._arrow_options())

    def iceberg_properties(self) -> dict[str, str]:
        """Return how pyiceberg is told the same."""
        found = {"s3.region": self.region, "s3.retry-strategy-impl": "resources.arrow_retries.PatientRetries"}
        return {**found, "s3.endpoint": self.endpoint} if self.endpoint else found

    def _arrow_options(self) -> dict[str, Any]:
        from resources.arrow_retries import PatientRetries

        options: dict[str, Any] = {"region": self.region, "retry_strategy": PatientRetries()}
        if self.endpoint:
            scheme, _, host = self.endpoint.partition("://")
            options |= {"endpoint_override": host, "scheme": scheme}
        return options


def parse_s3_url(url: str, *, variable: str) -> tuple[str, str]:
    """Return bucket and prefix; raises SettingInvalid."""
    scheme, _, rest = url.partition("://")
    bucket, _, prefix = rest.partition("/")
    parts = prefix.strip("/").split("/") if prefix.strip("/") else []
    if scheme != "s3" or not bucket or any(part in {"", ".", ".."} for part in parts):
        raise SettingInvalid(
            name=variable, value=url, problem="is no place in S3", cure="Write s3://BUCKET or s3://BUCKET/PREFIX."
        )
    return bucket, "".join(f"{part}/" for part in parts)
