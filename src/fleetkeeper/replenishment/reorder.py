"""When to reorder and how many: demand over the lead time with a reserve, in numbers and in words. Pure."""

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from math import sqrt
from statistics import NormalDist
from typing import Literal

from fleetkeeper.replenishment.forecast import LEAST_DEMANDS, Forecast, Method
from fleetkeeper.stock.amounts import plain, quantity_text

WEEK_DAYS = 7
# What quantities are rounded up to: pieces are whole, of other units there are tenths.
_PIECES = frozenset({"unit", "piece", ""})
_PIECE, _TENTH = Decimal(1), Decimal("0.1")
# More than any place holds, and what the database can hold.
_MOST = 10**10
_METHODS = {
    Method.SES: "exponential smoothing",
    Method.SBA: "Syntetos-Boylan",
    Method.TSB: "Teunter-Syntetos-Babai, as demand seems to end",
}


@dataclass(frozen=True)
class Policy:
    """What administrators set. `service_level` is the chance that stock lasts until a delivery, 0.5 to below 1."""

    service_level: float = 0.95
    review_days: int = 7
    default_lead_time_days: int = 14


@dataclass(frozen=True)
class Deliveries:
    """What a supplier's deliveries took in days: their median and, of two at least, their standard deviation."""

    count: int
    median_days: float
    deviation_days: float = 0.0


@dataclass(frozen=True)
class LeadTime:
    """Days from order to receipt, with their standard deviation, and where that is known from."""

    days: float
    deviation_days: float
    source: Literal["measured", "promised", "default"]
    deliveries: int = 0


def lead_time_of(measured: Deliveries | None, promised_days: int | None, policy: Policy) -> LeadTime:
    """What was measured comes before what was promised, and that before what is assumed."""
    if measured is not None and measured.count:
        return LeadTime(measured.median_days, measured.deviation_days, "measured", measured.count)
    if promised_days is not None:
        return LeadTime(float(promised_days), 0.0, "promised")
    return LeadTime(float(policy.default_lead_time_days), 0.0, "default")


@dataclass(frozen=True)
class ReorderPoint:
    """The point at which to reorder, rounded up; what of it is expected to be taken, and what is kept in reserve."""

    quantity: Decimal
    expected: float
    reserve: float


def reorder_point(forecast: Forecast, lead_time: LeadTime, policy: Policy, unit: str) -> ReorderPoint:
    """Demand over the lead time, and a reserve for the service level.

    With the mean `m` of a week and its error `e`, a lead time of `L` weeks and its deviation `d` the reserve is
    z · sqrt(L · e² + m² · d²), as in Silver, Pyke and Thomas, "Inventory and Production Management in Supply Chains".
    """
    weeks, deviation = lead_time.days / WEEK_DAYS, lead_time.deviation_days / WEEK_DAYS
    expected = forecast.mean * weeks
    spread = sqrt(weeks * forecast.error**2 + (forecast.mean * deviation) ** 2)
    reserve = max(0.0, NormalDist().inv_cdf(policy.service_level)) * spread
    return ReorderPoint(rounded_up(expected + reserve, unit), expected, reserve)


def rounded_up(quantity: float | Decimal, unit: str) -> Decimal:
    """The next whole piece, or the next tenth of another unit; what floating point adds is no demand."""
    step = _PIECE if unit in _PIECES else _TENTH
    exact = Decimal(str(round(min(float(quantity), float(_MOST)), 6)))
    return (exact / step).to_integral_value(ROUND_CEILING) * step


def quantity_to_order(
    position: Decimal,
    point: Decimal,
    forecast: Forecast | None,
    policy: Policy,
    unit: str,
    usual: Decimal | None = None,
) -> Decimal:
    """How many bring stock above the reorder point and last for a review period; `usual` at least, if one was set.

    `position` is what is available and on order. What is ordered always ends above the point: the next day asks for no
    more.
    """
    step = _PIECE if unit in _PIECES else _TENTH
    review = 0.0 if forecast is None else forecast.mean * policy.review_days / WEEK_DAYS
    more = max(rounded_up(review, unit), step)
    wanted = point - position + more
    return rounded_up(max(wanted, usual or Decimal(0)), unit)


def forecast_reason(forecast: Forecast | None, weeks: int, demands: int, unit: str) -> str:
    """What is expected, and what that rests on."""
    if forecast is None:
        seen = f"{demands} in {_counted(weeks, 'week')}" if demands else f"none in {_counted(weeks, 'week')}"
        return f"Too little data for a forecast: demand in {LEAST_DEMANDS} weeks is needed, there was {seen}"
    amount = quantity_text(Decimal(_short(forecast.mean)), unit)
    return (
        f"{amount} a week over {_counted(forecast.weeks, 'week')}, {_counted(forecast.demands, 'demand')}: "
        f"{forecast.pattern} ({_METHODS[forecast.method]})"
    )


def lead_time_reason(lead_time: LeadTime) -> str:
    """How long a delivery takes, and how that is known."""
    days = f"Lead time {_short(lead_time.days)} {'day' if lead_time.days == 1 else 'days'}"
    if lead_time.source == "promised":
        return f"{days}, as promised: no delivery was measured yet"
    if lead_time.source == "default":
        return f"{days}, assumed: no supplier says"
    spread = f", give or take {_short(lead_time.deviation_days)}" if lead_time.deviation_days else ""
    return f"{days} measured from {_counted(lead_time.deliveries, 'delivery', 'deliveries')}{spread}"


def point_reason(point: ReorderPoint, policy: Policy, unit: str) -> str:
    """What a suggested reorder point is made of."""
    return (
        f"Reorder point {quantity_text(point.quantity, unit)}: {_short(point.expected)} during the lead time and "
        f"{_short(point.reserve)} in reserve for a service level of {_short(policy.service_level * 100)} %"
    )


def _counted(number: int, one: str, several: str = "") -> str:
    return f"{number} {one if number == 1 else several or one + 's'}"


def _short(value: float) -> str:
    """Three digits that matter at most: 0.8, 12.5, 104."""
    if value >= 100 or value == 0:
        return f"{value:.0f}"
    text = f"{value:.3g}" if value >= 0.001 else "0.001"
    return plain(Decimal(text))
