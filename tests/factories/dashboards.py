"""Definitions of dashboards as tests need them."""

from typing import Any


def fleet_query(**changes: Any) -> dict[str, Any]:
    return {"language": "fleet", "metrics": ["cpu_usage_percent"], "by": ["device"]} | changes


def promql_query(query: str = "cpu_usage_percent", **changes: Any) -> dict[str, Any]:
    return {"language": "promql", "query": query} | changes


def a_panel(*queries: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"title": "CPU", "kind": "line", "queries": list(queries) or [fleet_query()]} | changes


def a_definition(*panels: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"rows": [{"title": "First", "panels": list(panels) or [a_panel()]}]} | changes


def a_dashboard(name: str = "Web servers", **changes: Any) -> dict[str, Any]:
    return {"name": name, "definition": a_definition()} | changes
