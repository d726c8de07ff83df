"""Every error that stops a run, in one tree; each carries its fields and says what to do next.

SluiceError
├── ContractError            a declaration is wrong: the dataset cannot run
│   ├── ContractInvalid      a field of a contract file is missing, unknown or contradictory
│   ├── ContractProblems     everything that is wrong with the contract files that were read
│   ├── LocationInvalid      a pattern that does not say which raw objects belong to which date
│   ├── DatasetUnknown       a name that no contract declares
│   ├── DatasetExists        a new dataset would overwrite a contract
│   ├── ProposalRefused      there is no proposed contract, or its contract has changed since
│   ├── SampleRefused        sample files from which no contract can be inferred
│   ├── TransformInvalid     a transform.sql that cannot be parsed or names an unknown table
│   ├── ReferenceQueryInvalid  a query of a contract whose scan cannot be priced
│   ├── PriceBookInvalid     a field of a price book is missing, unknown or no price
│   └── RegionUnpriced       a contract's region is not in the price book
├── RawError                 the raw zone cannot be used as it is
│   ├── RawPartitionEmpty    nothing has landed for this partition
│   ├── RawObjectChanged     an object is no longer the one the manifest names
│   ├── RawObjectCutShort    the store did not give all of an object
│   ├── RawObjectUnreadable  an object cannot be read to its end
│   ├── LandingRefused       a file cannot be landed where it was asked to be
│   └── GenerationRefused    a contract from which no such files can be made up
├── PullError                an api source cannot be pulled as its contract says
│   ├── SecretMissing        the environment does not hold what a header of the contract names
│   ├── AnswerUnreadable     an answer is not in the contract's format at all
│   ├── AnswerUnexpected     an answer has another shape than the contract says
│   └── PullUnfinished       the pages that landed are not all of one pull
├── InputNotPublished        a table that a derived dataset reads has no such partition yet
├── ServiceFailed            a server of `sluice up` cannot start or has ended
├── GateClosed               a blocking gate does not hold: nothing is published
├── AcceptanceRefused        there is nothing that a person could accept
├── RewindRefused            a table cannot go back to the point that was named
├── RedriveRefused           quarantined records cannot go through the contract again
├── ReplayRefused            a partition cannot be rebuilt from what it had at a time
├── BackfillRefused          a planned backfill cannot be made, or not be carried out any more
├── CompactionUnfaithful     files rewritten to fewer would say something else
├── PublishError             the table could not be brought to the staged state
│   ├── PublishConflict      other writers kept winning the commit
│   ├── StagedFilesMissing   a staged file is gone or not what was staged
│   ├── TableIncompatible    the contract gives a column a type that the table cannot take on
│   └── PlainTableTaken      another table has the name of a plain table
├── QueryError               a query over published tables cannot be answered
│   ├── QueryInvalid         it is not SQL that the engine can run here
│   ├── QueryRefused         it would change something, or read something else than tables
│   ├── QueryTooLarge        it reads more than the workgroup allows one query
│   ├── QueryFailed          Athena could not finish it
│   ├── WorkgroupUnusable    the workgroup of Athena is not there, or lacks what Sluice insists on
│   └── TableUnknown         it names a table that is not there
├── StoreError               the object store cannot be used as the settings say
│   ├── BucketMissing        there is no such bucket
│   ├── BucketElsewhere      the bucket is in another region
│   ├── StoreForbidden       the credentials may not do what is to be done
│   └── CredentialsInvalid   there are no credentials, or AWS does not accept them
├── QueueError               the queue that events come by cannot be used as the settings say
│   ├── QueueMissing         there is no such queue
│   ├── QueueForbidden       the credentials may not do what is to be done
│   ├── QueueNotSet          no queue is configured
│   └── LetterUnknown        no dead letter has this id
├── TopicError               a topic of SNS did not take a notice
│   ├── TopicMissing         there is no such topic
│   ├── TopicForbidden       the credentials may not publish to it
│   └── TopicUnavailable     SNS cannot be reached, or refuses what is published
├── SparkError               a partition could not be built on Spark
│   ├── SparkJobFailed       the job said why it could not
│   ├── SparkJobLost         the job ended without a word
│   └── SparkMissing         there is no Spark where the settings look for it
├── SettingInvalid           an environment variable of Sluice has a value that means nothing
├── UnresolvedReference      a variable refers to a value in AWS that cannot be had
│   ├── ReferenceUnknown     there is no such secret or parameter
│   ├── ReferenceForbidden   the credentials may not read it
│   └── ReferenceUnavailable AWS does not answer
├── LedgerUnavailable        the ledger's database cannot be reached
├── LedgerMissing            the ledger's table in DynamoDB is not there
└── LedgerTooNew             the ledger was written by a newer Sluice
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class SluiceError(Exception):
    """Base of all errors Sluice raises on purpose. `cure` is one sentence in the imperative."""

    def __init__(self, message: str, *, cure: str) -> None:
        super().__init__(f"{message} {cure}")
        self.message = message
        self.cure = cure

    def __reduce__(self) -> tuple[object, ...]:
        # Errors cross process borders; their constructors take keywords, which pickle cannot replay.
        return _restore, (type(self), self.args, self.__dict__.copy())


def _restore(kind: type[SluiceError], args: tuple[object, ...], fields: dict[str, object]) -> SluiceError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(fields)
    return error


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ` Did you mean "x"?`, or the list of what is known when nothing is near."""
    names = sorted(known)
    near = get_close_matches(word, names, n=1, cutoff=0.6)
    if near:
        return f'Did you mean "{near[0]}"?'
    return f"Known: {', '.join(names)}." if names else "None is known."


