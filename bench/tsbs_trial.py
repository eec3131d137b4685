"""What all systems are asked in a run of `tsbs`, what is right, and how long each took."""

import math
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import httpx
import numpy as np
from numpy.typing import NDArray

from bench.report import Section
from bench.tsbs_kinds import Case, Kind
from fleetkeeper.errors import InvalidInputError

# What a query answers, in one form for all systems: rows of a key and numbers.
Answer = dict[tuple[Any, ...], list[float | None]]
Cases = Mapping[Kind, Sequence[Case]]
Ask = Callable[[Case], Awaitable[Any]]

CHECKED = 3
"""Of how many queries of each kind the answers are compared."""
_FEWEST_ROUNDS = 3
_TOLERANCE = 1e-9


@dataclass
class Trial:
    """One run: the data, the queries, the right answers, and what was measured."""

    start: datetime
    values: NDArray[np.float64]
    """(hosts, moments, metrics)"""
    devices: Sequence[UUID]
    cases: Cases
    load: Section
    rounds: int
    kind_seconds: float
    """A kind is asked no more on a system that has spent so long on it, but three times at least."""
    answers: dict[Case, Answer] = field(default_factory=dict)
    timings: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    """Milliseconds, by system and kind."""
    compared: dict[str, list[int]] = field(default_factory=dict)
    """By system, how many answers were compared and how many of them were right."""

    async def time(self, system: str, ask: Ask, cases: Cases | None = None) -> None:
        """Ask everything, each kind once before it counts. What a system refuses is noted and left out."""
        taken = self.timings.setdefault(system, {})
        for kind, some in (cases or self.cases).items():
            try:
                await ask(some[0])
                until = time.perf_counter() + self.kind_seconds
                for number, case in enumerate(some):
                    if number >= _FEWEST_ROUNDS and time.perf_counter() > until:
                        break
                    began = time.perf_counter()
                    await ask(case)
                    taken.setdefault(kind.name, []).append((time.perf_counter() - began) * 1000)
            except httpx.HTTPStatusError as error:
                self.load.note(f"{system} refuses {kind.name}: {error.response.text[:200]}")
            except InvalidInputError as error:
                self.load.note(f"{system} refuses {kind.name}: {error}"[:250])
            except httpx.TimeoutException:
                self.load.note(f"{system} has no answer to {kind.name} in time")

    async def check(
        self,
        system: str,
        ask: Callable[[Case], Awaitable[Answer]],
        *,
        cases: Cases | None = None,
        comparable: Callable[[Case, Answer], Answer] = lambda _, answer: answer,
    ) -> None:
        """Compare answers with the SQL reference's; `comparable` leaves out what a system means otherwise.

        Raises RuntimeError when they differ.
        """
        compared = self.compared.setdefault(system, [0, 0])
        for some in (cases or self.cases).values():
            for case in some[:CHECKED]:
                try:
                    found = comparable(case, await ask(case))
                except (httpx.HTTPStatusError, httpx.TimeoutException, InvalidInputError):
                    continue  # noted when it is timed
                wanted = comparable(case, self.answers[case])
                compared[0] += 1
                compared[1] += same(found, wanted)
                if not same(found, wanted):
                    raise RuntimeError(f"{system}, {case.kind.name}: {difference(found, wanted)}")


def same(one: Answer, other: Answer) -> bool:
    """Whether two answers say the same."""
    return one.keys() == other.keys() and all(
        _equal(a, b) for key, values in one.items() for a, b in zip(values, other[key], strict=True)
    )


def difference(found: Answer, wanted: Answer) -> str:
    """Where two answers differ, in a few words."""
    missing, more = wanted.keys() - found.keys(), found.keys() - wanted.keys()
    if missing or more:
        return (
            f"{len(missing)} rows are missing {sorted(missing)[:2]}, {len(more)} too many {sorted(more)[:2]}"
        )
    key = next(key for key in wanted if not same({key: found[key]}, {key: wanted[key]}))
    return f"at {key}: {found[key]} instead of {wanted[key]}"


def inside(case: Case, answer: Answer) -> Answer:
    """The buckets that lie in the window as a whole: PromQL reads a bucket's samples from outside of it, too."""
    if case.kind.shape not in {"max", "double", "limit"}:
        return answer
    low, high = case.start.timestamp(), case.end.timestamp() - case.kind.step_seconds
    return {key: values for key, values in answer.items() if low <= key[0] <= high}


def _equal(a: float | None, b: float | None) -> bool:
    if a is None or b is None:
        return a is b
    return math.isclose(a, b, rel_tol=_TOLERANCE)
