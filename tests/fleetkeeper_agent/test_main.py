"""The command line."""

import json

from fleetkeeper_agent import main as command
from fleetkeeper_agent.main import main
from fleetkeeper_agent.spool import FRAME, Spool
from fleetkeeper_agent.state_files import StateDirectory
from fleetkeeper_protocol.metrics import BUILT_IN, parse_channel


def test_enroll_and_status(tmp_path, server, capsys, clock):
    state = ["--state", str(tmp_path)]
    assert main(["status", *state]) == 1
    assert json.loads(capsys.readouterr().out)["enrolled"] is False
    assert main(["enroll", *state, "--server", server.url, "--token", server.token]) == 0
    assert capsys.readouterr().out == "device-1\n"
    sent = server.of("/api/v1/enroll")[0]
    assert sent["identities"]["agent_id"] == StateDirectory(tmp_path).agent_id()
    spool = Spool(tmp_path / "spool.db", clock.wall)
    spool.add(FRAME, [(4e9, b"{}")])
    spool.close()
    assert main(["status", *state]) == 3
    found = json.loads(capsys.readouterr().out)
    assert (found["running"], found["frames_waiting"], found["device_id"]) == (False, 1, "device-1")
    assert server.key not in json.dumps(found)


def test_enrolling_twice_needs_a_word(tmp_path, server, capsys):
    arguments = ["enroll", "--state", str(tmp_path), "--server", server.url, "--token", server.token]
    assert main(arguments) == 0
    assert main(arguments) == 1
    assert "already enrolled" in capsys.readouterr().err
    with StateDirectory(tmp_path).locked():
        assert main([*arguments, "--replace"]) == 1
    assert "stop it first" in capsys.readouterr().err
    assert main([*arguments, "--replace"]) == 0
    assert len(server.of("/api/v1/enroll")) == 2


def test_errors_are_for_people(tmp_path, server, capsys, monkeypatch):
    monkeypatch.delenv("FLEETKEEPER_AGENT_TOKEN", raising=False)
    assert main(["enroll", "--state", str(tmp_path), "--server", "nonsense", "--token", "x"]) == 1
    assert "https://fleet.example.org" in capsys.readouterr().err
    assert main(["enroll", "--state", str(tmp_path), "--server", server.url]) == 1
    assert "give --token" in capsys.readouterr().err
    assert main(["run", "--state", str(tmp_path)]) == 1
    assert "not enrolled" in capsys.readouterr().err


def test_show_prints_one_collection(capsys, monkeypatch):
    monkeypatch.setattr(command, "BETWEEN_SAMPLES_SECONDS", 0.05)
    assert main(["show"]) == 0
    found = json.loads(capsys.readouterr().out)
    names = {parse_channel(channel)[0] for channel in found["values"]}
    assert names <= BUILT_IN.keys()
    assert "cpu_usage_percent" in names
    assert found["inventory"]["cpu_threads"] >= 1
    assert found["processes"]
