"""Fixtures that every test may use."""

import gc
import os
import sys
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import settings

from tests.fixtures.memory import MEMORY, has_room

# Some images set this. Each of the hundred processes that the tests start would then compile every module anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# The folders of the tests, where nobody names another place for them.
if has_room():
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))

# Nothing that is imported before the first test is garbage; see `sparing_collector`.
gc.disable()

pytest_plugins = [
    "tests.fixtures.began",
    "tests.fixtures.database",
    "tests.fixtures.clean_database",
    "tests.fixtures.client",
    "tests.fixtures.product",
    "tests.fixtures.oidc_provider",
]

# What takes minutes begins first, so that no process is left alone with it in the end.
LONGEST_FIRST = (
    "tests/operations/test_schemathesis.py",
    "tests/attacks/test_sql.py",
    "tests/faults/",
    "tests/telemetry/test_prometheus_mirror.py",
    "tests/telemetry/senders/test_real_senders.py",
    "tests/cli/",
    "tests/e2e/",
)

# As the product does: without it each trace of an expected failure would be drawn with all its variables, for seconds.
structlog.configure(
    processors=[
        structlog.processors.add_log_level,
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
)

# How long an example takes says something about the machine, not about the code.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first; each process that tests side by side comes to the same order."""

    def place(item: pytest.Item) -> int:
        long = [number for number, path in enumerate(LONGEST_FIRST) if item.nodeid.startswith(path)]
        return long[0] if long else len(LONGEST_FIRST)

    items.sort(key=place)


@pytest.fixture(scope="session", autouse=True)
def sparing_collector() -> Iterator[None]:
    """What was imported is not looked through again at each collection of garbage: that took a tenth of the time."""
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
    gc.enable()
    yield
    gc.unfreeze()
