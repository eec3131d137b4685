"""What the server wants the agent to do, and when to ask again."""

import logging
import math
from collections.abc import Callable

import msgspec

from fleetkeeper_agent.channel import Answer, Channel, Verdict
from fleetkeeper_agent.state_files import KeptConfig
from fleetkeeper_protocol.messages import AgentConfig

LOG = logging.getLogger(__name__)

CONFIG_PATH = "/api/v1/agent/config"
REFRESH_SECONDS = 60.0
# A server whose header never agrees with its configuration's tag must not be asked all the time.
SHORTEST_REFRESH_SECONDS = 1.0
SHORTEST_INTERVAL_SECONDS = 1.0
DEFAULT = AgentConfig(
    interval_seconds=5.0, process_interval_seconds=30.0, inventory_interval_seconds=3600.0, features={}
)


def bounded(config: AgentConfig) -> AgentConfig:
    """The configuration with intervals that a machine survives."""
    return AgentConfig(
        interval_seconds=_within(
            config.interval_seconds, SHORTEST_INTERVAL_SECONDS, 3600.0, DEFAULT.interval_seconds
        ),
        process_interval_seconds=_within(
            config.process_interval_seconds, 5.0, 86400.0, DEFAULT.process_interval_seconds
        ),
        inventory_interval_seconds=_within(
            config.inventory_interval_seconds, 60.0, 604800.0, DEFAULT.inventory_interval_seconds
        ),
        features=dict(config.features),
        protocol_version=config.protocol_version,
    )


class Configuration:
    """Holds the configuration and its tag."""

    def __init__(
        self,
        kept: KeptConfig | None = None,
        on_change: Callable[[AgentConfig, str], None] = lambda _config, _tag: None,
    ) -> None:
        self.current = bounded(kept.config) if kept is not None else DEFAULT
        self._etag = kept.etag if kept is not None else ""
        self._on_change = on_change
        self._fetched_at = -math.inf
        self._wanted = True
        self._header_at_fetch = ""

    def is_due(self, now: float) -> bool:
        """Whether it is time to ask."""
        return self.seconds_until_due(now) <= 0

    def seconds_until_due(self, now: float) -> float:
        """How long until it is time to ask."""
        return self._fetched_at + (SHORTEST_REFRESH_SECONDS if self._wanted else REFRESH_SECONDS) - now

    def notice(self, tag: str) -> None:
        """See the tag that stands in an answer's header; another than ours means that there is news."""
        if tag and tag not in {self._etag, self._header_at_fetch}:
            self._wanted = True
            # Asked for once per header: should the answer bear another tag, that is the server's business.
            self._header_at_fetch = tag

    def fetch(self, channel: Channel, now: float) -> Answer:
        """Ask the server and take over what it says."""
        answer = channel.get(CONFIG_PATH, self._etag)
        if answer.verdict is Verdict.RETRY or answer.verdict is Verdict.UNAUTHORIZED:
            return answer
        self._fetched_at, self._wanted = now, False
        if answer.verdict is not Verdict.ACCEPTED:
            if answer.verdict is not Verdict.UNCHANGED:
                LOG.warning("the server gives no configuration: %s", answer.reason)
            return answer
        try:
            config = bounded(msgspec.json.decode(answer.body, type=AgentConfig))
        except msgspec.DecodeError as error:
            LOG.warning("the server's configuration cannot be read: %s", error)
            return answer
        self._etag = answer.etag
        if config != self.current:
            LOG.info("new configuration: every %g s", config.interval_seconds)
        self.current = config
        self._on_change(config, answer.etag)
        return answer


def _within(value: float, low: float, high: float, otherwise: float) -> float:
    return min(high, max(low, value)) if math.isfinite(value) else otherwise
