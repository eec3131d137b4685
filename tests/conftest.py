"""Fixtures that every test may use."""

import structlog
from hypothesis import settings

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
