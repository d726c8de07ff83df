"""Is a deployed stack usable? Lands files, waits for their events, builds, asks the table; `make verify-e2e`."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from deploy.aws.environment import fetch_settings_of_stack

if TYPE_CHECKING:
    from collections.abc import Callable

_FILES, _ROWS = 2, 500
_BAD, _DUPLICATES = 0.02, 0.02
_MAIN = "from pipeline_assets.cli import main; main()"


@dataclass(frozen=True, slots=True)
class Check:
    environ: dict[str, str]
    engine: str
    day: str
    seconds: float

    def run(self, *, services: bool) -> None:
        self.sluice("doctor")
        before, waiting = self.count_rows(), self.count_messages()
        good = self.land()
        if services:
            tell("the services build them")
        else:
            # Nobody takes the messages off the queue while no daemon runs, so they can be counted.
            wait_for("their events", lambda: self.count_messages() >= waiting + _FILES, self.seconds)
            self.sluice("run")
        wait_for(f"{before + good:,} rows", lambda: self.count_rows() == before + good, self.seconds)

    def land(self) -> int:
        """Land files nobody has landed before; return how many of their records are good."""
        shares = ("--bad-share", str(_BAD), "--duplicate-share", str(_DUPLICATES))
        size = ("--files", str(_FILES), "--rows-per-file", str(_ROWS), "--seed", str(int(time.time())))
        said = json.loads(self.sluice("generate", "orders", "--dates", self.day, *size, *shares, "--json"))
        tell(f"{len(said)} files have landed for {self.day}")
        return sum(item["rows"] - item["bad"] - item["duplicates"] for item in said)

    def count_rows(self) -> int:
        query = f"select count(*) as found from orders where partition_date = date '{self.day}'"
        ((row),) = json.loads(self.sluice("query", "--engine", self.engine, query, "--json", absent='[{"found": 0}]'))
        return int(row["found"])

    def count_messages(self) -> int:
        import boto3  # type: ignore[import-untyped]

        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        client: Any = boto3.client("sqs", region_name=self.environ["SLUICE_AWS_REGION"])
        found = client.get_queue_attributes(QueueUrl=self.environ["SLUICE_QUEUE"], AttributeNames=names)
        return sum(int(value) for value in found["Attributes"].values())

    def sluice(self, *arguments: str, absent: str | None = None) -> str:
        """Return what the command prints; `absent` where it says that there is no such table, yet."""
        command = [sys.executable, "-c", _MAIN, *arguments]
        done = subprocess.run(command, env=self.environ, capture_output=True, text=True, check=False)
        if absent is not None and done.returncode and "orders" in done.stderr and is_absent(done.stderr):
            return absent
        if done.returncode:
            sys.exit(f"sluice {' '.join(arguments)} failed with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout


def is_absent(said: str) -> bool:
    """DuckDB and Athena say it in other words."""
    return any(words in said.lower() for words in ("does not exist", "no published table is named"))


def wait_for(what: str, is_there: Callable[[], bool], seconds: float) -> None:
    until = time.monotonic() + seconds
    while not is_there():
        if time.monotonic() > until:
            sys.exit(f"no {what} after {seconds:.0f} s. Look at: sluice doctor, sluice incidents, sluice dlq list")
        time.sleep(2)
    tell(f"{what}: there")


def tell(what: str) -> None:
    print(f"verify: {what}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stack", help="the stack of data, such as sluice-data")
    parser.add_argument("--services", action="store_true", help="the stack of services is deployed: wait for it")
    parser.add_argument("--engine", choices=["athena", "duckdb"], default="athena")
    parser.add_argument(
        "--date", default=datetime.now(UTC).date().isoformat(), help="the partition; today, if not said"
    )
    parser.add_argument("--seconds", type=float, default=900, help="how long to wait for each thing")
    wanted = parser.parse_args()
    # What a person has set comes before what the stack says: another ledger, a folder for state.
    environ = {**fetch_settings_of_stack(wanted.stack), **os.environ}
    Check(environ, wanted.engine, wanted.date, wanted.seconds).run(services=wanted.services)
    tell("well")


if __name__ == "__main__":
    main()
