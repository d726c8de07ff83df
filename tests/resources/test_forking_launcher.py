from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import dagster as dg
import pytest
from dagster._core.definitions.reconstruct import ReconstructableRepository
from dagster._core.launcher import WorkerStatus

from resources.fork_server import THREADLESS
from resources.forking_launcher import CAN_FORK, WORKER_TAG, ForkingRunLauncher
from resources.launch import Launch
from resources.run_forker import ForkServerUnavailable, RunForker
from sluice.healing.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

T = TypeVar("T")

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not CAN_FORK, reason="runs are launched as Dagster does by default"),
]

STATUS = dg.DagsterRunStatus
SECONDS = 60

# `edited` is preloaded; the jobs are not, so that each worker loads them from disk, as it does contracts.
EDITED = "TEXT = 'first'\n"
JOBS = """
import json, os, sys, time
from pathlib import Path
import dagster as dg
import edited

HERE = Path(__file__).parent
CONTRACT = (HERE / "contract.txt").read_text()

def note(name, **found):
    partial = HERE / f".{name}"
    partial.write_text(json.dumps(found))
    partial.rename(HERE / name)

def wait_for(name):
    while not (HERE / name).exists():
        time.sleep(0.05)

@dg.op
def look():
    note("found", pid=os.getpid(), parent=os.getppid(), environ=dict(os.environ), contract=CONTRACT, edited=edited.TEXT)

@dg.job(executor_def=dg.in_process_executor)
def quick():
    look()

@dg.op
def hold(context):
    note(f"begun-{context.run.tags['number']}", pid=os.getpid())
    wait_for("go-on")

@dg.job(executor_def=dg.in_process_executor)
def slow():
    hold()

@dg.op
def fail():
    raise ValueError("on purpose")

@dg.job(executor_def=dg.in_process_executor)
def failing():
    fail()

@dg.repository
def jobs():
    return [quick, slow, failing]
"""


class Desk:
    """A Dagster instance with the launcher, and jobs in a file of their own."""

    def __init__(self, folder: Path, preload: list[str]) -> None:
        self.folder = folder
        (folder / "jobs.py").write_text(JOBS)
        (folder / "edited.py").write_text(EDITED)
        (folder / "contract.txt").write_text("version 1")
        (folder / "home").mkdir()
        launcher = {
            "module": "resources.forking_launcher",
            "class": "ForkingRunLauncher",
            "config": {"preload": preload},
        }
        (folder / "home/dagster.yaml").write_text(
            json.dumps({"run_launcher": launcher, "telemetry": {"enabled": False}})
        )
        self.instance = dg.DagsterInstance.from_config(str(folder / "home"))
        self.repository = ReconstructableRepository.for_file(str(folder / "jobs.py"), "jobs", str(folder))

    @property
    def launcher(self) -> ForkingRunLauncher:
        launcher = self.instance.run_launcher
        assert isinstance(launcher, ForkingRunLauncher)
        return launcher

    def launch(self, job: str, **tags: str) -> str:
        recon = self.repository.get_reconstructable_job(job)
        run = self.instance.create_run_for_job(
            recon.get_definition(), tags=tags, job_code_origin=recon.get_python_origin()
        )
        self.instance.launch_run(run.run_id, workspace=None)  # type: ignore[arg-type]  # only a code server's runs need it
        return run.run_id

    def begin(self, number: int = 1) -> tuple[str, int]:
        """Launch a run that waits; return it and its worker's pid."""
        run_id = self.launch("slow", number=str(number))
        begun = self.folder / f"begun-{number}"
        assert wait_for(begun.exists)
        return run_id, int(json.loads(begun.read_text())["pid"])

    def go_on(self) -> None:
        (self.folder / "go-on").touch()

    def run(self, run_id: str) -> dg.DagsterRun:
        run = self.instance.get_run_by_id(run_id)
        assert run
        return run

    def end_of(self, run_id: str) -> dg.DagsterRunStatus:
        wait_for(lambda: self.run(run_id).is_finished)
        return self.run(run_id).status

    def look(self) -> dict[str, object]:
        """Run the job that notes what it finds."""
        assert self.end_of(self.launch("quick")) is STATUS.SUCCESS
        found: dict[str, object] = json.loads((self.folder / "found").read_text())
        return found

    def messages(self, run_id: str) -> str:
        return "\n".join(f"{item.message} {item.user_message}" for item in self.instance.all_logs(run_id))


