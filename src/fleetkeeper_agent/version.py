"""The agent's own version, as the package metadata has it."""

from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

from fleetkeeper_protocol.version import PROTOCOL_VERSION

# The agent's own wheel, or that of the server, which brings the agent along.
PACKAGES = ("fleetkeeper-agent", "fleetkeeper")


def installed_version(packages: Sequence[str] = PACKAGES) -> str:
    """The version of the first of these packages that is installed; 0.0.0 in a bare checkout."""
    for package in packages:
        try:
            return version(package)
        except PackageNotFoundError:
            continue
    return "0.0.0"


AGENT_VERSION = installed_version()

USER_AGENT = f"fleetkeeper-agent/{AGENT_VERSION} protocol/{PROTOCOL_VERSION}"
