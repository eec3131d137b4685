"""The tabs of a device's page, each declared once."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.alerts.log import service as alert_log
from fleetkeeper.annotations.tags.service import all_tags
from fleetkeeper.console.alert_list import alert_list
from fleetkeeper.console.alert_page import SILENCE_DEVICE, durations
from fleetkeeper.console.alert_rule_overrides import device_overrides
from fleetkeeper.console.annotation_tabs import Annotating, annotation_tabs
from fleetkeeper.console.contexts.devices import DeviceProcesses, FileSystems, NeverReported
from fleetkeeper.console.contexts.panels import Facts, Fragment
from fleetkeeper.console.details import Panels, Tab
from fleetkeeper.console.device_configs import configs
from fleetkeeper.console.device_facts import facts
from fleetkeeper.console.device_form import clone_form, delete_form, device_form
from fleetkeeper.console.device_page import (
    PROCESS_COLUMNS,
    SHOWN_CHANGES,
    about_facts,
    charts,
    collectors_table,
    hardware_facts,
    has_never_reported,
    is_seen_by_host,
    logins_table,
    states_table,
    system_facts,
)
from fleetkeeper.console.device_parts import BY_NAME, part_panels, parts_tab
from fleetkeeper.console.device_past import past
from fleetkeeper.console.device_relations import relations
from fleetkeeper.console.device_sources import sources
from fleetkeeper.console.history import entries_tab
from fleetkeeper.console.lists.showing import related_panel
from fleetkeeper.console.location_options import location_path
from fleetkeeper.console.request_list import REQUESTS
from fleetkeeper.console.silence_notes import silences_table
from fleetkeeper.device_requests.service import list_requests
from fleetkeeper.devices.annotating import TABLE
from fleetkeeper.devices.creating import SOURCE as MANUAL
from fleetkeeper.devices.schemas import DeviceRead
from fleetkeeper.fleet import service as fleet
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.settings import Settings
from fleetkeeper.telemetry import service as telemetry
from fleetkeeper.telemetry.states.service import newest_states

LOGIN_LIMIT = 50
STATES_SHOWN = timedelta(days=30)


@dataclass(frozen=True)
class Shown:
    """A device, who looks at it, and by what it is read."""

    session: AsyncSession
    actor: Actor
    settings: Settings
    device: DeviceRead
    # What the address asks for besides.
    asked: Mapping[str, str] = field(default_factory=dict)

    @property
    def may_write(self) -> bool:
        """Whether the reader may change the device."""
        return self.actor.may_in(Permission.DEVICES_WRITE, self.device.department_id)

    @property
    def may_delete(self) -> bool:
        """Whether the reader may delete the device."""
        return self.actor.may_in(Permission.DEVICES_DELETE, self.device.department_id)

    @property
    def annotating(self) -> Annotating:
        """The device as one adds notes, values, files and tags to it."""
        device, limits = self.device, self.settings.attachments
        return Annotating(
            self.session,
            self.actor,
            limits,
            TABLE,
            device.id,
            device.department_id,
            self.may_write,
            slugs=device.tags,
        )

    @property
    def has_reported(self) -> bool:
        """Whether there is anything to measure by."""
        return not has_never_reported(self.device)


def _always(_: Shown) -> bool:
    return True


@dataclass(frozen=True)
class DeviceTab:
    """A tab of each device's page, or of those that it makes sense for; `read` makes its panels once it is opened."""

    name: str
    title: str
    read: Callable[[Shown], Awaitable[Panels]]
    is_shown: Callable[[Shown], bool] = _always


async def overview(shown: Shown) -> Panels:
    """Figures and charts; for a device that sent nothing, what to do."""
    device, actor = shown.device, shown.actor
    if not shown.has_reported:
        may_enroll = actor.may(Permission.ENROLLMENT_WRITE)
        is_entered = device.source_system == MANUAL
        waiting = NeverReported(
            device.name, may_enroll, actor.may(Permission.CONFIG_READ), is_seen_by_host(device), is_entered
        )
        about = [await _about(shown)] if is_entered else []
        return [*about, Fragment("devices/_never_reported.html", waiting)]
    agent = await fleet.get_agent(shown.session, actor, device.id)
    return [Fragment("devices/_charts.html", charts(device, agent.collectors if agent else ()))]


