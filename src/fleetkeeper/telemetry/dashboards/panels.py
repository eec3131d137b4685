"""Short ways to write panels and queries, for the dashboards that the product brings. Pure."""

from typing import Any

Json = dict[str, Any]

AGENT = "The Fleetkeeper agent reports it; connect the machine under Agents."
WARN_PERCENT = (("warning", 75.0), ("critical", 90.0))
WARN_CELSIUS = (("warning", 70.0), ("critical", 85.0))


def fleet(*metrics: str, by: str = "", **more: Any) -> Json:
    """A question over the fleet; `by` has names separated by blanks."""
    return {"language": "fleet", "metrics": list(metrics), "by": by.split(), **more}


def promql(query: str, **more: Any) -> Json:
    """A query in PromQL."""
    return {"language": "promql", "query": query, **more}


def panel(title: str, kind: str, width: int, *queries: Json, **more: Any) -> Json:
    """A panel."""
    return {"title": title, "kind": kind, "width": width, "queries": list(queries), **more}


def levels(pairs: tuple[tuple[str, float], ...]) -> list[Json]:
    """Thresholds out of (level, value)."""
    return [{"level": level, "value": value} for level, value in pairs]


def share(title: str, kind: str, width: int, *queries: Json, **more: Any) -> Json:
    """A panel of percentages, with the usual thresholds."""
    return panel(
        title,
        kind,
        width,
        *queries,
        **({"unit": "percent", "thresholds": levels(WARN_PERCENT), "missing": AGENT} | more),
    )


def row(title: str, *panels: Json) -> Json:
    """A row of panels."""
    return {"title": title, "panels": list(panels)}


def filtered(rows: list[Json], **wanted: list[str]) -> list[Json]:
    """The rows with these filters in each query, beside those that it has."""
    for part in rows:
        for one in part["panels"]:
            for query in one["queries"]:
                query["filter"] = {**wanted, **query.get("filter", {})}
    return rows
