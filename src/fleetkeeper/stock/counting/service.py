"""Stock counts: opened for a location, counted by phone part by part, and booked together or not at all."""

from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.approvals.schemas import ApprovalRead
from fleetkeeper.devices.locations.models import Location
from fleetkeeper.devices.locations.service import locations
from fleetkeeper.errors import ConflictError, FieldError, InvalidInputError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.ids import uuid7
from fleetkeeper.records.service import Records
from fleetkeeper.stock.amounts import plain
from fleetkeeper.stock.counting import queries
from fleetkeeper.stock.counting.models import StockCount, StockCountLine
from fleetkeeper.stock.counting.schemas import (
    Counted,
    CountPage,
    CountRead,
    CountWrite,
    LinePage,
    LineRead,
)
from fleetkeeper.stock.counting.status import COUNTS, CountStatus
from fleetkeeper.stock.levels.moving import move_stock
from fleetkeeper.stock.levels.queries import place_of
from fleetkeeper.stock.levels.schemas import MoveWrite
from fleetkeeper.stock.naming import read_named
from fleetkeeper.stock.parts.service import check_variant, visible_part


class Counts(Records[CountWrite, CountRead]):
    """Stock counts of locations where the actor may move stock."""

    async def create(self, session: AsyncSession, actor: Actor, wanted: CountWrite) -> CountRead:
        """Begin to count. Raises InvalidInputError for a location that the actor does not see, ForbiddenError."""
        visible = locations.visible_to(actor).where(Location.id == wanted.location_id)
        location: Any = await session.scalar(visible)
        if location is None:
            wrong = FieldError("location_id", "No such location")
            raise InvalidInputError("Nothing was saved.", fields=[wrong])
        self._check_may_write(actor, location.department_id)
        row = StockCount(name=wanted.name, location_id=location.id, department_id=location.department_id)
        return await self._insert(session, row)

    async def change(
        self,
        session: AsyncSession,
        actor: Actor,
        key: UUID,
        wanted: CountWrite,
        expected_version: int | None = None,
    ) -> CountRead:
        """Rename a count, which stays one of its location."""
        row = await self.locked(session, actor, key)
        if row.location_id != wanted.location_id:
            wrong = FieldError("location_id", "Cannot change; begin another count")
            raise InvalidInputError("Nothing was saved.", fields=[wrong])
        return await super().change(session, actor, key, wanted, expected_version)

    async def move(
        self, session: AsyncSession, actor: Actor, key: UUID, wanted: StrEnum, reason: str
    ) -> CountRead | ApprovalRead:
        """Book the differences, or cancel the count. Raises ConflictError where a difference cannot be booked."""
        if wanted == CountStatus.BOOKED:
            row = await self.locked(session, actor, key)
            COUNTS.check(CountStatus(row.status), CountStatus.BOOKED)
            await _book(session, actor, row)
        outcome = await super().move(session, actor, key, wanted, reason)
        row = await self.locked(session, actor, key)
        row.closed_at = utc_now()
        await session.flush()
        return await self.get(session, actor, key) if isinstance(outcome, CountRead) else outcome


counts = Counts(
    model=StockCount,
    listing=queries.COUNTS,
    write_as=CountWrite,
    read_as=CountRead,
    page_as=CountPage,
    noun=("stock count", "stock counts"),
    page="/stock-counts/{}",
    read=Permission.STOCK_READ,
    write=Permission.STOCK_WRITE,
    machine=COUNTS,
    is_shared=True,
)


async def count_part(session: AsyncSession, actor: Actor, count_id: UUID, counted: Counted) -> LineRead:
    """Say how many of a part there are; who says it again corrects it.

    Raises NotFoundError, ForbiddenError, ConflictError for a count that is closed, InvalidInputError.
    """
    count = await counts.locked(session, actor, count_id)
    if count.status != CountStatus.OPEN:
        raise ConflictError("This stock count is closed. Begin another one.")
    part = await visible_part(session, actor, counted.part_id)
    if part.is_serialized:
        problem = "Parts with serial numbers are counted piece by piece: adjust them instead"
        raise InvalidInputError("Nothing was counted.", fields=[FieldError("part_id", problem)])
    await check_variant(session, part.id, counted.variant_id)
    place = await place_of(session, part.id, counted.variant_id, count.location_id)
    values = {
        "expected": place.quantity_on_hand if place is not None else Decimal(0),
        "counted": counted.counted,
        "counted_by_name": actor.name[:255],
        "counted_at": utc_now(),
    }
    statement = insert(StockCountLine).values(
        id=uuid7(), count_id=count_id, part_id=part.id, variant_id=counted.variant_id, **values
    )
    statement = statement.on_conflict_do_update(constraint="uq_stock_count_lines_part", set_=values)
    key = await session.scalar(statement.returning(StockCountLine.id))
    row = (await session.execute(queries.named_lines(count_id).where(StockCountLine.id == key))).one()
    return read_named(LineRead, row)


async def list_lines(
    session: AsyncSession, actor: Actor, count_id: UUID, parameters: Sequence[tuple[str, str]]
) -> LinePage:
    """What was counted, the newest first. Raises NotFoundError."""
    await counts.get(session, actor, count_id)
    return await queries.LINES.read(
        session, queries.named_lines(count_id), parameters, LinePage, lambda row: read_named(LineRead, row)
    )


async def _book(session: AsyncSession, actor: Actor, count: StockCount) -> None:
    """Book each difference. What moved since it was counted stays moved: the difference counts, not the total."""
    lines = await queries.lines_of(session, count.id)
    if not lines:
        raise ConflictError("Nothing has been counted yet.")
    for line in lines:
        if not line.variance:
            continue
        wanted = MoveWrite(
            kind="adjustment",
            part_id=line.part_id,
            variant_id=line.variant_id,
            location_id=count.location_id,
            quantity=line.variance,
            reason=f"Stock count {count.name}",
        )
        try:
            await move_stock(session, actor, wanted, ("stock_counts", count.id))
        except InvalidInputError as error:
            part = await visible_part(session, actor, line.part_id)
            why = error.fields[0].message if error.fields else str(error)
            raise ConflictError(
                f"{part.part_code}: {plain(line.counted)} were counted instead of {plain(line.expected)}. {why}."
            ) from None
