"""What the API says of imports."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from fleetkeeper.devices.importing.files.table import LONGEST_HEADER, MOST_COLUMNS
from fleetkeeper.identity.texts import LongName
from fleetkeeper.kit.pagination import PageOf

FileName = LongName
IdentifyBy = Literal["id", "name", "serial_number", "asset_tag"]
_Column = Annotated[str, Field(max_length=LONGEST_HEADER)]


class ImportWrite(BaseModel):
    """How a file is read."""

    model_config = ConfigDict(extra="forbid")

    mapping: dict[_Column, Annotated[str, Field(max_length=100)] | None] = Field(
        max_length=MOST_COLUMNS,
        description="Fields by the names of columns; null, or a column that is missing here, is left out",
        examples=[{"Host": "name", "S/N": "serial_number", "Remarks": None}],
    )
    identify_by: IdentifyBy = Field(
        default="name",
        description="The field that tells which device a row is about; `name` counts within the row's department",
    )
    existing: Literal["update", "leave"] = Field(
        default="update", description="What happens to devices that exist"
    )
    empty_cells: Literal["keep", "clear"] = Field(
        default="keep", description="Whether an empty cell keeps or clears the value of a device that exists"
    )
    all_or_nothing: Literal["row", "file"] = Field(
        default="row", description="Whether a row that fails leaves out that row, or all rows of the file"
    )


class FieldRead(BaseModel):
    """A field that a column may be mapped to."""

    name: str
    title: str


class ImportRead(ImportWrite):
    """An import."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    file_name: str
    file_format: str
    columns: list[str]
    notes: list[str] = Field(description="What was assumed when the file was read")
    row_count: int
    status: str
    counts: dict[str, int] = Field(
        default={},
        description="Rows by what the dry run says (create, update, unchanged, wrong), what applying did "
        "(created, updated, failed), and what undo did (deleted, restored, kept, held)",
    )
    problem: str = Field(description="Why applying it failed")
    owner: str
    reason: str
    applied_at: datetime | None
    undone_at: datetime | None
    undo_until: datetime | None = None
    version: int
    created_at: datetime
    updated_at: datetime


class ImportPage(PageOf[ImportRead]):
    """One page of imports."""


class FieldChange(BaseModel):
    """A field that a row sets."""

    field: str
    before: str
    after: str


class Problem(BaseModel):
    """What is wrong with a row."""

    field: str
    message: str


class ItemRead(BaseModel):
    """A row of the file, and what becomes of it."""

    model_config = ConfigDict(from_attributes=True)

    position: int = Field(description="Row of the file, of which the header is the first")
    name: str
    device_id: UUID | None
    outcome: str = Field(description="create, update, unchanged or wrong; empty before the dry run")
    result: str = Field(description="created, updated or failed; empty where nothing was applied")
    undone: str = Field(description="deleted, restored, kept or held; empty where nothing was undone")
    changes: list[FieldChange]
    problems: list[Problem]
    detail: str


class ItemPage(PageOf[ItemRead]):
    """One page of rows."""


class DryRun(ItemPage):
    """The first page of rows after a dry run, with how many there are of each kind."""

    counts: dict[str, int] = Field(default={}, description="Rows by outcome")


def counts_of(found: dict[tuple[UUID, str], int], key: UUID) -> dict[str, int]:
    """The counts of one import."""
    return {name: number for (one, name), number in found.items() if one == key}


def told(row: Any, counts: dict[str, int], undo_until: datetime | None) -> ImportRead:
    """An import with its counts."""
    read = ImportRead.model_validate(row)
    return read.model_copy(update={"counts": counts, "undo_until": undo_until})
