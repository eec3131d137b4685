"""Silences: made, changed and ended by people and scripts."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.alerts.matchers import parse_matchers
from fleetkeeper.alerts.models import AlertSilence
from fleetkeeper.alerts.silences.schemas import AlertSilencePage, AlertSilenceRead, AlertSilenceWrite
from fleetkeeper.devices.models import Device
from fleetkeeper.devices.queries import visible_to as devices_visible_to
from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.listing import LAST, Field, Listing
from fleetkeeper.records.service import Records

LISTING = Listing(
    fields={
        "id": Field(AlertSilence.id.expression, UUID, sortable=False),
        "name": Field(AlertSilence.name.expression, str),
        "device_id": Field(AlertSilence.device_id.expression, UUID, sortable=False),
        "tag_id": Field(AlertSilence.tag_id.expression, UUID, sortable=False),
        "department_id": Field(AlertSilence.department_id.expression, UUID, sortable=False),
        "starts_at": Field(AlertSilence.starts_at.expression, datetime),
        "ends_at": Field(AlertSilence.ends_at.expression, datetime, null_as=LAST),
        "created_by": Field(AlertSilence.created_by.expression, str),
        "created_at": Field(AlertSilence.created_at.expression, datetime),
    },
    search=(AlertSilence.name.expression, AlertSilence.comment.expression),
    key=AlertSilence.id.expression,
    default_ordering="-starts_at",
)


def _values(wanted: AlertSilenceWrite) -> dict[str, Any]:
    # `{}` has no matcher, either.
    return wanted.model_dump() | {"matchers": [wanted.matchers] if parse_matchers(wanted.matchers) else []}


class AlertSilences(Records[AlertSilenceWrite, AlertSilenceRead]):
    """Silences. One of a device without a department of its own belongs to the device's."""

    async def create(
        self, session: AsyncSession, actor: Actor, wanted: AlertSilenceWrite
    ) -> AlertSilenceRead:
        """Silence alerts. Raises as making any record does."""
        wanted = await self._placed(session, actor, wanted)
        made = await super().create(session, actor, wanted)
        row = await self.locked(session, actor, made.id)
        row.created_by = actor.name[:255]
        return await self._read_anew_flushed(session, row)

    async def change(
        self,
        session: AsyncSession,
        actor: Actor,
        key: UUID,
        wanted: AlertSilenceWrite,
        expected_version: int | None = None,
    ) -> AlertSilenceRead:
        """Change a silence."""
        wanted = await self._placed(session, actor, wanted)
        return await super().change(session, actor, key, wanted, expected_version)

    async def expire(self, session: AsyncSession, actor: Actor, key: UUID) -> AlertSilenceRead:
        """End a silence now; one that has not begun never does. Raises NotFoundError, ForbiddenError."""
        row = await self.locked(session, actor, key)
        now = utc_now()
        if row.ends_at is None or row.ends_at > now:
            row.starts_at, row.ends_at = min(row.starts_at, now), now
            row.version += 1
        return await self._read_anew_flushed(session, row)

    async def _placed(
        self, session: AsyncSession, actor: Actor, wanted: AlertSilenceWrite
    ) -> AlertSilenceWrite:
        if wanted.device_id is None:
            return wanted
        device = await session.scalar(devices_visible_to(actor).where(Device.id == wanted.device_id))
        if device is None:
            raise InvalidInputError(
                "The silence was not kept.", fields=[FieldError("device_id", "There is no such device")]
            )
        if wanted.department_id is None:
            return wanted.model_copy(update={"department_id": device.department_id})
        return wanted

    async def _read_anew_flushed(self, session: AsyncSession, row: Any) -> AlertSilenceRead:
        await session.flush()
        return await self._read_anew(session, row)


silences = AlertSilences(
    model=AlertSilence,
    listing=LISTING,
    write_as=AlertSilenceWrite,
    read_as=AlertSilenceRead,
    page_as=AlertSilencePage,
    noun=("silence", "silences"),
    page="/alerts/silences/{}",
    read=Permission.ALERTS_READ,
    write=Permission.ALERTS_RESPOND,
    is_shared=True,
    values=_values,
)
