"""Settings of the database."""

from pydantic import BaseModel, Field, SecretStr


class DatabaseSettings(BaseModel):
    """Which PostgreSQL to use, and how many connections to it."""

    url: SecretStr | None = Field(
        default=None,
        description="Your own PostgreSQL 16 or newer, as `postgresql://user:password@host/name`. Default: the "
        "embedded server in the home folder.",
    )
    app_url: SecretStr | None = Field(
        default=None,
        description="URL with which web and worker processes log in as `fleetkeeper_app`, a role that owns nothing. "
        "Default: the password is read from `app-database-password` in the home folder, which `fleetkeeper db migrate` "
        "writes.",
    )
    audit_url: SecretStr | None = Field(
        default=None,
        description="URL with which `fleetkeeper_audit_keeper` logs in, the role that seals and archives the audit "
        "log. Default: the password is read from `audit-keeper-password` in the home folder, which `fleetkeeper db "
        "migrate` writes.",
    )
    pool_size: int = Field(
        default=8, ge=1, le=200, description="Database connections per web process for pages and API."
    )
    statement_timeout_seconds: int = Field(
        default=30,
        ge=1,
        le=3600,
        description="Timeout of one statement of a page or API call (seconds).",
    )
    reader_transaction_minutes: int = Field(
        default=15,
        ge=1,
        le=1440,
        description="Timeout of a transaction of a login created by `fleetkeeper db grant` (minutes). The "
        "worker ends older ones, because they keep data from being archived and cleaned up.",
    )
    memory_megabytes: int | None = Field(
        default=None,
        ge=128,
        description="Memory that the embedded server is tuned for (MiB). Default: half of the machine's memory.",
    )
