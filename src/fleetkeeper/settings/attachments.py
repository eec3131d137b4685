"""Limits of files that people attach to objects."""

from pydantic import BaseModel, Field

MEGABYTE = 1024 * 1024


class AttachmentSettings(BaseModel):
    """How large files may be, and how much of them there may be."""

    max_file_megabytes: int = Field(
        default=10, ge=1, le=100, description="Largest file that can be attached (MiB); 413 beyond."
    )
    max_files_per_object: int = Field(
        default=100, ge=1, le=1000, description="Maximum number of files of one object; 409 beyond."
    )
    max_megabytes_per_object: int = Field(
        default=200, ge=1, description="Maximum size of all files of one object (MiB); 409 beyond."
    )
    max_total_megabytes: int = Field(
        default=10_240,
        ge=1,
        description="Maximum size of all files together (MiB); 409 beyond. The database stores them.",
    )

    @property
    def max_file_bytes(self) -> int:
        """The largest file."""
        return self.max_file_megabytes * MEGABYTE
