"""The pages on which people look at dashboards."""

from dataclasses import dataclass

from fleetkeeper.console.contexts.shell import Shell
from fleetkeeper.telemetry.dashboards.schemas import DashboardRead, DashboardSummary


@dataclass(frozen=True)
class DashboardList:
    """The reader's own and shared ones, a page of them, and those that the product brings."""

    shell: Shell
    saved: tuple[DashboardSummary, ...]
    count: int
    built_in: tuple[DashboardSummary, ...]
    query: str
    next_href: str | None
    previous_href: str | None
    may_write: bool
    may_share: bool


@dataclass(frozen=True)
class DashboardPage:
    """One dashboard; the script draws it from what stands here."""

    shell: Shell
    dashboard: DashboardRead
    dashboard_json: str
    departments_json: str
    device_types_json: str
    functions_json: str
    may_write: bool
    may_share: bool
