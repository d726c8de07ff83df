"""How often Arrow's own client of S3 tries; its default is three times, which a bucket that throttles uses up."""

from __future__ import annotations

from pyarrow.fs import AwsStandardS3RetryStrategy

from resources.s3_place import ATTEMPTS


class PatientRetries(AwsStandardS3RetryStrategy):
    """As often as botocore does for us. pyiceberg makes one by this class's name, without arguments."""

    def __init__(self) -> None:
        super().__init__(max_attempts=ATTEMPTS)
