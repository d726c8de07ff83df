"""What Athena reads of a table with partition projection and listings of files, laid out so that ministack can read it.

ministack's Athena runs SQL, but reads whatever lies below a table's location: it knows no projection, no location
template, no SymlinkTextInputFormat. So this does what AWS's documents say that Athena does with the table's own
parameters, strictly, and puts the files found into a table of the same name in another database.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.aws_server import AwsServer

_SYMLINKS = "org.apache.hadoop.hive.ql.io.SymlinkTextInputFormat"
_PARQUET = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"


def lay_out(server: AwsServer, database: str, name: str, into: str) -> list[str]:
    """Make database `into` hold what Athena would read of the table; return the files that it would."""
    glue, s3 = server.client("glue"), server.client("s3")
    table = glue.get_table(DatabaseName=database, Name=name)["Table"]
    bucket = urlsplit(table["StorageDescriptor"]["Location"]).netloc
    files = list(_files(s3, table))
    for number, (day, file) in enumerate(files):
        source = urlsplit(file)
        s3.copy_object(
            Bucket=bucket,
            Key=f"{into}/{name}/partition_date={day}/{number}.parquet",
            CopySource={"Bucket": source.netloc, "Key": source.path.removeprefix("/")},
        )
    glue.create_database(DatabaseInput={"Name": into})
    storage = {"Columns": table["StorageDescriptor"]["Columns"], "Location": f"s3://{bucket}/{into}/{name}/"}
    shown = {
        "Name": name,
        "PartitionKeys": table["PartitionKeys"],
        "Parameters": {"classification": "parquet"},
        "StorageDescriptor": storage,
    }
    glue.create_table(DatabaseName=into, TableInput=shown)
    return [file for _, file in files]


def _files(s3: Any, table: dict[str, Any]) -> Iterator[tuple[str, str]]:
    storage, parameters = table["StorageDescriptor"], table["Parameters"]
    assert storage["InputFormat"] == _SYMLINKS
    assert storage["SerdeInfo"]["SerializationLibrary"] == _PARQUET
    assert parameters["projection.enabled"] == "true"
    (key,) = table["PartitionKeys"]
    assert key["Name"] not in {column["Name"] for column in storage["Columns"]}
    column = f"projection.{key['Name']}"
    assert (parameters[f"{column}.type"], parameters[f"{column}.format"]) == ("date", "yyyy-MM-dd")
    first, last = (date.fromisoformat(text) for text in parameters[f"{column}.range"].split(","))
    for number in range((last - first).days + 1):
        day = (first + timedelta(days=number)).isoformat()
        folder = urlsplit(parameters["storage.location.template"].replace("${" + key["Name"] + "}", day))
        assert folder.path.endswith("/")
        yield from ((day, file) for file in _listed(s3, folder.netloc, folder.path.removeprefix("/")))


def _listed(s3: Any, bucket: str, prefix: str) -> Iterator[str]:
    for item in s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", ()):
        yield from s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read().decode().splitlines()
