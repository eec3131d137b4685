"""Users, their browser sessions and their API tokens."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, String
from sqlalchemy.dialects.postgresql import INET
from sqlalchemy.orm import Mapped, mapped_column

from fleetkeeper.database.base import Base, Keyed, Timestamped


class User(Keyed, Timestamped, Base):
    """A person with an account."""

    __tablename__ = "users"
    __table_args__ = (CheckConstraint("role IN ('admin', 'viewer')", name="role"),)

    username: Mapped[str] = mapped_column(String(100), unique=True)
    email: Mapped[str | None] = mapped_column(String(255), unique=True)
    name: Mapped[str] = mapped_column(String(255), server_default="")
    password_hash: Mapped[str | None] = mapped_column(String(255))
    role: Mapped[str] = mapped_column(String(20), server_default="viewer")
    enabled: Mapped[bool] = mapped_column(server_default="true")
    last_login: Mapped[datetime | None]


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


class ApiToken(Keyed, Base):
    """A token for scripts, with its user's permissions. Only the hash is stored."""

    __tablename__ = "api_tokens"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(100))
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
