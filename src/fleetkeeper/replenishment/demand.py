"""What was taken of a part at a location, week by week. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

WEEK = timedelta(days=7)
MOST_WEEKS = 104


@dataclass(frozen=True)
class Demand:
    """Units taken in each complete week from `start` on, a Monday; weeks without any are 0. `quantities` is float64."""

    start: date
    quantities: NDArray[np.float64]

    @property
    def weeks(self) -> list[date]:
        """The Monday of each week."""
        return [self.start + number * WEEK for number in range(len(self.quantities))]


def monday_of(day: date) -> date:
    """The first day of a day's week."""
    return day - timedelta(days=day.weekday())


def this_week(now: datetime) -> date:
    """The Monday of the week that is not over yet, in UTC."""
    return monday_of(now.astimezone(UTC).date())


def earliest_week(now: datetime) -> date:
    """The first week that a series may have."""
    return this_week(now) - MOST_WEEKS * WEEK


def weekly(taken: Iterable[tuple[date, Decimal]], first_moved: date | None, now: datetime) -> Demand:
    """The series of complete weeks since a part was first moved at a location, the newest 104 at most.

    `taken` are days with what was taken on them, in any order. The week that is not over is left out: half a week looks
    like a fall.
    """
    end = this_week(now)
    first = end if first_moved is None else monday_of(first_moved)
    start = min(max(first, earliest_week(now)), end)
    quantities = np.zeros((end - start) // WEEK)
    for day, quantity in taken:
        week = (monday_of(day) - start) // WEEK
        if 0 <= week < len(quantities):
            quantities[week] += float(quantity)
    return Demand(start, quantities)
