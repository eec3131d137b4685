"""The queue: procrastinate on the product's own database."""

import procrastinate
import structlog

log = structlog.get_logger(__name__)

KEEP_FINISHED_HOURS = 72
# A worker that ends while the database is away asks for one more connection; it must not wait long for that.
POOL_TIMEOUT_SECONDS = 3.0


def build_queue(url: str) -> procrastinate.App:
    """An application on `url`; `worker.py` adds the tasks."""
    connector = procrastinate.PsycopgConnector(
        conninfo=url,
        min_size=1,
        max_size=4,
        timeout=POOL_TIMEOUT_SECONDS,
        kwargs={"application_name": "fleetkeeper worker"},
    )
    return procrastinate.App(connector=connector)
