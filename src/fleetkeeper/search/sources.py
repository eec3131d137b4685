"""What can be searched. Rooms above declare it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.search.asked import CONTAINS, Asked


@dataclass(frozen=True)
class Found:
    """A hit as a room has it: how well it fits, and the texts in which the words may stand, by their fields."""

    id: UUID
    title: str
    detail: str
    href: str
    texts: Mapping[str, str | None] = field(default_factory=dict)
    rank: int = CONTAINS
    status: str | None = None


Find = Callable[[AsyncSession, Actor, Asked, int], Awaitable[Sequence[Found]]]


@dataclass(frozen=True)
class Source:
    """A kind of thing to find. `find` gives up to a number of those that the actor may see."""

    kind: str
    permission: Permission
    find: Find
    # Of two that fit alike, the kind with the lower one is told first.
    order: int


SOURCES: dict[str, Source] = {}


def declare_source(source: Source) -> None:
    """Let things of a kind be found. Raises ValueError for a kind that is declared."""
    if source.kind in SOURCES:
        raise ValueError(f"{source.kind} is declared twice")
    SOURCES[source.kind] = source


def of_names(asked: Asked, *names: ColumnElement[str]) -> ColumnElement[bool]:
    """What has all words in its names, or begins with a text that is short; for tables of few rows."""
    if not asked.words:
        return or_(*(name.istartswith(asked.text, autoescape=True) for name in names))
    return and_(*(or_(*(name.icontains(part, autoescape=True) for name in names)) for part in asked.parts))


def first_with(texts: Mapping[str, str | None], asked: Asked) -> tuple[str, str] | None:
    """The field whose text has most of the words, and that text; None where none has any."""
    having = [
        (sum(form in text.lower() for form in asked.forms), -place, name, text)
        for place, (name, text) in enumerate(texts.items())
        if text
    ]
    count, _, name, text = max(having, default=(0, 0, "", ""))
    return (name, text) if count else None
