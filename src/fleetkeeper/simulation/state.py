"""The keys of a simulated fleet's devices, in one file that only its owner can read."""

import os
import tempfile
from pathlib import Path
from typing import Final

import msgspec

from fleetkeeper.simulation.fleet import Fleet

_FORMAT: Final = 1


class DeviceKey(msgspec.Struct, frozen=True):
    """What the server gave a device when it was enrolled."""

    device_id: str
    device_key: str


class _Stored(msgspec.Struct):
    format: int
    server: str
    seed: int
    devices: dict[int, DeviceKey]
    # IDs of the devices without an agent, by name, and how many of the fleet have their relationships.
    entered: dict[str, str] = msgspec.field(default_factory=dict)
    related: int = 0


class StateError(Exception):
    """The state file cannot be used; the message says why and what to do."""


class FleetState:
    """The device keys of one fleet at one server."""

    def __init__(self, path: Path, server: str, seed: int) -> None:
        self.path = path
        self._stored = _Stored(_FORMAT, server, seed, {})

    @classmethod
    def load(cls, folder: Path, server: str, seed: int) -> "FleetState":
        """Read the fleet's file in `folder`, or begin a new one.

        Raises StateError when the file is of another server or not readable.
        """
        state = cls(folder / f"fleet-{seed}.json", server, seed)
        try:
            state._stored = msgspec.json.decode(state.path.read_bytes(), type=_Stored)
        except FileNotFoundError:
            return state
        except (OSError, msgspec.DecodeError) as error:
            raise StateError(
                f"{state.path} cannot be read ({error}); remove it to enroll the fleet anew."
            ) from error
        if state._stored.format != _FORMAT or state._stored.server != server:
            raise StateError(
                f"{state.path} is of a fleet at {state._stored.server}; "
                "use another --state folder, or remove it."
            )
        return state

    def key(self, index: int) -> DeviceKey | None:
        """Return a device's key, None when it is not enrolled."""
        return self._stored.devices.get(index)

    def remember(self, index: int, key: DeviceKey) -> None:
        """Keep a device's key; `save` writes it."""
        self._stored.devices[index] = key

    def forget(self, index: int) -> None:
        """Drop a key that the server no longer takes."""
        self._stored.devices.pop(index, None)

    def entered(self, name: str) -> str | None:
        """The ID of a device that was entered, None when it was not."""
        return self._stored.entered.get(name)

    def remember_entered(self, name: str, device_id: str) -> None:
        """Keep the ID of a device that was entered; `save` writes it."""
        self._stored.entered[name] = device_id

    @property
    def related(self) -> int:
        """How many devices of the fleet, from the first one, have their relationships."""
        return self._stored.related

    @related.setter
    def related(self, count: int) -> None:
        self._stored.related = count

    def missing(self, fleet: Fleet) -> list[int]:
        """Return the indices of the fleet's devices without a key."""
        return [index for index in range(fleet.count) if index not in self._stored.devices]

    def save(self) -> None:
        """Write the file with mode 0600, whole or not at all."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=self.path.parent, prefix=".fleet-")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(msgspec.json.encode(self._stored))
            Path(name).replace(self.path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
