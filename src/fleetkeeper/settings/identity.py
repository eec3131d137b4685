"""Settings of sign-in and sessions."""

from pydantic import BaseModel, Field, SecretStr


class IdentitySettings(BaseModel):
    """How long a session lives and how often a sign-in may fail."""

    session_idle_minutes: int = Field(
        default=720,
        ge=5,
        le=43_200,
        description="A session ends after this time without a request (minutes).",
    )
    session_lifetime_hours: int = Field(
        default=168, ge=1, le=2160, description="A session ends after this time even if it is in use (hours)."
    )
    sign_in_attempts_per_minute: int = Field(
        default=10,
        ge=1,
        le=1000,
        description="Failed sign-ins per address and minute; 429 beyond.",
    )
    secret_key: SecretStr | None = Field(
        default=None,
        description="Key that encrypts secrets in the database: 32 bytes in base64. Required if several machines "
        "share a database. Default: one is generated and kept in `secret-key` in the home folder.",
    )
