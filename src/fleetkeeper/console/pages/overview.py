"""`/`: the whole fleet at a glance."""

from collections.abc import Sequence
from datetime import datetime

from fastapi import APIRouter, Response
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.alerts.log import service as alerts
from fleetkeeper.alerts.log.schemas import AlertRead
from fleetkeeper.alerts.status import SEVERITIES
from fleetkeeper.console.contexts.overview import BusiestList, OverviewPage, OverviewSummary
from fleetkeeper.console.device_rows import device_row
from fleetkeeper.console.navigation import Place, declare, shell_for
from fleetkeeper.console.rendering import names_of, render
from fleetkeeper.console.requests import WantsFragment
from fleetkeeper.database.request_session import AppSettings, Session
from fleetkeeper.devices import service as devices
from fleetkeeper.devices.access import DevicesRead
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.settings import Settings

router = APIRouter()
declare(
    Place("/", "Overview", "layout-dashboard", Permission.DEVICES_READ, order=10, key="o", words="home start")
)

# Measure, title, icon, and the metric of the small line.
MEASURES = (
    ("cpu", "Processor", "cpu", "cpu_usage_percent"),
    ("memory", "Memory", "device-desktop-analytics", "memory_usage_percent"),
    ("disk", "Disk", "database", "disk_usage_percent"),
)
LOST_PARAMETERS = (("status", "offline"), ("ordering", "-last_seen"), ("limit", "5"))
PROBLEMS = 10
Severities = tuple[tuple[str, int], ...]
NEWEST_PARAMETERS = (("ordering", "-last_seen"), ("limit", "1"))


@router.get("/")
async def show_overview(
    actor: DevicesRead,
    session: Session,
    settings: AppSettings,
    wants_fragment: WantsFragment,
) -> Response:
    """Counts by state, the busiest devices, and those that went offline recently."""
    summary = await _summarise(session, actor, settings, utc_now())
    if wants_fragment:
        return render("overview/_summary.html", summary)
    return render("overview/detail.html", OverviewPage(**names_of(summary), shell=shell_for(actor, "/")))


async def _summarise(
    session: AsyncSession,
    actor: Actor,
    settings: Settings,
    now: datetime,
) -> OverviewSummary:
    stale = await devices.silence_allowed(session, settings)
    stale_before = now - stale
    counts = await devices.summarise_fleet(session, actor, now=now, stale=stale)
    lost = (await devices.list_devices(session, actor, LOST_PARAMETERS)).results if counts.offline else []
    busiest = []
    for measure, title, icon, metric in MEASURES:
        found = await devices.list_busiest(session, actor, measure, since=stale_before)
        rows = tuple(device_row(device, stale_before) for device in found)
        busiest.append(BusiestList(measure, title, icon, metric, rows))
    counted, problems = await _problems(session, actor)
    return OverviewSummary(
        summary=counts,
        online_share=100 * counts.online / counts.total if counts.total else 0.0,
        stale_seconds=round(stale.total_seconds()),
        newest_report=await _newest_report(session, actor, busiest, counts.total),
        busiest=tuple(busiest),
        lost=tuple(device_row(device, stale_before) for device in lost),
        severities=counted,
        problems=tuple(problems),
    )


async def _problems(session: AsyncSession, actor: Actor) -> tuple[Severities, Sequence[AlertRead]]:
    """How many alerts are not over, and the worst of them, of these the newest."""
    if not actor.may(Permission.ALERTS_READ):
        return (), ()
    found = await alerts.severities(session, actor)
    counts = tuple((one, found[one]) for one in reversed(SEVERITIES) if one in found)
    worst: list[AlertRead] = []
    for severity, _ in counts:
        if len(worst) == PROBLEMS:
            break
        asked = [
            ("resolved_at__isnull", "true"),
            ("severity", severity),
            ("ordering", "-triggered_at"),
            ("limit", str(PROBLEMS - len(worst))),
        ]
        worst += (await alerts.list_alerts(session, actor, asked, is_counted=False)).results
    return counts, worst


async def _newest_report(
    session: AsyncSession,
    actor: Actor,
    busiest: Sequence[BusiestList],
    total: int,
) -> datetime | None:
    """When the last report came in: of the busy devices as a rule, else of whichever was seen last."""
    seen = [row.last_seen for group in busiest for row in group.rows if row.last_seen is not None]
    if seen or not total:
        return max(seen, default=None)
    newest = await devices.list_devices(session, actor, NEWEST_PARAMETERS)
    return newest.results[0].last_seen
