"""Asks for the jobs that apply and undo imports, and carries them out within what whoever asked may do."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.database.engine import Database
from fleetkeeper.database.status_history import move
from fleetkeeper.devices.importing import queries
from fleetkeeper.devices.importing.applying import Tell, apply_rows
from fleetkeeper.devices.importing.models import DeviceImport
from fleetkeeper.devices.importing.schemas import ImportRead
from fleetkeeper.devices.importing.service import get_import, locked, undo_until
from fleetkeeper.devices.importing.status import IMPORTS, ImportStatus
from fleetkeeper.devices.importing.undoing import undo_rows
from fleetkeeper.errors import ConflictError
from fleetkeeper.identity.acting import context_of_actor
from fleetkeeper.identity.actor import Actor, Scope
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.jobs.service import enqueue
from fleetkeeper.kit.clock import utc_now

APPLY = "devices.apply_import"
UNDO = "devices.undo_import"
# One transaction holds what it changes until it ends.
MOST_AT_ONCE = 2_000


async def ask_to_apply(session: AsyncSession, actor: Actor, key: UUID, reason: str) -> ImportRead:
    """Let a job apply what the dry run told. Raises NotFoundError, ConflictError where that is not possible."""
    row = await begin_applying(session, actor, key, reason)
    await _enqueue(session, APPLY, row, actor, reason)
    return await get_import(session, actor, key)


async def begin_applying(session: AsyncSession, actor: Actor, key: UUID, reason: str) -> DeviceImport:
    """Mark an import as being applied. Raises NotFoundError, ConflictError."""
    row = await locked(session, actor, key)
    if row.status in {ImportStatus.UPLOADED, ImportStatus.FAILED}:
        raise ConflictError("Run the dry run first, and look at what it says.")
    if row.status == ImportStatus.APPLYING:
        # Its job may have died.
        return row
    if row.status != ImportStatus.CHECKED:
        raise ConflictError("The import was applied already. Upload the file again to import it anew.")
    counts = {name: number for (_, name), number in (await queries.count_by(session, [key])).items()}
    if row.all_or_nothing == "file":
        _check_whole(counts)
    if not counts.get("create", 0) + counts.get("update", 0):
        raise ConflictError("There is nothing to apply: no row creates or changes a device.")
    row.reason, row.grants = reason, _told_grants(actor)
    await move(session, IMPORTS, row, ImportStatus.APPLYING, reason=reason)
    return row


def _check_whole(counts: Mapping[str, int]) -> None:
    if number := counts.get("wrong", 0):
        rows = "1 row is" if number == 1 else f"{number:,} rows are"
        raise ConflictError(
            f"{rows} wrong, and the file is imported as a whole. Correct them, or import row by row."
        )
    if counts.get("create", 0) + counts.get("update", 0) > MOST_AT_ONCE:
        raise ConflictError(f"At most {MOST_AT_ONCE:,} rows can be imported as a whole. Import row by row.")


async def ask_to_undo(session: AsyncSession, actor: Actor, key: UUID, reason: str) -> ImportRead:
    """Let a job undo an import. Raises NotFoundError, ConflictError where that is not possible (any more)."""
    row = await begin_undoing(session, actor, key, reason)
    await _enqueue(session, UNDO, row, actor, reason)
    return await get_import(session, actor, key)


async def begin_undoing(session: AsyncSession, actor: Actor, key: UUID, reason: str) -> DeviceImport:
    """Mark an import as being undone. Raises NotFoundError, ConflictError."""
    row = await locked(session, actor, key)
    if row.status == ImportStatus.UNDOING:
        return row
    if row.status != ImportStatus.APPLIED:
        raise ConflictError("Only an import that was applied can be undone, and only once.")
    if undo_until(row) < utc_now():
        raise ConflictError("An import can be undone for 30 days, and these are over.")
    row.grants = _told_grants(actor)
    await move(session, IMPORTS, row, ImportStatus.UNDOING, reason=reason)
    return row


async def carry_out(database: Database, actor: Actor, key: UUID, name: str, reason: str, tell: Tell) -> None:
    """Do the work of a job as somebody."""
    context = context_of_actor(actor, {"reason": reason})
    if name == APPLY:
        await apply_rows(database, context, actor, key, tell)
    else:
        await undo_rows(database, context, actor, key, reason, tell)


async def stop(session: AsyncSession, key: UUID) -> None:
    """Let an import whose job was cancelled end with the rows that were applied, which can be undone."""
    row = await session.get(DeviceImport, key, with_for_update=True)
    if row is None or row.status != ImportStatus.APPLYING:
        return
    if row.all_or_nothing == "file":
        row.problem = "Nothing was imported: the job was cancelled."
        await move(session, IMPORTS, row, ImportStatus.FAILED, reason=row.problem)
        return
    row.problem, row.applied_at = "The job was cancelled before it had come to all rows.", utc_now()
    await move(session, IMPORTS, row, ImportStatus.APPLIED, reason=row.problem)


def limited(actor: Actor, grants: Mapping[str, Any]) -> Actor:
    """An actor who may do no more than what was granted as the job was asked for."""
    then = {
        name: Scope(told["everywhere"], frozenset(map(UUID, told["departments"])))
        for name, told in grants.items()
    }
    now = {one: scope & then.get(str(one), Scope()) for one, scope in actor.grants.items()}
    return replace(actor, grants=now)


def _told_grants(actor: Actor) -> dict[str, Any]:
    return {
        str(one): {"everywhere": scope.everywhere, "departments": sorted(map(str, scope.departments))}
        for one, scope in actor.grants.items()
        if scope and one in Permission
    }


async def _enqueue(session: AsyncSession, name: str, row: DeviceImport, actor: Actor, reason: str) -> None:
    user = str(actor.user_id) if actor.user_id is not None else ""
    await enqueue(session, name, str(row.id), reason=reason, import_id=str(row.id), user=user, why=reason)
