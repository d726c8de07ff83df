"""What a run imports, all of it: the fork server imports this once, and its workers have it.

Imports here must start no thread. A test finds what a run still imports by itself.
"""

# ruff: noqa: F401  they are imported to be there

import alembic.command
import dagster._cli.api
import dagster._core.definitions.repository_definition.repository_data_builder
import dagster._core.execution.plan.active
import dagster._core.executor.in_process
import dagster._core.instance.factory
import dagster._core.op_concurrency_limits_counter
import dagster._core.storage.daemon_cursor
import dagster._core.storage.event_log.sqlite
import dagster._core.storage.legacy_storage
import dagster._core.storage.local_compute_log_manager
import dagster._core.storage.runs.sqlite
import dagster._core.storage.schedules.sqlite
import dagster._core.storage.sqlite_storage
import dagster._core.utility_ops
import dagster._core.workspace.autodiscovery
import dagster._utils.test.definitions
import duckdb
import isal.igzip
import pyarrow.acero
import pyarrow.dataset
import pyarrow.parquet
import pyiceberg.avro.decoder_fast
import pyiceberg.catalog.sql
import pyiceberg.io.pyarrow
import rich.console
import rich.table
import sqlalchemy.dialects.mysql
import sqlalchemy.dialects.sqlite
import sqlglot.dialects.athena
import sqlglot.dialects.duckdb
import structlog
import upath.core
import upath.implementations.local
import watchdog.observers.polling

import pipeline_assets.cli.environment
import pipeline_assets.definitions
import pipeline_assets.derived
import pipeline_assets.evidence
import pipeline_assets.staging
import resources.contract_folders
import resources.event_log
import resources.failures
import resources.great_expectations_engine
import resources.http_source
import resources.iceberg_tables
import resources.local_catalog
import resources.measured_ledger
import resources.object_store
import resources.opened_ledger
import resources.opened_store
import resources.price_book
import resources.spark_engine
import resources.sql_ledger
import resources.telemetry
import sluice.pulling.pages
import sluice.quarantine_reader
