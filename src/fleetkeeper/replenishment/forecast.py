"""How much of a part will be taken in a week, by methods that suit how it is taken. Pure.

Demand is smooth, erratic, intermittent or lumpy by its average interval and the variation of its sizes, with the limits
of Syntetos, Boylan and Croston (2005), "On the categorization of demand patterns". Intermittent and lumpy demand gets
the approximation of Syntetos and Boylan (SBA, 2005); where demand seems to end, the method of Teunter, Syntetos and
Babai (TSB, 2011), which falls while nothing is taken. The rest gets simple exponential smoothing.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Series = NDArray[np.float64]
# An average interval (weeks) and a squared coefficient of variation above which demand is of another kind.
LONG_INTERVAL = 1.32
VARIED_SIZES = 0.49
# Fewer weeks with demand than these say nothing.
LEAST_DEMANDS = 3
# How much the newest value counts. Demand that is rare is smoothed more.
ALPHA_RARE = 0.1
ALPHA_USUAL = 0.2
# Demand seems to end after so many of the average intervals that it had until then.
ENDS_AFTER_INTERVALS = 2


class Pattern(StrEnum):
    """How a part is taken."""

    SMOOTH = "smooth"
    ERRATIC = "erratic"
    INTERMITTENT = "intermittent"
    LUMPY = "lumpy"


class Method(StrEnum):
    """How a forecast was made."""

    SES = "ses"
    SBA = "sba"
    TSB = "tsb"


@dataclass(frozen=True)
class Forecast:
    """What to expect in a week, in units. `error` is the root mean square of the errors one week ahead.

    It rests on `weeks`, of which `demands` had any demand.
    """

    pattern: Pattern
    method: Method
    mean: float
    error: float
    weeks: int
    demands: int


def forecast(quantities: Series) -> Forecast | None:
    """The forecast for a series of weeks; None where fewer than three of them had demand: too little data."""
    demands = int(np.count_nonzero(quantities))
    if demands < LEAST_DEMANDS:
        return None
    pattern = pattern_of(quantities)
    method = _method_for(pattern, quantities)
    levels = _LEVELS[method](quantities)
    errors = quantities[1:] - levels[:-1]
    errors = errors[~np.isnan(errors)]
    error = float(np.sqrt(np.mean(errors**2))) if errors.size else 0.0
    return Forecast(pattern, method, float(levels[-1]), error, len(quantities), demands)


def pattern_of(quantities: Series) -> Pattern:
    """How a series with demand in two weeks at least is taken."""
    sizes = quantities[quantities > 0]
    interval = len(quantities) / len(sizes)
    variation = (np.std(sizes, ddof=1) / np.mean(sizes)) ** 2
    if interval > LONG_INTERVAL:
        return Pattern.LUMPY if variation > VARIED_SIZES else Pattern.INTERMITTENT
    return Pattern.ERRATIC if variation > VARIED_SIZES else Pattern.SMOOTH


def _method_for(pattern: Pattern, quantities: Series) -> Method:
    if pattern in {Pattern.SMOOTH, Pattern.ERRATIC}:
        return Method.SES
    taken = np.flatnonzero(quantities)
    until = taken[-1] + 1
    ends = len(quantities) - until > ENDS_AFTER_INTERVALS * until / len(taken)
    return Method.TSB if ends else Method.SBA


def ses_levels(quantities: Series, alpha: float = ALPHA_USUAL) -> Series:
    """Simple exponential smoothing: after each week, what is expected of the next."""
    return _smoothed(quantities, alpha)


def sba_levels(quantities: Series, alpha: float = ALPHA_RARE) -> Series:
    """Syntetos and Boylan: sizes over intervals, less Croston's bias. NaN before the first demand."""
    taken = np.flatnonzero(quantities)
    sizes = _smoothed(quantities[taken], alpha)
    intervals = _smoothed(np.diff(taken, prepend=-1).astype(np.float64), alpha)
    return _since(taken, (1 - alpha / 2) * sizes / intervals, len(quantities))


def tsb_levels(quantities: Series, alpha: float = ALPHA_RARE, beta: float = ALPHA_RARE) -> Series:
    """Teunter, Syntetos and Babai: sizes by `alpha` times the chance of demand by `beta`, smoothed in every week."""
    taken = np.flatnonzero(quantities)
    chances = _smoothed((quantities > 0).astype(np.float64), beta)
    sizes = _since(taken, _smoothed(quantities[taken], alpha), len(quantities))
    levels: Series = chances * sizes
    return levels


_LEVELS = {Method.SES: ses_levels, Method.SBA: sba_levels, Method.TSB: tsb_levels}


def _smoothed(values: Series, alpha: float) -> Series:
    levels = np.empty(len(values))
    level = values[0]
    for number, value in enumerate(values):
        level += alpha * (value - level)
        levels[number] = level
    return levels


def _since(taken: NDArray[np.intp], levels: Series, weeks: int) -> Series:
    """Each week's level: that of its last demand."""
    last = np.searchsorted(taken, np.arange(weeks), side="right") - 1
    return np.where(last >= 0, levels[np.maximum(last, 0)], np.nan)
