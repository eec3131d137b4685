"""The tree of places: sites at the top, locations in them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from fleetkeeper.devices.locations.models import Location
from fleetkeeper.devices.locations.service import locations
from fleetkeeper.errors import ConflictError
from fleetkeeper.netbox.protocol.asked import Asked
from fleetkeeper.netbox.protocol.items import Item
from fleetkeeper.netbox.protocol.kind import Choices
from fleetkeeper.netbox.protocol.numbers import slug_of

MOST = 20_000
STATUSES: Choices = {"active": "Active", "retired": "Retired"}


class Tree:
    """All places that somebody may see, by their keys."""

    def __init__(self, rows: Sequence[Any]) -> None:
        self.rows = {one.id: one for one in rows}
        self.items = {one.id: self._item(one) for one in rows}
        self.children: dict[UUID | None, list[UUID]] = {}
        for one in rows:
            parent = one.parent_id if one.parent_id in self.rows else None
            self.children.setdefault(parent, []).append(one.id)

    def parent(self, key: UUID) -> UUID | None:
        """What a place lies in, as far as it may be seen."""
        parent = self.rows[key].parent_id
        return parent if parent in self.rows else None

    def above(self, key: UUID) -> list[UUID]:
        """A place and all that it lies in; the last one is its site."""
        found = [key]
        while (parent := self.parent(found[-1])) is not None and parent not in found:
            found.append(parent)
        return found

    def site(self, key: UUID | None) -> UUID | None:
        """The site of a place, itself where it is one."""
        return self.above(key)[-1] if key in self.rows and key is not None else None

    def below(self, key: UUID) -> set[UUID]:
        """A place and all that lie in it."""
        found, waiting = {key}, [key]
        while waiting:
            waiting = [one for parent in waiting for one in self.children.get(parent, ()) if one not in found]
            found.update(waiting)
        return found

    def _item(self, row: Any) -> Item:
        site = self.rows.get(row.id) if row.parent_id not in self.rows else None
        return Item(
            row.number,
            row.name,
            row.slug or slug_of(row.name),
            row.description,
            {
                "status": "active" if row.is_active else "retired",
                "physical_address": row.address,
                "is_site": site is not None,
            },
            row,
        )


async def tree_of(asked: Asked) -> Tree:
    """All places that the caller may see, read once for a request."""

    async def look_up() -> Tree:
        visible = locations.visible_to(asked.actor).order_by(Location.name, Location.id).limit(MOST + 1)
        # Plain rows: objects of thousands of locations would take longer than all else of a page.
        columns = [column for column in Location.__table__.columns if column.key != "dept_id"]
        rows = (await asked.session.execute(visible.with_only_columns(*columns))).all()
        if len(rows) > MOST:
            raise ConflictError(
                f"There are more than {MOST:,} locations, the most that this API can tell of."
            )
        return Tree(rows)

    return await asked.once(Tree, look_up)
