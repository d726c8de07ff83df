"""An incident as a ticket: Markdown, ready to paste."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sluice.cost.money import usd_text
from sluice.freshness.wording import instant_text, span_text
from sluice.healing.next_steps import next_steps
from sluice.healing.state import state_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sluice.healing.incident import Incident, RemedyTaken

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#~$])")
_FEWEST_TICKS = 3


def ticket(incident: Incident, gates: Sequence[str] = (), consumers: Sequence[str] = ()) -> str:
    """Return it as Markdown that ends with a line break.

    `gates` are those that a person could accept, `consumers` who reads what it reaches.
    """
    title = f"# Incident {incident.number}: {incident.dataset} {incident.partition} ({incident.failure_class})"
    facts = _table(("what", "value"), facts_of(incident, consumers))
    steps = "\n".join(f"{number}. {_plain(step)}" for number, step in enumerate(next_steps(incident, gates), start=1))
    parts = (
        title,
        facts,
        "## What happened",
        _verbatim(incident.evidence),
        "## What was done",
        _remedies(incident.remedies),
        *(("## What a person can do", steps) if steps else ()),
    )
    return "\n\n".join(parts) + "\n"


def facts_of(incident: Incident, consumers: Sequence[str] = ()) -> tuple[tuple[str, str], ...]:
    """Return (what, value) pairs, in the order in which they are read."""
    detected, resolved = incident.detected_at, incident.resolved_at
    paid = [remedy.usd for remedy in incident.remedies if remedy.usd is not None]
    facts = {
        "state": str(state_of(incident)),
        "class": str(incident.failure_class),
        "opened": instant_text(incident.opened_at),
        "detected": f"{instant_text(detected)}, after {span_text(detected - incident.opened_at)}",
        "resolved": f"{instant_text(resolved)}, after {span_text(resolved - detected)}" if resolved else "",
        "resolved by": incident.resolved_by or "",
        "cost": f"{usd_text(sum(paid))} USD of remedies" if paid else "",
        "downstream": ", ".join(incident.downstream),
        "consumers": "; ".join(consumers),
        "run": incident.run_id,
        "version": incident.version,
    }
    return tuple((what, value) for what, value in facts.items() if value)


def _remedies(remedies: Sequence[RemedyTaken]) -> str:
    if not remedies:
        return "No remedy was taken."
    return _table(("when", "remedy", "note", "run", "USD"), (_remedy(item) for item in remedies))


def _remedy(item: RemedyTaken) -> tuple[str, ...]:
    cost = "" if item.usd is None else usd_text(item.usd)
    return (instant_text(item.taken_at), item.kind.replace("_", " "), item.note, item.run_id or "", cost)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *([_plain(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _plain(text: str) -> str:
    """Return text on one line in which Markdown finds nothing to render."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def _verbatim(text: str) -> str:
    """A fence must be longer than what looks like one inside."""
    ticks = "`" * max(_FEWEST_TICKS, 1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{ticks}text\n{text.strip()}\n{ticks}"