class ContractError(SluiceError):
    """A declaration is wrong."""


class ContractInvalid(ContractError):
    """One field of one contract file is wrong. `line` counts from 1."""

    def __init__(self, *, path: str, line: int, field: str, problem: str, cure: str) -> None:
        super().__init__(f"{path}:{line}: {field}: {problem}", cure=cure)
        self.path = path
        self.line = line
        self.field = field
        self.problem = problem


class ContractProblems(ContractError):
    """Everything that is wrong with the contract files that were read, in the order of the files and their lines."""

    def __init__(self, problems: tuple[ContractInvalid, ...]) -> None:
        heading = "1 problem in a contract" if len(problems) == 1 else f"{len(problems)} problems in contracts"
        listed = "\n".join(f"  {problem}" for problem in problems)
        super().__init__(f"{heading}:\n{listed}\n", cure="Correct them, then check with: sluice contracts check")
        self.problems = problems


class LocationInvalid(ContractError):
    """A location pattern is wrong."""

    def __init__(self, *, pattern: str, problem: str, cure: str) -> None:
        super().__init__(f'The location "{pattern}" {problem}.', cure=cure)
        self.pattern = pattern
        self.problem = problem


class DatasetUnknown(ContractError):
    """No contract declares this dataset."""

    def __init__(self, *, dataset: str, known: Iterable[str]) -> None:
        super().__init__(f'No dataset is named "{dataset}".', cure=did_you_mean(dataset, known))
        self.dataset = dataset


class DatasetExists(ContractError):
    """A new dataset would overwrite a contract."""

    def __init__(self, *, path: str) -> None:
        super().__init__(f"{path} exists already.", cure="Choose another name, or overwrite it with --force.")
        self.path = path


class ProposalRefused(ContractError):
    """There is no proposed contract to accept, or the contract is not the one it was proposed for."""

    def __init__(self, *, dataset: str, problem: str) -> None:
        super().__init__(
            f"No proposed contract of {dataset} can be accepted: {problem}.",
            cure=f"Propose one anew: sluice drift {dataset} --write",
        )
        self.dataset = dataset
        self.problem = problem


class SampleRefused(ContractError):
    """Sample files from which no contract can be inferred."""


class TransformInvalid(ContractError):
    """A transform.sql cannot be used."""

    def __init__(self, *, path: str, problem: str, cure: str) -> None:
        super().__init__(f"{path}: {problem}", cure=cure)
        self.path = path
        self.problem = problem


