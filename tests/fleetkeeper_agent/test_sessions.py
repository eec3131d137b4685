"""Login sessions and the system's figures."""

from dataclasses import replace
from types import SimpleNamespace

import psutil
import pytest

from fleetkeeper_agent.collectors.collector import UnavailableError
from fleetkeeper_agent.collectors.sessions import SessionsCollector
from fleetkeeper_agent.collectors.system import SystemCollector
from fleetkeeper_agent.host_files import HostRoots
from fleetkeeper_agent.platforms.linux.system import LinuxSystem, parse_logind_session

SESSION = b"""# This is private data. Do not parse.
UID=1000
USER=ada
ACTIVE=1
STATE=active
REMOTE=1
CLASS=user
TTY=pts/0
REMOTE_HOST=2001:db8::7
REALTIME=1795000000123456
"""


def test_a_session_of_logind():
    found = parse_logind_session(SESSION)
    assert found is not None
    assert (found.username, found.terminal, found.host) == ("ada", "pts/0", "2001:db8::7")
    assert found.started_at == 1795000000.123456


@pytest.mark.parametrize(
    "change", [(b"CLASS=user", b"CLASS=greeter"), (b"STATE=active", b"STATE=closing"), (b"USER=ada", b"")]
)
def test_what_is_no_login_of_a_person(change):
    assert parse_logind_session(SESSION.replace(*change)) is None


def roots(tmp_path):
    (tmp_path / "proc/1").mkdir(parents=True)
    (tmp_path / "proc/sys").mkdir()
    (tmp_path / "proc/uptime").write_text("1234.5 99.0\n")
    (tmp_path / "run").mkdir()
    return HostRoots(proc=tmp_path / "proc", run=tmp_path / "run")


def test_logind_where_there_is_no_utmp(tmp_path):
    places = roots(tmp_path)
    (places.run / "systemd/system").mkdir(parents=True)
    (places.run / "systemd/sessions").mkdir()
    (places.run / "systemd/sessions/1").write_bytes(SESSION)
    (places.run / "systemd/sessions/1.ref").write_bytes(SESSION)
    collector = SystemCollector(LinuxSystem(places))
    assert collector.collect(0.0) == {
        "system_uptime_seconds": 1234.5,
        "system_processes": 1.0,
        "system_users": 1.0,
    }
    assert not collector.gaps


def test_utmp_where_there_is_one(tmp_path):
    places = roots(tmp_path)
    (places.run / "utmp").touch()
    user = SimpleNamespace(name="eve\x00", terminal=None, host="h", started=2.0)
    report = SessionsCollector(LinuxSystem(places, lambda: [user, user])).report(9.0)
    assert report.ts == 9.0
    assert [(s.username, s.terminal) for s in report.sessions] == [("eve\ufffd", "")]


def test_debian_says_whether_it_waits_to_be_restarted(tmp_path, monkeypatch):
    places = replace(roots(tmp_path), etc=tmp_path / "etc")
    monkeypatch.setattr(
        psutil, "sensors_battery", lambda: SimpleNamespace(power_plugged=False), raising=False
    )
    collector = SystemCollector(LinuxSystem(places))
    collector.collect(0.0)
    assert collector.states == {"system_power_source": "battery"}
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/debian_version").touch()
    monkeypatch.setattr(psutil, "sensors_battery", lambda: None, raising=False)
    collector.collect(1.0)
    assert collector.states == {"system_reboot_required": False}
    (places.run / "reboot-required").touch()
    collector.collect(2.0)
    assert collector.states == {"system_reboot_required": True}


def test_no_record_of_logins_is_said_and_no_zero(tmp_path):
    places = roots(tmp_path)
    collector = SystemCollector(LinuxSystem(places))
    assert "system_users" not in collector.collect(0.0)
    assert "neither utmp nor systemd-logind" in collector.gaps["users"]
    with pytest.raises(UnavailableError):
        SessionsCollector(LinuxSystem(places)).report(0.0)
