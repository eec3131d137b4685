"""The usual service of what belongs to a device: seen with it, and changed by those who may change it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.database.constraints import told_by_name
from fleetkeeper.devices import queries
from fleetkeeper.devices.models import Device
from fleetkeeper.devices.revisions.moments import AS_OF, CHANGED_SINCE, moment_in, without_moments
from fleetkeeper.devices.revisions.past import as_past
from fleetkeeper.devices.revisions.queries import both_ends_seen, changed_since, past_parts
from fleetkeeper.devices.service import check_permission, get_device
from fleetkeeper.errors import FieldError, InvalidInputError, NotFoundError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.kit.etags import check_version
from fleetkeeper.kit.pagination import PageOf
from fleetkeeper.records.service import Records

MOST_PAST = 2000
Write = TypeVar("Write", bound=BaseModel)
Read = TypeVar("Read", bound=BaseModel)


async def _anything(session: AsyncSession, key: UUID | None, values: dict[str, Any]) -> None:
    del session, key, values


@dataclass(frozen=True)
class DeviceParts(Records[Write, Read]):
    """A kind of part; its model has `id`, `version`, and the devices that it belongs to."""

    devices_of: tuple[str, ...] = ("device_id",)
    # Looks at what is wanted, beside the row's ID, in the database. Raises ConflictError, InvalidInputError.
    examine: Callable[[AsyncSession, UUID | None, dict[str, Any]], Awaitable[None]] = _anything

    def visible_to(self, actor: Actor) -> Select[Any]:
        """The parts of the devices that an actor may see."""
        statement = select(self.model)
        if actor.scope(self.read).everywhere:
            return statement
        seen = queries.visible_to(actor, self.read).with_only_columns(Device.id)
        return statement.where(*(getattr(self.model, name).in_(seen) for name in self.devices_of))

    async def list(
        self,
        session: AsyncSession,
        actor: Actor,
        parameters: Sequence[tuple[str, str]],
        *,
        is_counted: bool = True,
    ) -> PageOf[Read]:
        """One page of what the actor may see; `as_of` a moment those of one device. Raises InvalidInputError."""
        moment = moment_in(parameters, AS_OF)
        if moment is not None:
            return await self._as_of(session, actor, parameters, moment)
        since, visible = moment_in(parameters, CHANGED_SINCE), self.visible_to(actor)
        if since is not None:
            device = getattr(self.model, self.devices_of[0])
            visible = visible.where(changed_since(self.table, self.model.id, device, since))
        visible, rest = self._narrowed(visible, without_moments(parameters))
        return await self.listing.read(
            session,
            visible,
            rest,
            self.page_as,
            lambda row: self.read_as.model_validate(row[0]),
            is_counted=is_counted,
        )

    def _narrowed(
        self, visible: Select[Any], parameters: Sequence[tuple[str, str]]
    ) -> tuple[Select[Any], Sequence[tuple[str, str]]]:
        """What the kind makes of parameters of its own, and the others."""
        return visible, parameters

    async def _as_of(
        self, session: AsyncSession, actor: Actor, parameters: Sequence[tuple[str, str]], moment: datetime
    ) -> PageOf[Read]:
        asked = {name: text for name, text in without_moments(parameters) if text}
        if asked.keys() - {"device_id", "limit"} or "device_id" not in asked:
            wrong = FieldError("device_id", "With as_of, ask for the parts of one device by device_id alone")
            raise InvalidInputError("The filter is wrong.", fields=[wrong])
        device_id = self.listing.fields["device_id"].parse("device_id", asked["device_id"])
        await get_device(session, actor, device_id)
        past = past_parts(self.table, device_id, moment)
        if not actor.scope(self.read).everywhere:
            past = past.where(both_ends_seen())
        rows = (await session.execute(past.limit(MOST_PAST))).all()
        results = [as_past(self.read_as, row.object_id, row.content, row.valid_from) for row in rows]
        return self.page_as(count=len(results), next=None, previous=None, results=results)

    async def create(self, session: AsyncSession, actor: Actor, wanted: Write) -> Read:
        """Add one to a device. Raises InvalidInputError for one that the actor does not see, ForbiddenError."""
        values = self.values(wanted)
        await self._check_devices(session, actor, values, self.devices_of)
        self.check(None, wanted)
        await self.examine(session, None, values)
        row = self.model(**values)
        async with told_by_name(session):
            session.add(row)
        return await self._read_anew(session, row)

    async def change(
        self,
        session: AsyncSession,
        actor: Actor,
        key: UUID,
        wanted: Write,
        expected_version: int | None = None,
    ) -> Read:
        """Change one, which may go to another device of those that the actor may change."""
        row = await self.locked(session, actor, key)
        values = self.values(wanted)
        moved = [name for name in self.devices_of if values[name] != getattr(row, name)]
        await self._check_devices(session, actor, values, moved)
        check_version(self.noun[0], row.version, expected_version)
        self.check(row, wanted)
        if all(getattr(row, name) == value for name, value in values.items()):
            return self.read_as.model_validate(row)
        await self.examine(session, key, values)
        await self._set(session, row, values)
        return await self._read_anew(session, row)

    async def locked(self, session: AsyncSession, actor: Actor, key: UUID) -> Any:
        """The row, locked. Raises NotFoundError, ForbiddenError."""
        row = await self._find(session, actor, key)
        for name in self.devices_of:
            await check_permission(session, actor, self.write, getattr(row, name))
        return await self._find(session, actor, key, is_locked=True)

    async def _check_devices(
        self, session: AsyncSession, actor: Actor, values: dict[str, Any], names: Sequence[str]
    ) -> None:
        for name in names:
            try:
                await check_permission(session, actor, self.write, values[name])
            except NotFoundError:
                wrong = FieldError(name, "No such device")
                raise InvalidInputError("The device is wrong.", fields=[wrong]) from None