class ReferenceQueryInvalid(ContractError):
    """A reference query of a contract cannot be priced."""

    def __init__(self, *, problem: str, cure: str) -> None:
        super().__init__(f"The query {problem}", cure=cure)
        self.problem = problem


class PriceBookInvalid(ContractError):
    """One field of a price book is wrong. `line` counts from 1."""

    def __init__(self, *, path: str, line: int, field: str, problem: str, cure: str) -> None:
        super().__init__(f"{path}:{line}: {field}: {problem}", cure=cure)
        self.path = path
        self.line = line
        self.field = field
        self.problem = problem


class RegionUnpriced(ContractError):
    """The price book has no prices of a region; `contract` is the path of the contract that names it, if known."""

    def __init__(self, *, region: str, book: str, known: Iterable[str], contract: str = "") -> None:
        place = f"{contract}: cost.region: " if contract else ""
        super().__init__(f'{place}the price book {book} has no region "{region}".', cure=did_you_mean(region, known))
        self.region = region
        self.book = book
        self.contract = contract


class RawError(SluiceError):
    """The raw zone cannot be used as it is."""


class RawPartitionEmpty(RawError):
    """Nothing has landed for this partition, so there is nothing to build."""

    def __init__(self, *, dataset: str, partition: str, pattern: str) -> None:
        super().__init__(
            f"Dataset {dataset} has no raw object for {partition} (looked for {pattern}).",
            cure=f"Land a file first: sluice land {dataset} FILE --date {partition}",
        )
        self.dataset = dataset
        self.partition = partition


class RawObjectChanged(RawError):
    """The bytes read are not the bytes the manifest names; the partition has a newer manifest by now."""

    def __init__(self, *, key: str, expected_etag: str, found_etag: str | None) -> None:
        found = f"has ETag {found_etag}" if found_etag else "is gone"
        super().__init__(
            f"Raw object {key} {found}, but the manifest names {expected_etag}.",
            cure="Run the partition again: the next run takes the manifest of what is there now.",
        )
        self.key = key
        self.expected_etag = expected_etag
        self.found_etag = found_etag


class RawObjectCutShort(RawError):
    """The store gave fewer bytes of an object than it says that the object has."""

    def __init__(self, *, key: str, size: int) -> None:
        super().__init__(
            f"The store did not give all of the {size:,} bytes of raw object {key}.",
            cure="Run the partition again; if it stays so, have the object sent again.",
        )
        self.key = key
        self.size = size


class RawObjectUnreadable(RawError):
    """An object cannot be read to its end. `code` names the damage; a transform quarantines the object and goes on."""

    def __init__(self, *, key: str, code: str, detail: str, cure: str) -> None:
        super().__init__(f"Raw object {key}: {detail}", cure=cure)
        self.key = key
        self.code = code
        self.detail = detail


class LandingRefused(RawError):
    """A file cannot be landed where it was asked to be."""


class GenerationRefused(RawError):
    """Files that were asked for cannot be made up from a contract."""


class PullError(SluiceError):
    """An api source cannot be pulled as its contract says."""


class SecretMissing(PullError):
    """The environment variable that a header names is not set, or cannot be sent; its value is not said."""

    def __init__(self, *, name: str, header: str, problem: str) -> None:
        super().__init__(
            f"The header {header} takes its value from {name}, which {problem}.",
            cure=f"Set {name} where Sluice runs, then materialize the partition again.",
        )
        self.name = name
        self.header = header


class AnswerUnreadable(PullError):
    """An answer is not in the contract's format: a page of a proxy, or cut off. `url` has no query."""

    def __init__(self, *, url: str, problem: str) -> None:
        super().__init__(
            f"The answer of {url} {problem}.", cure="It is asked for again; if that persists, ask the source's owner."
        )
        self.url = url
        self.problem = problem


