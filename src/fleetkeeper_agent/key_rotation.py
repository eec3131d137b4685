"""A new key now and then, so that one that was copied unseen does not work for ever."""

import logging
from dataclasses import dataclass

import msgspec

from fleetkeeper_agent.channel import Channel, Verdict, is_key
from fleetkeeper_agent.clock import Clock
from fleetkeeper_agent.state_files import Credentials, StateDirectory

LOG = logging.getLogger(__name__)

KEY_PATH = "/api/v1/agent/key"
ROTATE_AFTER_SECONDS = 30 * 86_400.0
# Agents that start together do not ask together, and one that was refused asks again later.
JITTER_SECONDS = 3600.0


class _NewKey(msgspec.Struct):
    device_key: str


@dataclass
class KeyRotation:
    """Asks for a new key, keeps both until the server has taken one, and then forgets the other.

    The new key is on disk before it is used, and the old one works until the server has seen the new one. So the agent
    may die at any moment: it starts again with a key that the server knows, or with two of which it knows one.
    """

    state: StateDirectory
    credentials: Credentials
    channel: Channel
    clock: Clock

    def __post_init__(self) -> None:
        self._ask_at = self.clock.monotonic() + self.clock.uniform(0.0, JITTER_SECONDS)

    def step(self) -> None:
        """Do what is due; called by the thread that sends, between its requests."""
        if self.credentials.other_key is not None:
            self._settle(self.credentials.other_key)
        elif self.clock.monotonic() >= self._ask_at and self.channel.is_key_known and self._is_old():
            self._ask_at = self.clock.monotonic() + JITTER_SECONDS + self.clock.uniform(0.0, JITTER_SECONDS)
            self._rotate()

    def _is_old(self) -> bool:
        age = self.clock.wall() - self.credentials.key_since
        # A clock that was wrong when the key came is no reason to keep it for decades.
        return age >= ROTATE_AFTER_SECONDS or age < -ROTATE_AFTER_SECONDS

    def _rotate(self) -> None:
        answer = self.channel.post_plain(KEY_PATH, b"")
        if answer.verdict is not Verdict.ACCEPTED:
            LOG.warning("the server gives no new key: %s", answer.reason)
            return
        try:
            key = msgspec.json.decode(answer.body, type=_NewKey).device_key
        except msgspec.DecodeError as error:
            LOG.warning("the server's new key cannot be read: %s", error)
            return
        if not is_key(key):
            LOG.warning("the server's new key cannot stand in a header")
            return
        wanted = msgspec.structs.replace(
            self.credentials,
            device_key=key,
            other_key=self.credentials.device_key,
            key_since=round(self.clock.wall(), 3),
        )
        if self._keep(wanted):
            self.channel.use_key(key)

    def _settle(self, other: str) -> None:
        if self.channel.is_key_known:
            self._keep(msgspec.structs.replace(self.credentials, other_key=None))
        elif self.channel.is_key_known is False:
            # Such as a server that was restored from a copy made before the rotation.
            swapped = msgspec.structs.replace(
                self.credentials, device_key=other, other_key=self.credentials.device_key
            )
            if self._keep(swapped):
                self.channel.use_key(other)

    def _keep(self, credentials: Credentials) -> bool:
        try:
            self.state.keep_credentials(credentials)
        except OSError as error:
            LOG.warning("the new key cannot be kept, so it is not used: %s", error)
            return False
        self.credentials = credentials
        return True
