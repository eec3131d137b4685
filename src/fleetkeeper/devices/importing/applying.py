"""Applies what a dry run has told, row by row, and remembers how to take it back."""

from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.database.context import TransactionContext
from fleetkeeper.database.engine import Database
from fleetkeeper.database.status_history import move
from fleetkeeper.devices.importing import queries
from fleetkeeper.devices.importing.checking import options_of
from fleetkeeper.devices.importing.entering import enter_changes, enter_new
from fleetkeeper.devices.importing.known import Known, read_known
from fleetkeeper.devices.importing.matching import Seen, plan_rows
from fleetkeeper.devices.importing.models import DeviceImport, DeviceImportRow
from fleetkeeper.devices.importing.planning import Plan
from fleetkeeper.devices.importing.present import present_devices
from fleetkeeper.devices.importing.service import locked
from fleetkeeper.devices.importing.status import IMPORTS, ImportStatus
from fleetkeeper.errors import FleetkeeperError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.kit.clock import utc_now

CHUNK = 50
_CHANGED = "The device is not what it was at the dry run; run the dry run again"
# Takes what is done and how much there is.
Tell = Callable[[int, int], Awaitable[None]]


class RowRefusedError(Exception):
    """A row of a file that is applied as a whole or not at all."""

    def __init__(self, position: int, problems: Sequence[dict[str, str]]) -> None:
        super().__init__(position)
        self.position, self.problems = position, problems


async def apply_rows(
    database: Database, context: TransactionContext, actor: Actor, key: UUID, tell: Tell
) -> None:
    """Apply an import that is under way: each row by itself, or all rows of the file at once.

    Rows are committed with their results, so that work which was cut off goes on where it was.
    """
    async with database.session(context) as session:
        row = await locked(session, actor, key)
        is_whole, total = row.all_or_nothing == "file", row.row_count
    try:
        if is_whole:
            async with database.session(context) as session:
                while await _apply_some(session, actor, key, is_whole=True):
                    await tell(0, total)
                await _end(session, actor, key)
            return
        while True:
            async with database.session(context) as session:
                position = await _apply_some(session, actor, key, is_whole=False)
                if not position:
                    await _end(session, actor, key)
                    return
            await tell(position - 1, total)
    except RowRefusedError as error:
        async with database.session(context) as session:
            await _fail(session, actor, key, error)


async def _apply_some(session: AsyncSession, actor: Actor, key: UUID, *, is_whole: bool) -> int:
    """Apply some rows; returns the position of the last of them, 0 where none is left."""
    row = await locked(session, actor, key)
    if row.status != ImportStatus.APPLYING:
        return 0
    waiting = (DeviceImportRow.outcome.in_(["create", "update"]), DeviceImportRow.result == "")
    several = await queries.next_rows(session, key, 0, CHUNK, *waiting)
    if not several:
        return 0
    known = await read_known(session, actor)
    pairs = [(one.position, one.cells) for one in several]
    plans = await plan_rows(session, actor, pairs, options_of(row), known, Seen())
    for one, plan in zip(several, plans, strict=True):
        problems = await _apply(session, actor, one, plan, known)
        if problems and is_whole:
            raise RowRefusedError(one.position, problems)
        if problems:
            one.result, one.problems = "failed", problems
    await _remember(session, actor, several, known)
    await session.flush()
    return several[-1].position


async def _apply(
    session: AsyncSession, actor: Actor, row: DeviceImportRow, plan: Plan, known: Known
) -> list[dict[str, str]]:
    """Enter a row as it was told; returns what is wrong where it is not."""
    if plan.outcome == "wrong":
        return [{"field": field, "message": message} for field, message in plan.problems]
    if plan.outcome == "unchanged" and plan.device_id == row.device_id:
        row.result, row.changes, row.detail = "updated", [], "The device had these values by then"
        return []
    if (plan.outcome, plan.device_id, plan.changes) != (row.outcome, row.device_id, row.changes):
        return [{"field": "name", "message": _CHANGED}]
    try:
        async with session.begin_nested():
            if plan.device_id is None:
                row.device_id = await enter_new(session, actor, plan, utc_now())
            else:
                present = await present_devices(session, actor, [plan.device_id], known)
                await enter_changes(session, actor, present[plan.device_id], plan.values)
    except FleetkeeperError as error:
        row.device_id = plan.device_id
        wrong = [{"field": one.field, "message": one.message} for one in error.fields]
        return wrong or [{"field": "name", "message": error.detail}]
    row.result = "created" if plan.device_id is None else "updated"
    return []


async def _remember(
    session: AsyncSession, actor: Actor, rows: Sequence[DeviceImportRow], known: Known
) -> None:
    """Keep what created devices are right now: one that is another later is not deleted by undo."""
    created = {one.device_id: one for one in rows if one.result == "created" and one.device_id is not None}
    for key, device in (await present_devices(session, actor, sorted(created), known)).items():
        created[key].made = dict(device.texts)


async def _end(session: AsyncSession, actor: Actor, key: UUID) -> None:
    row = await locked(session, actor, key)
    if row.status == ImportStatus.APPLYING:
        row.applied_at = utc_now()
        await move(session, IMPORTS, row, ImportStatus.APPLIED)


async def _fail(session: AsyncSession, actor: Actor, key: UUID, error: RowRefusedError) -> None:
    row: DeviceImport = await locked(session, actor, key)
    at = DeviceImportRow.position == error.position
    (refused,) = await queries.next_rows(session, key, 0, 1, at)
    refused.result, refused.problems = "failed", list(error.problems)
    row.problem = f"Nothing was imported: row {error.position} was refused. {error.problems[0]['message']}."
    await move(session, IMPORTS, row, ImportStatus.FAILED, reason=row.problem)
