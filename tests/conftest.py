"""Fixtures that every test may use."""

import gc
import os
import sys
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import settings

# Some images set this. Each of the hundred processes that the tests start would then compile every module anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# Nothing that is imported before the first test is garbage; see `sparing_collector`.
gc.disable()

pytest_plugins = [
    "tests.fixtures.database",
    "tests.fixtures.client",
    "tests.fixtures.product",
    "tests.fixtures.oidc_provider",
]

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


@pytest.fixture(scope="session", autouse=True)
def sparing_collector() -> Iterator[None]:
    """What was imported is not looked through again at each collection of garbage: that took a tenth of the time."""
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
    gc.enable()
    yield
    gc.unfreeze()