async def system(shown: Shown) -> Panels:
    """Facts, states and collectors; of a device that sent nothing, what is known of it."""
    session, actor, device = shown.session, shown.actor, shown.device
    agent = await fleet.get_agent(session, actor, device.id)
    now = utc_now()
    states = await newest_states(session, actor, device.id, now - STATES_SHOWN, now, SHOWN_CHANGES)
    tables = (
        states_table(states),
        collectors_table(agent.collectors if agent else ()),
    )
    return [
        await _about(shown),
        system_facts(device),
        hardware_facts(device),
        *(one if one.rows or shown.has_reported else None for one in tables),
    ]


async def _about(shown: Shown) -> Facts:
    return about_facts(
        shown.device, await location_path(shown.session, shown.actor, shown.device.location_id)
    )


async def storage(shown: Shown) -> Panels:
    """File systems as they are now, and volumes."""
    live = (
        Fragment("devices/_file_systems.html", FileSystems(shown.device.id)) if shown.has_reported else None
    )
    return [live, *await part_panels(shown, BY_NAME["storage-volumes"])]


async def processes(shown: Shown) -> Panels:
    """Processes now, or at the moment that was picked on a chart."""
    return [Fragment("devices/_processes.html", DeviceProcesses(shown.device.id, PROCESS_COLUMNS))]


async def logins(shown: Shown) -> Panels:
    """Who is or was logged in at the machine."""
    found = await telemetry.sessions(shown.session, shown.actor, shown.device.id, LOGIN_LIMIT)
    return [logins_table(found.results)]


async def alerts(shown: Shown) -> Panels:
    """What fires on it, and a silence for the time that somebody works on it."""
    session, actor, device = shown.session, shown.actor, shown.device
    asked = [("system_id", str(device.id)), ("ordering", "-triggered_at"), ("limit", "25")]
    found = await alert_log.list_alerts(session, actor, asked)
    listed = alert_list(actor)
    own = replace(listed, columns=tuple(one for one in listed.columns if one.name != "device_name"))
    may_silence = actor.may_in(Permission.ALERTS_RESPOND, device.department_id)
    return [
        await silences_table(session, actor, device),
        related_panel(own, found, all_href=f"/alerts?system_id={device.id}&status=all"),
        await device_overrides(session, actor, device.id),
        SILENCE_DEVICE.shown(f"/devices/{device.id}/silence", options={"minutes": durations()})
        if may_silence
        else None,
    ]


async def requests(shown: Shown) -> Panels:
    """What it asked for, the newest first."""
    asked = [("device_id", str(shown.device.id)), ("limit", "25")]
    found = await list_requests(shown.session, shown.actor, asked)
    own = replace(REQUESTS, columns=tuple(one for one in REQUESTS.columns if one.name != "device_name"))
    return [related_panel(own, found, all_href=f"/device-requests?device_id={shown.device.id}")]


async def settings(shown: Shown) -> Panels:
    """What may be changed of it."""
    session, actor, device = shown.session, shown.actor, shown.device
    about = replace(shown.annotating, tags=await all_tags(session))
    return [
        await device_form(session, actor, device),
        about.tags_form,
        clone_form(actor, device),
        delete_form(actor, device),
    ]


TABS = (
    DeviceTab("overview", "Overview", overview),
    DeviceTab("system", "System", system),
    DeviceTab("hardware", "Hardware", parts_tab("hardware-components", "vms")),
    DeviceTab("network", "Network", parts_tab("network-interfaces", "ip-addresses")),
    DeviceTab("storage", "Storage", storage),
    DeviceTab("facts", "Facts", facts),
    DeviceTab("configs", "Configs", configs),
    DeviceTab("relations", "Relations", relations),
    DeviceTab("sources", "Sources", sources),
    DeviceTab("past", "Past", past),
    DeviceTab("processes", "Processes", processes, lambda shown: shown.has_reported),
    DeviceTab("sessions", "Sessions", logins),
    DeviceTab("alerts", "Alerts", alerts, lambda shown: shown.actor.may(Permission.ALERTS_READ)),
    DeviceTab("requests", "Requests", requests, lambda shown: shown.actor.may(Permission.REQUESTS_READ)),
    DeviceTab("settings", "Settings", settings, lambda shown: shown.may_write or shown.may_delete),
)


def device_tabs(shown: Shown) -> list[Tab | None]:
    """The tabs for a reader, and the history for those who may read the log."""
    *first, last = [_tab(one, shown) for one in TABS]
    history = entries_tab(shown.session, shown.actor, {"device_id": str(shown.device.id)})
    return [*first, *annotation_tabs(shown.annotating), history, last]


def _tab(tab: DeviceTab, shown: Shown) -> Tab | None:
    async def read() -> Panels:
        return await tab.read(shown)

    return Tab(tab.name, tab.title, read) if tab.is_shown(shown) else None
