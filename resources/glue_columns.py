"""A table as Glue shows it to people and to other tools: descriptions, owner, classification, personal data."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_LONGEST_COMMENT, _LONGEST_DESCRIPTION, _LONGEST_OWNER = 255, 2048, 255
"""Glue refuses a table with a longer one."""

_SHOWN = {
    "sluice.dataset": "sluice.dataset",
    "sluice.domain": "domain",
    "sluice.tags": "tags",
    "sluice.classifications": "data_classification",
    "sluice.pii": "pii",
}
"""Properties of a table, and what Glue calls them: `classification` is the format of the files there.

All others of Sluice's own stay in the Iceberg metadata: there are several for each partition, and Glue has 1 MB.
"""

_COLUMNS = "sluice.columns"


def described(table_input: Mapping[str, Any]) -> dict[str, Any]:
    """Return pyiceberg's table with the contract's words in the fields that Glue has for them."""
    properties: Mapping[str, str] = table_input["Parameters"]
    storage = table_input["StorageDescriptor"]
    labels = json.loads(properties.get(_COLUMNS, "{}"))
    columns = [labelled(column, labels.get(column["Name"], {})) for column in storage["Columns"]]
    return {
        **table_input,
        "Parameters": _parameters(properties),
        "Description": _short(properties.get("comment", ""), _LONGEST_DESCRIPTION),
        "Owner": _short(properties.get("owner", ""), _LONGEST_OWNER),
        "StorageDescriptor": {**storage, "Columns": columns},
    }


def labelled(column: Mapping[str, Any], labels: Mapping[str, str]) -> dict[str, Any]:
    """Return the column with its labels; comments have one line in Glue."""
    comment = {"Comment": _short(column["Comment"], _LONGEST_COMMENT)} if column.get("Comment") else {}
    return {**column, **comment, "Parameters": {**column.get("Parameters", {}), **labels}}


def _parameters(properties: Mapping[str, str]) -> dict[str, str]:
    foreign = {name: value for name, value in properties.items() if not _is_own(name)}
    return {**foreign, **{shown: properties[name] for name, shown in _SHOWN.items() if name in properties}}


def _is_own(name: str) -> bool:
    return name.startswith(("sluice.", "schema.name-mapping."))


def _short(text: str, longest: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= longest else line[: longest - 1] + "…"
