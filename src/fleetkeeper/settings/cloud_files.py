"""Settings of files of device requests: where they are on this server, and how much of them there may be."""

from pathlib import Path

from pydantic import BaseModel, Field

MEGABYTE = 1024 * 1024


class CloudFileSettings(BaseModel):
    """A folder that all processes share, and limits."""

    path: Path | None = Field(
        default=None,
        description="Folder for files of device requests: those on their way to a store, and those of local stores. "
        "Web processes and workers on several machines need a shared one. Default: `cloud-files` in the home folder.",
    )
    max_file_megabytes: int = Field(
        default=100, ge=1, le=1024, description="Largest file of a device request (MiB); 413 beyond."
    )
    max_files_per_request: int = Field(
        default=50, ge=1, le=1000, description="Maximum number of files of one device request; 409 beyond."
    )
    max_local_megabytes: int = Field(
        default=10_240,
        ge=1,
        description="Maximum size of all files on this server (MiB): those that wait for their store, and those of "
        "local stores; 409 beyond.",
    )

    @property
    def max_file_bytes(self) -> int:
        """The largest file."""
        return self.max_file_megabytes * MEGABYTE
