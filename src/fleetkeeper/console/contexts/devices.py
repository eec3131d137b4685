"""The list of devices and the page of one."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from fleetkeeper.console.contexts.notes import Notes
from fleetkeeper.console.contexts.panels import EntryForm, Panel, Tag
from fleetkeeper.console.contexts.shell import Shell
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
class Choice:
    """One value of a filter."""

    value: str
    label: str


@dataclass(frozen=True)
class Section:
    """A part of the device page: charts, or a template of its own."""

    id: str
    title: str
    template: str = ""
    # Until a script finds that there is something to show.
    is_hidden: bool = False

    @property
    def has_charts(self) -> bool:
        """Whether scripts fill the section with charts."""
        return not self.template


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
class InterfaceRow:
    """A network interface as the agent reported it."""

    name: str
    mac_address: str
    addresses: tuple[str, ...]
    speed: str
    is_up: bool | None


@dataclass(frozen=True)
class SessionRow:
    """Someone who is or was logged in at the machine."""

    username: str
    terminal: str
    host: str
    started_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True)
class StateRow:
    """A text or truth value of a device, since when it is so, and what it was before, newest first."""

    name: str
    value: str
    since: datetime
    before: tuple[tuple[datetime, str], ...]


@dataclass(frozen=True)
class CollectorRow:
    """Whether one of the agent's collectors works; `tone` colors the state."""

    name: str
    status: str
    reason: str
    tone: str


@dataclass(frozen=True)
class Fact:
    """One line of a list of facts: a text, or a time in a style of the `moment` macro."""

    label: str
    text: str = ""
    at: datetime | None = None
    style: str = "exact"


@dataclass(frozen=True)
class FactGroup:
    """Facts under one heading."""

    title: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True)
class DevicePage:
    """Everything about one device; scripts fill in what changes by the second."""

    shell: Shell
    # Nothing came in the minutes after it was made known.
    never_reported: bool
    device: DeviceRead
    status: str
    addresses: tuple[str, ...]
    figures: tuple[Figure, ...]
    sections: tuple[Section, ...]
    process_columns: tuple[ProcessColumn, ...]
    interfaces: tuple[InterfaceRow, ...]
    login_sessions: tuple[SessionRow, ...]
    states: tuple[StateRow, ...]
    collectors: tuple[CollectorRow, ...]
    collectors_json: str
    fact_groups: tuple[FactGroup, ...]
    department: str
    # For those who may change the device.
    edit_form: EntryForm | None
    tags: tuple[Tag, ...]
    tags_form: EntryForm | None
    fields: tuple[Panel, ...]
    files: tuple[Panel, ...]
    notes: Notes
    delete_form: EntryForm | None
    csrf_token: str
