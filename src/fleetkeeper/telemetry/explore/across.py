"""Puts one value of each device together: what devices have in common, however often each one is measured. Pure."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from fleetkeeper.telemetry.explore.groups import DEVICE, Group, Grouping
from fleetkeeper.telemetry.resample import Values

_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "avg": np.nanmean,
    "min": np.nanmin,
    "max": np.nanmax,
    "sum": np.nansum,
}
COUNT = "count"
ACROSS = (*_FUNCTIONS, COUNT)
PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d{1,3})?|100)")
# What a group by device begins with: its name and its id.
_OF_DEVICE = 2


def problem_of_across(text: str, by: Sequence[str]) -> str | None:
    """What is wrong with putting devices together so; None when nothing is."""
    if text not in ACROSS and not PERCENTILE.fullmatch(text):
        return f"is one of {', '.join(ACROSS)}, or a percentile such as p95"
    return "puts devices together; leave `by=device` out" if DEVICE in by else None


def without_devices(grouping: Grouping) -> Grouping:
    """The groups without the device that they begin with; the places are those of the groups of before."""
    members = [Group(group.metric, group.common[_OF_DEVICE:]) for group in grouping.groups]
    groups = sorted(set(members), key=lambda group: (group.metric, group.common))
    places = {group: place for place, group in enumerate(groups)}
    return Grouping(groups, [places[group] for group in members])


def across_devices(values: Values, grouping: Grouping, name: str) -> Values:
    """One of ACROSS or a percentile of the rows of each group, as (groups, steps); NaN where no device has a value."""
    place_of = np.array(grouping.place_of, np.int64)
    found = np.full((len(grouping.groups), values.shape[1]), np.nan)
    for group in range(len(grouping.groups)):
        rows = values[place_of == group]
        some = ~np.isnan(rows).all(axis=0)
        # Infinities that meet are no number.
        with np.errstate(invalid="ignore"):
            found[group, some] = _together(rows[:, some], name)
    return found


def _together(rows: Values, name: str) -> Values:
    if name == COUNT:
        return np.asarray((~np.isnan(rows)).sum(axis=0), np.float64)
    if name in _FUNCTIONS:
        return np.asarray(_FUNCTIONS[name](rows, axis=0), np.float64)
    return np.asarray(np.nanpercentile(rows, float(name[1:]), axis=0), np.float64)
