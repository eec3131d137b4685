"""Enrollment: what is sent, what is kept, and why it fails."""

import pytest

from fleetkeeper_agent.enrolment import EnrolmentError, check_server, enrol, sends_in_clear
from fleetkeeper_agent.state_files import StateDirectory


def test_enrolment_keeps_the_key(tmp_path, server, clock):
    state = StateDirectory(tmp_path)
    found = enrol(state, server.url + "/", f" {server.token}\n", "host", {"agent_id": "a"}, clock)
    assert state.credentials() == found
    assert (found.server, found.device_id, found.device_key) == (server.url, "device-1", server.key)
    assert server.of("/api/v1/enroll") == [
        {"token": server.token, "hostname": "host", "identities": {"agent_id": "a"}}
    ]
    assert "Content-Encoding" not in server.requests[0][2], (
        "only the doors for reports take compressed bodies"
    )


def test_a_wrong_token_is_final(tmp_path, server, clock):
    state = StateDirectory(tmp_path)
    with pytest.raises(EnrolmentError, match="token is not known") as caught:
        enrol(state, server.url, "wrong", "host", {}, clock)
    assert not caught.value.temporary
    assert state.credentials() is None


def test_a_server_that_is_away_is_temporary(tmp_path, server, clock):
    server.overrides["/api/v1/enroll"].append((503, {"Retry-After": "9"}, b""))
    with pytest.raises(EnrolmentError) as caught:
        enrol(StateDirectory(tmp_path), server.url, "t", "host", {}, clock)
    assert caught.value.temporary
    assert caught.value.retry_after == 9.0


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b'{"device_id":"x"}',
        b'{"device_id":"x","device_key":"a\\nb"}',
        b'{"device_id":"x","device_key":""}',
    ],
)
def test_an_answer_that_is_none(tmp_path, server, clock, body):
    server.overrides["/api/v1/enroll"].append((200, {}, body))
    with pytest.raises(EnrolmentError, match=r"not as a Fleetkeeper server|cannot stand in a header"):
        enrol(StateDirectory(tmp_path), server.url, "t", "host", {}, clock)


@pytest.mark.parametrize(
    "address", ["", "fleet.example", "ftp://x", "https://", "https://u:p@x", "https://x/?a=b", "file:///etc"]
)
def test_addresses_that_are_none(address):
    with pytest.raises(EnrolmentError):
        check_server(address)


def test_addresses():
    assert check_server(" https://fleet.example/base/ ") == "https://fleet.example/base"
    assert not sends_in_clear("https://fleet.example")
    assert not sends_in_clear("http://127.0.0.1:8000")
    assert not sends_in_clear("http://[::1]:8000")
    assert not sends_in_clear("http://localhost")
    assert sends_in_clear("http://10.0.0.1")
    assert sends_in_clear("http://fleet.example")
