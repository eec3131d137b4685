"""All status machines: every state is known, looks like something, and leads somewhere or is an end."""

import pytest

import fleetkeeper.app
from fleetkeeper.errors import ConflictError
from fleetkeeper.kit.status import MACHINES, Machine

TONES = {"", "good", "warning", "bad"}


def test_there_are_machines():
    assert fleetkeeper.app
    assert {"run", "delivery"} <= {machine.thing for machine in MACHINES}


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.thing)
def test_a_machine_is_whole(machine: Machine):
    states = set(type(next(iter(machine.moves))))
    assert set(machine.moves) == set(machine.tones) == states
    assert set(machine.tones.values()) <= TONES
    assert set().union(*machine.moves.values()) <= states
    assert machine.final


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.thing)
def test_every_state_is_reached_from_the_first_and_ends_somewhere(machine: Machine):
    first = next(iter(machine.moves))
    assert reached(machine, first) | {first} == set(machine.moves)
    for state in machine.moves:
        assert state in machine.final or reached(machine, state) & machine.final


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.thing)
def test_only_its_moves_are_allowed(machine: Machine):
    for present, following in machine.moves.items():
        for wanted in machine.moves:
            if wanted in following:
                machine.check(present, wanted)
            else:
                with pytest.raises(ConflictError):
                    machine.check(present, wanted)


def reached(machine: Machine, state) -> set:
    found, waiting = set(), [state]
    while waiting:
        for following in machine.moves[waiting.pop()] - found:
            found.add(following)
            waiting.append(following)
    return found
