"""How much counters have counted, by series and step. Pure."""

import numpy as np

from fleetkeeper.telemetry.resample import SECOND, Times, Values

RATES = frozenset({"rate", "increase"})
# How far before a range the sample may lie that its first increase is counted from.
LOOKBACK_US = 300 * SECOND


class RateCells:
    """Increases of groups by steps, and the time that they took."""

    def __init__(self, groups: int, edges: Times) -> None:
        self._edges = edges
        self._shape = groups, len(edges) - 1
        self.increases = np.full(self._shape, np.nan)
        self.rates = np.full(self._shape, np.nan)

    def add_samples(self, group: int, times: Times, values: Values) -> None:
        """Add one counter's samples, in the order of time.

        An increase counts for the step of the later sample. A counter that is lower than before began again at zero.
        """
        numbers = ~np.isnan(values)
        times, values = times[numbers], values[numbers]
        if len(times) < 2:
            return
        differences = np.diff(values)
        increases = np.where(differences < 0, values[1:], differences)
        seconds = np.diff(times) / SECOND
        inside = (times[1:] >= self._edges[0]) & (times[1:] < self._edges[-1])
        place = np.searchsorted(self._edges, times[1:][inside], side="right") - 1
        total = np.bincount(place, weights=increases[inside], minlength=self._shape[1])
        time = np.bincount(place, weights=seconds[inside], minlength=self._shape[1])
        some = time > 0
        _add(self.increases[group], some, total.astype(np.float64))
        _add(self.rates[group], some, np.divide(total, time, out=np.zeros(len(time)), where=some))


def _add(row: Values, some: np.ndarray, values: Values) -> None:
    row[some] = np.where(np.isnan(row[some]), 0.0, row[some]) + values[some]
