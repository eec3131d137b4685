"""What is said of an export."""

from pydantic import BaseModel


class ExportDone(BaseModel):
    """A written file."""

    file: str
    bytes: int
    series: int
    devices: int
