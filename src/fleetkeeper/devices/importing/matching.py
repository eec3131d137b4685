"""Which devices the rows of a file are about, many rows at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.devices.importing import queries
from fleetkeeper.devices.importing.known import Known, NotKnownError
from fleetkeeper.devices.importing.planning import (
    Options,
    Plan,
    plan_known,
    plan_new,
    unguarded,
    wrong,
)
from fleetkeeper.devices.importing.present import Present, present_devices
from fleetkeeper.identity.actor import Actor
from fleetkeeper.kit.ids import is_id

_Department = UUID | None


@dataclass
class Seen:
    """What rows before were about."""

    devices: dict[UUID, int] = field(default_factory=dict)
    names: dict[tuple[str, _Department], int] = field(default_factory=dict)


async def plan_rows(
    session: AsyncSession,
    actor: Actor,
    rows: Sequence[tuple[int, Sequence[str]]],
    options: Options,
    known: Known,
    seen: Seen,
) -> list[Plan]:
    """What becomes of rows, each with its position in the file."""
    cells = [options.cells(row) for _, row in rows]
    found = await _found(session, actor, options, cells)
    ids = sorted({key for several in found.values() for key, _ in several})
    present = await present_devices(session, actor, ids, known)
    plans = [_plan(actor, one, options, known, found, present) for one in cells]
    taken = await _taken(session, actor, plans)
    for (position, _), plan in zip(rows, plans, strict=True):
        _refuse_twice(plan, position, taken, seen)
    return plans


Found = Mapping[str, Sequence[tuple[UUID, _Department]]]


class _NoMatchError(Exception):
    """Why it is not known which device a row is about: the field, and the cure."""


async def _found(
    session: AsyncSession, actor: Actor, options: Options, cells: Sequence[Mapping[str, str]]
) -> Found:
    """Devices by what identifies them."""
    texts = {form for one in cells for form in _forms(one.get(options.identify_by, ""))}
    if options.identify_by == "id":
        texts = {str(UUID(one)) for one in texts if is_id(one)}
    found: dict[str, list[tuple[UUID, _Department]]] = {}
    if texts:
        for row in await queries.devices_with(session, actor, options.identify_by, sorted(texts)):
            found.setdefault(str(row[1]), []).append((row[0], row[2]))
    return found


def _forms(cell: str) -> list[str]:
    """What a cell may mean, the most literal first; none for an empty one."""
    text = cell.strip()
    return list(dict.fromkeys((cell, text, unguarded(text)))) if text else []


def _plan(
    actor: Actor,
    cells: Mapping[str, str],
    options: Options,
    known: Known,
    found: Found,
    present: Mapping[UUID, Present],
) -> Plan:
    try:
        device_id = _match(cells, options.identify_by, known, found)
    except _NoMatchError as error:
        return wrong(cells, [error.args])
    device = present.get(device_id) if device_id is not None else None
    if device is None:
        return plan_new(actor, cells, known)
    return plan_known(actor, cells, device, options, known)


def _match(cells: Mapping[str, str], field: str, known: Known, found: Found) -> UUID | None:
    """The device of a row; None for a new one. Raises _NoMatchError."""
    forms = _forms(cells.get(field, ""))
    if field == "id":
        return _match_id(forms, found)
    if not forms:
        raise _NoMatchError(field, "Required, as it tells which device the row is about")
    same = next((told for one in forms if (told := found.get(one))), [])
    if field == "name" and (department := unguarded(cells.get("department", "").strip())):
        try:
            place = known.departments.find(department)
        except NotKnownError as error:
            raise _NoMatchError("department", str(error)) from None
        same = [one for one in same if one[1] == place]
    if len(same) > 1:
        raise _NoMatchError(field, f"{len(same)} devices have this; use the ID, or name the department")
    return same[0][0] if same else None


def _match_id(forms: Sequence[str], found: Found) -> UUID | None:
    if not forms:
        return None
    text = forms[-1]
    if not is_id(text):
        raise _NoMatchError("id", "Must be the ID of a device, or empty for a new one")
    if str(UUID(text)) not in found:
        raise _NoMatchError("id", "There is no such device; empty the cell to create one")
    return UUID(text)


async def _taken(session: AsyncSession, actor: Actor, plans: Sequence[Plan]) -> set[tuple[str, _Department]]:
    """The names that devices have in the departments of those that would be created."""
    names = sorted({one.name for one in plans if one.outcome == "create"})
    if not names:
        return set()
    return {(row[1], row[2]) for row in await queries.devices_with(session, actor, "name", names)}


def _refuse_twice(plan: Plan, position: int, taken: set[tuple[str, _Department]], seen: Seen) -> None:
    """Make a row wrong that is about what another row is about, or takes a name that is taken."""
    problem = None
    if plan.outcome == "create":
        place = (plan.name, plan.values.core.get("department_id"))
        first = seen.names.setdefault(place, position)
        if first != position:
            problem = ("name", f"Row {first} creates a device with this name in the same department")
        elif place in taken:
            problem = ("name", "Another device in the same department has this name")
    elif plan.device_id is not None:
        first = seen.devices.setdefault(plan.device_id, position)
        if first != position:
            problem = ("name", f"Row {first} is about the same device")
    if problem is not None:
        plan.outcome, plan.changes = "wrong", []
        plan.problems = [*plan.problems, problem]
