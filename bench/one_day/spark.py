"""PySpark on two cores: lines as text, one `from_json` with a schema, a window for the winners, zstd Parquet.

Quarantined lines keep their text, file and reason, but no line number: Spark does not know it. The session is started
before the clock, as imports are.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession, Window  # type: ignore[import-not-found]
from pyspark.sql import functions as f

SCHEMA = (
    "order_id BIGINT, user_id STRING, created_at TIMESTAMP, status STRING, country STRING, amount DECIMAL(12,2),"
    " currency STRING, quantity INT, sku STRING, channel STRING, discount DOUBLE, gift BOOLEAN, email STRING,"
    " note STRING, _corrupt STRING"
)
COLUMNS = [column.split()[0] for column in SCHEMA.split(", ")][:-1]
RULES = {
    "the line is no such record": "r IS NULL OR r._corrupt IS NOT NULL",
    "order_id is missing": "r.order_id IS NULL",
    "user_id is missing": "r.user_id IS NULL",
    "created_at is missing": "r.created_at IS NULL",
    "status is unknown": "r.status IS NULL OR r.status NOT IN ('new', 'paid', 'shipped', 'cancelled')",
    "country is no code": "r.country NOT RLIKE '^[A-Z]{2}$'",
    "amount is no positive number": "r.amount IS NULL OR r.amount < 0",
    "currency is no code": "length(r.currency) <> 3",
}


def build(session: SparkSession, folder: Path, workspace: Path) -> None:
    options = {"mode": "PERMISSIVE", "columnNameOfCorruptRecord": "_corrupt"}
    judged = (
        session.read.text(str(folder / "*.gz"))
        .withColumns({"file": f.input_file_name(), "place": f.monotonically_increasing_id()})
        .withColumn("r", f.from_json("value", SCHEMA, options))
        .withColumn("reason", _reason())
        .persist()
    )
    rejected = judged.where("reason IS NOT NULL").select("value", "file", "reason")
    rejected.write.mode("overwrite").json(str(workspace / "rejected"))
    good = judged.where("reason IS NULL").select("r.*", "file", "place").drop("_corrupt")
    newest = Window.partitionBy("order_id").orderBy(f.desc("created_at"), f.desc("file"), f.desc("place"))
    winners: DataFrame = good.withColumn("rank", f.row_number().over(newest)).where("rank = 1").select(*COLUMNS)
    winners.write.mode("overwrite").option("compression", "zstd").parquet(str(workspace / "orders"))


def _reason() -> Any:  # noqa: ANN401  pyspark is not there when types are checked
    cases = " ".join(f"WHEN {condition} THEN '{reason}'" for reason, condition in RULES.items())
    return f.expr(f"CASE {cases} END")


def _session() -> SparkSession:
    return (
        SparkSession.builder.master("local[2]")
        .config("spark.driver.memory", "6g")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", "4")
        .config("spark.sql.session.timeZone", "UTC")
        .getOrCreate()
    )


def main() -> None:
    folder, workspace = (Path(argument) for argument in sys.argv[1:])
    session = _session()
    session.sparkContext.setLogLevel("ERROR")
    java = Path(f"/proc/{session._jvm.java.lang.ProcessHandle.current().pid()}")  # noqa: SLF001  it does the work
    before, started = _cpu(java), time.perf_counter()
    build(session, folder, workspace)
    wall, cpu = time.perf_counter() - started, _cpu(java) - before
    peak = int((java / "status").read_text().split("VmHWM:")[1].split()[0]) / 1024
    session.stop()
    print(json.dumps({"wall": wall, "cpu": cpu, "peak_mb": peak}))


def _cpu(process: Path) -> float:
    user, system = (process / "stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
