"""What is stored of a rule of a file, and what the API says of an import."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field, field_validator

from fleetkeeper.alerts.rules.conditions import checked_expression
from fleetkeeper.alerts.rules.schemas import AlertRuleWrite, LabelName
from fleetkeeper.kit.patterns import shaped
from fleetkeeper.telemetry.own_series import UP
from fleetkeeper_protocol.metrics import BUILT_IN

# The file stands first in the key of each of its rules, up to the first slash.
_FILE = shaped(r"^[^/\x00-\x1f\x7f]+$", "be a file's name without folders, such as node.yml")
FileName = Annotated[str, Field(min_length=1, max_length=100, pattern=_FILE)]
GroupName = Annotated[str, Field(min_length=1, max_length=150)]


_Interval = Annotated[int, Field(ge=1, le=86_400)]


class _OfFile(BaseModel):
    """What rules of a file have from their group, which is their unit."""

    interval_seconds: _Interval = 60
    series_limit: int = Field(default=0, ge=0)
    query_offset_ms: int = Field(default=0, ge=0, le=7 * 86_400_000)
    origin_key: str
    unit: UUID
    position: int


class FileRuleWrite(_OfFile, AlertRuleWrite):
    """An alert rule of a file."""

    interval_seconds: _Interval = 60
    # Prometheus has no such thing.
    detects_flapping: bool = False
    origin: Literal["file"] = "file"


class RecordingRuleWrite(_OfFile):
    """A recording rule of a file."""

    name: str = Field(min_length=1, max_length=200)
    expr: str = Field(min_length=1, max_length=10_000)
    labels: dict[LabelName, Annotated[str, Field(max_length=300)]] = Field(default={}, max_length=30)

    _expr = field_validator("expr")(checked_expression)

    @field_validator("name")
    @classmethod
    def _check_name(cls, name: str) -> str:
        if name in BUILT_IN or name == UP:
            raise ValueError("Agents send a metric of this name; choose another name")
        return name


class Outcome(StrEnum):
    """What an import does with a rule."""

    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REMOVED = "removed"


class ImportedRule(BaseModel):
    """What becomes of one rule."""

    name: str
    outcome: Outcome
    changes: list[str] = Field(default=[], description="Fields that change")


class ImportedGroup(BaseModel):
    """What becomes of the rules of a group."""

    name: str
    rules: list[ImportedRule]


class RuleFileImport(BaseModel):
    """What an import did, or would do."""

    file: str
    dry_run: bool
    groups: list[ImportedGroup] = []
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0


class SyncedFile(RuleFileImport):
    """What became of a file of the server's folder."""

    error: str = Field(default="", description="Why its rules were left as they were")


class RuleFileRead(BaseModel):
    """A file of the server's folder."""

    name: str
    synced_at: datetime | None = Field(description="When its rules were last made the same")
    rules: int = Field(description="Rules that are stored of it")
    error: str = Field(description="Why the file, as it is now, is not imported; empty if it is")
