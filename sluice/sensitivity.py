"""Who may see a column: what its contract says of it, in the form that catalogs keep beside it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sluice.contract import Column, Contract

_PERSONAL = frozenset({"personal", "pii", "phi"})
"""Classifications and tags that say: data about people. Upper and lower case count as the same."""


def column_labels(column: Column) -> Mapping[str, str]:
    """Return classification, tags and pii of a column; that of an object also says what its members are."""
    found = tuple(dict.fromkeys(filter(None, (column.classification, *column.member_classifications))))
    personal = any(word.lower() in _PERSONAL for word in (*found, *column.tags))
    return {
        **({"classification": ", ".join(found)} if found else {}),
        **({"tags": ", ".join(column.tags)} if column.tags else {}),
        **({"pii": "true"} if personal else {}),
    }


def table_labels(contract: Contract) -> Mapping[str, str]:
    """Return what catalogs show of the whole table; always the same names, so that a new contract undoes an old one."""
    of_columns = {column.name: labels for column in contract.columns if (labels := column_labels(column))}
    classifications = dict.fromkeys(filter(None, (item.get("classification") for item in of_columns.values())))
    return {
        "sluice.domain": contract.domain,
        "sluice.tags": ", ".join(contract.tags),
        "sluice.classifications": ", ".join(classifications),
        "sluice.pii": str(any("pii" in labels for labels in of_columns.values())).lower(),
        "sluice.columns": json.dumps(of_columns),
    }
