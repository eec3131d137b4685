"""What every kind of object can do here."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from starlette.exceptions import HTTPException

from fleetkeeper.approvals.schemas import ApprovalRead
from fleetkeeper.errors import FleetkeeperError, NotFoundError
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.netbox.protocol.asked import Asked
from fleetkeeper.netbox.protocol.query import Query

Told = dict[str, Any]
Choices = Mapping[str, str]


@dataclass(frozen=True)
class Page:
    """One page of a list."""

    count: int
    rows: Sequence[Told]


class BulkError(FleetkeeperError):
    """One object of several was refused; nothing of the others was done."""

    def __init__(self, position: int, error: FleetkeeperError) -> None:
        super().__init__(error.detail, fields=error.fields)
        self.position = position
        self.error = error


class Kind(ABC):
    """A kind of object at `/netbox/api/<app>/<name>/`."""

    path: str
    # As content types are called.
    model: ClassVar[str]
    noun: ClassVar[str]
    read: ClassVar[Permission] = Permission.DEVICES_READ
    # None for what is only told.
    write: ClassVar[Permission | None] = Permission.DEVICES_WRITE
    # What it takes to delete one, where that is more than to write.
    delete_with: ClassVar[Permission | None] = None
    brief: ClassVar[Sequence[str]] = ("id", "url", "display", "name", "slug", "description")
    # Fields with few values: what each means.
    choices: ClassVar[Mapping[str, Choices]] = {}
    required: ClassVar[Sequence[str]] = ("name",)
    written: ClassVar[Sequence[str]] = ()

    @property
    def delete_as(self) -> Permission | None:
        """What it takes to delete one; None for what is only told."""
        return self.delete_with or self.write

    @abstractmethod
    def filters(self) -> Collection[str]:
        """The names of its filters, without lookups."""

    @abstractmethod
    async def page(self, asked: Asked, query: Query) -> Page:
        """One page of what the caller may see. Raises InvalidInputError."""

    @abstractmethod
    async def get(self, asked: Asked, number: int) -> Told:
        """One object. Raises NotFoundError."""

    async def create(self, asked: Asked, data: Any) -> Told:
        """Make one. Raises InvalidInputError, ForbiddenError, ConflictError."""
        del asked, data
        raise self.not_allowed("POST")

    async def change(self, asked: Asked, number: int, data: Any) -> Told:
        """Change what is in `data`. Raises as making one does, and NotFoundError."""
        del asked, number, data
        raise self.not_allowed("PATCH")

    async def delete(self, asked: Asked, number: int) -> ApprovalRead | None:
        """Delete one, or ask for approval, which is the answer then. Raises NotFoundError, ForbiddenError."""
        del asked, number
        raise self.not_allowed("DELETE")

    async def delete_many(self, asked: Asked, numbers: Sequence[int]) -> Sequence[str]:
        """Delete several, all or none; the names of what waits for approval are the answer. Raises BulkError."""
        waiting = []
        for position, number in enumerate(numbers):
            try:
                held = await self.delete(asked, number)
            except FleetkeeperError as error:
                raise BulkError(position, error) from None
            if held is not None:
                waiting.append(held.subject_label)
        return waiting

    def missing(self) -> NotFoundError:
        """There is none of that number that the caller may see."""
        return NotFoundError(f"No {self.noun} matches the given query.")

    @staticmethod
    def not_allowed(method: str) -> HTTPException:
        """What is only told cannot be written."""
        return HTTPException(405, f'Method "{method}" not allowed.')


def labelled(choices: Choices, value: str | None) -> Told | None:
    """A value with its label, as NetBox tells choices."""
    return None if value is None else {"value": value, "label": choices.get(value, value)}
