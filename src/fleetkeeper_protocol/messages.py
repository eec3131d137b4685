"""The bodies of the agent's requests and of the server's answers, as msgspec structs.

All times are epoch seconds (UTC) as floats. Lists have upper bounds that the server enforces as well.
"""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

ShortText = Annotated[str, Meta(max_length=300)]
LongText = Annotated[str, Meta(max_length=4000)]
# The longest inventory report as JSON, before it is compressed.
MOST_REPORT_BYTES = 1024 * 1024
# As far as the columns go that hold them.
Count = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Size = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Moment = Annotated[float, Meta(ge=0, lt=253_402_300_800)]
Texts = Annotated[list[ShortText], Meta(max_length=100)]


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


class InterfaceAddress(Struct):
    """An address of an interface with the length of its prefix, such as `10.0.0.5/24`.

    `scope` is global, link or host, in the words of iproute2.
    """

    address: ShortText
    scope: ShortText = ""


class NetworkInterface(Struct):
    """One network interface as the operating system names it.

    `kind` is physical, virtual, loopback, bridge, bond, vlan or wireless; empty from an agent that does not know.
    `addresses` is None from an agent that sends `ip_addresses` alone.
    """

    name: ShortText
    mac_address: ShortText = ""
    ip_addresses: Annotated[list[ShortText], Meta(max_length=200)] = msgspec.field(default_factory=list)
    speed_mbps: Count | None = None
    is_up: bool | None = None
    kind: ShortText = ""
    addresses: Annotated[list[InterfaceAddress], Meta(max_length=200)] | None = None
    vlan_id: Count | None = None
    # The interface that a VLAN lies on, and the bridge or bond that an interface is a member of.
    parent: ShortText | None = None
    master: ShortText | None = None
    mtu: Count | None = None
    driver: ShortText | None = None
    duplex: ShortText | None = None
    oper_state: ShortText | None = None
    permanent_mac_address: ShortText | None = None
    # Whether software chose the address in `mac_address`, so that it identifies no hardware.
    has_assigned_mac: bool | None = None


class Volume(Struct):
    """A mounted file system, or a block device that is not mounted itself; `name` identifies it within the machine.

    `kind` is filesystem, disk, logical_volume or other.
    """

    name: ShortText
    kind: ShortText
    mount_point: ShortText | None = None
    device: ShortText | None = None
    file_system: ShortText | None = None
    capacity_bytes: Size | None = None
    used_bytes: Size | None = None
    raid_level: ShortText | None = None
    is_thin: bool | None = None


class Component(Struct):
    """A piece of hardware, known by its kind and the slot in which it sits.

    `kind` is mainboard, chassis, bios, processor, memory, disk, network_card, gpu, power_supply, battery or other.
    """

    kind: ShortText
    slot: ShortText
    name: ShortText = ""
    manufacturer: ShortText | None = None
    model: ShortText | None = None
    serial_number: ShortText | None = None
    part_number: ShortText | None = None
    firmware: ShortText | None = None
    capacity_bytes: Size | None = None
    speed: ShortText | None = None
    extra: Annotated[dict[ShortText, ShortText], Meta(max_length=50)] = msgspec.field(default_factory=dict)


class Container(Struct):
    """A container that runs on the machine, as its control group names it; `process` is its first process."""

    runtime: ShortText
    container_id: ShortText
    process: ShortText = ""
    started_at: Moment | None = None


Fact = LongText | Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)] | float | bool | Texts


class Inventory(Struct):
    """Hardware and operating system. None means that the machine does not tell; an empty list that there is none.

    `facts` are what is true of the machine until somebody changes it, by names such as `kernel.release`.
    """

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
    boot_time: Moment | None = None
    agent_version: ShortText | None = None
    capabilities: Annotated[dict[ShortText, bool], Meta(max_length=200)] = msgspec.field(default_factory=dict)
    interfaces: Annotated[list[NetworkInterface], Meta(max_length=500)] = msgspec.field(default_factory=list)
    volumes: Annotated[list[Volume], Meta(max_length=500)] | None = None
    components: Annotated[list[Component], Meta(max_length=500)] | None = None
    facts: Annotated[dict[ShortText, Fact], Meta(max_length=200)] | None = None
    containers: Annotated[list[Container], Meta(max_length=500)] | None = None


class CollectorStatus(Struct):
    """Whether a collector works on this machine, and if not, why, in words for people."""

    name: ShortText
    status: ShortText
    reason: LongText = ""


class InventoryReport(Struct):
    """`POST /api/v1/agent/inventory`: on start, on change of a collector's status, and on the slow cadence.

    At most MOST_REPORT_BYTES; the agent leaves parts out (None) until its report is that small.
    """

    inventory: Inventory
    collectors: Annotated[list[CollectorStatus], Meta(max_length=100)] = msgspec.field(default_factory=list)
