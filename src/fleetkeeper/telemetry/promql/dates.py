"""Functions on the calendar: values are seconds since 1970, in UTC."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from fleetkeeper.telemetry.resample import Values

Whole = NDArray[np.int64]
DAY_SECONDS = 86_400
# What Go makes of a number that no 64-bit integer holds, on the machines that Prometheus mostly runs on.
_NOT_WHOLE = np.iinfo(np.int64).min
# Go counts seconds from a year far back, in 64 bits that wrap around: with a number that is none, that shows.
_SINCE_THEN = np.uint64(9_223_372_028_715_321_600)


def _whole(values: Values) -> Whole:
    holds = (values > -(2.0**63)) & (values < 2.0**63)
    cut = np.where(holds, values, 0.0).astype(np.int64)
    result: Whole = np.where(holds, cut, _NOT_WHOLE)
    return result


def _date(days: Whole) -> tuple[Whole, Whole, Whole]:
    """Year, month and day of the Gregorian calendar.

    After H. Hinnant, "chrono-compatible low-level date algorithms" (`civil_from_days`).
    """
    shifted = days + 719_468
    era = shifted // 146_097
    day_of_era = shifted - era * 146_097
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted_month = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * shifted_month + 2) // 5 + 1
    month = np.where(shifted_month < 10, shifted_month + 3, shifted_month - 9)
    return year_of_era + era * 400 + (month <= 2), month, day


def _is_leap(year: Whole) -> NDArray[np.bool_]:
    result: NDArray[np.bool_] = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    return result


_LENGTHS = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
_BEFORE = np.concatenate(([0], np.cumsum(_LENGTHS)[:-1]))


def _days_in_month(days: Whole) -> Whole:
    year, month, _ = _date(days)
    result: Whole = _LENGTHS[month - 1] + ((month == 2) & _is_leap(year))
    return result


def _day_of_year(days: Whole) -> Whole:
    year, month, day = _date(days)
    result: Whole = _BEFORE[month - 1] + day + ((month > 2) & _is_leap(year))
    return result


_BY_DAY: dict[str, Callable[[Whole], Whole]] = {
    "day_of_month": lambda days: _date(days)[2],
    "day_of_week": lambda days: (days + 4) % 7,
    "day_of_year": _day_of_year,
    "days_in_month": _days_in_month,
    "month": lambda days: _date(days)[1],
    "year": lambda days: _date(days)[0],
}
DATE_FUNCTIONS = frozenset(_BY_DAY) | {"hour", "minute"}


def date_part(function: str, values: Values) -> Values:
    """The part of each moment that the function is named after."""
    absolute = _whole(values).view(np.uint64) + _SINCE_THEN
    second = (absolute % np.uint64(DAY_SECONDS)).astype(np.int64)
    if function == "hour":
        return (second // 3600).astype(np.float64)
    if function == "minute":
        return (second // 60 % 60).astype(np.float64)
    days = (absolute // np.uint64(DAY_SECONDS)).astype(np.int64) - int(_SINCE_THEN) // DAY_SECONDS
    return _BY_DAY[function](days).astype(np.float64)
