"""What comes of an action on many objects: each has its own result, and none holds up the others."""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

MOST = 20_000


class Selection(BaseModel):
    """Which objects: by their IDs, or all that match the filters of their list."""

    model_config = ConfigDict(extra="forbid")

    ids: list[UUID] | None = Field(default=None, max_length=MOST)
    matching: str | None = Field(
        default=None, max_length=4000, description="Query string of the list, such as `status=offline&q=web`"
    )


class BulkItem(BaseModel):
    """What becomes of one of them."""

    id: UUID
    name: str
    outcome: Literal["changed", "unchanged", "held", "refused"] = Field(
        description="`held` is what waits for approval"
    )
    detail: str = Field(default="", description="What changes, or why it does not")


class BulkResult(BaseModel):
    """What becomes of all of them."""

    dry_run: bool
    changed: int
    unchanged: int
    held: int
    refused: int
    results: list[BulkItem]


def result_of(items: list[BulkItem], *, dry_run: bool) -> BulkResult:
    """The results, counted."""
    names = ("changed", "unchanged", "held", "refused")
    counts = {name: sum(one.outcome == name for one in items) for name in names}
    return BulkResult(dry_run=dry_run, results=items, **counts)
