"""Who there is and who may do what: users, groups, roles, departments, memberships, sessions and API tokens."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    Computed,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import CIDR, INET
from sqlalchemy.orm import Mapped, mapped_column

import fleetkeeper.identity.words  # noqa: F401 - declares what the log and constraints are called
from fleetkeeper.database.base import Base, Keyed, Numbered, Timestamped


class User(Keyed, Timestamped, Base):
    """A person with an account. What they may do stands in memberships, of their own and of their groups."""

    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint("source IN ('local', 'oidc', 'scim')", name="source"),
        CheckConstraint("theme IN ('auto', 'light', 'dark')", name="theme"),
        CheckConstraint("role IN ('admin', 'operator', 'viewer')", name="role"),
        Index("ix_users_role", "role"),
        Index("uq_users_username_lower", text("lower(username)"), unique=True),
        Index("ix_users_email_lower", text("lower(email)")),
        Index("uq_users_external_id", "external_id", unique=True),
    )

    username: Mapped[str] = mapped_column(String(100), unique=True)
    email: Mapped[str | None] = mapped_column(String(255), unique=True)
    name: Mapped[str] = mapped_column(String(255), server_default="")
    password_hash: Mapped[str | None] = mapped_column(String(255))
    password_changed_at: Mapped[datetime | None]
    enabled: Mapped[bool] = mapped_column(server_default="true")
    last_login: Mapped[datetime | None]
    # Counted by the database with each change of what people edit.
    version: Mapped[int] = mapped_column(server_default="1")
    # Who made the account: an administrator, a first sign-in through a provider, or SCIM.
    source: Mapped[str] = mapped_column(String(10), server_default="local")
    # The name that a SCIM client knows the user by.
    external_id: Mapped[str | None] = mapped_column(String(255))
    # What else it said of the user, in its own words.
    scim_attributes: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    # An IANA name; without one the browser's own zone holds.
    time_zone: Mapped[str | None] = mapped_column(String(64))
    theme: Mapped[str] = mapped_column(String(10), server_default="auto")
    # What the documents have in one column each, for those who read by SQL; triggers keep them.
    role: Mapped[str] = mapped_column(String(20), server_default="viewer", deferred=True)
    oauth_provider: Mapped[str] = mapped_column(String(100), server_default="local", deferred=True)
    oauth_id: Mapped[str | None] = mapped_column(String(300), deferred=True)
    is_active: Mapped[bool | None] = mapped_column(Computed("enabled", persisted=True), deferred=True)


class Department(Keyed, Numbered, Timestamped, Base):
    """A part of the organization. Departments are a tree, and devices belong to one."""

    __tablename__ = "departments"
    __table_args__ = (
        UniqueConstraint("parent_id", "name", postgresql_nulls_not_distinct=True),
        CheckConstraint("parent_id <> id", name="not_its_own_parent"),
    )

    name: Mapped[str] = mapped_column(String(255))
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("departments.id"))
    description: Mapped[str] = mapped_column(Text, server_default="")
    # Counted by the database with each change of what people edit.
    version: Mapped[int] = mapped_column(server_default="1")
    # Has the role `manager` in this department and all below it.
    manager_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)


class Role(Keyed, Timestamped, Base):
    """A named set of permissions. The built-in ones cannot be changed."""

    __tablename__ = "roles"

    name: Mapped[str] = mapped_column(String(100), unique=True)
    description: Mapped[str] = mapped_column(Text, server_default="")
    is_builtin: Mapped[bool] = mapped_column(server_default="false")
    # Counted by the database with each change of what people edit.
    version: Mapped[int] = mapped_column(server_default="1")
    # Whoever has the role must sign in with a second factor.
    requires_second_factor: Mapped[bool] = mapped_column(server_default="false")


class RolePermission(Keyed, Base):
    """One permission of a role."""

    __tablename__ = "role_permissions"
    __table_args__ = (UniqueConstraint("role_id", "permission"),)

    role_id: Mapped[UUID] = mapped_column(ForeignKey("roles.id", ondelete="CASCADE"))
    permission: Mapped[str] = mapped_column(String(100))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Group(Keyed, Timestamped, Base):
    """People who get memberships together. A group of a provider has the members that the provider says."""

    __tablename__ = "groups"
    __table_args__ = (
        UniqueConstraint("provider_id", "name", postgresql_nulls_not_distinct=True),
        Index("uq_groups_external_id", "external_id", unique=True),
        CheckConstraint("source IN ('local', 'oidc', 'scim')", name="source"),
    )

    name: Mapped[str] = mapped_column(String(255))
    description: Mapped[str] = mapped_column(Text, server_default="")
    source: Mapped[str] = mapped_column(String(10), server_default="local")
    provider_id: Mapped[UUID | None] = mapped_column(ForeignKey("identity_providers.id", ondelete="CASCADE"))
    # Counted by the database with each change of what people edit.
    version: Mapped[int] = mapped_column(server_default="1")
    external_id: Mapped[str | None] = mapped_column(String(255))


class GroupMember(Base):
    """A user in a group."""

    __tablename__ = "group_members"

    group_id: Mapped[UUID] = mapped_column(ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Membership(Keyed, Base):
    """A role for a user or a group: in a department and all below it, or everywhere."""

    __tablename__ = "memberships"
    __table_args__ = (
        CheckConstraint("num_nonnulls(user_id, group_id) = 1", name="one_holder"),
        UniqueConstraint(
            "user_id", "group_id", "role_id", "department_id", postgresql_nulls_not_distinct=True
        ),
    )

    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    group_id: Mapped[UUID | None] = mapped_column(ForeignKey("groups.id", ondelete="CASCADE"), index=True)
    role_id: Mapped[UUID] = mapped_column(ForeignKey("roles.id"), index=True)
    department_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("departments.id", ondelete="CASCADE"), index=True
    )
    assigned_at: Mapped[datetime] = mapped_column(server_default=func.now())
    assigned_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))


class BrowserSession(Keyed, Base):
    """A signed-in browser. The cookie holds a secret of which only the hash is stored."""

    __tablename__ = "sessions"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    csrf_token: Mapped[str] = mapped_column(String(64))
    address: Mapped[str | None] = mapped_column(INET)
    user_agent: Mapped[str] = mapped_column(String(300), server_default="")
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime]
    # Serves the removal of sessions that have ended.
    expires_at: Mapped[datetime] = mapped_column(index=True)
    # `password`, `passkey` or `oidc`.
    method: Mapped[str] = mapped_column(String(20), server_default="password")
    has_second_factor: Mapped[bool] = mapped_column(server_default="false")
    # Of a session through a provider: whom to ask whether the user's groups still hold, and when that was last done.
    provider_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("identity_providers.id", ondelete="CASCADE"), index=True
    )
    provider_tokens: Mapped[bytes | None] = mapped_column(LargeBinary)
    provider_checked_at: Mapped[datetime | None]
    # Set before the provider is asked, so that of parallel requests one asks.
    provider_asked_at: Mapped[datetime | None]
    # When the user last proved again who they are; factors change only soon after that.
    confirmed_at: Mapped[datetime | None]


class ApiToken(Keyed, Base):
    """A token for scripts: at most its user's permissions, or fewer. Only the hash is stored."""

    __tablename__ = "api_tokens"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(100))
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    # After a rotation the secret before it works for a while longer.
    previous_secret_hash: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    previous_expires_at: Mapped[datetime | None]
    # None of these three limits anything when it is NULL.
    permissions: Mapped[list[Any] | None]
    departments: Mapped[list[UUID] | None] = mapped_column(ARRAY(Uuid()))
    allowed_networks: Mapped[list[str] | None] = mapped_column(ARRAY(CIDR))
    created_at: Mapped[datetime]
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    last_used_address: Mapped[str | None] = mapped_column(INET)


class Installation(Base):
    """One row, made with the first administrator: it closes the first-run door for good."""

    __tablename__ = "installation"
    __table_args__ = (CheckConstraint("only_one", name="only_one"),)

    only_one: Mapped[bool] = mapped_column(primary_key=True, server_default="true")
    instance_id: Mapped[UUID]
    installed_at: Mapped[datetime] = mapped_column(server_default=func.now())


class DatabaseReader(Base):
    """A login of the database that was made for Grafana, a notebook or a collector, and what it may see."""

    __tablename__ = "database_readers"

    login: Mapped[str] = mapped_column(String(63), primary_key=True)
    # `data_collector`, `dashboard_readonly` or `analyst`, the roles of document 002.
    database_role: Mapped[str] = mapped_column(String(63))
    # Every device, or those of a department; nothing once that department is gone.
    sees_all: Mapped[bool] = mapped_column(server_default="false")
    department_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("departments.id", ondelete="SET NULL"), index=True
    )
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
