"""What the server's answers mean, over a real connection."""

import pytest

from fleetkeeper_agent.channel import Channel, Verdict, plain_tag, verdict_of
from fleetkeeper_agent.version import AGENT_VERSION

PATH = "/api/v1/telemetry"


@pytest.fixture
def channel(server, clock):
    found = Channel(server.url + "/", clock, server.key)
    yield found
    found.close()


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (200, Verdict.ACCEPTED),
        (202, Verdict.ACCEPTED),
        (204, Verdict.ACCEPTED),
        (304, Verdict.UNCHANGED),
        (301, Verdict.RETRY),
        (307, Verdict.RETRY),
        (401, Verdict.UNAUTHORIZED),
        (403, Verdict.UNAUTHORIZED),
        (408, Verdict.RETRY),
        (429, Verdict.RETRY),
        (500, Verdict.RETRY),
        (503, Verdict.RETRY),
        (400, Verdict.BODY_REFUSED),
        (413, Verdict.BODY_REFUSED),
        (422, Verdict.BODY_REFUSED),
        (404, Verdict.REFUSED),
        (410, Verdict.REFUSED),
    ],
)
def test_verdicts(status, verdict):
    assert verdict_of(status) is verdict


def test_a_request_as_the_protocol_wants_it(server, channel):
    answer = channel.post(PATH, b'{"frames": []}')
    assert answer.verdict is Verdict.ACCEPTED
    assert answer.config_tag == "one"
    _, _, headers, body = server.requests[0]
    assert body == {"frames": []}
    assert headers["Content-Encoding"] == "gzip"
    assert headers["Authorization"] == f"Bearer {server.key}"
    assert headers["User-Agent"] == f"fleetkeeper-agent/{AGENT_VERSION} protocol/1"


def test_retry_after_is_read(server, channel):
    server.overrides[PATH].append((429, {"Retry-After": "17"}, b""))
    answer = channel.post(PATH, b"{}")
    assert (answer.verdict, answer.status, answer.retry_after) == (Verdict.RETRY, 429, 17.0)


def test_the_reason_is_what_the_server_says_on_one_line(server, channel):
    server.overrides[PATH].append((422, {}, b"bad\r\nFAKE LOG LINE\x1b[0m"))
    assert channel.post(PATH, b"{}").reason == "422 Unprocessable Entity: bad  FAKE LOG LINE\ufffd[0m"
    problem = b'{"title": "Sign in.", "detail": "The key\\nis revoked.", "request_id": "differs each time"}'
    server.overrides[PATH].append((401, {}, problem))
    assert channel.post(PATH, b"{}").reason == "401 Unauthorized: Sign in. The key is revoked."


def test_a_redirect_is_not_followed(server, channel):
    server.overrides[PATH].append((307, {"Location": "https://elsewhere.example/steal"}, b""))
    answer = channel.post(PATH, b"{}")
    assert answer.verdict is Verdict.RETRY
    assert "does not follow" in answer.reason
    assert len(server.requests) <= 1


def test_a_server_that_is_away(clock):
    channel = Channel("http://127.0.0.1:1", clock, "k")
    answer = channel.post(PATH, b"{}")
    assert (answer.verdict, answer.status) == (Verdict.RETRY, 0)
    channel.close()
    assert channel.post(PATH, b"{}").verdict is Verdict.RETRY, "a closed client raises nothing either"


def test_an_endless_answer_is_cut(server, channel):
    server.overrides[PATH].append((200, {}, b"x" * (1024 * 1024 + 70000)))
    assert channel.post(PATH, b"{}").verdict is Verdict.RETRY


def test_the_tag_of_the_configuration(server, channel):
    answer = channel.get("/api/v1/agent/config")
    assert (answer.verdict, answer.etag) == (Verdict.ACCEPTED, "one")
    assert channel.get("/api/v1/agent/config", "one").verdict is Verdict.UNCHANGED


def test_tags_are_compared_without_their_clothes():
    assert plain_tag('W/"abc"') == plain_tag('"abc"') == plain_tag(" abc ") == "abc"
    assert not plain_tag(None)
