"""Where a drill is played: a sandbox with the real servers, and a record of what the drill itself did there."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, assert_never

from pipeline_assets.cli.drills.scene import Ask, Do, Expect, StepFailed
from pipeline_assets.cli.sandbox import prepare_sandbox, sandbox_variables, serving, wait_until
from sluice.errors import SluiceError
from sluice.timeline import Happening, fetch_timeline, in_order

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from pipeline_assets.cli.drills.scene import Drill, Scene, Step
    from pipeline_assets.cli.environment import Environment

READER = "reader"


@dataclass(frozen=True, slots=True)
class Played:
    """How a drill went: `missing` is what was not seen, empty when all was healed. `home` is gone unless it is kept."""

    drill: str
    began_at: datetime
    happenings: tuple[Happening, ...]
    missing: str
    home: Path
    is_kept: bool

    @property
    def is_healed(self) -> bool:
        return not self.missing


@dataclass(slots=True)
class Stage:
    """What the steps of a drill work with."""

    environment: Environment
    datasets: tuple[str, ...]
    seconds: float
    told: list[Happening] = field(default_factory=list)

    def tell(self, who: str, what: str) -> None:
        self.told.append(Happening(self.environment.clock.now(), who, what))

    def timeline(self) -> tuple[Happening, ...]:
        return in_order([*self.told, *fetch_timeline(self.environment.ledger, self.datasets)])

    def is_closed(self) -> bool:
        return not any(self.environment.ledger.incidents(name, open_only=True) for name in self.datasets)

    def play(self, step: Step) -> None:
        match step:
            case Do(what, act, who):
                began_at = self.environment.clock.now()
                told = act(self)
                self.told.append(Happening(began_at, who, told or what))
            case Expect(what, holds):
                if not wait_until(lambda: holds(self), self.seconds):
                    raise StepFailed(f"waited {self.seconds:.0f} s for this: {what}")
            case Ask(what, sql, answer):
                self._ask(what, sql, answer)
            case _:
                assert_never(step)

    def _ask(self, what: str, sql: str, answer: object) -> None:
        rows = [tuple(row.values()) for row in self.environment.warehouse.query(sql).to_pylist()]
        self.tell(READER, f"{what}: {_shown(rows)}")
        if rows != answer:
            raise StepFailed(f"a reader should see {what}, but sees {_shown(rows)} (asked: {' '.join(sql.split())})")


def play(
    drill: Drill, clock_of: Environment, *, seconds: float, keep: bool, on_step: Callable[[str], None] = lambda _: None
) -> Played:
    """Play a drill to its end, or to the first step that fails; a home in which something failed is kept.

    `clock_of` is the caller's environment: of it only the clock and the variables that are not Sluice's are used.
    """
    began_at = clock_of.clock.now()
    home = Path(tempfile.mkdtemp(prefix=f"sluice-{drill.name}-"))
    try:
        with ExitStack() as stack:
            scene = drill.build(stack, began_at)
            variables = sandbox_variables(home, clock_of.environ, scene.environ)
            stage = Stage(prepare_sandbox(home, scene.contracts, variables), tuple(scene.contracts), seconds)
            missing = _play_on(stage, scene, on_step)
            happenings = stage.timeline()
    except KeyboardInterrupt:
        shutil.rmtree(home)
        raise
    if not keep and not missing:
        shutil.rmtree(home)
    return Played(drill.name, began_at, happenings, missing, home, is_kept=keep or bool(missing))


def _play_on(stage: Stage, scene: Scene, on_step: Callable[[str], None]) -> str:
    """Return what was missing, once the servers have stopped: from then on the ledger stands still."""
    on_step("start the servers of a sandbox")
    with serving(stage.environment) as address:
        stage.tell("drill", f"a sandbox with its own daemon is up, to watch at {address}")
        try:
            for step in (*scene.steps, ALL_CLOSED):
                on_step(step.what)
                stage.play(step)
        except (StepFailed, SluiceError) as failed:
            return str(failed)
        return ""


ALL_CLOSED = Expect("every incident is closed", lambda stage: stage.is_closed())


def _shown(rows: list[tuple[object, ...]]) -> str:
    return "; ".join(", ".join(str(value) for value in row) for row in rows) or "no rows"
