"""When the supervisor loses patience, and with whom."""

import signal
import socket
import sys
from uuid import uuid4

import httpx
import psutil
import psycopg
import pytest

from fleetkeeper.cli import watching
from fleetkeeper.cli.watching import HUNG_SECONDS, Attention, DatabaseProbe, Progress, Pulse
from fleetkeeper.kit.heartbeat import ADDRESS_VARIABLE, Listener, _beat
from tests.fixtures.product import PASSWORD, Product, wait_for


class TestPulse:
    def test_nothing_is_expected_before_the_first_beat(self):
        pulse = Pulse()
        assert not pulse.is_lost(1e9)
        pulse.beat(100)
        assert not pulse.is_lost(100 + HUNG_SECONDS)
        assert pulse.is_lost(101 + HUNG_SECONDS)

    async def test_a_beat_arrives(self, monkeypatch):
        listener = Listener(f"fleetkeeper-test-{uuid4()}")
        assert not listener.has_beaten()
        monkeypatch.setenv(ADDRESS_VARIABLE, listener.address)
        await _beat()
        await _beat()
        assert listener.has_beaten()
        assert not listener.has_beaten()
        listener.close()
        await _beat()

    def test_a_watcher_that_slept_blames_nobody(self):
        attention = Attention(_looked_at=100.0)
        assert not attention.was_away(100.5)
        assert attention.was_away(200)
        assert not attention.was_away(200.2)


class TestProgress:
    def test_ends_when_nothing_moves(self, monkeypatch):
        now, used = [0.0], [1.0]
        monkeypatch.setattr(watching.time, "monotonic", lambda: now[0])
        monkeypatch.setattr(watching, "_processor_seconds", lambda _: used[0])
        progress = Progress(patience_seconds=30, longest_seconds=600)
        for _ in range(10):
            now[0] += 29
            used[0] += 0.01
            assert not progress.is_over([1])
        now[0] += 31
        assert progress.is_over([1])

    def test_ends_after_the_longest_time_in_any_case(self, monkeypatch):
        now = [0.0]
        monkeypatch.setattr(watching.time, "monotonic", lambda: now[0])
        monkeypatch.setattr(watching, "_processor_seconds", lambda _: now[0])
        progress = Progress(patience_seconds=30, longest_seconds=600)
        now[0] = 601
        assert progress.is_over([1])


class TestDatabaseProbe:
    def test_a_refusal_is_an_answer_and_silence_is_not(self, monkeypatch):
        monkeypatch.setattr(watching, "PROBE_SECONDS", 0.01)
        monkeypatch.setattr(watching, "HUNG_SECONDS", 0.5)
        refused = DatabaseProbe("postgresql://nobody@127.0.0.1:1/none")
        answered = refused._pulse.last_at
        wait_for("an answer", lambda: refused._pulse.last_at != answered, 10)
        refused.stop()
        with socket.create_server(("127.0.0.1", 0)) as silent:
            probe = DatabaseProbe(f"postgresql://nobody@127.0.0.1:{silent.getsockname()[1]}/none")
            wait_for("impatience", probe.is_hung, 10)
            probe.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="parts tell that they live on Linux alone")
class TestStoppedProcesses:
    def test_parts_and_a_database_that_were_stopped_are_replaced(self, tmp_path):
        product = Product(tmp_path / "home", with_agent=True)
        product.start()
        try:
            # It writes this as it begins to measure, and beats from then on.
            wait_for("the agent", (product.home / "agent" / "status.json").exists, 60)
            parts = {part.cmdline()[-1]: part for part in psutil.Process(product.process.pid).children()}
            with psycopg.connect(product.database_url) as connection:
                postmaster = psutil.Process(psutil.Process(connection.info.backend_pid).ppid())
            agent = next(part for command, part in parts.items() if command.endswith("/agent"))
            stopped = [parts["serve"], parts["worker"], agent, postmaster]
            environments = [part.environ() for part in (parts["worker"], postmaster)]
            assert all(PASSWORD not in environment.values() for environment in environments)
            for part in stopped:
                part.send_signal(signal.SIGSTOP)
            wait_for("their end", lambda: not any(part.is_running() for part in stopped), 120)
            wait_for("readiness", product.is_ready, 60)
            assert httpx.get(f"{product.url}/health/live").status_code == 200
            assert "a part hangs" in product.output
            assert "the database hangs" in product.output
        finally:
            product.stop()
