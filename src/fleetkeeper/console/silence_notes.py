"""That a device is silenced now: above its page, and among its alerts."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.alerts.silences.devices import DeviceSilence, silences_of_device
from fleetkeeper.console.contexts.panels import Cell, Note, Row, RowAction, Table
from fleetkeeper.devices.schemas import DeviceRead
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.clock import utc_now


async def silence_notes(session: AsyncSession, actor: Actor, device: DeviceRead) -> tuple[Note, ...]:
    """A note for each silence that quiets all alerts of a device, for those who see silences."""
    if not actor.may_in(Permission.ALERTS_READ, device.department_id):
        return ()
    found = await silences_of_device(session, actor, device.id, device.department_id, utc_now())
    return tuple(
        Note(
            f"Notifications of this device are silenced{_until(one.until)}: {one.name}.",
            f"/alerts/silences/{one.id}",
            "Show silence",
        )
        for one in found
    )


async def silences_table(session: AsyncSession, actor: Actor, device: DeviceRead) -> Table | None:
    """Those silences with their ends, for the tab of a device's alerts; none where there is none."""
    found = await silences_of_device(session, actor, device.id, device.department_id, utc_now())
    return Table("silences", "Silences", ("Silence",), _rows(actor, device, found)) if found else None


def _rows(actor: Actor, device: DeviceRead, found: Sequence[DeviceSilence]) -> tuple[Row, ...]:
    return tuple(
        Row(
            (Cell(one.name, f"/alerts/silences/{one.id}", detail=f"Silenced{_until(one.until)}"),),
            (_end(device, one),) if actor.may_in(Permission.ALERTS_RESPOND, one.department_id) else (),
        )
        for one in found
    )


def _end(device: DeviceRead, silence: DeviceSilence) -> RowAction:
    action = f"/alerts/silences/{silence.id}/expire?device_id={device.id}"
    confirm = (
        f"End {silence.name}? Alerts that it silences notify people again; those that already have "
        "wait for their repeat interval."
    )
    return RowAction("End silence", action, confirm, is_danger=False)


def _until(moment: object) -> str:
    return f" until {moment:%Y-%m-%d %H:%M} UTC" if moment else ""
