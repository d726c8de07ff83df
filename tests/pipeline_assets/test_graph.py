"""The asset graph as a text that is reviewed: a changed graph is a changed graph.txt."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg

from pipeline_assets.definitions import PORTS, build_definitions
from resources.contract_folders import fetch_contracts

if TYPE_CHECKING:
    from dagster._core.definitions.assets.graph.asset_graph import AssetGraph

HERE = Path(__file__).parent
DATASETS = HERE.parents[1] / "pipeline_assets" / "datasets"


def described(graph: AssetGraph) -> str:
    """One paragraph per asset, inputs before what reads them."""
    return "\n".join(
        text for level in graph.toposorted_asset_keys_by_level for key in sorted(level) for text in asset(graph, key)
    )


def asset(graph: AssetGraph, key: dg.AssetKey) -> list[str]:
    node = graph.get(key)
    spec = node.to_asset_spec()
    facts = {
        "reads": ", ".join(sorted(parent.to_user_string() for parent in node.parent_keys)),
        "group": node.group_name,
        "kinds": ", ".join(sorted(spec.kinds)),
        "owners": ", ".join(node.owners),
        "tags": ", ".join(sorted(tag for tag in node.tags if "/" not in tag)),
        "partitions": str(node.partitions_def),
        "checks": ", ".join(sorted(check.name for check in node.check_keys)),
        "automation": node.automation_condition.get_label() if node.automation_condition else "",
        "columns": ", ".join(columns(spec)),
    }
    return [key.to_user_string(), *(f"  {name}: {value}" for name, value in facts.items() if value), ""]


def columns(spec: dg.AssetSpec) -> list[str]:
    schema = spec.metadata.get("dagster/column_schema")
    return [column.name for column in schema.columns] if isinstance(schema, dg.TableSchema) else []


def test_the_asset_graph_is_the_reviewed_one() -> None:
    no_ports = dict.fromkeys(PORTS, dg.ResourceDefinition.none_resource())
    definitions = build_definitions(fetch_contracts([DATASETS]), no_ports)

    graph = described(definitions.resolve_asset_graph())

    reviewed = HERE / "graph.txt"
    assert graph == reviewed.read_text(), f"If the change is meant, write it down:\n{graph}"
