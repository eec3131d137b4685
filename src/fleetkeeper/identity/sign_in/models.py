"""The factors of an account, sign-ins that wait for a second one, and failed attempts."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from fleetkeeper.database.base import Base, Keyed


class TotpDevice(Keyed, Base):
    """An authenticator app of a user. Counts as a factor once a code from it was entered."""

    __tablename__ = "totp_devices"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), unique=True)
    # Sealed with the installation's key.
    secret_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    # The time step of the last code that was taken; none is taken twice.
    last_step: Mapped[int | None]


class Passkey(Keyed, Base):
    """A WebAuthn credential of a user."""

    __tablename__ = "passkeys"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(100))
    credential_id: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    # 32 bits without a sign, so it needs the larger type.
    sign_count: Mapped[int] = mapped_column(BigInteger, server_default="0")
    transports: Mapped[list[Any]] = mapped_column(server_default="[]")
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]


class RecoveryCode(Keyed, Base):
    """A code that stands in for a lost second factor, once. Only the hash is stored."""

    __tablename__ = "recovery_codes"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    code_hash: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class SignInChallenge(Keyed, Base):
    """A sign-in or an enrollment that waits for its next step. The browser holds a secret."""

    __tablename__ = "sign_in_challenges"

    # Without a user: a passkey that names its owner itself.
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    # `second_factor`, `passkey`, `passkey_enrolment` or `confirmation`.
    purpose: Mapped[str] = mapped_column(String(30))
    webauthn_challenge: Mapped[bytes | None] = mapped_column(LargeBinary)
    method: Mapped[str] = mapped_column(String(20), server_default="password")
    # Of a sign-in through a provider: what the session will keep of it.
    provider_id: Mapped[UUID | None] = mapped_column(ForeignKey("identity_providers.id", ondelete="CASCADE"))
    provider_tokens: Mapped[bytes | None] = mapped_column(LargeBinary)
    next_path: Mapped[str] = mapped_column(String(2000), server_default="/")
    attempts: Mapped[int] = mapped_column(server_default="0")
    expires_at: Mapped[datetime] = mapped_column(index=True)


class KnownBrowser(Keyed, Base):
    """A browser in which a user has signed in before; failures elsewhere do not slow it down."""

    __tablename__ = "known_browsers"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime] = mapped_column(index=True)


class SignInFailure(Keyed, Base):
    """A failed attempt: what it counts against (`address:…`, `account:…`, `browser:…`), and when."""

    __tablename__ = "sign_in_failures"
    __table_args__ = (Index("ix_sign_in_failures_bucket", "bucket", "failed_at"),)

    bucket: Mapped[str] = mapped_column(String(150))
    failed_at: Mapped[datetime] = mapped_column(index=True)
