"""A second table per dataset in Glue, for engines without Iceberg: Hive partitions of the very same Parquet files.

Each partition is a folder with one small object that lists its files (SymlinkTextInputFormat). To replace that object
is to replace the partition, at once and without copying; the folder follows from the date (partition projection).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from pyiceberg.expressions import EqualTo, Reference
from pyiceberg.expressions.literals import literal

from resources.aws_errors import tell_refusals
from resources.plain_table_input import PLAIN_TABLE_OF, plain_table_input
from resources.s3_errors import MISSING, PRECONDITION_FAILED, code_of, explained
from sluice.contract import PARTITION_COLUMN
from sluice.errors import PlainTableTaken, PublishConflict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from pyiceberg.table import Table

    from resources.glue_place import GluePlace

ZONE = "plain"
_LISTING = "symlink.txt"
_ATTEMPTS = 100
_AT_ONCE = 8
_RACED = PRECONDITION_FAILED | {"ConditionalRequestConflict", "409"}


class PlainTables:
    """`<dataset>_plain` beside each Iceberg table that wants it; it shows what that table shows."""

    def __init__(self, place: GluePlace, fetch: Callable[[str], Table | None]) -> None:
        self._place = place
        self._fetch = fetch
        self.s3 = place.s3.client()
        self._glue = place.s3.client("glue")
        tell_refusals(self._glue, str(place))

    def name(self, dataset: str) -> str:
        return f"{dataset}_plain"

    def exists(self, dataset: str) -> bool:
        return self._fetch_ours(dataset) is not None

    def follow(self, dataset: str, partitions: Iterable[str]) -> None:
        """Show of these partitions what the Iceberg table shows now. Doing it again changes nothing.

        Raises PublishConflict after too many lost races, and PlainTableTaken.
        """
        days = sorted(set(partitions))
        if not days:
            return
        for day in days:
            self._follow_partition(dataset, day)
        self._follow_table(dataset, days)  # behind its partitions: a date in range has a listing, or no rows

    def partitions(self, dataset: str) -> tuple[str, ...]:
        """Return the partitions that have a listing."""
        return tuple(key.rpartition("/")[0].rpartition("=")[2] for key in self._listings(dataset))

    def files(self, dataset: str) -> frozenset[str]:
        """Return the files (URLs) that listings name."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            listings = pool.map(lambda key: self._read(key)[0] or "", self._listings(dataset))
            return frozenset(line for text in listings for line in text.splitlines())

    def _follow_partition(self, dataset: str, day: str) -> None:
        """Write the listing until it is what the table shows.

        It is read before the table is, and replaced only if it is still the same: so an old one replaces no newer one.
        What is written is compared once more with the table, because a table can go there and back again.
        """
        key = self._place.s3.prefix + self._folder(dataset) + f"{PARTITION_COLUMN}={day}/{_LISTING}"
        for _ in range(_ATTEMPTS):
            shown, etag = self._read(key)
            wanted = "".join(f"{file}\n" for file in self._current(dataset, day))
            if (shown or "") == wanted:
                return
            self._replace(key, wanted, etag)
        raise PublishConflict(table=self.name(dataset), partition=day, attempts=_ATTEMPTS)

    def _current(self, dataset: str, day: str) -> list[str]:
        table = self._fetch(dataset)
        if table is None:
            return []
        of_day = EqualTo(term=Reference(PARTITION_COLUMN), value=literal(day))
        return sorted(task.file.file_path for task in table.scan(row_filter=of_day).plan_files())

    def _follow_table(self, dataset: str, days: list[str]) -> None:
        for _ in range(_ATTEMPTS):
            present = self._fetch_ours(dataset)
            table = self._fetch(dataset)
            if table is None:
                return
            folder = self._place.s3.url(self._folder(dataset))
            wanted = plain_table_input(self.name(dataset), table.metadata, dataset, folder, days, present)
            if present is not None and all(present.get(field) == value for field, value in wanted.items()):
                return
            if self._wrote(wanted, present):
                return
        raise PublishConflict(table=self.name(dataset), partition=days[0], attempts=_ATTEMPTS)

    def _wrote(self, wanted: Mapping[str, Any], present: Mapping[str, Any] | None) -> bool:
        """Create or update under Glue's lock; False when somebody was faster."""
        database = self._place.database
        try:
            if present is None:
                self._glue.create_table(DatabaseName=database, TableInput=wanted)
            else:
                version = present["VersionId"]
                self._glue.update_table(DatabaseName=database, TableInput=wanted, VersionId=version, SkipArchive=True)
        except (self._glue.exceptions.AlreadyExistsException, self._glue.exceptions.ConcurrentModificationException):
            return False
        return True

    def _fetch_ours(self, dataset: str) -> Mapping[str, Any] | None:
        name = self.name(dataset)
        try:
            found: Mapping[str, Any] = self._glue.get_table(DatabaseName=self._place.database, Name=name)["Table"]
        except self._glue.exceptions.EntityNotFoundException:
            return None
        if found.get("Parameters", {}).get(PLAIN_TABLE_OF) != dataset:
            raise PlainTableTaken(table=name, database=self._place.database)
        return found

    def _read(self, key: str) -> tuple[str | None, str | None]:
        """Return a listing with its ETag, or None twice when it is not there."""
        from botocore.exceptions import ClientError  # type: ignore[import-untyped]

        with explained(self._place.s3, key):
            try:
                found = self.s3.get_object(Bucket=self._place.s3.bucket, Key=key)
            except ClientError as error:
                if code_of(error) in MISSING:
                    return None, None
                raise
            return found["Body"].read().decode(), str(found["ETag"])

    def _replace(self, key: str, text: str, etag: str | None) -> None:
        """Write if nobody else has written; whether that was so, the next look tells."""
        from botocore.exceptions import ClientError

        condition = {"IfMatch": etag} if etag else {"IfNoneMatch": "*"}
        place = self._place.s3
        with explained(place, key):
            try:
                self.s3.put_object(Bucket=place.bucket, Key=key, Body=text.encode(), **condition, **place.encryption())
            except ClientError as error:
                if code_of(error) not in _RACED:
                    raise

    def _listings(self, dataset: str) -> Iterator[str]:
        place = self._place.s3
        pages = self.s3.get_paginator("list_objects_v2")
        with explained(place, ZONE):
            for page in pages.paginate(Bucket=place.bucket, Prefix=place.prefix + self._folder(dataset)):
                yield from (str(item["Key"]) for item in page.get("Contents", ()))

    def _folder(self, dataset: str) -> str:
        return f"{ZONE}/{dataset}/"
