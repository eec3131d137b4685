"""The configuration: tags, bounds, and when to ask."""

import json

import pytest
from tests.fleetkeeper_agent.fake_channel import FakeChannel

from fleetkeeper_agent.channel import Answer, Verdict
from fleetkeeper_agent.configuration import DEFAULT, Configuration, bounded
from fleetkeeper_agent.state_files import KeptConfig
from fleetkeeper_protocol.messages import AgentConfig


def answer(tag: str, interval: float = 10.0) -> Answer:
    body = {
        "interval_seconds": interval,
        "process_interval_seconds": 30.0,
        "inventory_interval_seconds": 3600.0,
        "features": {"perf_events_enabled": False},
    }
    return Answer(Verdict.ACCEPTED, 200, body=json.dumps(body).encode(), etag=tag, config_tag=tag)


def test_the_defaults_until_the_server_speaks():
    assert Configuration().current == DEFAULT
    assert DEFAULT.interval_seconds == 5.0


def test_a_new_configuration_is_taken_over_and_kept():
    seen = []
    configuration = Configuration(on_change=lambda config, tag: seen.append((config.interval_seconds, tag)))
    channel = FakeChannel()
    channel.config = answer("one")
    assert configuration.is_due(0.0)
    configuration.fetch(channel, 0.0)
    assert configuration.current.features == {"perf_events_enabled": False}
    assert seen == [(10.0, "one")]
    assert not configuration.is_due(59.0)
    assert configuration.is_due(60.0)
    configuration.fetch(channel, 60.0)
    assert channel.gets[-1][1] == "one", "the tag is sent along"


def test_another_tag_in_an_answers_header_means_news():
    configuration = Configuration(KeptConfig("one", DEFAULT))
    channel = FakeChannel()
    configuration.fetch(channel, 0.0)
    configuration.notice("one")
    configuration.notice("")
    assert not configuration.is_due(5.0)
    configuration.notice("two")
    assert configuration.is_due(5.0)
    channel.config = answer("two")
    configuration.fetch(channel, 5.0)
    configuration.notice("two")
    assert not configuration.is_due(10.0)


def test_a_header_that_never_agrees_does_not_make_us_ask_all_the_time():
    configuration = Configuration()
    channel = FakeChannel()
    channel.config = answer("tag-of-the-answer")
    configuration.fetch(channel, 0.0)
    for second in range(5, 60, 5):
        configuration.notice("tag-of-the-header")
        if configuration.is_due(float(second)):
            configuration.fetch(channel, float(second))
    assert len(channel.gets) == 2


@pytest.mark.parametrize(
    "bad", [b"", b"{}", b'{"interval_seconds": "5"}', b'{"interval_seconds": 5, "features": []}', b"\xff"]
)
def test_a_configuration_that_cannot_be_read_changes_nothing(bad):
    configuration = Configuration()
    channel = FakeChannel()
    channel.config = Answer(Verdict.ACCEPTED, 200, body=bad, etag="x")
    configuration.fetch(channel, 0.0)
    assert configuration.current == DEFAULT
    assert not configuration.is_due(5.0)


def test_intervals_that_no_machine_survives_are_bounded():
    found = bounded(AgentConfig(0.0, 0.0, 0.0, {}))
    assert (found.interval_seconds, found.process_interval_seconds, found.inventory_interval_seconds) == (
        1,
        5,
        60,
    )
    found = bounded(AgentConfig(1e12, 1e12, 1e12, {}))
    assert (found.interval_seconds, found.process_interval_seconds) == (3600, 86400)
    assert bounded(AgentConfig(float("nan"), 30.0, 3600.0, {})).interval_seconds == 5.0


def test_a_refused_configuration_is_asked_for_again_in_a_minute():
    configuration = Configuration()
    channel = FakeChannel()
    channel.config = Answer(Verdict.REFUSED, 404)
    configuration.fetch(channel, 0.0)
    assert configuration.seconds_until_due(1.0) == 59.0
