"""Kinds of which there are few: all that a caller may see are read once, and filtered and sorted here."""

from abc import abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from fleetkeeper.netbox.protocol import operators
from fleetkeeper.netbox.protocol.asked import Asked
from fleetkeeper.netbox.protocol.body import Body
from fleetkeeper.netbox.protocol.kind import Kind, Page, Told
from fleetkeeper.netbox.protocol.query import Query, no_choice, refused


@dataclass(frozen=True)
class Item:
    """One of them; `values` are what filters look at, a set for those of which one must fit."""

    number: int
    name: str
    slug: str
    description: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    # What it is here.
    source: Any = None


class Items(Kind):
    """A kind of which there are few."""

    # Beside those that each has.
    more_filters: ClassVar[Sequence[str]] = ()
    # By which nested objects may be named.
    natural: ClassVar[Sequence[str]] = ("name", "slug")

    @abstractmethod
    async def all(self, asked: Asked) -> Sequence[Item]:
        """All that the caller may see."""

    @abstractmethod
    async def tell(self, asked: Asked, items: Sequence[Item]) -> list[Told]:
        """What is told of some of them."""

    def filters(self) -> Collection[str]:
        """The names of its filters."""
        return ("id", "name", "slug", "description", "q", *self.more_filters)

    async def known(self, asked: Asked) -> Sequence[Item]:
        """All that the caller may see, read once for a request."""
        return await asked.once((type(self), "all"), lambda: self.all(asked))

    async def numbered(self, asked: Asked) -> Mapping[int, Item]:
        """The same by their numbers."""

        async def look_up() -> Mapping[int, Item]:
            return {one.number: one for one in await self.known(asked)}

        return await asked.once((type(self), "numbered"), look_up)

    async def page(self, asked: Asked, query: Query) -> Page:
        """One page of them."""
        items = list(await self.known(asked))
        for name, values in query.filters.items():
            items = self._kept(items, name, values)
        for wanted in reversed(query.ordering or ("name",)):
            self._sort(items, wanted)
        told = await self.tell(asked, items[query.offset : query.offset + query.limit])
        return Page(len(items), told)

    async def get(self, asked: Asked, number: int) -> Told:
        """One of them."""
        found = (await self.numbered(asked)).get(number)
        if found is None:
            raise self.missing()
        return (await self.tell(asked, [found]))[0]

    async def find(self, asked: Asked, number: int) -> Item:
        """One of them, as it is here. Raises NotFoundError."""
        found = (await self.numbered(asked)).get(number)
        if found is None:
            raise self.missing()
        return found

    async def asked_for(self, asked: Asked, name: str, values: Sequence[str]) -> list[Item | None]:
        """What a filter of another kind names, by number after `_id`, else by slug; None for `null`.

        Raises InvalidInputError for what does not exist.
        """
        by_number = await self.numbered(asked) if name.endswith("_id") else {}
        found: list[Item | None] = []
        for one in values:
            if one == "null":
                found.append(None)
                continue
            if name.endswith("_id"):
                fitting = [by_number[int(one)]] if _is_number(one) and int(one) in by_number else []
            else:
                fitting = [item for item in await self.known(asked) if item.slug == one]
            if not fitting:
                raise no_choice(name, one)
            found += fitting
        return found

    async def referred(self, asked: Asked, body: Body, name: str) -> Item | None:
        """The one that a field names, by its number or as an object of what is known of it."""
        value = body.raw(name)
        if value is None or value == "":
            return None
        if isinstance(value, dict):
            wanted = {key: value[key] for key in ("id", *self.natural) if value.get(key) is not None}
            if "id" in wanted:
                value = wanted["id"]
            elif wanted:
                return await self._by_attributes(asked, body, name, wanted)
        if isinstance(value, str) and _is_number(value):
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool):
            found = (await self.numbered(asked)).get(value)
            if found is None:
                body.refuse(name, f"Related object not found using the provided numeric ID: {value}")
            return found
        body.refuse(name, "Related objects must be referenced by numeric ID or by dictionary of attributes.")
        return None

    def nested(self, asked: Asked, item: Item) -> Told:
        """One of them within another object."""
        return {
            "id": item.number,
            "url": asked.url(self.path, item.number),
            "display": item.name,
            "name": item.name,
            "slug": item.slug,
            "description": item.description,
        }

    async def _by_attributes(
        self, asked: Asked, body: Body, name: str, wanted: Mapping[str, Any]
    ) -> Item | None:
        def value(item: Item, key: str) -> Any:
            return item.values[key] if key in item.values else getattr(item, key, None)

        fitting = [
            one
            for one in await self.known(asked)
            if all(value(one, key) == text for key, text in wanted.items())
        ]
        if len(fitting) == 1:
            return fitting[0]
        problem = "Multiple objects match" if fitting else "Related object not found using"
        body.refuse(name, f"{problem} the provided attributes: {str(dict(wanted))[:200]}")
        return None

    def _kept(self, items: list[Item], full_name: str, values: Sequence[str]) -> list[Item]:
        name, lookup = operators.split(full_name)
        if name == "q" and not lookup:
            texts = [one.lower() for one in values]
            return [
                item
                for item in items
                if any(one in f"{item.name}\n{item.slug}\n{item.description}".lower() for one in texts)
            ]
        if name not in self.filters() or name == "q":
            raise operators.unknown(full_name)
        if name == "id":
            numbers = {operators.read_whole(full_name, one) for one in values}
            if lookup not in operators.SAME:
                raise operators.unknown(full_name)
            return [one for one in items if (one.number in numbers) is not (lookup == "n")]
        if lookup not in operators.TEXT:
            raise operators.unknown(full_name)
        test = operators.text_test(lookup, ["" if one == "null" else one for one in values])
        return [one for one in items if _fits(one, name, test)]

    def _sort(self, items: list[Item], wanted: str) -> None:
        name = wanted.removeprefix("-")
        if name not in {"id", "name", "slug", "display", "model", "label"}:
            raise refused("ordering", f"Cannot sort by {name}; sort by id, name or slug.")
        key = {"id": "number", "slug": "slug"}.get(name, "name")
        items.sort(key=lambda one: getattr(one, key), reverse=wanted.startswith("-"))


def _fits(item: Item, name: str, test: operators.Test) -> bool:
    told = item.values[name] if name in item.values else getattr(item, name, None)
    if isinstance(told, frozenset):
        return any(map(test, told)) if told else test("")
    return test("" if told is None else str(told).lower() if isinstance(told, bool) else str(told))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 20
