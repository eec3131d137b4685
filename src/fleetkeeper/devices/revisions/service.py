"""What devices and parts were at a time, what changed between two, and the feed of all changes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.devices import queries as devices
from fleetkeeper.devices.models import Device
from fleetkeeper.devices.revisions import queries
from fleetkeeper.devices.revisions.comparing import fields_between, name_of
from fleetkeeper.devices.revisions.models import DeviceRevision
from fleetkeeper.devices.revisions.moments import SPECIAL
from fleetkeeper.devices.revisions.past import as_past
from fleetkeeper.devices.revisions.schemas import ChangeFeed, ChangeRead, Difference, Differences
from fleetkeeper.devices.schemas import DevicePage, DeviceRead, DeviceSummary
from fleetkeeper.errors import FieldError, InvalidInputError, NotFoundError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.pagination import DEFAULT_LIMIT, MAX_LIMIT, decode_cursor, encode_cursor
from fleetkeeper.kit.text import is_storable

MOST_COUNTED = 1000
MOST_PARTS = 1000
# Whether a machine reported is telemetry's to say.
UNKNOWN = "unknown"
_START = (0, 0)


async def device_as_of(session: AsyncSession, actor: Actor, device_id: UUID, moment: datetime) -> DeviceRead:
    """A device as it was. Raises NotFoundError for one that was not there, or that the actor may not see."""
    seen = _seen_by(actor)
    statement = queries.past_parts(queries.DEVICES, device_id, moment)
    if seen is not None:
        statement = statement.where(DeviceRevision.device_id.in_(seen))
    row = (await session.execute(statement)).one_or_none()
    if row is None:
        raise NotFoundError("There was no such device.")
    return as_past(DeviceRead, row.object_id, row.content | {"status": UNKNOWN}, row.valid_from)


async def list_as_of(
    session: AsyncSession, actor: Actor, parameters: Sequence[tuple[str, str]], moment: datetime
) -> DevicePage:
    """Devices as they were, by name, those that are deleted by now among them for readers of the whole fleet.

    `count` counts up to 1,000. Raises InvalidInputError.
    """
    limit, cursor, filters = _asked(parameters)
    statement = queries.past_devices(moment, filters, _seen_by(actor))
    count = await queries.count_up_to(session, statement, MOST_COUNTED)
    if cursor is not None:
        statement = queries.after_name(statement, *cursor)
    rows = (await session.execute(queries.in_order(statement, limit + 1))).all()
    shown = rows[:limit]
    following = None
    if len(rows) > limit:
        last = encode_cursor([shown[-1].name, str(shown[-1].object_id)])
        rest = [(name, text) for name, text in parameters if name != "cursor"]
        following = "?" + urlencode([*rest, ("cursor", last)])
    results = [
        as_past(DeviceSummary, row.object_id, row.content | {"status": UNKNOWN}, row.valid_from)
        for row in shown
    ]
    return DevicePage(count=count, next=following, previous=None, results=results)


def _asked(
    parameters: Sequence[tuple[str, str]],
) -> tuple[int, tuple[str, UUID] | None, list[tuple[str, str]]]:
    limit, cursor, filters = DEFAULT_LIMIT, None, []
    for name, text in parameters:
        if name in SPECIAL or not text or name == "ordering":
            continue
        if name == "limit":
            if not text.isascii() or not text.isdigit() or not 1 <= int(text[:6]) <= MAX_LIMIT:
                wrong = FieldError("limit", f"is 1 to {MAX_LIMIT}")
                raise InvalidInputError("The limit is wrong.", fields=[wrong])
            limit = int(text)
        elif name == "cursor":
            cursor = _place(text)
        elif name in {*queries.FILTERS, "q"} and is_storable(text):
            filters.append((name, text[:300]))
        else:
            known = ", ".join(("q", *queries.FILTERS))
            wrong = FieldError(name, f"With as_of, filters are {known}")
            raise InvalidInputError("The filter is unknown.", fields=[wrong])
    return limit, cursor, filters


def _place(text: str) -> tuple[str, UUID]:
    name, key = decode_cursor(text, 2)
    try:
        return str(name), UUID(str(key))
    except ValueError:
        wrong = FieldError("cursor", "start again without it")
        raise InvalidInputError("The cursor does not fit this list.", fields=[wrong]) from None


def _seen_by(actor: Actor) -> Any:
    """The devices whose past the actor may see; None for all, deleted ones among them."""
    if actor.scope(Permission.DEVICES_READ).everywhere:
        return None
    return devices.visible_to(actor).with_only_columns(Device.id)


def _departments(actor: Actor) -> Sequence[UUID] | None:
    scope = actor.scope(Permission.DEVICES_READ)
    return None if scope.everywhere else sorted(scope.departments)


async def list_changes(
    session: AsyncSession,
    actor: Actor,
    *,
    after: str | None,
    limit: int,
    device_id: UUID | None = None,
    object_type: str | None = None,
) -> ChangeFeed:
    """Changes behind a cursor, in the order in which they became true for all. Raises InvalidInputError."""
    place = _START if not after else _number_pair(after)
    rows = await queries.feed(
        session,
        place,
        limit,
        device_id=device_id,
        object_type=object_type,
        departments=_departments(actor),
    )
    last = (rows[-1].xact, rows[-1].id) if rows else place
    results = [ChangeRead.model_validate(row) for row in rows]
    return ChangeFeed(results=results, next=encode_cursor(list(last)))


def _number_pair(text: str) -> tuple[int, int]:
    numbers = decode_cursor(text, 2)
    if not all(isinstance(one, int) and 0 <= one < 2**63 for one in numbers):
        wrong = FieldError("after", "start again without it")
        raise InvalidInputError("The cursor does not fit this list.", fields=[wrong])
    return numbers[0], numbers[1]


async def changes_of_device(
    session: AsyncSession, actor: Actor, device_id: UUID, limit: int
) -> list[ChangeRead]:
    """The newest changes of a device that its reader has seen, and of its parts."""
    rows = await queries.newest_changes(session, device_id, limit, _departments(actor))
    return [ChangeRead.model_validate(row) for row in rows]


async def list_differences(
    session: AsyncSession,
    actor: Actor,
    start: datetime,
    end: datetime,
    *,
    device_id: UUID | None = None,
    limit: int = MOST_PARTS,
) -> Differences:
    """What became of a device, or of all that the actor sees, between two times. Raises InvalidInputError."""
    if end <= start:
        wrong = FieldError("to", "Must lie after from")
        raise InvalidInputError("The times are wrong.", fields=[wrong])
    rows = await queries.differences(
        session, start, end, limit + 1, device_id=device_id, departments=_departments(actor)
    )
    return Differences(results=[_difference(row) for row in rows[:limit]], is_cut=len(rows) > limit)


def _difference(row: Any) -> Difference:
    operation: Literal["added", "removed", "changed"] = (
        "added" if row.before is None else "removed" if row.after is None else "changed"
    )
    return Difference(
        device_id=row.device_id,
        object_type=row.object_type,
        object_id=row.object_id,
        name=name_of(row.after or row.before),
        operation=operation,
        fields=fields_between(row.before, row.after),
    )
