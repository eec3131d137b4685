"""The first page: the whole fleet at a glance."""

from dataclasses import dataclass
from datetime import datetime

from fleetkeeper.alerts.log.schemas import AlertRead
from fleetkeeper.console.contexts.devices import DeviceRow
from fleetkeeper.console.contexts.shell import Shell
from fleetkeeper.devices.schemas import FleetSummary


@dataclass(frozen=True)
class BusiestList:
    """The devices with the highest value of one measure; `metric` is drawn as a small line."""

    measure: str
    title: str
    icon: str
    metric: str
    rows: tuple[DeviceRow, ...]


@dataclass(frozen=True)
class OverviewSummary:
    """What is refreshed while the page is open."""

    summary: FleetSummary
    online_share: float
    stale_seconds: int
    newest_report: datetime | None
    busiest: tuple[BusiestList, ...]
    lost: tuple[DeviceRow, ...]
    # How many alerts are not over by severity, and the worst of them; the worst first.
    severities: tuple[tuple[str, int], ...]
    problems: tuple[AlertRead, ...]


@dataclass(frozen=True)
class OverviewPage(OverviewSummary):
    """The same in its page."""

    shell: Shell
