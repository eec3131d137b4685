"""A device in lists, and the parts of its page that have templates of their own."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from fleetkeeper.console.contexts.panels import Tag
from fleetkeeper.devices.schemas import DeviceRead


@dataclass(frozen=True)
class DeviceRow:
    """A device in a list; `status` tells stale from online."""

    id: UUID
    name: str
    hostname: str
    status: str
    device_type: str
    system: str
    cpu: float | None
    memory: float | None
    disk: float | None
    last_seen: datetime | None
    department: str


@dataclass(frozen=True)
class CollectorRow:
    """Whether one of the agent's collectors works; `tone` colors the state."""

    name: str
    status: str
    reason: str
    tone: str


@dataclass(frozen=True)
class Section:
    """Charts under one heading."""

    id: str
    title: str
    # Until a script finds that there is something to show.
    is_hidden: bool = False


@dataclass(frozen=True)
class Figure:
    """One of the big numbers: the newest value of a channel."""

    title: str
    channel: str
    unit: str
    is_rate: bool = False


@dataclass(frozen=True)
class ProcessColumn:
    """A column of the process table; `key` is what it sorts by."""

    key: str
    title: str
    css: str = ""


@dataclass(frozen=True)
class DeviceHead:
    """The head of a device's page; scripts fill in what changes by the second."""

    device: DeviceRead
    status: str
    addresses: tuple[str, ...]
    department: str
    tags: tuple[Tag, ...]
    may_explore: bool


@dataclass(frozen=True)
class DeviceCharts:
    """Figures and charts, which scripts draw; `collectors_json` says why some are empty."""

    device_id: UUID
    figures: tuple[Figure, ...]
    sections: tuple[Section, ...]
    collectors_json: str


@dataclass(frozen=True)
class NeverReported:
    """What to do about a device that has sent nothing."""

    name: str
    may_enroll: bool
    may_connect: bool
    is_seen_by_host: bool
    # Nobody expects reports of what a person entered.
    is_entered: bool


@dataclass(frozen=True)
class DeviceProcesses:
    """The table of processes, which a script fills."""

    device_id: UUID
    process_columns: tuple[ProcessColumn, ...]


@dataclass(frozen=True)
class FileSystems:
    """The table of file systems, which a script fills."""

    device_id: UUID


@dataclass(frozen=True)
class StateBefore:
    """What a state was before, newest first."""

    before: tuple[tuple[datetime, str], ...]
