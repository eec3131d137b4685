"""Which supplier is best for a quantity, and why. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from uuid import UUID

from fleetkeeper.stock.amounts import money_text, plain

_SMALLEST = Decimal("0.0001")


@dataclass(frozen=True)
class Offer:
    """What a supplier asks for a part. `breaks` are quantities and the prices from these on."""

    id: UUID
    supplier_id: UUID
    supplier_name: str
    sku: str | None
    price: Decimal | None
    currency: str
    breaks: Sequence[tuple[Decimal, Decimal]]
    pack_size: Decimal
    least: Decimal
    # What it keeps rather than what it promises, where that is known.
    lead_time_days: int | None
    lead_time_is_measured: bool
    is_preferred: bool


@dataclass(frozen=True)
class Ranked:
    """An offer for a quantity. `quantity` is what has to be ordered to get as much."""

    offer: Offer
    quantity: Decimal
    unit_price: Decimal
    total: Decimal
    reasons: tuple[str, ...]


def order_quantity(wanted: Decimal, pack_size: Decimal, least: Decimal) -> Decimal:
    """The smallest number of whole packs that is as much as is wanted, and as must be ordered."""
    packs = (max(wanted, least) / pack_size).to_integral_value(ROUND_CEILING)
    return packs * pack_size


def price_at(price: Decimal, breaks: Sequence[tuple[Decimal, Decimal]], quantity: Decimal) -> Decimal:
    """The price of one unit when so many are ordered."""
    reached = [one for from_quantity, one in breaks if quantity >= from_quantity]
    return min([price, *reached])


def ranked(offers: Sequence[Offer], wanted: Decimal) -> tuple[list[Ranked], list[str]]:
    """The offers for a quantity, the best first, and what is left out and why.

    Preferred ones come first, then the lower total price, then the shorter lead time. Prices in another currency than
    that of the first offer with a price are not compared: a rate would be made up.
    """
    left_out = [f"{one.supplier_name}: no price" for one in offers if one.price is None]
    priced = [one for one in offers if one.price is not None]
    currency = priced[0].currency if priced else ""
    left_out += [
        f"{one.supplier_name}: its price is in {one.currency}, not in {currency}"
        for one in priced
        if one.currency != currency
    ]
    found = [
        _for_quantity(one, one.price, wanted)
        for one in priced
        if one.price is not None and one.currency == currency
    ]
    found.sort(
        key=lambda one: (
            not one.offer.is_preferred,
            one.total,
            one.offer.lead_time_days if one.offer.lead_time_days is not None else 10_000,
            one.offer.supplier_name,
            str(one.offer.id),
        )
    )
    cheapest = min((one.total for one in found), default=Decimal(0))
    fastest = min(
        (one.offer.lead_time_days for one in found if one.offer.lead_time_days is not None), default=None
    )
    return [_explained(one, cheapest, fastest) for one in found], left_out


def _for_quantity(offer: Offer, price: Decimal, wanted: Decimal) -> Ranked:
    quantity = order_quantity(wanted, offer.pack_size, offer.least)
    unit_price = price_at(price, offer.breaks, quantity)
    reasons = []
    if unit_price < price:
        each, usual = money_text(unit_price, offer.currency), money_text(price, offer.currency)
        reasons.append(f"{each} each from this quantity on, instead of {usual}")
    if quantity > wanted:
        why = "the least order" if max(wanted, offer.least) > wanted else f"packs of {plain(offer.pack_size)}"
        reasons.append(f"{plain(quantity)} instead of {plain(wanted)}: {why}")
    return Ranked(offer, quantity, unit_price, (unit_price * quantity).quantize(_SMALLEST), tuple(reasons))


def _explained(one: Ranked, cheapest: Decimal, fastest: int | None) -> Ranked:
    offer, reasons = one.offer, []
    if offer.is_preferred:
        reasons.append("preferred")
    if one.total == cheapest:
        reasons.append("lowest total price")
    else:
        reasons.append(f"{money_text(one.total - cheapest, offer.currency)} more than the cheapest")
    if offer.lead_time_days is None:
        reasons.append("lead time unknown")
    elif offer.lead_time_days == fastest:
        reasons.append("shortest lead time")
    return Ranked(offer, one.quantity, one.unit_price, one.total, (*reasons, *one.reasons))
