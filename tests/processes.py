"""Processes in which tests do things at once."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor


def processes(number: int) -> ProcessPoolExecutor:
    """Return fresh ones, which end when their work is done; those of a `Pool` are terminated, and may hang at that."""
    return ProcessPoolExecutor(number, mp_context=multiprocessing.get_context("spawn"))
