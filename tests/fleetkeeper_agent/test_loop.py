"""The whole agent against a small real server."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from fleetkeeper_agent import configuration, loop, reporter
from fleetkeeper_agent.enrolment import EnrolmentError
from fleetkeeper_agent.loop import run_agent
from fleetkeeper_agent.spool import FRAME, Spool
from fleetkeeper_agent.state_files import AlreadyRunningError, StateDirectory
from fleetkeeper_protocol.metrics import BUILT_IN, parse_channel

TELEMETRY = "/api/v1/telemetry"


class Running:
    """An agent in a thread."""

    def __init__(self, state: Path, server):
        self.stop = threading.Event()
        self.failed: list[BaseException] = []
        self.thread = threading.Thread(target=self._run, args=(state, server))
        self.thread.start()

    def _run(self, state, server):
        try:
            run_agent(state, server=server.url, token=server.token, stop=self.stop)
        except BaseException as error:  # noqa: BLE001 - the test wants to know
            self.failed.append(error)

    def end(self) -> None:
        self.stop.set()
        self.thread.join(60)
        assert not self.thread.is_alive()
        assert not self.failed


@pytest.fixture
def agent(tmp_path, server, monkeypatch):
    # What spares a real machine and a real server would only make the tests slow.
    monkeypatch.setattr(configuration, "SHORTEST_INTERVAL_SECONDS", 0.05)
    monkeypatch.setattr(configuration, "SHORTEST_REFRESH_SECONDS", 0.01)
    monkeypatch.setattr(loop, "LONGEST_START_JITTER_SECONDS", 0.01)
    monkeypatch.setattr(reporter, "FIRST_INVENTORY_SECONDS", 0.2)
    server.config["interval_seconds"] = 0.05
    started: list[Running] = []

    def start() -> Running:
        started.append(Running(tmp_path / "state", server))
        return started[-1]

    yield start
    for running in started:
        running.stop.set()
        running.thread.join(60)


def test_an_agent_enrols_measures_and_reports(agent, server, tmp_path):
    running = agent()
    batches = server.wait_for(TELEMETRY, 2)
    inventory = server.wait_for("/api/v1/agent/inventory")[0]
    running.end()
    names = {
        parse_channel(channel)[0]
        for batch in batches
        for frame in batch["frames"]
        for channel in frame["values"]
    }
    assert {"memory_total_bytes", "cpu_usage_percent", "agent_memory_bytes", "disk_usage_percent"} <= names
    assert names <= BUILT_IN.keys()
    assert inventory["inventory"]["agent_version"]
    assert {"cpu", "perf_events", "processes", "sessions"} <= {
        found["name"] for found in inventory["collectors"]
    }
    assert inventory["inventory"]["capabilities"]["memory"] is True
    assert server.of("/api/v1/telemetry/sessions") or any(
        found["name"] == "sessions" and found["status"] == "unavailable" for found in inventory["collectors"]
    )
    status = StateDirectory(tmp_path / "state").status()
    assert status is not None
    assert status.link == "connected"
    assert status.frames_sent >= 2


def test_a_changed_configuration_is_fetched_at_the_next_frame(agent, server):
    running = agent()
    server.wait_for(TELEMETRY, 2)
    server.config["features"] = {"memory_enabled": False}
    server.etag = "two"
    server.wait_for("/api/v1/agent/config", 2)

    def newest() -> dict[str, float]:
        return server.of(TELEMETRY)[-1]["frames"][-1]["values"]

    with server.arrived:
        assert server.arrived.wait_for(lambda: "memory_total_bytes" not in newest(), 10.0)
        assert "cpu_usage_percent" in newest()
    running.end()


def test_a_second_start_uses_the_same_key(agent, server):
    first = agent()
    server.wait_for(TELEMETRY)
    first.end()
    seen = len(server.of(TELEMETRY))
    second = agent()
    server.wait_for(TELEMETRY, seen + 1)
    second.end()
    assert len(server.of("/api/v1/enroll")) == 1


def test_a_server_that_is_not_there_yet_is_waited_for(agent, server):
    server.overrides["/api/v1/enroll"].append((503, {}, b""))
    running = agent()
    server.wait_for(TELEMETRY)
    running.end()
    assert len(server.of("/api/v1/enroll")) == 2


def test_without_a_key_and_a_token_there_is_nothing_to_do(tmp_path):
    with pytest.raises(EnrolmentError, match="--server and --token"):
        run_agent(tmp_path)


def test_two_agents_with_one_state(agent, server, tmp_path):
    agent()
    server.wait_for("/api/v1/enroll")
    with pytest.raises(AlreadyRunningError):
        run_agent(tmp_path / "state")


def start_process(state: Path, server) -> subprocess.Popen[bytes]:
    command = [
        sys.executable,
        "-m",
        "fleetkeeper_agent.main",
        "run",
        "--state",
        str(state),
        "--server",
        server.url,
    ]
    environment = {**os.environ, "FLEETKEEPER_AGENT_TOKEN": server.token}
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE)


def test_sigterm_ends_the_agent_cleanly(server, tmp_path):
    process = start_process(tmp_path, server)
    try:
        server.wait_for(TELEMETRY)
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0
    assert b"stopped" in log
    assert server.token.encode() not in log
    assert server.key.encode() not in log


def test_what_did_not_arrive_is_in_the_spool_after_sigterm(server, tmp_path, clock):
    server.config["interval_seconds"] = 1.0
    process = start_process(tmp_path, server)
    try:
        server.wait_for(TELEMETRY)
        server.overrides[TELEMETRY].extend([(503, {"Retry-After": "60"}, b"")] * 10)
        seen = len(server.of(TELEMETRY))
        server.wait_for(TELEMETRY, seen + 1)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    spool = Spool(tmp_path / "spool.db", lambda: 0.0)
    assert spool.waiting(FRAME) >= 1
    assert spool.losses() == []
    spool.close()
