"""When Dagster's automation builds a derived dataset: when it is missing, and when an input shows another version."""

from __future__ import annotations

import dagster as dg

Condition = dg.AutomationCondition[dg.AssetKey | dg.AssetCheckKey]


def derived_from_tables() -> Condition:
    """Return the condition for what reads the input tables.

    - Missing history is level-triggered: edges never fire for partitions that were missing at the first tick.
    - An input counts as changed when its data version changes, not when the same version is reported again.
    - A failure is not tried again until an input changes; without that, a broken query would run every tick.
    """
    changed = dg.AutomationCondition.any_deps_match(dg.AutomationCondition.data_version_changed())
    missing = dg.AutomationCondition.missing() & ~dg.AutomationCondition.execution_failed()
    quiet = (
        ~dg.AutomationCondition.any_deps_missing()
        & ~dg.AutomationCondition.any_deps_in_progress()
        & ~dg.AutomationCondition.in_progress()
    )
    # Not `since_last_handled`: `since` forgets a change that one tick sees together with what answers it, be it a
    # build of the older input or the request before. A request in a tick without a change answers; at worst one is
    # too many.
    unanswered = changed.since(dg.AutomationCondition.newly_requested() & ~changed)
    needed = unanswered.with_label("an input has changed") | missing.with_label("not built yet")
    return (needed & quiet).with_label("derived from tables")


def together_with_upstream() -> Condition:
    """Return the condition for the later steps of the same dataset: they go into the run that builds the first."""
    return dg.AutomationCondition.any_deps_match(dg.AutomationCondition.will_be_requested()).with_label(
        "together with the step before"
    )
