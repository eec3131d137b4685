"""What rows name: departments and locations by path, tags, custom fields."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.annotations.fields.schemas import FieldRead
from fleetkeeper.annotations.fields.service import fields_for
from fleetkeeper.annotations.tags.service import all_tags
from fleetkeeper.devices.annotating import TABLE
from fleetkeeper.devices.locations.queries import DEEPEST
from fleetkeeper.devices.locations.schemas import LocationRead
from fleetkeeper.devices.locations.service import all_locations
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.departments.service import all_departments
from fleetkeeper.kit.ids import is_id

MOST_LOCATIONS = 20_000


class NotKnownError(ValueError):
    """What is wrong with a name, in words that follow it."""


class Paths:
    """Things by their keys, with paths; found by path, by ID, or by a name that no other has."""

    def __init__(self, noun: str, paths: Mapping[UUID, str]) -> None:
        self._noun, self._paths = noun, paths
        exact: dict[str, list[UUID]] = {}
        folded: dict[str, list[UUID]] = {}
        names: dict[str, list[UUID]] = {}
        for key, path in paths.items():
            exact.setdefault(path, []).append(key)
            folded.setdefault(path.casefold(), []).append(key)
            names.setdefault(path.casefold().rpartition("/")[2], []).append(key)
        self._ways = exact, folded, names

    def path(self, key: UUID | None) -> str:
        """Its path; its ID where it is not to be seen."""
        return "" if key is None else self._paths.get(key, str(key))

    def find(self, text: str) -> UUID:
        """The key of what a cell names. Raises NotKnownError."""
        if is_id(text):
            if UUID(text) in self._paths:
                return UUID(text)
            raise NotKnownError(f"There is no {self._noun} with this ID")
        wanted = "/".join(one.strip() for one in text.split("/")).casefold()
        same = next(
            (
                found
                for way, asked in zip(self._ways, (text, wanted, wanted), strict=True)
                if (found := way.get(asked))
            ),
            [],
        )
        if not same:
            raise NotKnownError(
                f"There is no {self._noun} {text[:100]!r}; create it first, or give its path or ID"
            )
        if len(same) > 1:
            raise NotKnownError(
                f"{len(same)} {self._noun}s are named {text[:100]!r}; give the path or the ID"
            )
        return same[0]

    def is_within(self, key: UUID | None, top: UUID) -> bool:
        """Whether one is another or lies below it."""
        paths = self._paths.get(key) if key is not None else None, self._paths.get(top)
        return None not in paths and f"{paths[0]}/".startswith(f"{paths[1]}/")


@dataclass(frozen=True)
class Known:
    """What the actor may name."""

    departments: Paths
    locations: Paths
    # Slugs by slug and name, in small letters.
    tags: Mapping[str, str]
    fields: Mapping[str, FieldRead]

    def has_field(self, field: FieldRead, department_id: UUID | None) -> bool:
        """Whether devices of a department have a custom field."""
        if field.department_id is None:
            return True
        return self.departments.is_within(department_id, field.department_id)


async def read_known(session: AsyncSession, actor: Actor) -> Known:
    """What the actor may name now."""
    tags: dict[str, str] = {}
    for one in await all_tags(session):
        tags.setdefault(one.name.casefold(), one.slug)
        tags[one.slug] = one.slug
    return Known(
        departments=Paths("department", {one.id: one.path for one in await all_departments(session, actor)}),
        locations=Paths("location", _paths(await all_locations(session, actor, MOST_LOCATIONS))),
        tags=tags,
        fields={one.name: one for one in await fields_for(session, actor, TABLE)},
    )


def _paths(locations: Sequence[LocationRead]) -> dict[UUID, str]:
    by_key = {one.id: one for one in locations}
    paths = {}
    for one in locations:
        names, above = [one.name], one.parent_id
        while above in by_key and len(names) <= DEEPEST:
            names.append(by_key[above].name)
            above = by_key[above].parent_id
        paths[one.id] = "/".join(reversed(names))
    return paths
