"""Parts and variants, as people enter them; and what a scanned code means."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Select, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.errors import ConflictError, FieldError, InvalidInputError, NotFoundError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.text import is_storable
from fleetkeeper.records.service import Records
from fleetkeeper.stock.levels.models import StockMovement, StockSerial
from fleetkeeper.stock.models import Part, PartPrice, PartSupplier, PartVariant
from fleetkeeper.stock.naming import NamedRecords
from fleetkeeper.stock.parts import queries
from fleetkeeper.stock.parts.schemas import (
    PartPage,
    PartRead,
    PartWrite,
    PricePage,
    PriceRead,
    Scanned,
    VariantPage,
    VariantRead,
    VariantWrite,
)

LABEL_PREFIX = "fleetkeeper:part:"


class Parts(Records[PartWrite, PartRead]):
    """Parts; what movements of stock rest on cannot be changed once there are some."""

    async def create(self, session: AsyncSession, actor: Actor, wanted: PartWrite) -> PartRead:
        """Make one. Raises what making any record does."""
        await self._check_successor(session, actor, wanted)
        return await super().create(session, actor, wanted)

    async def change(
        self,
        session: AsyncSession,
        actor: Actor,
        key: UUID,
        wanted: PartWrite,
        expected_version: int | None = None,
    ) -> PartRead:
        """Change one. Raises InvalidInputError for what its movements rest on, beside what any record raises."""
        await self._check_successor(session, actor, wanted)
        row = await self.locked(session, actor, key)
        fixed = [
            name
            for name in ("unit_of_measure", "is_serialized", "has_lots")
            if getattr(row, name) != getattr(wanted, name)
        ]
        if fixed and await session.scalar(
            select(StockMovement.id).where(StockMovement.part_id == key).limit(1)
        ):
            problem = "Cannot change once the part was in stock; make a part that replaces this one"
            raise InvalidInputError(
                "The part was not saved.", fields=[FieldError(name, problem) for name in fixed]
            )
        return await super().change(session, actor, key, wanted, expected_version)

    async def _check_successor(self, session: AsyncSession, actor: Actor, wanted: PartWrite) -> None:
        if wanted.replaced_by_id is not None:
            await visible_part(session, actor, wanted.replaced_by_id, "replaced_by_id")


parts = Parts(
    model=Part,
    listing=queries.PARTS,
    write_as=PartWrite,
    read_as=PartRead,
    page_as=PartPage,
    noun=("part", "parts"),
    page="/parts/{}",
    read=Permission.STOCK_READ,
    write=Permission.PARTS_WRITE,
    is_shared=True,
)


async def visible_part(session: AsyncSession, actor: Actor, part_id: UUID, field: str = "part_id") -> Part:
    """A part that the actor may see. Raises InvalidInputError at the field."""
    found: Part | None = await session.scalar(parts.visible_to(actor).where(Part.id == part_id))
    if found is None:
        raise InvalidInputError("Nothing was saved.", fields=[FieldError(field, "No such part")])
    return found


class Variants(NamedRecords[VariantWrite, VariantRead]):
    """Variants, each of a part that the actor may change."""

    async def create(self, session: AsyncSession, actor: Actor, wanted: VariantWrite) -> VariantRead:
        """Make one. Raises InvalidInputError for a part that the actor does not see."""
        part = await visible_part(session, actor, wanted.part_id)
        row = PartVariant(**wanted.model_dump(), department_id=part.department_id)
        self._check_may_write(actor, row.department_id)
        return await self._insert(session, row)

    async def change(
        self,
        session: AsyncSession,
        actor: Actor,
        key: UUID,
        wanted: VariantWrite,
        expected_version: int | None = None,
    ) -> VariantRead:
        """Change one, which stays a variant of its part."""
        row = await self.locked(session, actor, key)
        if row.part_id != wanted.part_id:
            wrong = FieldError("part_id", "A variant stays one of its part")
            raise InvalidInputError("The variant was not saved.", fields=[wrong])
        return await super().change(session, actor, key, wanted, expected_version)


variants = Variants(
    model=PartVariant,
    listing=queries.VARIANTS,
    write_as=VariantWrite,
    read_as=VariantRead,
    page_as=VariantPage,
    noun=("variant", "variants"),
    page="/part-variants/{}",
    label="variant_code",
    read=Permission.STOCK_READ,
    write=Permission.PARTS_WRITE,
    is_shared=True,
)


async def check_variant(session: AsyncSession, part_id: UUID, variant_id: UUID | None) -> None:
    """Raise InvalidInputError unless a variant is one of the part."""
    if variant_id is None:
        return
    found = select(PartVariant.id).where(PartVariant.id == variant_id, PartVariant.part_id == part_id)
    if await session.scalar(found) is None:
        wrong = FieldError("variant_id", "No such variant of this part")
        raise InvalidInputError("Nothing was saved.", fields=[wrong])


async def list_prices(
    session: AsyncSession, actor: Actor, parameters: Sequence[tuple[str, str]]
) -> PricePage:
    """What prices were, newest first, of those that the actor may see."""
    scope = actor.scope(Permission.STOCK_READ)
    visible: Select[Any] = select(PartPrice)
    if not scope.everywhere:
        own = PartPrice.department_id.in_(sorted(scope.departments))
        visible = visible.where(or_(own, PartPrice.department_id.is_(None)))
    return await queries.PRICES.read(
        session, visible, parameters, PricePage, lambda row: PriceRead.model_validate(row[0])
    )


async def list_categories(session: AsyncSession, actor: Actor) -> Sequence[tuple[str, int]]:
    """The categories of the parts that an actor may see, with how many parts each has."""
    return await queries.categories(session, parts.visible_to(actor))


async def scan(session: AsyncSession, actor: Actor, code: str) -> Scanned:
    """What a label, a part's code, a serial number, a supplier's number or a variant's code means.

    Raises NotFoundError for what is none of these, ConflictError for a code of several.
    """
    code = code.strip()[:300]
    if not code or not is_storable(code):
        raise NotFoundError("Nothing has this code.")
    for find in (_by_label, _by_code, _by_serial, _by_sku, _by_variant):
        found = await find(session, actor, code)
        if len(found) > 1:
            raise ConflictError(f"Several parts have the code {code}: choose one from the list of parts.")
        if found:
            return found[0]
    raise NotFoundError(f"Nothing has the code {code}.")


async def _by_label(session: AsyncSession, actor: Actor, code: str) -> list[Scanned]:
    if not code.startswith(LABEL_PREFIX):
        return []
    try:
        key = UUID(code.removeprefix(LABEL_PREFIX))
    except ValueError:
        return []
    return await _parts_where(session, actor, Part.id == key)


async def _by_code(session: AsyncSession, actor: Actor, code: str) -> list[Scanned]:
    return await _parts_where(session, actor, Part.part_code == code)


async def _by_serial(session: AsyncSession, actor: Actor, code: str) -> list[Scanned]:
    statement = parts.visible_to(actor).join(StockSerial, StockSerial.part_id == Part.id)
    rows = await session.execute(
        statement.add_columns(StockSerial).where(StockSerial.serial == code).limit(2)
    )
    return [
        Scanned(
            part=PartRead.model_validate(row[0]),
            variant_id=row[1].variant_id,
            serial=row[1].serial,
            location_id=row[1].location_id,
        )
        for row in rows
    ]


async def _by_sku(session: AsyncSession, actor: Actor, code: str) -> list[Scanned]:
    sold = select(PartSupplier.part_id).where(PartSupplier.sku == code)
    return await _parts_where(session, actor, Part.id.in_(sold))


async def _by_variant(session: AsyncSession, actor: Actor, code: str) -> list[Scanned]:
    statement = parts.visible_to(actor).join(PartVariant, PartVariant.part_id == Part.id)
    rows = await session.execute(
        statement.add_columns(PartVariant.id).where(PartVariant.variant_code == code).limit(2)
    )
    return [Scanned(part=PartRead.model_validate(row[0]), variant_id=row[1]) for row in rows]


async def _parts_where(session: AsyncSession, actor: Actor, condition: Any) -> list[Scanned]:
    rows = await session.scalars(parts.visible_to(actor).where(condition).limit(2))
    return [Scanned(part=PartRead.model_validate(row)) for row in rows]
