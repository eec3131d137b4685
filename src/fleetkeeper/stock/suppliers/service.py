"""Suppliers and their prices, as people enter them; and the best one for a quantity."""

from collections.abc import Sequence
from decimal import ROUND_CEILING, Decimal
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.records.service import Records
from fleetkeeper.stock.models import PartSupplier, Supplier
from fleetkeeper.stock.naming import NamedRecords
from fleetkeeper.stock.parts.service import check_variant, visible_part
from fleetkeeper.stock.suppliers import queries
from fleetkeeper.stock.suppliers.choosing import Offer, ranked
from fleetkeeper.stock.suppliers.schemas import (
    Choice,
    Choices,
    OfferPage,
    OfferRead,
    OfferWrite,
    SupplierPage,
    SupplierRead,
    SupplierWrite,
)

suppliers: Records[SupplierWrite, SupplierRead] = Records(
    model=Supplier,
    listing=queries.SUPPLIERS,
    write_as=SupplierWrite,
    read_as=SupplierRead,
    page_as=SupplierPage,
    noun=("supplier", "suppliers"),
    page="/suppliers/{}",
    read=Permission.STOCK_READ,
    write=Permission.PARTS_WRITE,
    is_shared=True,
)


def _values(wanted: OfferWrite) -> dict[str, Any]:
    breaks = [one.model_dump(mode="json") for one in wanted.price_breaks]
    return wanted.model_dump(exclude={"price_breaks"}) | {"price_breaks": breaks}


class Offers(NamedRecords[OfferWrite, OfferRead]):
    """Suppliers' prices of parts that the actor may see."""

    async def create(self, session: AsyncSession, actor: Actor, wanted: OfferWrite) -> OfferRead:
        """Enter a price. Raises what making any record does."""
        await self._check_ends(session, actor, wanted)
        return await super().create(session, actor, wanted)

    async def change(
        self,
        session: AsyncSession,
        actor: Actor,
        key: UUID,
        wanted: OfferWrite,
        expected_version: int | None = None,
    ) -> OfferRead:
        """Change a price."""
        await self._check_ends(session, actor, wanted)
        return await super().change(session, actor, key, wanted, expected_version)

    async def _check_ends(self, session: AsyncSession, actor: Actor, wanted: OfferWrite) -> None:
        await visible_part(session, actor, wanted.part_id)
        await check_variant(session, wanted.part_id, wanted.variant_id)
        await visible_supplier(session, actor, wanted.supplier_id)


offers = Offers(
    model=PartSupplier,
    listing=queries.OFFERS,
    write_as=OfferWrite,
    read_as=OfferRead,
    page_as=OfferPage,
    noun=("supplier's price", "suppliers' prices"),
    page="/part-suppliers/{}",
    label="id",
    read=Permission.STOCK_READ,
    write=Permission.PARTS_WRITE,
    is_shared=True,
    values=_values,
)


async def visible_supplier(
    session: AsyncSession, actor: Actor, supplier_id: UUID, field: str = "supplier_id"
) -> Supplier:
    """A supplier that the actor may see. Raises InvalidInputError at the field."""
    found: Supplier | None = await session.scalar(
        suppliers.visible_to(actor).where(Supplier.id == supplier_id)
    )
    if found is None:
        raise InvalidInputError("Nothing was saved.", fields=[FieldError(field, "No such supplier")])
    return found


async def choose_supplier(
    session: AsyncSession, actor: Actor, part_id: UUID, variant_id: UUID | None, quantity: Decimal
) -> Choices:
    """Who can deliver so many of a part or a variant, the best first. Raises InvalidInputError."""
    await visible_part(session, actor, part_id)
    await check_variant(session, part_id, variant_id)
    found: Sequence[Any] = await queries.offers_of(session, offers.visible_to(actor), part_id, variant_id)
    best, left_out = ranked([offer_of(price, supplier) for price, supplier in found], quantity)
    return Choices(
        quantity=quantity,
        left_out=left_out,
        choices=[
            Choice(
                offer_id=one.offer.id,
                supplier_id=one.offer.supplier_id,
                supplier_name=one.offer.supplier_name,
                sku=one.offer.sku,
                quantity=one.quantity,
                unit_price=one.unit_price,
                total_price=one.total,
                currency=one.offer.currency,
                lead_time_days=one.offer.lead_time_days,
                lead_time_is_measured=one.offer.lead_time_is_measured,
                is_preferred=one.offer.is_preferred,
                reasons=list(one.reasons),
            )
            for one in best
        ],
    )


def offer_of(price: PartSupplier, supplier: Supplier) -> Offer:
    """A supplier's price as suppliers are compared by: what it keeps comes before what it promises."""
    promised = supplier.lead_time_days if price.lead_time_days is None else price.lead_time_days
    measured = supplier.measured_lead_time_days
    return Offer(
        id=price.id,
        supplier_id=supplier.id,
        supplier_name=supplier.name,
        sku=price.sku,
        price=price.supplier_cost,
        currency=price.currency,
        breaks=[(Decimal(one["quantity"]), Decimal(one["price"])) for one in price.price_breaks],
        pack_size=price.pack_size,
        least=price.minimum_order_qty,
        lead_time_days=promised if measured is None else int(measured.to_integral_value(ROUND_CEILING)),
        lead_time_is_measured=measured is not None,
        is_preferred=price.is_preferred or supplier.is_preferred,
    )
