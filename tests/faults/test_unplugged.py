"""An agent whose server is away for a while: its history has no gap afterwards."""

import contextlib
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import psycopg

from fleetkeeper_agent.spool import FRAME
from fleetkeeper_agent.state_files import StateDirectory
from tests.fixtures.product import Product, wait_for

INTERVAL_SECONDS = 1.0
# At one frame a second. With the time that the server takes to come back, the outage lasts about twenty seconds.
FRAMES_MISSED = 12


@contextlib.contextmanager
def running_agent(product: Product, state: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The agent of this machine, as a process of its own."""
    command = [
        sys.executable,
        "-m",
        "fleetkeeper_agent.main",
        "run",
        "--state",
        str(state),
        "--server",
        product.url,
    ]
    environment = os.environ | {"FLEETKEEPER_AGENT_TOKEN": product.enrollment_token()}
    with (state.parent / "agent.output").open("wb") as output:
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    try:
        yield process
    finally:
        process.terminate()
        assert process.wait(60) == 0


def frame_times(product: Product, device_id: str) -> list[float]:
    """When the agent's device was measured, as the server knows it (epoch seconds)."""
    with psycopg.connect(product.database_url) as connection:
        query = "SELECT extract(epoch FROM ts)::float8 FROM frames WHERE device_id = %s ORDER BY ts"
        return [row[0] for row in connection.execute(query, (device_id,))]


def spooled_frames(state: StateDirectory) -> int:
    with contextlib.closing(sqlite3.connect(state.spool_path)) as spool:
        query = "SELECT count(*) FROM entries WHERE kind = ?"
        return int(spool.execute(query, (FRAME,)).fetchone()[0])


def longest_gap(times: list[float]) -> float:
    return max(after - before for before, after in pairwise(times))


def test_the_backlog_fills_the_gap(product: Product, tmp_path: Path) -> None:
    state = StateDirectory(tmp_path / "agent")
    with product.client(product.api_token()) as client:
        sampling = {"interval_seconds": INTERVAL_SECONDS}
        client.patch("/api/v1/config/sampling", json=sampling).raise_for_status()
    with running_agent(product, state.path) as agent:

        def spooled() -> int:
            assert agent.poll() is None, "the agent ended"
            return spooled_frames(state)

        device_id = wait_for("enrolment", state.credentials).device_id
        wait_for("frames", lambda: len(frame_times(product, device_id)) > 5)
        assert product.stop() == 0
        unplugged_at = time.time()
        wait_for("backlog", lambda: spooled() >= FRAMES_MISSED, 60)
        product.start()
        plugged_in_at = time.time()
        wait_for("empty spool", lambda: spooled() == 0, 120)
        wait_for("new frames", lambda: frame_times(product, device_id)[-1] > plugged_in_at)
    times = frame_times(product, device_id)
    assert times[0] < unplugged_at - INTERVAL_SECONDS
    assert plugged_in_at - unplugged_at > FRAMES_MISSED * INTERVAL_SECONDS * 0.9
    assert longest_gap(times) <= 2.5 * INTERVAL_SECONDS
