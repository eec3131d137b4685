"""Settings of alerts: where rule files come from."""

from pathlib import Path

from pydantic import BaseModel, Field


class AlertSettings(BaseModel):
    """A folder of Prometheus rule files."""

    rule_files: Path | None = Field(
        default=None,
        description="Folder with Prometheus rule files (`*.yml`, `*.yaml`), which are imported whenever they change.",
    )