def wait_for(found: Callable[[], T], seconds: float = SECONDS) -> T:
    until = time.monotonic() + seconds
    while not (answer := found()) and time.monotonic() < until:
        time.sleep(0.05)
    return answer


def is_there(pid: int | None) -> bool:
    assert pid
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):  # the second, if it ends between opening and reading
        return False


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{Path(__file__).parents[2]}")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "edited", raising=False)
    desk = Desk(tmp_path, ["dagster._cli.api", "edited"])
    yield desk
    desk.go_on()
    desk.instance.dispose()


def test_a_run_succeeds_in_a_process_forked_from_the_server(desk: Desk) -> None:
    found = desk.look()

    assert found["parent"] == desk.launcher.forker.pid
    assert found["pid"] != os.getpid()


def test_a_worker_is_named_on_its_run(desk: Desk) -> None:
    run_id, pid = desk.begin()

    worker = Worker.parse(wait_for(lambda: desk.run(run_id).tags.get(WORKER_TAG)) or "")
    assert worker.pid == pid
    assert desk.launcher.check_run_worker_health(desk.run(run_id)).status is WorkerStatus.RUNNING


def test_a_failed_run_tells_its_own_error(desk: Desk) -> None:
    run_id = desk.launch("failing")

    assert desk.end_of(run_id) is STATUS.FAILURE
    assert "on purpose" in str([item.dagster_event for item in desk.instance.all_logs(run_id)])


def test_a_killed_worker_is_reported_within_seconds(desk: Desk) -> None:
    run_id, pid = desk.begin()
    os.kill(pid, signal.SIGKILL)

    assert desk.end_of(run_id) is STATUS.FAILURE
    assert "was terminated by signal 9 (SIGKILL)" in desk.messages(run_id)


def test_a_worker_killed_together_with_the_server_is_found_by_its_health(desk: Desk) -> None:
    run_id, pid = desk.begin()
    wait_for(lambda: WORKER_TAG in desk.run(run_id).tags)
    os.kill(desk.launcher.forker.pid or 0, signal.SIGKILL)
    os.kill(pid, signal.SIGKILL)

    assert wait_for(lambda: desk.launcher.check_run_worker_health(desk.run(run_id)).status is WorkerStatus.FAILED)


def test_a_run_can_be_terminated(desk: Desk) -> None:
    run_id, pid = desk.begin()

    assert desk.launcher.terminate(run_id)

    assert desk.end_of(run_id) is STATUS.CANCELED
    assert wait_for(lambda: not is_there(pid))


def test_a_run_whose_worker_is_gone_is_canceled_at_once(desk: Desk) -> None:
    run_id, pid = desk.begin()
    wait_for(lambda: WORKER_TAG in desk.run(run_id).tags)
    os.kill(desk.launcher.forker.pid or 0, signal.SIGKILL)
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not is_there(pid))

    desk.launcher.terminate(run_id)

    assert desk.run(run_id).status is STATUS.CANCELED


def test_when_the_server_is_killed_its_run_goes_on_and_the_next_one_is_launched(desk: Desk) -> None:
    before, _ = desk.begin()
    killed = desk.launcher.forker.pid or 0
    os.kill(killed, signal.SIGKILL)

    assert desk.look()["parent"] not in {killed, None}
    desk.go_on()
    assert desk.end_of(before) is STATUS.SUCCESS


def test_two_runs_are_at_work_at_once(desk: Desk) -> None:
    (first, first_pid), (second, second_pid) = desk.begin(1), desk.begin(2)
    at_work = {desk.run(first).status, desk.run(second).status}
    desk.go_on()

    assert at_work == {STATUS.STARTED}
    assert first_pid != second_pid
    assert (desk.end_of(first), desk.end_of(second)) == (STATUS.SUCCESS, STATUS.SUCCESS)


