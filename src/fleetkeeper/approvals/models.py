"""Rules, requests, decisions, and who stands in for whom."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, Index, Integer, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

import fleetkeeper.approvals.words  # noqa: F401 - declares what the log and constraints are called
from fleetkeeper.database.base import Base, Keyed, Timestamped


class ApprovalRule(Keyed, Timestamped, Base):
    """When an action of a kind needs approval, and by whom. The first that fits applies, in the order of positions."""

    __tablename__ = "approval_rules"
    __table_args__ = (
        CheckConstraint("mode IN ('sequence', 'together')", name="mode"),
        Index("ix_approval_rules_kind", "kind", "position", "id"),
        Index("ix_approval_rules_department_id", "department_id"),
    )

    name: Mapped[str] = mapped_column(String(100), unique=True)
    kind: Mapped[str] = mapped_column(String(80))
    enabled: Mapped[bool] = mapped_column(server_default="true")
    # Only actions in this department and those below it; all without one.
    department_id: Mapped[UUID | None] = mapped_column(ForeignKey("departments.id", ondelete="CASCADE"))
    # Only actions of at least this amount, in the kind's unit.
    threshold: Mapped[float | None]
    position: Mapped[int] = mapped_column(server_default="0")
    mode: Mapped[str] = mapped_column(String(10), server_default="sequence")
    # Each with `users`, `groups`, `roles` (ids) and `minimum`.
    levels: Mapped[list[Any]]
    expires_hours: Mapped[int] = mapped_column(server_default="72")
    # After so many hours those of `escalation` may decide, too.
    escalation_hours: Mapped[int | None]
    escalation: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    version: Mapped[int] = mapped_column(server_default="1")


class ApprovalRequest(Keyed, Base):
    """An action that waits for approval, with all that is needed to carry it out."""

    __tablename__ = "approval_requests"
    __table_args__ = (
        CheckConstraint(
            "status IN ('pending', 'approved', 'rejected', 'expired', 'cancelled', 'superseded', 'applied', 'failed')",
            name="status",
        ),
        # The same is not asked for twice.
        Index(
            "uq_approval_requests_pending",
            "requester_id",
            "digest",
            unique=True,
            postgresql_where=text("status = 'pending'"),
        ),
        Index("ix_approval_requests_subject", "subject_id", "subject_type"),
        Index("ix_approval_requests_open", "expires_at", postgresql_where=text("status = 'pending'")),
        Index("ix_approval_requests_requested_at", "requested_at", "id"),
        Index("ix_approval_requests_requester_id", "requester_id", "requested_at"),
        Index("ix_approval_requests_department_id", "department_id"),
        Index("ix_approval_requests_supersedes_id", "supersedes_id"),
        Index("ix_approval_requests_approvers", "approvers", postgresql_using="gin"),
    )

    kind: Mapped[str] = mapped_column(String(80))
    subject_type: Mapped[str] = mapped_column(String(63))
    subject_id: Mapped[str] = mapped_column(String(100))
    subject_label: Mapped[str] = mapped_column(String(255))
    subject_href: Mapped[str] = mapped_column(String(500), server_default="")
    # Pairs of label and text.
    facts: Mapped[list[Any]] = mapped_column(server_default="[]")
    payload: Mapped[dict[str, Any]]
    # Of kind, subject and payload: SHA-256 in hexadecimal.
    digest: Mapped[str] = mapped_column(String(64))
    amount: Mapped[float]
    department_id: Mapped[UUID | None] = mapped_column(ForeignKey("departments.id", ondelete="SET NULL"))
    requester_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    requester_name: Mapped[str] = mapped_column(String(255))
    reason: Mapped[str] = mapped_column(String(500))
    # As it was when it applied.
    rule: Mapped[dict[str, Any]]
    status: Mapped[str] = mapped_column(String(10), server_default="pending")
    # Keys of all who may decide on some level, and of those whom it waits for now: `user:<id>`, `group:…`, `role:…`.
    approvers: Mapped[list[str]] = mapped_column(ARRAY(String(60)))
    waits_for: Mapped[list[str]] = mapped_column(ARRAY(String(60)))
    # The levels that lack approvals now.
    open_levels: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    supersedes_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("approval_requests.id", ondelete="SET NULL")
    )
    requested_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    expires_at: Mapped[datetime]
    # When approvers are reminded, and others may decide, too; neither once that is done.
    reminds_at: Mapped[datetime | None]
    escalates_at: Mapped[datetime | None]
    is_escalated: Mapped[bool] = mapped_column(server_default="false")
    decided_at: Mapped[datetime | None]
    # Why it could not be carried out.
    problem: Mapped[str] = mapped_column(String(500), server_default="")


class ApprovalDecision(Keyed, Base):
    """What one person decided on one level of a request. Never changed."""

    __tablename__ = "approval_decisions"
    __table_args__ = (
        CheckConstraint("decision IN ('approve', 'reject')", name="decision"),
        UniqueConstraint("request_id", "level", "user_id"),
        Index("ix_approval_decisions_user_id", "user_id"),
        Index("ix_approval_decisions_on_behalf_of_id", "on_behalf_of_id"),
    )

    request_id: Mapped[UUID] = mapped_column(ForeignKey("approval_requests.id", ondelete="CASCADE"))
    # From 0 on.
    level: Mapped[int]
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    user_name: Mapped[str] = mapped_column(String(255))
    # Whom the user stood in for.
    on_behalf_of_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    on_behalf_of_name: Mapped[str] = mapped_column(String(255), server_default="")
    decision: Mapped[str] = mapped_column(String(10))
    comment: Mapped[str] = mapped_column(String(500), server_default="")
    decided_at: Mapped[datetime] = mapped_column(server_default=text("now()"))


class ApprovalDelegation(Keyed, Base):
    """One person decides for another for a while."""

    __tablename__ = "approval_delegations"
    __table_args__ = (
        CheckConstraint("from_user_id <> to_user_id", name="another"),
        CheckConstraint("ends_at > starts_at", name="period"),
        Index("ix_approval_delegations_from_user_id", "from_user_id"),
        Index("ix_approval_delegations_to_user_id", "to_user_id", "ends_at"),
    )

    from_user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    to_user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
