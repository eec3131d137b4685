"""The bodies of the agent's requests and of the server's answers, as msgspec structs.

All times are epoch seconds (UTC) as floats. Lists have upper bounds that the server enforces as well.
"""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

ShortText = Annotated[str, Meta(max_length=300)]
LongText = Annotated[str, Meta(max_length=4000)]
# As far as the columns go that hold them.
Count = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Size = Annotated[int, Meta(ge=0, le=2**63 - 1)]


class EnrollRequest(Struct):
    """`POST /api/v1/enroll`.

    `identities` is evidence of who the machine is: `agent_id`, `machine_id`, `smbios_uuid`, `serial`, `mac` (several
    separated by commas), `fqdn`.
    """

    token: Annotated[str, Meta(min_length=1, max_length=200)]
    hostname: Annotated[str, Meta(min_length=1, max_length=255)]
    identities: dict[ShortText, ShortText] = msgspec.field(default_factory=dict)


class EnrollResponse(Struct):
    """The key is shown once; the agent keeps it in a file that only it can read."""

    device_id: str
    device_key: str
    # What to know, for people; empty where there is nothing.
    note: str = ""


class Frame(Struct, omit_defaults=True):
    """One snapshot of a device: channel -> value. A missing channel is missing, not zero.

    `states` are texts and truth values by channel; one that is left out is as it was.
    """

    ts: float
    values: dict[str, float]
    states: dict[str, str | bool] | UnsetType = UNSET


class TelemetryBatch(Struct):
    """`POST /api/v1/telemetry`."""

    frames: list[Frame]
    batch_id: str | None = None


class RejectedFrame(Struct):
    """A frame that was not stored, its place in the batch, the field at fault and the reason."""

    index: int
    field: str
    error: str


class TelemetryAccepted(Struct, omit_defaults=True):
    """The answer once the frames are durable."""

    accepted: int
    duplicates: int
    rejected: list[RejectedFrame] = msgspec.field(default_factory=list)


class AgentConfig(Struct):
    """`GET /api/v1/agent/config`, with an ETag.

    The same tag stands in the `Fleetkeeper-Config` header of each answer to telemetry, so that an agent learns of a
    change at its next frame.
    """

    interval_seconds: float
    process_interval_seconds: float
    inventory_interval_seconds: float
    features: dict[str, bool]
    protocol_version: int = 1


class Process(Struct):
    """One process at one moment. Rates are over the time since the previous snapshot."""

    pid: int
    name: ShortText
    username: ShortText = ""
    command: LongText = ""
    cpu_percent: float = 0.0
    memory_bytes: int = 0
    memory_percent: float = 0.0
    read_bytes_per_second: float | None = None
    write_bytes_per_second: float | None = None


class ProcessSnapshot(Struct):
    """The top processes by processor, memory and I/O, merged."""

    ts: float
    processes: Annotated[list[Process], Meta(max_length=100)]


class ProcessReport(Struct):
    """`POST /api/v1/telemetry/processes`."""

    snapshots: Annotated[list[ProcessSnapshot], Meta(max_length=1000)]


class LoginSession(Struct):
    """A user who is logged in at a machine. `started_at` with user, terminal and host identifies it."""

    username: ShortText
    started_at: float
    terminal: ShortText = ""
    host: ShortText = ""


class SessionReport(Struct):
    """`POST /api/v1/telemetry/sessions`: all sessions at `ts`. One that is no longer listed has ended."""

    ts: float
    sessions: Annotated[list[LoginSession], Meta(max_length=1000)]


class NetworkInterface(Struct):
    """One network interface as the operating system names it."""

    name: ShortText
    mac_address: ShortText = ""
    ip_addresses: Annotated[list[ShortText], Meta(max_length=200)] = msgspec.field(default_factory=list)
    speed_mbps: Count | None = None
    is_up: bool | None = None


class Inventory(Struct):
    """Hardware and operating system. None means that the machine does not tell."""

    hostname: ShortText
    fqdn: ShortText | None = None
    domain: ShortText | None = None
    os_name: ShortText | None = None
    os_version: ShortText | None = None
    os_build: ShortText | None = None
    kernel: ShortText | None = None
    architecture: ShortText | None = None
    manufacturer: ShortText | None = None
    model: ShortText | None = None
    serial_number: ShortText | None = None
    smbios_uuid: ShortText | None = None
    machine_id: ShortText | None = None
    virtualization: ShortText | None = None
    cpu_model: ShortText | None = None
    cpu_cores: Count | None = None
    cpu_threads: Count | None = None
    memory_total_bytes: Size | None = None
    gpu_models: Annotated[list[ShortText], Meta(max_length=100)] = msgspec.field(default_factory=list)
    boot_time: Annotated[float, Meta(ge=0, lt=253_402_300_800)] | None = None
    agent_version: ShortText | None = None
    capabilities: Annotated[dict[ShortText, bool], Meta(max_length=200)] = msgspec.field(default_factory=dict)
    interfaces: Annotated[list[NetworkInterface], Meta(max_length=500)] = msgspec.field(default_factory=list)


class CollectorStatus(Struct):
    """Whether a collector works on this machine, and if not, why, in words for people."""

    name: ShortText
    status: ShortText
    reason: LongText = ""


class InventoryReport(Struct):
    """`POST /api/v1/agent/inventory`: on start, on change of a collector's status, and on the slow cadence."""

    inventory: Inventory
    collectors: Annotated[list[CollectorStatus], Meta(max_length=100)] = msgspec.field(default_factory=list)
