"""Preloaded beside Sluice's own modules, it lets each worker write down what it has imported since it was forked."""

from __future__ import annotations

import os
import sys
from multiprocessing import util
from pathlib import Path

_PRELOADED: set[str] = set()


def _note() -> None:
    Path(os.environ["SLUICE_HOME"], "imported").write_text("\n".join(sorted(sys.modules.keys() - _PRELOADED)))


def _begin(_: object) -> None:
    _PRELOADED.update(sys.modules)
    util.Finalize(None, _note, exitpriority=1)


util.register_after_fork(sys.modules[__name__], _begin)
