"""The pages on which people look at dashboards."""

from dataclasses import dataclass

from fleetkeeper.console.contexts.shell import Shell
from fleetkeeper.telemetry.dashboards.schemas import DashboardRead, DashboardSummary


@dataclass(frozen=True)
class DashboardsMaking:
    """How a new dashboard is begun."""

    may_share: bool


@dataclass(frozen=True)
class BuiltInDashboards:
    """Those that the product brings."""

    built_in: tuple[DashboardSummary, ...]


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
