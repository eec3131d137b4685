"""What the doors of the audit log answer."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, field_validator

from fleetkeeper.kit.pagination import PageOf


class AuditEntryRead(BaseModel):
    """One change of one row, or one event."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    timestamp: datetime
    action: str = Field(description="What was done, such as devices.update or session.sign_in")
    actor_kind: str = Field(description="user, token, device, job or command; database is somebody with SQL")
    actor_name: str
    user_id: UUID | None
    token_id: UUID | None
    session_id: UUID | None
    device_id: UUID | None = Field(description="The device that it was done to, or that did it")
    resource_type: str
    record_id: str | None
    record_name: str | None
    old_values: dict[str, Any] | None
    new_values: dict[str, Any] | None
    details: dict[str, Any] | None
    ip_address: str | None
    user_agent: str | None
    request_id: str | None
    change_reason: str | None

    @field_validator("ip_address", mode="before")
    @classmethod
    def _plain_address(cls, value: object) -> str | None:
        """The driver reads addresses as objects."""
        return None if value is None else str(value)


class AuditPage(BaseModel):
    """One page of entries."""

    count: int
    count_is_exact: bool = Field(description="False where there are more than `count`")
    next: str | None
    previous: str | None
    results: list[AuditEntryRead]


class SealRead(BaseModel):
    """One seal. Keep the newest `seal_hash` elsewhere: with it a check finds out when seals were removed."""

    model_config = ConfigDict(from_attributes=True)

    number: int
    sealed_at: datetime
    from_transaction: int
    to_transaction: int
    entries: int
    merkle_root: str
    previous_hash: str
    seal_hash: str


class SealPage(PageOf[SealRead]):
    """One page of seals."""


class SealsMade(BaseModel):
    """The seals that were made now."""

    seals: list[SealRead]


class FindingRead(BaseModel):
    """Something that is not as it was sealed."""

    kind: str
    message: str
    seal: int | None
    entry: int | None
    timestamp: datetime | None
    action: str | None
    actor: str | None
    resource: str | None


class VerificationRead(BaseModel):
    """The outcome of the last check of the whole log."""

    checked_at: datetime
    sound: bool
    seals: int
    entries: int
    archived_entries: int
    expired_entries: int
    unsealed_entries: int
    newest_seal: int
    newest_hash: str
    findings: list[FindingRead]


class AuditState(BaseModel):
    """Where the log stands: the newest genuine seal and the last check, if there was one."""

    newest_seal: SealRead | None
    sealing: Literal["current", "behind", "stopped"] = Field(
        description="`behind` when the oldest entry without a seal is older than 5 minutes, `stopped` when the chain "
        "of seals is damaged"
    )
    sealing_problem: str = Field(description="Why sealing is behind or stopped; empty while it is current")
    unsealed_entries: int = Field(
        description="Entries that no genuine seal has yet, counted up to 100,000; the worker seals each minute"
    )
    oldest_unsealed_at: datetime | None
    verification: VerificationRead | None
    is_verifying: bool = Field(description="Whether a check waits or runs")