def test_a_contract_that_was_changed_is_seen_by_the_next_run(desk: Desk) -> None:
    first = desk.look()
    (desk.folder / "contract.txt").write_text("version 2")
    second = desk.look()

    assert (first["contract"], second["contract"]) == ("version 1", "version 2")
    assert first["parent"] == second["parent"]


def test_code_that_was_changed_is_imported_by_another_server(desk: Desk) -> None:
    first = desk.look()
    (desk.folder / "edited.py").write_text("TEXT = 'the second'\n")
    second = desk.look()

    assert (first["edited"], second["edited"]) == ("first", "the second")
    assert first["parent"] != second["parent"]
    assert wait_for(lambda: not is_there(int(str(first["parent"]))))


def test_a_worker_has_the_variables_of_its_launch(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.look()
    monkeypatch.setenv("SHOP_PASSWORD", "hunter2")
    found = desk.look()

    assert isinstance(found["environ"], dict)
    assert os.environ.items() <= found["environ"].items()
    assert "hunter2" not in Path(f"/proc/{desk.launcher.forker.pid}/environ").read_text()


def test_variables_of_a_launch_are_never_shown() -> None:
    assert "hunter2" not in repr(Launch("run", "{}", "/", {"SHOP_PASSWORD": "hunter2"}))


def test_closing_waits_for_the_run_at_work_and_leaves_no_process(desk: Desk) -> None:
    run_id, pid = desk.begin()
    server = desk.launcher.forker.pid
    desk.go_on()

    desk.launcher.forker.close(SECONDS)

    assert desk.run(run_id).status is STATUS.SUCCESS
    assert (is_there(pid), is_there(server)) == (False, False)


def test_the_server_ends_when_whoever_started_it_is_killed(desk: Desk) -> None:
    desk.look()
    forker = desk.launcher.forker
    server = forker.pid
    assert forker._server
    forker._server.connection.close()  # as the system does for a process that was killed

    assert wait_for(lambda: not is_there(server))


def test_a_worker_that_could_not_be_noted_on_its_run_never_begins(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when the launcher is killed at that moment: nobody would ever know whose death to look for."""
    workers: list[int] = []

    def note_nothing(_: object, run_id: str, tags: Mapping[str, str]) -> None:  # noqa: ARG001
        if WORKER_TAG in tags:
            workers.append(Worker.parse(tags[WORKER_TAG]).pid)
            raise OSError("the database has gone")

    with monkeypatch.context() as patch:
        patch.setattr(dg.DagsterInstance, "add_run_tags", note_nothing)
        with pytest.raises(OSError, match="has gone"):
            desk.launch("slow", number="1")

    assert wait_for(lambda: not is_there(workers[0]))
    assert not (desk.folder / "begun-1").exists()
    run_id, pid = desk.begin(2)  # others are launched as ever
    desk.go_on()
    assert desk.end_of(run_id) is STATUS.SUCCESS
    assert pid not in workers


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("import no_such_module", id="cannot be imported"),
        pytest.param("import threading, time; threading.Thread(target=time.sleep, args=[60], daemon=True).start()",
                     id="starts a thread"),
    ],
)  # fmt: skip
def test_without_a_server_the_run_goes_to_the_code_server(desk: Desk, code: str) -> None:
    (desk.folder / "broken.py").write_text(code)
    desk.launcher.forker = RunForker(["broken"])

    # There is none in this test, which is the next thing that is complained of.
    with pytest.raises(dg.DagsterInvariantViolationError, match="DefaultRunLauncher requires a workspace"):
        desk.launch("quick")

    (run,) = desk.instance.get_runs()
    assert "Launched as Dagster does by default" in desk.messages(run.run_id)


def test_a_server_that_cannot_start_is_no_endless_try() -> None:
    forker = RunForker(["no_such_module"])

    with pytest.raises(ForkServerUnavailable, match="3 times"):
        forker.launch(Launch("run", "{}", "/", {}), lambda _: None)

    forker.close(SECONDS)


def test_the_threads_of_libraries_are_switched_off_for_the_server_alone(desk: Desk) -> None:
    environ = desk.look()["environ"]

    assert isinstance(environ, dict)
    assert not THREADLESS.keys() & environ.keys()
