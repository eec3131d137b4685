"""The page on which people look at the fleet's telemetry."""

from dataclasses import dataclass

from fleetkeeper.console.contexts.shell import Shell


@dataclass(frozen=True)
class ExplorePage:
    """What the page's script offers for choice; all else it asks the API for."""

    shell: Shell
    departments_json: str
    device_types_json: str
    functions_json: str
    may_save: bool
