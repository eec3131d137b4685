"""When memory is given back."""

from types import SimpleNamespace

import pytest

from fleetkeeper.kit import memory
from fleetkeeper.kit.memory import WORTHWHILE_BYTES, MemoryKeeper


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A process of which the test says how large it is."""
    process = SimpleNamespace(size=100 << 20)
    process.memory_info = lambda: SimpleNamespace(rss=process.size)
    monkeypatch.setattr(memory.psutil, "Process", lambda: process)
    return process


async def test_after_growing_and_not_before(process):
    given = []

    def give() -> None:
        given.append(process.size)
        process.size = 110 << 20

    keeper = MemoryKeeper(give)
    process.size += WORTHWHILE_BYTES - 1
    await keeper.look()
    assert given == []
    process.size += 1
    await keeper.look()
    await keeper.look()
    assert len(given) == 1
    process.size = (110 << 20) + WORTHWHILE_BYTES
    await keeper.look()
    assert len(given) == 2


def test_the_way_of_this_system_raises_nothing():
    memory.give_back()
