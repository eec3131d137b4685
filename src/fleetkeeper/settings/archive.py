"""Settings of the telemetry archive: where its Parquet files are."""

from pathlib import Path

from pydantic import BaseModel, Field, SecretStr


class ArchiveSettings(BaseModel):
    """A folder of this machine, or a bucket of an S3-like store."""

    path: Path | None = Field(
        default=None, description="Folder of the files. Without it, `archive` in the home folder."
    )
    url: str | None = Field(
        default=None,
        pattern=r"^s3://[a-z0-9][a-z0-9.-]{1,62}(/[A-Za-z0-9_=-][A-Za-z0-9._=-]*)*/?$",
        description="Bucket and prefix for new files, such as `s3://bucket/fleet`, in place of a folder.",
    )
    endpoint: str | None = Field(
        default=None,
        pattern=r"^https?://[A-Za-z0-9.\[\]:-]+$",
        description="Address of the store when it is not Amazon's, such as `https://minio.example:9000`.",
    )
    region: str | None = Field(default=None, description="The bucket's region.")
    access_key_id: str | None = Field(
        default=None, description="Key id. Without it, the environment's or the machine's own credentials."
    )
    secret_access_key: SecretStr | None = Field(default=None, description="The secret of that key.")
    timeout_seconds: float = Field(
        default=20, ge=1, le=600, description="How long one request to the store may take (seconds)."
    )
    rows_per_file: int = Field(
        default=16_000_000, ge=1000, description="A file ends with the device that reaches so many samples."
    )
    devices_per_file: int = Field(default=500, ge=1, le=2000, description="Devices that one file may hold.")
