"""Settings of the telemetry archive: where its Parquet files are."""

from pathlib import Path

from pydantic import BaseModel, Field, SecretStr


class ArchiveSettings(BaseModel):
    """A folder of this machine, or a bucket of an S3-like store."""

    path: Path | None = Field(
        default=None, description="Folder for archive files. Default: `archive` in the home folder."
    )
    url: str | None = Field(
        default=None,
        pattern=r"^s3://[a-z0-9][a-z0-9.-]{1,62}(/[A-Za-z0-9_=-][A-Za-z0-9._=-]*)*/?$",
        description="Bucket and prefix for new archive files, such as `s3://bucket/fleet`, instead of a folder.",
    )
    endpoint: str | None = Field(
        default=None,
        pattern=r"^https?://[A-Za-z0-9.\[\]:-]+$",
        description="URL of the S3-like store, such as `https://minio.example:9000`. Not needed for Amazon S3.",
    )
    region: str | None = Field(default=None, description="Region of the bucket.")
    access_key_id: str | None = Field(
        default=None, description="Access key ID. Default: the credentials of the environment or the machine."
    )
    secret_access_key: SecretStr | None = Field(default=None, description="Secret access key.")
    timeout_seconds: float = Field(
        default=20, ge=1, le=600, description="Timeout of one request to the store (seconds)."
    )
    rows_per_file: int = Field(
        default=16_000_000,
        ge=1000,
        description="Samples after which a new file is started; a device is never split.",
    )
    devices_per_file: int = Field(
        default=500, ge=1, le=2000, description="Maximum number of devices in one file."
    )