class AnswerUnexpected(PullError):
    """An answer has another shape than the contract says. `url` has no query."""

    def __init__(self, *, url: str, problem: str) -> None:
        super().__init__(
            f"The answer of {url} is not as its contract says: {problem}.",
            cure="Look at an answer, and correct pull.records or pull.next in the contract.",
        )
        self.url = url
        self.problem = problem


class PullUnfinished(PullError):
    """Pages of two pulls stand side by side, because one was interrupted while it replaced the other's."""

    def __init__(self, *, dataset: str, partition: str) -> None:
        super().__init__(
            f"The pages of {dataset} {partition} are not all of one pull.",
            cure=f"Materialize raw/{dataset} for this partition: it pulls them again.",
        )
        self.dataset = dataset
        self.partition = partition


class InputNotPublished(SluiceError):
    """A derived dataset's input has not been published for this partition."""

    def __init__(self, *, dataset: str, partition: str, missing: str) -> None:
        super().__init__(
            f"Dataset {dataset} reads table {missing}, which has no partition {partition} yet.",
            cure=f"Build {missing} for {partition} first; {dataset} follows by itself.",
        )
        self.dataset = dataset
        self.partition = partition
        self.missing = missing


class ServiceFailed(SluiceError):
    """A server of `sluice up` cannot start or has ended by itself."""


class GateClosed(SluiceError):
    """A blocking gate does not hold. `gate` is its name, `dataset` and `partition` say where."""

    def __init__(self, *, gate: str, dataset: str, partition: str, explanation: str, cure: str) -> None:
        super().__init__(f"{gate} does not hold for {dataset} {partition}: {explanation}", cure=cure)
        self.gate = gate
        self.dataset = dataset
        self.partition = partition


class AcceptanceRefused(SluiceError):
    """`sluice accept` names a gate that holds, was not judged, or proves something nobody can take on trust."""

    def __init__(self, *, gate: str, dataset: str, partition: str, problem: str, cure: str) -> None:
        super().__init__(f"{gate} of {dataset} {partition} {problem}.", cure=cure)
        self.gate = gate
        self.dataset = dataset
        self.partition = partition


class RewindRefused(SluiceError):
    """`sluice rewind` names a point that a table does not know, or whose files are gone; nothing was changed."""

    def __init__(self, *, problem: str, cure: str) -> None:
        super().__init__(f"{problem[:1].upper()}{problem[1:]}.", cure=cure)
        self.problem = problem


class RedriveRefused(SluiceError):
    """`sluice redrive` cannot do what was asked; nothing was changed."""

    def __init__(self, *, problem: str, cure: str) -> None:
        super().__init__(f"{problem[:1].upper()}{problem[1:]}.", cure=cure)
        self.problem = problem


class ReplayRefused(SluiceError):
    """`sluice replay`, or the replay of an incident, cannot do what was asked; nothing was changed."""

    def __init__(self, *, problem: str, cure: str) -> None:
        super().__init__(f"{problem[:1].upper()}{problem[1:]}.", cure=cure)
        self.problem = problem


class BackfillRefused(SluiceError):
    """A planned backfill cannot be made or carried out as asked; nothing was launched."""

    def __init__(self, *, problem: str, cure: str) -> None:
        super().__init__(f"{problem[:1].upper()}{problem[1:]}.", cure=cure)
        self.problem = problem


class CompactionUnfaithful(SluiceError):
    """What was to be rewritten to fewer files would not say the same any more; the table was not touched."""

    def __init__(self, *, partition: str, problem: str) -> None:
        super().__init__(
            f"The files of {partition} cannot be compacted: {problem}.",
            cure="Nothing was changed; publish the partition anew with `sluice run`, or report a bug.",
        )
        self.partition = partition
        self.problem = problem


class PublishError(SluiceError):
    """The table could not be brought to the staged state."""


class PublishConflict(PublishError):
    """Other writers kept winning the commit until the attempts were used up."""

    def __init__(self, *, table: str, partition: str, attempts: int) -> None:
        super().__init__(
            f"Table {table} kept changing while {partition} was being published ({attempts} attempts).",
            cure="Run the partition again; if it persists, let fewer runs publish to this table at once.",
        )
        self.table = table
        self.partition = partition
        self.attempts = attempts


