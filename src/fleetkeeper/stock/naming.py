"""Records that are told with what the part, the variant, the location and the supplier of each are called."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.devices.locations.models import Location
from fleetkeeper.errors import NotFoundError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.kit.pagination import PageOf
from fleetkeeper.records.service import Records
from fleetkeeper.stock.models import Part, PartVariant, Supplier

Write = TypeVar("Write", bound=BaseModel)
Read = TypeVar("Read", bound=BaseModel)
Joined = Callable[[Select[Any]], Select[Any]]


def with_names(statement: Select[Any], model: Any) -> Select[Any]:
    """With the names that go with a model's columns, for those who see what they are of."""
    statement = statement.outerjoin(Part, Part.id == model.part_id).add_columns(
        Part.part_code.label("part_code"),
        Part.name.label("part_name"),
        Part.unit_of_measure.label("unit_of_measure"),
    )
    columns = model.__table__.columns
    if "variant_id" in columns:
        statement = statement.outerjoin(PartVariant, PartVariant.id == model.variant_id).add_columns(
            PartVariant.variant_code.label("variant_code")
        )
    if "location_id" in columns:
        statement = statement.outerjoin(Location, Location.id == model.location_id).add_columns(
            Location.name.label("location_name")
        )
    if "supplier_id" in columns:
        statement = statement.outerjoin(Supplier, Supplier.id == model.supplier_id).add_columns(
            Supplier.name.label("supplier_name")
        )
    return statement


def read_named(read_as: type[Read], row: Any) -> Read:
    """What is told of a row, with the names that stand beside it."""
    told: Mapping[str, Any] = row._mapping  # noqa: SLF001 - the documented name of a row's mapping
    read = read_as.model_validate(row[0])
    own = type(row[0]).__table__.columns
    names = {name: told[name] or "" for name in read_as.model_fields if name in told and name not in own}
    return read.model_copy(update=names)


@dataclass(frozen=True)
class NamedRecords(Records[Write, Read]):
    """Records whose lists may be searched by these names, too. `meant` are filters that are more than a comparison."""

    meant: Mapping[tuple[str, str], ColumnElement[bool]] = field(default_factory=dict)

    async def list(
        self,
        session: AsyncSession,
        actor: Actor,
        parameters: Sequence[tuple[str, str]],
        *,
        is_counted: bool = True,
    ) -> PageOf[Read]:
        """One page of what the actor may see. Raises InvalidInputError."""
        visible = self.visible_to(actor)
        return await self._page(session, visible, parameters, is_counted=is_counted)

    async def _page(
        self,
        session: AsyncSession,
        visible: Select[Any],
        parameters: Sequence[tuple[str, str]],
        *,
        is_counted: bool,
    ) -> PageOf[Read]:
        return await self.listing.read(
            session,
            with_names(visible, self.model),
            parameters,
            self.page_as,
            lambda row: read_named(self.read_as, row),
            # Names are searched where the names are.
            narrow=visible if not dict(parameters).get("q") else None,
            meant=self.meant,
            is_counted=is_counted,
        )

    async def get(self, session: AsyncSession, actor: Actor, key: UUID) -> Read:
        """One of them. Raises NotFoundError."""
        statement = with_names(self.visible_to(actor).where(self.model.id == key), self.model)
        row = (await session.execute(statement)).first()
        if row is None:
            raise NotFoundError(f"There is no such {self.noun[0]}.")
        return read_named(self.read_as, row)

    async def _read_anew(self, session: AsyncSession, row: Any) -> Read:
        await session.refresh(row)
        statement = with_names(select(self.model).where(self.model.id == row.id), self.model)
        return read_named(self.read_as, (await session.execute(statement)).one())
