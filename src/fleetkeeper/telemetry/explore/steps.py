"""Steps of time: of some seconds, or of the calendar (UTC). Pure."""

from dataclasses import dataclass

import numpy as np

from fleetkeeper.telemetry.chunks.blocks import DAY
from fleetkeeper.telemetry.resample import SECOND, Times, grid, nice_step
from fleetkeeper.telemetry.rollups.periods import HOUR, Tier, end_of, start_of

CALENDAR = {"hour": Tier.HOUR, "day": Tier.DAY, "week": Tier.WEEK, "month": Tier.MONTH}
MAX_STEPS = 11_000
# The longest automatic step (seconds) below an hour: 300 of them are two days.
LONGEST_PART_OF_HOUR = 600


@dataclass(frozen=True)
class Steps:
    """The edges of the steps that cover a range (microseconds), and the tiers that may answer them, widest first."""

    edges: Times
    tiers: tuple[Tier, ...]

    def __len__(self) -> int:
        return len(self.edges) - 1

    @property
    def bucket(self) -> Tier | None:
        """The tier of which each step is one bucket; None unless all are hours or days (UTC)."""
        for tier, length in ((Tier.HOUR, HOUR), (Tier.DAY, DAY)):
            if self.edges[0] % length == 0 and (np.diff(self.edges) == length).all():
                return tier
        return None


def automatic_step(span_seconds: float, points: int) -> float:
    """A step (seconds) that reads well and divides the span into at most `points`.

    It is a whole hour rather than a large part of one: hours are rolled up, and a fleet's samples are many.
    """
    step = nice_step(span_seconds, points)
    return 3600.0 if LONGEST_PART_OF_HOUR < step < 3600 else step


def parse_step(text: str | None, span_us: int, points: int) -> float | Tier:
    """A step in seconds, or a period of the calendar; chosen to fit `points` when absent. Raises ValueError."""
    if not text:
        return automatic_step(span_us / SECOND, points)
    if text in CALENDAR:
        return CALENDAR[text]
    try:
        seconds = float(text)
    except ValueError:
        raise ValueError("is a number of seconds, or hour, day, week or month") from None
    if not 0.001 <= seconds <= 400 * 86_400:
        raise ValueError("lies between 0.001 and 34,560,000 seconds")
    return seconds


def steps_of(step: float | Tier, start_us: int, end_us: int) -> Steps:
    """The steps that cover [start, end). Raises ValueError when they are too many."""
    if isinstance(step, Tier) and step is not Tier.HOUR:
        edges: list[int] = []
        day = start_of(step, start_us // DAY)
        while day * DAY < end_us and len(edges) <= MAX_STEPS:
            edges.append(day * DAY)
            day = end_of(step, day)
        return _checked(np.array([*edges, day * DAY], np.int64), (step, Tier.DAY, Tier.HOUR))
    step_us = HOUR if isinstance(step, Tier) else round(step * SECOND)
    if (end_us - start_us) // step_us > MAX_STEPS:
        raise ValueError(f"gives more than {MAX_STEPS} steps; make it longer")
    steps = regular_steps(step_us, start_us, end_us)
    return _checked(steps.edges, steps.tiers)


def regular_steps(step_us: int, start_us: int, end_us: int) -> Steps:
    """The steps of some length that cover [start, end), however many they are."""
    first_edges = grid(start_us, end_us, step_us)
    tiers: tuple[Tier, ...] = (Tier.DAY, Tier.HOUR) if step_us % DAY == 0 else (Tier.HOUR,)
    return Steps(np.append(first_edges, first_edges[-1] + step_us), () if step_us % HOUR else tiers)


def _checked(edges: Times, tiers: tuple[Tier, ...]) -> Steps:
    if len(edges) - 1 > MAX_STEPS:
        raise ValueError(f"gives more than {MAX_STEPS} steps; make it longer")
    return Steps(edges, tuple(dict.fromkeys(tiers)))
