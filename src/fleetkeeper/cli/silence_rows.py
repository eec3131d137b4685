"""Silences as `fleetkeeper silence` finds and prints them: by name, with what they silence in words."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.alerts.silences.schemas import AlertSilenceRead
from fleetkeeper.alerts.silences.service import silences
from fleetkeeper.annotations.tags.service import all_tags
from fleetkeeper.cli.running import command_actor
from fleetkeeper.devices.service import list_devices
from fleetkeeper.errors import NotFoundError
from fleetkeeper.identity.departments.service import all_departments
from fleetkeeper.kit.clock import utc_now


class SilenceRow(AlertSilenceRead):
    """A silence, and what it silences as people call it."""

    silences: str


async def find_silence(session: AsyncSession, wanted: str) -> UUID:
    """The silence with this ID, or the only one with this name that is not over. Raises NotFoundError."""
    try:
        return UUID(wanted)
    except ValueError:
        found = (await silences.list(session, command_actor(), [("name", wanted)])).results
    open_ones = [one for one in found if one.ends_at is None or one.ends_at > utc_now()]
    if len(open_ones) == 1:
        return open_ones[0].id
    if open_ones:
        raise NotFoundError(
            f"Several silences are called {wanted!r}; give the ID that `fleetkeeper silence list` shows."
        )
    raise NotFoundError(
        f"No silence {wanted!r} is active or planned; `fleetkeeper silence list` shows those that are."
    )


async def with_targets(session: AsyncSession, found: Sequence[AlertSilenceRead]) -> list[SilenceRow]:
    """The silences with what they silence in words."""
    actor = command_actor()
    devices: dict[UUID, str] = {}
    if keys := {str(one.device_id) for one in found if one.device_id}:
        asked = [("id__in", ",".join(sorted(keys))), ("limit", str(len(keys)))]
        devices = {one.id: one.name for one in (await list_devices(session, actor, asked)).results}
    tags = {one.id: one.slug for one in await all_tags(session)} if any(one.tag_id for one in found) else {}
    places = {one.id: one.path for one in await all_departments(session, actor)}

    def target(one: AlertSilenceRead) -> str:
        parts = (
            f"device {devices.get(one.device_id, one.device_id)}" if one.device_id else "",
            f"tag {tags.get(one.tag_id, one.tag_id)}" if one.tag_id else "",
            # A device's silence belongs to the device's department, which says nothing more.
            f"department {places.get(one.department_id, one.department_id)}"
            if one.department_id and not one.device_id
            else "",
            one.matchers,
        )
        return ", ".join(part for part in parts if part)

    return [SilenceRow(**one.model_dump(), silences=target(one)) for one in found]
