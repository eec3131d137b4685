"""From what is known of a part at a location to whether to order, how many, from whom, and why. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

import numpy as np

from fleetkeeper.replenishment.demand import Demand
from fleetkeeper.replenishment.forecast import Forecast, forecast
from fleetkeeper.replenishment.reorder import (
    Deliveries,
    LeadTime,
    Policy,
    ReorderPoint,
    forecast_reason,
    lead_time_of,
    lead_time_reason,
    point_reason,
    quantity_to_order,
    reorder_point,
    rounded_up,
)
from fleetkeeper.stock.amounts import plain, quantity_text
from fleetkeeper.stock.suppliers.choosing import Offer, Ranked, ranked

# A pack size that somebody entered by mistake must not stop the look through all stock: the database holds no more.
MOST_QUANTITY = Decimal(10) ** 11


@dataclass(frozen=True)
class Place:
    """A part, or a variant of it, at a location. `reorder_point` and `reorder_quantity` are what people set."""

    id: UUID
    part_id: UUID
    variant_id: UUID | None
    location_id: UUID
    department_id: UUID | None
    unit: str
    available: Decimal
    on_order: Decimal
    reorder_point: Decimal | None
    reorder_quantity: Decimal | None

    @property
    def position(self) -> Decimal:
        """What there is, and what comes."""
        return self.available + self.on_order


@dataclass(frozen=True)
class Known:
    """What is known of a place. `offers` are in the order that `ranked` wants; deliveries are by supplier."""

    place: Place
    demand: Demand
    offers: Sequence[Offer]
    deliveries: Mapping[UUID, Deliveries]


@dataclass(frozen=True)
class Draft:
    """What to order. Without an offer nobody is known to sell the part."""

    quantity: Decimal
    offer: Ranked | None


@dataclass(frozen=True)
class Plan:
    """What follows for a place. `suggested` is None with too little data, `draft` where nothing is to be ordered."""

    place: Place
    demand: Demand
    forecast: Forecast | None
    lead_time: LeadTime
    suggested: ReorderPoint | None
    draft: Draft | None
    reasons: tuple[str, ...]

    @property
    def point(self) -> Decimal | None:
        """The reorder point that counts: the one that was set by hand, else the suggested one."""
        if self.place.reorder_point is not None:
            return self.place.reorder_point
        return None if self.suggested is None else self.suggested.quantity


def plan(known: Known, policy: Policy) -> Plan:
    """Whether to order for a place, and why."""
    place, unit = known.place, known.place.unit
    expected = forecast(known.demand.quantities)
    first = _best(known.offers, _usual_quantity(place, expected, policy))
    lead_time = _lead_time(first, known.deliveries, policy)
    suggested = None if expected is None else reorder_point(expected, lead_time, policy, unit)
    made = Plan(place, known.demand, expected, lead_time, suggested, None, ())
    draft, why = None, []
    if made.point is not None and place.position <= made.point:
        wanted = quantity_to_order(place.position, made.point, expected, policy, unit, place.reorder_quantity)
        offer = _of_supplier(known.offers, wanted, first)
        draft = Draft(wanted if offer is None else offer.quantity, offer)
        why = _draft_reasons(made, wanted, offer, policy)
    reasons = (*_point_reasons(made, policy), *why)
    return Plan(place, known.demand, expected, lead_time, suggested, draft, reasons)


def _usual_quantity(place: Place, expected: Forecast | None, policy: Policy) -> Decimal:
    """About how many are ordered at a time: suppliers are compared by it before their lead times are known."""
    days = policy.default_lead_time_days + policy.review_days
    mean = 0.0 if expected is None else expected.mean
    return max(rounded_up(mean * days / 7, place.unit), place.reorder_quantity or Decimal(1))


def _best(offers: Sequence[Offer], quantity: Decimal) -> Ranked | None:
    found, _ = ranked(offers, quantity)
    return found[0] if found else None


def _of_supplier(offers: Sequence[Offer], quantity: Decimal, first: Ranked | None) -> Ranked | None:
    """What the chosen supplier asks for the final quantity: its lead time is the one that the quantity rests on."""
    if first is None:
        return None
    found, _ = ranked(offers, quantity)
    same = (one for one in found if one.offer.supplier_id == first.offer.supplier_id)
    return next((one for one in same if one.quantity < MOST_QUANTITY), None)


def _lead_time(first: Ranked | None, deliveries: Mapping[UUID, Deliveries], policy: Policy) -> LeadTime:
    if first is None:
        return lead_time_of(None, None, policy)
    return lead_time_of(deliveries.get(first.offer.supplier_id), first.offer.lead_time_days, policy)


def _point_reasons(made: Plan, policy: Policy) -> list[str]:
    quantities, unit = made.demand.quantities, made.place.unit
    reasons = [forecast_reason(made.forecast, len(quantities), int(np.count_nonzero(quantities)), unit)]
    if made.suggested is not None:
        reasons += [lead_time_reason(made.lead_time), point_reason(made.suggested, policy, unit)]
    if made.place.reorder_point is not None:
        reasons.append(
            f"Reorder point {quantity_text(made.place.reorder_point, unit)} was set by hand and counts"
        )
    return reasons


def _draft_reasons(made: Plan, wanted: Decimal, offer: Ranked | None, policy: Policy) -> list[str]:
    place = made.place
    reasons = [f"{plain(place.available)} available and {plain(place.on_order)} on order"]
    text = f"{quantity_text(wanted, place.unit)} bring stock above the reorder point"
    if made.forecast is not None:
        text += f" and last {policy.review_days} days longer"
    if place.reorder_quantity is not None and wanted == place.reorder_quantity:
        text = f"{quantity_text(wanted, place.unit)} is the reorder quantity that was set by hand"
    reasons.append(text)
    if offer is None:
        return [*reasons, "No supplier has a price for it: enter one before you order"]
    return [*reasons, f"{offer.offer.supplier_name}: {', '.join(offer.reasons)}"]
