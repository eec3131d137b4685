"""The keys of `config`, each with its type, bounds and default."""

from pydantic import BaseModel, ConfigDict, Field


class _Value(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Sampling(_Value):
    """How often agents measure."""

    interval_seconds: float = Field(
        default=5, ge=1, le=3600, description="Time between two snapshots (seconds)"
    )
    process_interval_seconds: float = Field(
        default=30, ge=5, le=86_400, description="Time between two lists of processes and sessions (seconds)"
    )
    inventory_interval_seconds: float = Field(
        default=3600,
        ge=60,
        le=604_800,
        description="Time between two inventories of hardware and system (seconds)",
    )


class Retention(_Value):
    """How long raw snapshots are kept."""

    days: int = Field(default=30, ge=1, le=3650, description="Days to keep raw samples")
    archive_enabled: bool = Field(default=True, description="Whether samples past that age are deleted")


class Features(_Value):
    """What agents collect besides the basics."""

    perf_events_enabled: bool = Field(default=True, description="Hardware performance counters, if available")
    gpu_enabled: bool = Field(default=True, description="Graphics processors, if available")
    processes_enabled: bool = Field(default=True, description="Top processes by CPU, memory and I/O")
    process_arguments_enabled: bool = Field(
        default=False, description="Arguments of processes, secrets masked"
    )
    sessions_enabled: bool = Field(default=True, description="Who is logged in")
    network_file_systems_enabled: bool = Field(
        default=False, description="Space on mounted network file systems"
    )


class AuditKeeping(_Value):
    """How long the audit log is kept, and where."""

    archive_after_months: int = Field(
        default=3,
        ge=2,
        le=120,
        description="Months after which a month of the log moves from the database to a file",
    )
    retention_months: int = Field(
        default=84, ge=12, le=1200, description="Months after which such a file is deleted"
    )


class AlertKeeping(_Value):
    """How long alerts are kept."""

    retention_days: int = Field(
        default=365, ge=28, le=3650, description="Days after which the weeks of resolved alerts are deleted"
    )


class DeviceRequests(_Value):
    """How requests of devices are taken on and answered."""

    duplicate_window_seconds: int = Field(
        default=300,
        ge=0,
        le=86_400,
        description="Seconds in which the same request of a device counts as one; 0 turns it off",
    )
    max_open_per_device: int = Field(
        default=100, ge=1, le=10_000, description="Open requests that one device may have"
    )
    confidence_threshold: float = Field(
        default=0.7,
        ge=0,
        le=1,
        description="Confidence below which an agent's answer waits for a person; 0 turns it off",
    )
    delivery_hours: int = Field(
        default=72, ge=1, le=8760, description="Hours after which a response that no device took has failed"
    )
    max_deliveries: int = Field(
        default=100,
        ge=1,
        le=10_000,
        description="Times that a response is handed to a device that does not acknowledge it",
    )
    retention_days: int = Field(
        default=90, ge=1, le=3650, description="Days after which requests that ended go into the archive"
    )


class Replenishment(_Value):
    """When parts are reordered, and how many."""

    service_level_percent: float = Field(
        default=95,
        ge=50,
        le=99.9,
        description="Chance that stock lasts until a delivery comes (percent); more means more in reserve",
    )
    review_days: int = Field(
        default=7, ge=1, le=365, description="Days that an order lasts beyond the reorder point"
    )
    default_lead_time_days: int = Field(
        default=14,
        ge=0,
        le=365,
        description="Days from order to delivery where none was measured and no supplier says",
    )
    dismissed_days: int = Field(
        default=30,
        ge=1,
        le=365,
        description="Days for which a dismissed proposal stays away, unless stock falls further",
    )


class ConfigValues(BaseModel):
    """All keys at once."""

    sampling: Sampling = Field(default_factory=Sampling)
    retention: Retention = Field(default_factory=Retention)
    features: Features = Field(default_factory=Features)
    audit: AuditKeeping = Field(default_factory=AuditKeeping)
    alerts: AlertKeeping = Field(default_factory=AlertKeeping)
    requests: DeviceRequests = Field(default_factory=DeviceRequests)
    replenishment: Replenishment = Field(default_factory=Replenishment)
