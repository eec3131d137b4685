"""Identity providers, the accounts that they know, and sign-ins under way."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from fleetkeeper.database.base import Base, Keyed, Timestamped


class IdentityProvider(Keyed, Timestamped, Base):
    """An OpenID Connect provider that people may sign in through."""

    __tablename__ = "identity_providers"
    __table_args__ = (CheckConstraint("preset IN ('generic', 'entra', 'google')", name="preset"),)

    # In the addresses of the flow: /sign-in/oidc/<slug>.
    slug: Mapped[str] = mapped_column(String(50), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    preset: Mapped[str] = mapped_column(String(20), server_default="generic")
    issuer: Mapped[str] = mapped_column(String(500))
    client_id: Mapped[str] = mapped_column(String(300))
    # Sealed with the installation's key; never in clear.
    client_secret_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    scopes: Mapped[str] = mapped_column(String(300), server_default="openid email profile")
    groups_claim: Mapped[str] = mapped_column(String(100), server_default="groups")
    # Google's `hd`: only accounts of this organization may come in.
    hosted_domain: Mapped[str | None] = mapped_column(String(255))
    # The claim that equals the external id of accounts made by SCIM, which then belong to this provider.
    scim_claim: Mapped[str | None] = mapped_column(String(100))
    enabled: Mapped[bool] = mapped_column(server_default="true")
    # Whether somebody without an account gets one at their first sign-in.
    creates_users: Mapped[bool] = mapped_column(server_default="true")
    # How long the groups that the provider told are believed without asking again (seconds).
    recheck_seconds: Mapped[int] = mapped_column(server_default="60")


class UserIdentity(Keyed, Base):
    """The account of a provider's user: issuer and subject, never the mail address."""

    __tablename__ = "user_identities"
    __table_args__ = (UniqueConstraint("issuer", "subject"),)

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    provider_id: Mapped[UUID] = mapped_column(
        ForeignKey("identity_providers.id", ondelete="CASCADE"), index=True
    )
    issuer: Mapped[str] = mapped_column(String(500))
    subject: Mapped[str] = mapped_column(String(300))
    email: Mapped[str | None] = mapped_column(String(255))
    created_at: Mapped[datetime]
    last_login: Mapped[datetime | None]


class OidcFlow(Keyed, Base):
    """A sign-in that went to a provider and has not come back. Bound to the browser by a cookie."""

    __tablename__ = "oidc_flows"

    provider_id: Mapped[UUID] = mapped_column(
        ForeignKey("identity_providers.id", ondelete="CASCADE"), index=True
    )
    state_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    browser_hash: Mapped[bytes] = mapped_column(LargeBinary)
    # Nonce and PKCE verifier, sealed with the installation's key.
    secrets_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    next_path: Mapped[str] = mapped_column(String(2000), server_default="/")
    expires_at: Mapped[datetime] = mapped_column(index=True)
