"""What maintenance works on: tables, and work in progress that was left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from resources.table_upkeep import TableUpkeep
    from resources.workspaces import Workspaces


@dataclass(frozen=True, slots=True)
class Upkeep:
    tables: TableUpkeep
    workspaces: Workspaces
