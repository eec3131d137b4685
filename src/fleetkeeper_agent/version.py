"""The agent's own version, as the package metadata has it."""

from importlib.metadata import PackageNotFoundError, version

from fleetkeeper_protocol.version import PROTOCOL_VERSION

try:
    AGENT_VERSION = version("fleetkeeper")
except PackageNotFoundError:  # run from a bare checkout
    AGENT_VERSION = "0.0.0"

USER_AGENT = f"fleetkeeper-agent/{AGENT_VERSION} protocol/{PROTOCOL_VERSION}"
