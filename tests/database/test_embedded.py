"""What a killed server leaves behind."""

import shutil
import subprocess
from pathlib import Path

import psutil
import pytest

from fleetkeeper.database import embedded
from fleetkeeper.database.embedded import EmbeddedServer
from tests.fixtures.product import wait_for


@pytest.fixture
def killed(tmp_path: Path):
    """A process by the name of a server, which was killed and which nobody has taken notice of yet."""
    program = tmp_path / "postgres"
    shutil.copy(shutil.which("sleep"), program)
    with subprocess.Popen([program, "60"]) as process:
        process.kill()
        wait_for("end", lambda: psutil.Process(process.pid).status() == psutil.STATUS_ZOMBIE)
        yield process


def test_one_that_is_not_gone_yet_is_waited_for(killed, tmp_path, monkeypatch):
    server = EmbeddedServer(tmp_path)
    server.data.mkdir(parents=True)
    (server.data / "postmaster.pid").write_text(f"{killed.pid}\n")
    looked = []

    def is_ending(pid: int) -> bool:
        looked.append(pid)
        if len(looked) == 3:
            killed.wait()
        return _is_ending(pid)

    _is_ending = embedded._is_ending
    monkeypatch.setattr(embedded, "_is_ending", is_ending)
    server._stop_leftovers()
    assert looked == [killed.pid] * 3


def test_others_are_not(tmp_path):
    server = EmbeddedServer(tmp_path)
    server.data.mkdir(parents=True)
    (server.data / "postmaster.pid").write_text(f"{psutil.Process().pid}\n")
    server._stop_leftovers()
    (server.data / "postmaster.pid").write_text("no number\n")
    server._stop_leftovers()