class StagedFilesMissing(PublishError):
    """A staged file is gone or is not what was staged."""

    def __init__(self, *, key: str, problem: str) -> None:
        super().__init__(
            f"Staged file {key} {problem}.", cure="Materialize processed for this partition again; it stages anew."
        )
        self.key = key


class TableIncompatible(PublishError):
    """A column's type in the contract is neither the table's nor one that the table's can grow into."""

    def __init__(self, *, table: str, column: str, table_type: str, contract_type: str) -> None:
        super().__init__(
            f"Column {column} of table {table} is {table_type}, but the contract makes it {contract_type}.",
            cure="Give the column back its type, or a new name: the table keeps the old column beside it. "
            "A type may only grow: int to bigint, or a decimal to more digits before the point.",
        )
        self.table = table
        self.column = column


class PlainTableTaken(PublishError):
    """A table that is not Sluice's has the name that a plain table would have."""

    def __init__(self, *, table: str, database: str) -> None:
        super().__init__(
            f"The Glue database {database} has a table {table} already, which is not Sluice's.",
            cure="Rename or drop it, or remove plain_table from the contract.",
        )
        self.table = table
        self.database = database


class QueryError(SluiceError):
    """A query over published tables cannot be answered."""


class QueryInvalid(QueryError):
    """The text is not SQL that can be run. `line` and `column` count from 1 where they are known."""

    def __init__(
        self, *, problem: str, line: int | None = None, column: int | None = None, dialect: str = "DuckDB"
    ) -> None:
        place = f" (line {line}, column {column})" if line is not None else ""
        super().__init__(
            f"The query cannot be run{place}: {problem}", cure=f"Correct the SQL; its dialect is {dialect}'s."
        )
        self.problem = problem
        self.line = line
        self.column = column


class QueryRefused(QueryError):
    """A query would change something, or read something else than published tables."""

    def __init__(self, *, problem: str) -> None:
        super().__init__(f"The query was refused: {problem}.", cure="Send one SELECT over published tables.")
        self.problem = problem


class QueryTooLarge(QueryError):
    """Athena stopped a query that read more than its workgroup allows; what it had read is billed."""

    def __init__(self, *, workgroup: str, cutoff_bytes: int, query_id: str) -> None:
        super().__init__(
            f"Athena stopped query {query_id}: it reads more than the {cutoff_bytes:,} bytes that workgroup {workgroup}"
            " allows one query.",
            cure="Name fewer columns and partitions, or have the workgroup's BytesScannedCutoffPerQuery raised.",
        )
        self.workgroup = workgroup
        self.cutoff_bytes = cutoff_bytes


class QueryFailed(QueryError):
    """Athena could not finish a query, which may be right; asking again may help."""

    def __init__(self, *, query_id: str, problem: str) -> None:
        super().__init__(f"Athena did not finish query {query_id}: {problem}", cure="Ask again in a while.")
        self.query_id = query_id
        self.problem = problem


class WorkgroupUnusable(QueryError):
    """The workgroup of Athena is not there, or lacks what Sluice insists on."""

    def __init__(self, *, workgroup: str, problem: str, cure: str) -> None:
        super().__init__(f'The Athena workgroup "{workgroup}" {problem}.', cure=cure)
        self.workgroup = workgroup
        self.problem = problem


class TableUnknown(QueryError):
    """No published table has this name."""

    def __init__(self, *, table: str, known: Iterable[str]) -> None:
        super().__init__(f'No published table is named "{table}".', cure=did_you_mean(table, known))
        self.table = table


class StoreError(SluiceError):
    """The object store cannot be used as the settings say."""


class BucketMissing(StoreError):
    """There is no such bucket."""

    def __init__(self, *, bucket: str) -> None:
        super().__init__(
            f'There is no bucket "{bucket}".', cure="Correct SLUICE_STORE, or create the bucket. Then: sluice doctor"
        )
        self.bucket = bucket


