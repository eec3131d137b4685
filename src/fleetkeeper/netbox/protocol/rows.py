"""Kinds of which there may be millions: filtered, counted and cut to pages by the database."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, Select, func, select

from fleetkeeper.netbox.protocol.asked import Asked
from fleetkeeper.netbox.protocol.kind import Kind, Page, Told
from fleetkeeper.netbox.protocol.query import Query, refused


class Rows(Kind):
    """A kind whose objects are rows with a number and a key."""

    table: ClassVar[Any]
    # By the names that `ordering` has for them.
    orderings: ClassVar[Mapping[str, ColumnElement[Any]]]
    default_ordering: ClassVar[Sequence[str]] = ("name",)
    # Lists of millions are counted up to here only.
    most_counted: ClassVar[int] = 1_000_000

    @abstractmethod
    def visible(self, asked: Asked) -> Select[Any]:
        """Those that the caller may see."""

    @abstractmethod
    async def conditions(
        self, asked: Asked, filters: Mapping[str, Sequence[str]]
    ) -> list[ColumnElement[bool]]:
        """What a list is filtered by. Raises InvalidInputError."""

    @abstractmethod
    async def tell(self, asked: Asked, chosen: Select[Any]) -> list[Told]:
        """As NetBox tells of some of them, in their order."""

    async def page(self, asked: Asked, query: Query) -> Page:
        """One page of them."""
        statement = self.visible(asked).where(*await self.conditions(asked, query.filters))
        found = statement.with_only_columns(self.table.id, maintain_column_froms=True)
        some = found.limit(self.most_counted).subquery()
        count = await asked.session.scalar(select(func.count()).select_from(some)) or 0
        if query.offset >= count:
            return Page(count, [])
        chosen = statement.order_by(*self._order(query.ordering or self.default_ordering))
        return Page(count, await self.tell(asked, chosen.limit(query.limit).offset(query.offset)))

    async def get(self, asked: Asked, number: int) -> Told:
        """One of them."""
        told = await self.tell(asked, self.visible(asked).where(self.table.number == number))
        if not told:
            raise self.missing()
        return told[0]

    async def row(self, asked: Asked, number: int) -> Any:
        """One of them, as it is here. Raises NotFoundError."""
        found = await asked.session.scalar(self.visible(asked).where(self.table.number == number))
        if found is None:
            raise self.missing()
        return found

    async def anew(self, asked: Asked, number: int) -> Told:
        """One of them after a change."""
        await asked.session.flush()
        asked.session.expire_all()
        asked.forget()
        return await self.get(asked, number)

    def _order(self, wanted: Sequence[str]) -> list[ColumnElement[Any]]:
        found = []
        for one in wanted:
            column = self.orderings.get(one.removeprefix("-"))
            if column is None:
                raise refused("ordering", f"Cannot sort by {one[:100]}; sort by {', '.join(self.orderings)}.")
            found.append(column.desc().nulls_last() if one.startswith("-") else column.asc())
        return [*found, self.table.id]
