"""The moves that an object's status allows, as forms that ask why."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import TypeVar

from fleetkeeper.console.contexts.panels import Cell, EntryForm, Tag
from fleetkeeper.console.forms.schema_fields import words_of
from fleetkeeper.console.panels import REASON
from fleetkeeper.kit.status import Machine

State = TypeVar("State", bound=StrEnum)
_NO_TEXTS: Mapping[str, str] = MappingProxyType({})


def status_cell(machine: Machine[State], present: State) -> Cell:
    """A status in a table or among facts."""
    return Cell(tags=(Tag(words_of(present), machine.tones[present]),))


def status_forms(
    machine: Machine[State],
    present: State,
    base: str,
    consequences: Mapping[str, str] = _NO_TEXTS,
    acts: Mapping[str, str] = _NO_TEXTS,
) -> list[EntryForm]:
    """A form for each state that may follow, sent to `<base>/status/<state>`; the text says what follows from it.

    `acts` are the words of moves that have their own; empty for one that follows from something else.
    """
    return [
        EntryForm(
            f"status-{state}",
            acts.get(state) or f"Mark as {words_of(state).lower()}",
            f"{base}/status/{state}",
            acts.get(state) or f"Mark as {words_of(state).lower()}",
            (REASON,),
            text=consequences.get(state, ""),
            is_danger=machine.tones[state] == "bad",
        )
        for state in machine.moves
        if state in machine.moves[present] and acts.get(state) != ""
    ]