class BucketElsewhere(StoreError):
    """The bucket is in another region. `found` is None when the answer did not name it."""

    def __init__(self, *, bucket: str, asked: str, found: str | None) -> None:
        super().__init__(
            f'The bucket "{bucket}" is not in {asked}' + (f", but in {found}." if found else "."),
            cure=f"Set SLUICE_AWS_REGION={found}." if found else "Set SLUICE_AWS_REGION to the region of the bucket.",
        )
        self.bucket = bucket
        self.found = found


class StoreForbidden(StoreError):
    """The credentials may not do what is to be done."""

    def __init__(self, *, operation: str, place: str) -> None:
        super().__init__(
            f"These credentials may not do {operation} on {place}.",
            cure="Let their role do it (docs/aws.md lists what Sluice needs), then check with: sluice doctor",
        )
        self.operation = operation
        self.place = place


class CredentialsInvalid(StoreError):
    """There are no credentials, or AWS does not accept them."""

    def __init__(
        self, *, problem: str, cure: str = "Log in again or renew them, then check with: sluice doctor"
    ) -> None:
        super().__init__(f"The AWS credentials {problem}.", cure=cure)
        self.problem = problem


class QueueError(SluiceError):
    """The queue that events come by cannot be used as the settings say."""


class QueueMissing(QueueError):
    """There is no such queue."""

    def __init__(self, *, url: str) -> None:
        super().__init__(
            f"There is no queue {url}.",
            cure="Correct SLUICE_QUEUE and SLUICE_DEAD_LETTERS, or create the queue. Then: sluice doctor",
        )
        self.url = url


class QueueForbidden(QueueError):
    """The credentials may not do what is to be done."""

    def __init__(self, *, operation: str, url: str) -> None:
        super().__init__(
            f"These credentials may not do {operation} on {url}.",
            cure="Let their role do it (docs/events.md lists what Sluice needs), then check with: sluice doctor",
        )
        self.operation = operation
        self.url = url


class QueueNotSet(QueueError):
    """No queue is configured."""

    def __init__(self) -> None:
        super().__init__(
            "No queue of events is configured.",
            cure="Set SLUICE_ENV=aws, SLUICE_QUEUE and SLUICE_DEAD_LETTERS (docs/events.md).",
        )


class LetterUnknown(QueueError):
    """No dead letter has this id, or more than one begins with it."""

    def __init__(self, *, id: str, problem: str) -> None:  # noqa: A002  what people see it called
        super().__init__(f'"{id}" {problem}.', cure="Take an id from: sluice dlq list")
        self.id = id
        self.problem = problem


class TopicError(SluiceError):
    """A topic of SNS did not take a notice, which is not sent again."""

    def __init__(self, *, topic: str, problem: str, cure: str) -> None:
        super().__init__(f"The topic {topic} {problem}.", cure=cure)
        self.topic = topic


class TopicMissing(TopicError):
    """There is no such topic, or it cannot be one."""

    def __init__(self, *, topic: str, problem: str = "is not there") -> None:
        cure = "Correct the route's variable, or create the topic. Then: sluice doctor"
        super().__init__(topic=topic, problem=problem, cure=cure)


class TopicForbidden(TopicError):
    """The credentials may not do what is to be done."""

    def __init__(self, *, topic: str, operation: str) -> None:
        super().__init__(
            topic=topic,
            problem=f"is closed to these credentials ({operation})",
            cure="Let their role do it (docs/notifications.md lists what Sluice needs), then check with: sluice doctor",
        )
        self.operation = operation


class TopicUnavailable(TopicError):
    """SNS cannot be reached, or refuses what is published."""

    def __init__(self, *, topic: str, problem: str) -> None:
        super().__init__(
            topic=topic, problem=f"took nothing ({problem})", cure="Check the network and the topic with: sluice doctor"
        )
        self.problem = problem


class SparkError(SluiceError):
    """A partition could not be built on Spark; nothing of it is staged."""


