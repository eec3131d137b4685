"""A channel whose answers a test writes down beforehand; without any, everything is accepted."""

import json
from collections import deque
from typing import Any

from fleetkeeper_agent.channel import Answer, Verdict
from fleetkeeper_agent.configuration import CONFIG_PATH

ACCEPTED = Answer(Verdict.ACCEPTED, 200)
AWAY = Answer(Verdict.RETRY, reason="ConnectError: refused")
REVOKED = Answer(Verdict.UNAUTHORIZED, 401, "401 Unauthorized")
BAD_BODY = Answer(Verdict.BODY_REFUSED, 422, "422 Unprocessable")
NO_SUCH_PATH = Answer(Verdict.REFUSED, 404, "404 Not Found")


class FakeChannel:
    """Keeps what was sent; `answers` are used up in order, `rule` decides when they are."""

    def __init__(self) -> None:
        self.answers: deque[Answer] = deque()
        self.posts: list[tuple[str, Any]] = []
        self.gets: list[tuple[str, str]] = []
        self.config = Answer(Verdict.UNCHANGED, 304)
        self.default = ACCEPTED
        self.rule: Any = None

    def post(self, path: str, body: bytes) -> Answer:
        decoded = json.loads(body)
        self.posts.append((path, decoded))
        if self.rule is not None:
            return self.rule(path, decoded)
        return self.answers.popleft() if self.answers else self.default

    def get(self, path: str, etag: str = "") -> Answer:
        assert path == CONFIG_PATH
        self.gets.append((path, etag))
        return self.config

    def close(self) -> None:
        """Nothing to close."""

    def frames(self) -> list[list[float]]:
        """The time stamps of each batch of frames that was sent."""
        return [
            [frame["ts"] for frame in body["frames"]]
            for path, body in self.posts
            if path == "/api/v1/telemetry"
        ]
