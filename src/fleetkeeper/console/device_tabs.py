"""The tabs of a device's page, each declared once."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.annotations.tags.service import all_tags
from fleetkeeper.console.annotation_tabs import Annotating, annotation_tabs
from fleetkeeper.console.contexts.devices import DeviceProcesses, FileSystems, NeverReported
from fleetkeeper.console.contexts.panels import Fragment
from fleetkeeper.console.details import Panels, Tab
from fleetkeeper.console.device_form import delete_form, device_form
from fleetkeeper.console.device_page import (
    PROCESS_COLUMNS,
    SHOWN_CHANGES,
    charts,
    collectors_table,
    hardware_facts,
    has_never_reported,
    interfaces_table,
    logins_table,
    states_table,
    system_facts,
)
from fleetkeeper.console.history import entries_tab
from fleetkeeper.devices.annotating import TABLE
from fleetkeeper.devices.schemas import DeviceRead
from fleetkeeper.fleet import service as fleet
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.departments.service import all_departments
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
        waiting = NeverReported(device.name, may_enroll, actor.may(Permission.CONFIG_READ))
        return [Fragment("devices/_never_reported.html", waiting)]
    agent = await fleet.get_agent(shown.session, actor, device.id)
    return [Fragment("devices/_charts.html", charts(device, agent.collectors if agent else ()))]


async def system(shown: Shown) -> Panels:
    """Facts, file systems, interfaces, states and collectors; of a device that sent nothing, what is known of it."""
    session, actor, device = shown.session, shown.actor, shown.device
    agent = await fleet.get_agent(session, actor, device.id)
    now = utc_now()
    states = await newest_states(session, actor, device.id, now - STATES_SHOWN, now, SHOWN_CHANGES)
    tables = (
        interfaces_table(device),
        states_table(states),
        collectors_table(agent.collectors if agent else ()),
    )
    return [
        system_facts(device),
        hardware_facts(device),
        Fragment("devices/_file_systems.html", FileSystems(device.id)) if shown.has_reported else None,
        *(one if one.rows or shown.has_reported else None for one in tables),
    ]


async def processes(shown: Shown) -> Panels:
    """Processes now, or at the moment that was picked on a chart."""
    return [Fragment("devices/_processes.html", DeviceProcesses(shown.device.id, PROCESS_COLUMNS))]


async def logins(shown: Shown) -> Panels:
    """Who is or was logged in at the machine."""
    found = await telemetry.sessions(shown.session, shown.actor, shown.device.id, LOGIN_LIMIT)
    return [logins_table(found.results)]


async def settings(shown: Shown) -> Panels:
    """What may be changed of it."""
    session, actor, device = shown.session, shown.actor, shown.device
    places = await all_departments(session, actor, Permission.DEVICES_WRITE)
    about = replace(shown.annotating, tags=await all_tags(session))
    return [
        device_form(actor, device, places),
        about.tags_form,
        delete_form(actor, device),
    ]


TABS = (
    DeviceTab("overview", "Overview", overview),
    DeviceTab("system", "System", system),
    DeviceTab("processes", "Processes", processes, lambda shown: shown.has_reported),
    DeviceTab("sessions", "Sessions", logins),
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
