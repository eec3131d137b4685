"""Status machines: which states there are, which moves are allowed, and how each state looks. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

from fleetkeeper.errors import ConflictError

State = TypeVar("State", bound=StrEnum)


MACHINES: "list[Machine[Any]]" = []


@dataclass(frozen=True)
class Machine(Generic[State]):
    """The allowed moves of one kind of object. `thing` is what people call it; `tones` are those of tags."""

    thing: str
    moves: Mapping[State, frozenset[State]]
    tones: Mapping[State, str]

    def __post_init__(self) -> None:
        """Be one of those that a test walks through."""
        MACHINES.append(self)

    @property
    def final(self) -> frozenset[State]:
        """The states that nothing leads out of."""
        return frozenset(state for state, following in self.moves.items() if not following)

    def check(self, present: State, wanted: State) -> None:
        """Raise ConflictError for a move that is not allowed."""
        if present in self.final:
            raise ConflictError(f"This {self.thing} has already finished.")
        if wanted not in self.moves[present]:
            raise ConflictError(f"A {self.thing} that is {present} cannot become {wanted}.")