class SparkJobFailed(SparkError):
    """The job gave its reason; `failure_class` was told from the error's type, there where it was raised."""

    def __init__(self, *, problem: str, failure_class: str, cure: str) -> None:
        super().__init__(f"The Spark job failed: {problem}.", cure=cure)
        self.problem = problem
        self.failure_class = failure_class


class SparkJobLost(SparkError):
    """The job ended, or was ended, before it could say how it went."""

    def __init__(self, *, where: str, problem: str) -> None:
        super().__init__(
            f"The Spark job on {where} ended without a result: {problem}.",
            cure="Run the partition again. If it stays so, read Spark's log and give it more memory (docs/spark.md).",
        )
        self.where = where


class SparkMissing(SparkError):
    """There is nothing to run the job with."""

    def __init__(self, *, where: str) -> None:
        super().__init__(
            f"There is no Spark at {where}.",
            cure="Install it by `make spark`, or name another in SLUICE_SPARK (docs/spark.md).",
        )
        self.where = where


class SettingInvalid(SluiceError):
    """An environment variable of Sluice has a value that means nothing."""

    def __init__(self, *, name: str, value: str, problem: str, cure: str) -> None:
        super().__init__(f'{name}="{value}" {problem}.' if value else f"{name} {problem}.", cure=cure)
        self.name = name
        self.value = value
        self.problem = problem


class UnresolvedReference(SluiceError):
    """A variable refers to a value in AWS that cannot be had. No error of this kind holds anything of a value."""

    def __init__(self, *, variable: str, reference: str, problem: str, cure: str) -> None:
        super().__init__(f"{variable} refers to {reference}, which {problem}.", cure=cure)
        self.variable = variable
        self.reference = reference
        self.problem = problem


class ReferenceUnknown(UnresolvedReference):
    """There is no such secret or parameter, or it holds no such value."""

    def __init__(self, *, variable: str, reference: str, problem: str) -> None:
        cure = f"Correct {variable}, or create what it refers to. Then: sluice doctor"
        super().__init__(variable=variable, reference=reference, problem=problem, cure=cure)


class ReferenceForbidden(UnresolvedReference):
    """The credentials may not read it, or may not use the key that it is encrypted under."""

    def __init__(self, *, variable: str, reference: str, operation: str) -> None:
        super().__init__(
            variable=variable,
            reference=reference,
            problem=f"these credentials may not read ({operation})",
            cure="Let their role do it (docs/aws.md lists what Sluice needs), then check with: sluice doctor",
        )
        self.operation = operation


class ReferenceUnavailable(UnresolvedReference):
    """AWS does not answer, or not in time."""

    def __init__(self, *, variable: str, reference: str, problem: str) -> None:
        super().__init__(
            variable=variable,
            reference=reference,
            problem=f"cannot be fetched ({problem})",
            cure="Check the network, SLUICE_AWS_REGION and SLUICE_AWS_ENDPOINT, then try again.",
        )


class LedgerUnavailable(SluiceError):
    """The ledger's database cannot be reached. `where` never has a password."""

    def __init__(self, *, where: str, problem: str) -> None:
        super().__init__(
            f"The ledger cannot be opened: {where}: {problem}.", cure="Check SLUICE_LEDGER_URL and the database server."
        )
        self.where = where
        self.problem = problem


class LedgerMissing(SluiceError):
    """The ledger's table in DynamoDB is not there. It is made when somebody asks for it: a name may be misspelt."""

    def __init__(self, *, table: str, region: str) -> None:
        super().__init__(
            f"There is no DynamoDB table {table} in {region}.",
            cure="Correct SLUICE_LEDGER_URL and SLUICE_AWS_REGION, or make the table: sluice doctor --fix",
        )
        self.table = table
        self.region = region


class LedgerTooNew(SluiceError):
    """The ledger was written by a newer Sluice, whose records this one might misread."""

    def __init__(self, *, found: int, supported: int) -> None:
        super().__init__(
            f"The ledger has schema version {found}; this version of Sluice knows versions up to {supported}.",
            cure="Use the Sluice that wrote it, or a newer one.",
        )
        self.found = found
        self.supported = supported
