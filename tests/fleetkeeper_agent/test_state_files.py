"""Files of the agent: who may read them, and what becomes of damaged ones."""

import os
import stat

import pytest

from fleetkeeper_agent.configuration import DEFAULT
from fleetkeeper_agent.state_files import (
    AlreadyRunningError,
    Credentials,
    KeptConfig,
    StateDirectory,
    default_state_directory,
    write_private,
)

CREDENTIALS = Credentials("https://fleet.example", "device-1", "secret")


def mode(path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_key_is_readable_by_its_owner_only(tmp_path):
    before = os.umask(0)
    try:
        state = StateDirectory(tmp_path / "state")
        state.keep_credentials(CREDENTIALS)
    finally:
        os.umask(before)
    assert mode(tmp_path / "state/credentials.json") == 0o600
    assert mode(tmp_path / "state") == 0o700
    assert state.credentials() == CREDENTIALS


def test_the_key_is_never_readable_in_between(tmp_path, monkeypatch):
    seen = []
    real = os.open

    def watch(path, flags, permissions=0o777, **options):
        seen.append((flags, permissions))
        return real(path, flags, permissions, **options)

    monkeypatch.setattr(os, "open", watch)
    write_private(tmp_path / "key", b"secret")
    assert seen == [(os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)]
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_a_key_that_was_left_open_is_closed(tmp_path, caplog):
    state = StateDirectory(tmp_path)
    state.keep_credentials(CREDENTIALS)
    (tmp_path / "credentials.json").chmod(0o644)
    assert state.credentials() == CREDENTIALS
    assert mode(tmp_path / "credentials.json") == 0o600
    assert "readable by others" in caplog.text


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"\xff\xfe", b'{"server": 1}'])
def test_damaged_files_are_as_if_they_were_not_there(tmp_path, damage):
    for name in ("credentials.json", "config.json", "status.json"):
        (tmp_path / name).write_bytes(damage)
    state = StateDirectory(tmp_path)
    assert state.credentials() is None
    assert state.config() is None
    assert state.status() is None


def test_a_failed_write_leaves_the_old_file_and_no_rest(tmp_path, monkeypatch):
    path = tmp_path / "key"
    write_private(path, b"old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space"):
        write_private(path, b"new")
    assert path.read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


def test_the_configuration_survives(tmp_path):
    StateDirectory(tmp_path).keep_config(KeptConfig("tag", DEFAULT))
    assert StateDirectory(tmp_path).config() == KeptConfig("tag", DEFAULT)


def test_the_identifier_is_made_once(tmp_path):
    first = StateDirectory(tmp_path).agent_id()
    assert StateDirectory(tmp_path).agent_id() == first
    assert len(first) == 36


def test_two_agents_do_not_share_a_directory(tmp_path):
    state = StateDirectory(tmp_path)
    with state.locked(), pytest.raises(AlreadyRunningError), StateDirectory(tmp_path).locked():
        pass
    with state.locked():
        pass


def test_where_the_state_is(monkeypatch, tmp_path):
    monkeypatch.setenv("FLEETKEEPER_AGENT_STATE", str(tmp_path))
    assert default_state_directory() == tmp_path
    monkeypatch.delenv("FLEETKEEPER_AGENT_STATE")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert str(default_state_directory()) == "/var/lib/fleetkeeper-agent"
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_state_directory() == tmp_path / ".local/state/fleetkeeper-agent"
