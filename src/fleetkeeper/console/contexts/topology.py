"""The page that shows how devices hang together."""

from collections.abc import Sequence
from dataclasses import dataclass

from fleetkeeper.console.contexts.panels import Option
from fleetkeeper.console.contexts.shell import Shell


@dataclass(frozen=True)
class TopologyFilter:
    """A choice of which devices are shown."""

    name: str
    label: str
    options: Sequence[Option]


@dataclass(frozen=True)
class TopologyPage:
    """What the page's script does not ask the API for."""

    shell: Shell
    filters: Sequence[TopologyFilter]
    kinds: Sequence[str]
