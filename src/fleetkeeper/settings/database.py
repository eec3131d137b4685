"""Settings of the database."""

from pydantic import BaseModel, Field, SecretStr


class DatabaseSettings(BaseModel):
    """Which PostgreSQL to use, and how many connections to it."""

    url: SecretStr | None = Field(
        default=None,
        description="Your own PostgreSQL 16 or newer, as `postgresql://user:password@host/name`. Without it the "
        "embedded server in the home folder is used.",
    )
    app_url: SecretStr | None = Field(
        default=None,
        description="How the web and worker processes log in: as `fleetkeeper_app`, a role that owns nothing. Without "
        "it they take the password from `app-database-password` in the home folder, which `fleetkeeper db migrate` "
        "writes.",
    )
    audit_url: SecretStr | None = Field(
        default=None,
        description="How the audit log is sealed and archived: as `fleetkeeper_audit_keeper`, a role that does nothing "
        "else. Without it the password is in `audit-keeper-password` in the home folder, which `fleetkeeper db "
        "migrate` writes.",
    )
    pool_size: int = Field(
        default=8, ge=1, le=200, description="Connections per web process for pages and API."
    )
    statement_timeout_seconds: int = Field(
        default=30,
        ge=1,
        le=3600,
        description="Longest that one statement of a page or API call may run (seconds).",
    )
    reader_transaction_minutes: int = Field(
        default=15,
        ge=1,
        le=1440,
        description="Longest that a transaction of a login made by `fleetkeeper db grant` may last (minutes). The "
        "worker ends older ones: what they look at can be neither archived nor cleaned up.",
    )
    memory_megabytes: int | None = Field(
        default=None,
        ge=128,
        description="Memory that the embedded server is tuned for (MiB). Default: half of the machine's.",
    )
