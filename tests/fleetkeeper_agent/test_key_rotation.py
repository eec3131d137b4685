"""The agent's side of a new key, with a server that behaves as the product's does."""

import json

import httpx
import pytest

from fleetkeeper_agent.channel import Channel, Verdict
from fleetkeeper_agent.key_rotation import KEY_PATH, ROTATE_AFTER_SECONDS, KeyRotation
from fleetkeeper_agent.state_files import Credentials, StateDirectory

OLD = "fkd_old"


class Server:
    """Knows some keys, hands out new ones, and forgets the one before once the new one is used."""

    def __init__(self) -> None:
        self.good = {OLD}
        self.pending: set[str] = set()
        self.made = 0
        self.answer: httpx.Response | None = None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        key = request.headers["Authorization"].removeprefix("Bearer ")
        if key in self.pending:
            self.good, self.pending = {key}, set()
        if key not in self.good:
            return httpx.Response(401, json={})
        if request.url.path != KEY_PATH:
            return httpx.Response(200, json={})
        if self.answer is not None:
            return self.answer
        self.made += 1
        self.pending.add(f"fkd_new{self.made}")
        return httpx.Response(201, json={"device_key": f"fkd_new{self.made}", "old_key_valid_seconds": 60})


class Agent:
    """What of an agent has to do with its key. Making another one is a restart."""

    def __init__(self, server: Server, path, clock) -> None:
        self.state = StateDirectory(path)
        self.credentials = self.state.credentials()
        self.channel = Channel(
            "http://localhost", clock, self.credentials.device_key, transport=httpx.MockTransport(server)
        )
        self.rotation = KeyRotation(self.state, self.credentials, self.channel, clock)

    def report(self) -> bool:
        return self.channel.post("/api/v1/telemetry", b"{}").verdict is Verdict.ACCEPTED

    @property
    def kept(self) -> Credentials:
        return self.state.credentials()


@pytest.fixture
def fake() -> Server:
    return Server()


@pytest.fixture
def start(fake, tmp_path, clock):
    clock.draw = 0.0
    StateDirectory(tmp_path).keep_credentials(
        Credentials("http://localhost", "device-1", OLD, key_since=clock.wall())
    )
    return lambda: Agent(fake, tmp_path, clock)


def test_a_young_key_stays(start, fake, clock):
    agent = start()
    clock.advance(ROTATE_AFTER_SECONDS - 1)
    assert agent.report()
    agent.rotation.step()
    assert fake.made == 0


def test_an_old_key_is_replaced_and_forgotten(start, fake, clock):
    agent = start()
    clock.advance(ROTATE_AFTER_SECONDS)
    assert agent.report()
    agent.rotation.step()
    assert (agent.kept.device_key, agent.kept.other_key) == ("fkd_new1", OLD)
    assert agent.report()
    agent.rotation.step()
    assert (agent.kept.device_key, agent.kept.other_key) == ("fkd_new1", None)
    assert agent.kept.key_since == clock.wall()
    assert fake.good == {"fkd_new1"}
    agent.rotation.step()
    assert fake.made == 1


@pytest.mark.parametrize("since", [0.0, 4_000_000_000.0])
def test_a_key_of_unknown_age_is_replaced(start, fake, clock, tmp_path, since):
    """One of an agent from before there was an age, or of a clock that was wrong."""
    StateDirectory(tmp_path).keep_credentials(
        Credentials("http://localhost", "device-1", OLD, key_since=since)
    )
    agent = start()
    assert agent.report()
    agent.rotation.step()
    assert fake.made == 1


def test_it_asks_only_a_server_that_knows_it(start, fake, clock):
    agent = start()
    clock.advance(ROTATE_AFTER_SECONDS)
    agent.rotation.step()
    fake.good.clear()
    assert not agent.report()
    agent.rotation.step()
    assert fake.made == 0


def test_dies_between_the_answer_and_the_disk(start, fake, clock, monkeypatch):
    clock.advance(ROTATE_AFTER_SECONDS)
    agent = start()
    assert agent.report()

    def die(_: Credentials) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(agent.state, "keep_credentials", die)
    with pytest.raises(KeyboardInterrupt):
        agent.rotation.step()
    again = start()
    assert again.kept.device_key == OLD
    assert again.report()
    again.rotation.step()
    assert again.kept.device_key == "fkd_new2"
    assert again.report()


def test_dies_between_the_disk_and_the_first_use(start, fake, clock):
    clock.advance(ROTATE_AFTER_SECONDS)
    agent = start()
    assert agent.report()
    agent.rotation.step()
    again = start()
    assert again.report()
    again.rotation.step()
    assert (again.kept.device_key, again.kept.other_key) == ("fkd_new1", None)


def test_a_full_disk_keeps_the_old_key_in_use(start, fake, clock, monkeypatch):
    clock.advance(ROTATE_AFTER_SECONDS)
    agent = start()
    assert agent.report()

    def refuse(_: Credentials) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(agent.state, "keep_credentials", refuse)
    agent.rotation.step()
    assert agent.report()
    assert fake.good == {OLD}


@pytest.mark.parametrize("forgotten", ["new", "old"])
def test_a_server_that_knows_but_one_of_the_two(start, fake, clock, forgotten):
    """Restored from a copy made before the rotation; or its answer to the new key's first use got lost."""
    clock.advance(ROTATE_AFTER_SECONDS)
    agent = start()
    assert agent.report()
    agent.rotation.step()
    if forgotten == "new":
        fake.pending.clear()
    else:
        fake.good, fake.pending = {"fkd_new1"}, set()
        agent.channel.is_key_known = False  # a proxy in between said so
        agent.rotation.step()
        assert agent.kept.device_key == OLD
    assert not agent.report()
    agent.rotation.step()
    assert agent.report()
    agent.rotation.step()
    assert agent.kept.other_key is None
    assert agent.kept.device_key == (OLD if forgotten == "new" else "fkd_new1")


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(404, json={}),
        httpx.Response(503, json={}),
        httpx.Response(201, text="<html>"),
        httpx.Response(201, json={"device_key": ""}),
        httpx.Response(201, json={"device_key": "a\r\nX-Evil: 1"}),
        httpx.Response(201, json={"device_key": "x" * 501}),
        httpx.Response(201, json={"device_key": "schlüssel"}),
    ],
)
def test_an_answer_that_is_no_key_changes_nothing_and_is_not_asked_for_at_once(start, fake, clock, answer):
    clock.advance(ROTATE_AFTER_SECONDS)
    agent = start()
    assert agent.report()
    fake.answer = answer
    agent.rotation.step()
    assert agent.kept.device_key == OLD
    assert agent.report()
    fake.answer = None
    agent.rotation.step()
    assert fake.made == 0
    clock.advance(3600)
    agent.rotation.step()
    assert fake.made == 1


def test_the_file_is_closed_to_others_and_old_files_are_read(start, tmp_path, clock):
    path = tmp_path / "credentials.json"
    path.write_text(json.dumps({"server": "http://localhost", "device_id": "d", "device_key": OLD}))
    agent = start()
    assert agent.credentials == Credentials("http://localhost", "d", OLD)
    assert agent.report()
    agent.rotation.step()
    assert path.stat().st_mode & 0o777 == 0o600
    assert agent.kept.device_key == "fkd_new1"
