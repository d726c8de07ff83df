"""What a run imports, all of it: the fork server imports this once, and its workers have it.

Imports here must start no thread. A test finds what a run still imports by itself.
"""

# ruff: noqa: F401  they are imported to be there

import alembic.command
import dagster._cli.api
import dagster._core.execution.plan.active
import dagster._core.executor.in_process
import dagster._core.storage.local_compute_log_manager
import duckdb
import pyarrow.acero
import pyarrow.dataset
import pyarrow.parquet
import pyiceberg.avro.decoder_fast
import pyiceberg.catalog.sql
import pyiceberg.io.pyarrow
import sqlalchemy.dialects.sqlite
import watchdog.observers.polling

import pipeline_assets.definitions
import pipeline_assets.derived
import pipeline_assets.evidence
import pipeline_assets.staging
import resources.contract_folders
import resources.failures
import resources.great_expectations_engine
import resources.iceberg_tables
import resources.local_catalog
import resources.object_store
import resources.price_book
import resources.sql_ledger
import sluice.quarantine_reader
