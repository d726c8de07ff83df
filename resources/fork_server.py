"""A process that has imported what runs import, and forks one worker for each run it is asked for.

It forks only what is safe to fork: it has one thread, no connection to any database and no gRPC channel. What touches
Dagster's storage, the word that a worker has died included, is done in a fork.

`python -m resources.fork_server FD MODULE...`; FD is its end of a socket pair. When the other end closes it takes no
more runs, and ends with the last worker.
"""

from __future__ import annotations

import gc
import importlib
import multiprocessing
import os
import signal
import site
import sys
import sysconfig
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import TYPE_CHECKING, assert_never

from resources.launch import Begin, Launch, Launched, Stale
from resources.workers import SystemWorkers

if TYPE_CHECKING:
    from collections.abc import Sequence
    from multiprocessing.context import ForkContext, ForkProcess

# OpenBLAS and jemalloc start a thread each when they are imported. Workers get the launcher's variables instead.
THREADLESS = {"OPENBLAS_NUM_THREADS": "1", "JE_ARROW_MALLOC_CONF": "background_thread:false"}

SERVER_NAME, WORKER_NAME = "sluice-forker", "sluice-worker"
"""What `ps` and `top` call them: a fork has the command line of its parent."""


def main(descriptor: int, modules: Sequence[str]) -> None:
    # Who stops us closes the connection; Ctrl-C in a terminal reaches everything that was started there.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _call_itself(SERVER_NAME)
    for name in modules:
        importlib.import_module(name)
    threads = _threads()
    if len(threads) > 1:
        raise SystemExit(f"Something imported by {', '.join(modules)} starts a thread; forking is unsafe: {threads}")
    gc.collect()
    gc.freeze()  # the collector would otherwise write to, and so copy, every page the workers share
    _Server(Connection(descriptor)).serve()
    sys.stderr.flush()
    os._exit(0)  # a frozen heap cannot be taken apart, and DuckDB would complain of what is left


def _threads() -> list[str]:
    return [(task / "comm").read_text().strip() for task in Path("/proc/self/task").iterdir()]


class _Server:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._context: ForkContext = multiprocessing.get_context("fork")
        self._workers: dict[int, tuple[ForkProcess, Launch | None]] = {}
        self._stamps = {file: _changed_at(file) for file in _own_files()}
        self._is_open = True
        self._begin: Connection | None = None  # of the worker that waits for the word

    def serve(self) -> None:
        while self._is_open or self._workers:
            waited: list[Connection | int] = [*self._workers, *([self._connection] if self._is_open else [])]
            for ready in wait(waited):
                if isinstance(ready, int):
                    self._bury(ready)
                else:
                    self._answer()

    def _answer(self) -> None:
        try:
            self._do(self._connection.recv())
        except (EOFError, ConnectionError):
            self._is_open = False
        if not self._is_open:
            self._connection.close()
            self._close_begin()

    def _do(self, asked: Launch | Begin) -> None:
        match asked:
            case Begin():
                assert self._begin  # noqa: S101  it answers Launched
                self._begin.send_bytes(b"begin")
                self._close_begin()
            case Launch():
                if changed := self._changed():
                    self._connection.send(Stale(changed))
                    self._is_open = False
                else:
                    self._launch(asked)
            case _:
                assert_never(asked)

    def _changed(self) -> str:
        return next((file for file, stamp in self._stamps.items() if _changed_at(file) != stamp), "")

    def _launch(self, asked: Launch) -> None:
        """Fork a worker that waits for the word to begin: unless the launcher has noted it, it must not work."""
        begins, self._begin = self._context.Pipe(duplex=False)
        worker = self._fork(_work, asked, begins, self._begin, self._connection, launch=asked)
        begins.close()
        found = SystemWorkers().find(worker.pid or 0)
        self._connection.send(Launched(str(found or "")))

    def _close_begin(self) -> None:
        if self._begin:
            self._begin.close()
            self._begin = None

    def _bury(self, sentinel: int) -> None:
        worker, launch = self._workers.pop(sentinel)
        worker.join()
        if worker.exitcode and launch:
            self._fork(_report_death, launch, worker.exitcode, self._connection)
        worker.close()

    def _fork(self, target: object, *arguments: object, launch: Launch | None = None) -> ForkProcess:
        process = self._context.Process(target=target, args=arguments)  # type: ignore[arg-type]
        process.start()
        self._workers[process.sentinel] = (process, launch)
        return process


def _own_files() -> tuple[str, ...]:
    """Return the imported files that belong to no library: those that somebody may be working on."""
    libraries = (*site.getsitepackages(), site.getusersitepackages(), sysconfig.get_path("stdlib"))
    files = [str(module.__file__) for module in sys.modules.values() if getattr(module, "__file__", None)]
    return tuple(file for file in files if not file.startswith(libraries))


def _changed_at(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns  # noqa: PTH116  hundreds of them before each launch
    except FileNotFoundError:
        return 0


def _work(launch: Launch, begins: Connection, begin: Connection, connection: Connection) -> None:
    """Execute the run as `dagster api execute_run` does, with the launcher's variables and working directory."""
    from dagster._cli.api import api_cli

    begin.close()
    connection.close()  # or the launcher would not see its server end
    try:
        begins.recv_bytes()
    except EOFError:
        return
    _become(launch)
    _call_itself(WORKER_NAME)
    api_cli(["execute_run", launch.arguments])


def _report_death(launch: Launch, exit_code: int, connection: Connection) -> None:
    """Say that the run is over, unless it said so itself before it ended."""
    import dagster as dg
    from dagster._core.instance import DagsterInstance
    from dagster._grpc.types import ExecuteRunArgs
    from dagster._serdes import deserialize_value
    from dagster._utils import get_run_crash_explanation

    connection.close()
    _become(launch)
    instance_ref = deserialize_value(launch.arguments, ExecuteRunArgs).instance_ref
    assert instance_ref  # noqa: S101  the launcher put it there
    with DagsterInstance.from_ref(instance_ref) as instance:
        run = instance.get_run_by_id(launch.run_id)
        if run is None or run.is_finished:
            return
        message = get_run_crash_explanation(f"The process that executed run {run.run_id}", exit_code)
        if run.status is dg.DagsterRunStatus.CANCELING:
            instance.report_run_canceled(run, message)
        else:
            instance.report_run_failed(run, message)


def _call_itself(name: str) -> None:
    Path("/proc/self/comm").write_text(name)


def _become(launch: Launch) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(launch.environ)
    os.chdir(launch.folder)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
