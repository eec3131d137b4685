"""What a rule sees at one instant: subjects with values, and for which of them it is true. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from fleetkeeper.alerts.rules.conditions import Comparison, Reduce, ThresholdCondition
from fleetkeeper.telemetry.resample import SECOND, Times, Values

Flags = NDArray[np.bool_]
_COMPARE: dict[Comparison, Callable[[Any, Any], Any]] = {
    Comparison.ABOVE: np.greater,
    Comparison.AT_LEAST: np.greater_equal,
    Comparison.BELOW: np.less,
    Comparison.AT_MOST: np.less_equal,
    Comparison.EQUAL: np.equal,
    Comparison.UNEQUAL: np.not_equal,
}


@dataclass(frozen=True, slots=True)
class Subject:
    """What an alert can be about: a series, a device, or a set of labels. `key` tells it from others of its rule."""

    key: bytes
    labels: Mapping[str, str]
    device_id: UUID | None = None
    metric: str = ""


@dataclass(frozen=True, slots=True)
class Override:
    """What is different for a device; None is as the rule has it."""

    is_enabled: bool = True
    threshold: float | None = None
    recovery: float | None = None
    for_seconds: int | None = None
    severity: str | None = None


AS_THE_RULE = Override()


@dataclass(frozen=True)
class Observed:
    """Subjects, each with its value (NaN where there is none), and whether the rule is true of it.

    `held` is the same for what fires already: it goes by the recovery threshold. `known` is false for want of data.
    """

    subjects: Sequence[Subject]
    values: Values
    truth: Flags
    held: Flags
    known: Flags
    thresholds: Values | None = None
    overrides: Mapping[UUID, Override] = field(default_factory=dict)

    def override_of(self, number: int) -> Override:
        """What is different for a subject."""
        device = self.subjects[number].device_id
        return AS_THE_RULE if device is None else self.overrides.get(device, AS_THE_RULE)


def all_true(subjects: Sequence[Subject], values: Values) -> Observed:
    """Subjects that are seen because the rule is true of them."""
    flags = np.ones(len(subjects), bool)
    return Observed(subjects, values, flags, flags, flags)


def compared(
    condition: ThresholdCondition,
    subjects: Sequence[Subject],
    values: Values,
    overrides: Mapping[UUID, Override],
) -> Observed:
    """Values, compared with the threshold that holds for each."""
    known = ~np.isnan(values)
    thresholds = np.full(len(subjects), condition.threshold)
    own = condition.threshold if condition.recovery is None else condition.recovery
    recoveries = np.full(len(subjects), own)
    enabled = np.ones(len(subjects), bool)
    if overrides:
        for number, subject in enumerate(subjects):
            special = overrides.get(subject.device_id) if subject.device_id else None
            if special is None:
                continue
            enabled[number] = special.is_enabled
            if special.threshold is not None:
                thresholds[number] = special.threshold
                # As far apart as the rule's own are.
                recoveries[number] = special.threshold + (own - condition.threshold)
            if special.recovery is not None:
                recoveries[number] = special.recovery
    compare = _COMPARE[condition.op]
    with np.errstate(invalid="ignore"):
        truth = compare(values, thresholds) & known & enabled
        held = compare(values, recoveries) & known & enabled
    return Observed(subjects, values, truth, held | truth, known | ~enabled, thresholds, overrides)


def reduced(
    condition: ThresholdCondition, samples: Sequence[tuple[Times, Values]], at_us: int, *, is_counter: bool
) -> Values:
    """One value of each window of samples; NaN where there are too few.

    A mean or percentile of less than half of the window would say more than is known.
    """
    window_us = condition.window_seconds * SECOND
    found = np.full(len(samples), np.nan)
    for number, (all_times, all_values) in enumerate(samples):
        inside = (all_times > at_us - window_us) & (all_times <= at_us) & ~np.isnan(all_values)
        times, values = all_times[inside], all_values[inside]
        if not len(values):
            continue
        is_part = times[0] > at_us - window_us // 2
        match condition.reduce:
            case Reduce.NEWEST:
                found[number] = values[-1]
            case Reduce.MIN:
                found[number] = values.min()
            case Reduce.MAX:
                found[number] = values.max()
            case Reduce.MEAN if not is_part:
                found[number] = values.mean()
            case Reduce.PERCENTILE if not is_part:
                found[number] = np.percentile(values, condition.percentile)
            case Reduce.CHANGE if len(values) > 1:
                found[number] = _increase(values) if is_counter else values[-1] - values[0]
    return found


def _increase(values: Values) -> float:
    """What a counter counted; it begins anew where it falls."""
    steps = np.diff(values)
    return float(np.where(steps < 0, values[1:], steps).sum())
