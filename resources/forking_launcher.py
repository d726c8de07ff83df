"""Dagster's run launcher, with workers that are forked from a process which has imported everything already."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from dagster import Array, Field
from dagster._core.launcher import CheckRunHealthResult, DefaultRunLauncher, WorkerStatus
from dagster._grpc.types import ExecuteRunArgs
from dagster._serdes import serialize_value

from resources.launch import Launch
from resources.run_forker import ForkServerUnavailable, RunForker
from resources.workers import SystemWorkers
from sluice.healing.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dagster import DagsterRun
    from dagster._config.config_schema import UserConfigSchema
    from dagster._core.launcher import LaunchRunContext
    from dagster._serdes import ConfigurableClassData

WORKER_TAG = "sluice/worker"
LAUNCHER_TAG = "sluice/launcher"
CAN_FORK = sys.platform == "linux"  # elsewhere libraries forbid it (macOS), or there is no such thing (Windows)

_PATIENCE_SECONDS = 10  # `sluice up` waits 15 for its servers


class ForkingRunLauncher(DefaultRunLauncher):
    """Where forking is not to be had, or the server cannot start, a run is launched as Dagster does by default."""

    def __init__(self, preload: Sequence[str] = (), inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(inst_data)
        self.forker = RunForker(preload)

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        return {"preload": Field(Array(str), default_value=[], description="Modules to import before the first run.")}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData, config_value: Mapping[str, Any]) -> Self:
        return cls(config_value["preload"], inst_data)

    def launch_run(self, context: LaunchRunContext) -> None:
        run, origin = context.dagster_run, context.job_code_origin
        if not CAN_FORK or origin is None:
            super().launch_run(context)
            return
        # Should this process be killed before it has noted the worker, nobody executes the run: `orphans` sees that.
        self._instance.add_run_tags(run.run_id, {LAUNCHER_TAG: str(SystemWorkers().mine())})
        arguments = ExecuteRunArgs(origin, run.run_id, self._instance.get_ref(), set_exit_code_on_failure=True)
        try:
            self.forker.launch(
                Launch(run.run_id, serialize_value(arguments), str(Path.cwd()), dict(os.environ)),
                lambda worker: self._instance.add_run_tags(run.run_id, {WORKER_TAG: worker}),
            )
        except ForkServerUnavailable as error:
            self._instance.report_engine_event(f"{error} Launched as Dagster does by default.", run, cls=type(self))
            super().launch_run(context)
            return
        self._run_ids.add(run.run_id)

    def terminate(self, run_id: str) -> bool:
        run = self._instance.get_run_by_id(run_id) if self.has_instance else None
        if run is None or run.is_finished or WORKER_TAG not in run.tags:
            return bool(super().terminate(run_id))  # type: ignore[no-untyped-call]  # Dagster's
        self._instance.report_run_canceling(run)
        worker = Worker.parse(run.tags[WORKER_TAG])
        alive = SystemWorkers().is_alive(worker)
        if alive:
            os.kill(worker.pid, signal.SIGINT)
        elif alive is None:
            self._instance.report_engine_event(f"It is executed on {worker.host}; terminate it there.", run)
        else:
            self._instance.report_run_canceled(run, "The process that executed this run had ended.")
        return bool(alive)

    @property
    def supports_check_run_worker_health(self) -> bool:
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """The server tells of a dead worker at once; this finds those that died together with it."""
        tag = run.tags.get(WORKER_TAG)
        # Without a tag a code server has launched it, and watches over it.
        if tag and SystemWorkers().is_alive(Worker.parse(tag)) is False:
            return CheckRunHealthResult(WorkerStatus.FAILED, "The process that executed this run was killed.")
        return CheckRunHealthResult(WorkerStatus.RUNNING)

    def dispose(self) -> None:
        """Let the runs at work come to an end, but not for ever: whoever stops us waits."""
        self.forker.close(_PATIENCE_SECONDS)
        super().dispose()
