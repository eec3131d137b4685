"""What the agent's tests share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fleetkeeper_agent.fake_clock import FakeClock
from tests.fleetkeeper_agent.fake_server import FakeServer


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def server() -> Iterator[FakeServer]:
    fake = FakeServer()
    yield fake
    fake.close()


@pytest.fixture(scope="session")
def recorded() -> Path:
    return Path(__file__).parent / "recorded"
