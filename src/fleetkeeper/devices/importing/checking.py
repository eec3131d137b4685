"""The dry run: what would become of each row, with nothing changed."""

from typing import Any
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.database.status_history import move
from fleetkeeper.devices.importing import queries
from fleetkeeper.devices.importing.known import read_known
from fleetkeeper.devices.importing.matching import Seen, plan_rows
from fleetkeeper.devices.importing.models import DeviceImport, DeviceImportRow
from fleetkeeper.devices.importing.planning import Options, Plan
from fleetkeeper.devices.importing.service import locked
from fleetkeeper.devices.importing.status import IMPORTS, OPEN, ImportStatus
from fleetkeeper.errors import ConflictError
from fleetkeeper.identity.actor import Actor

CHUNK = 500


def options_of(row: DeviceImport) -> Options:
    """How an import's rows are read."""
    return Options(
        columns=row.columns,
        mapping=row.mapping,
        identify_by=row.identify_by,
        updates_existing=row.existing == "update",
        clears=row.empty_cells == "clear",
        file_format=row.file_format,
    )


async def dry_run(session: AsyncSession, actor: Actor, key: UUID) -> dict[str, int]:
    """Say of each row what applying it would do now; returns counts. Raises NotFoundError, ConflictError."""
    row = await locked(session, actor, key)
    if row.status not in OPEN:
        raise ConflictError("The import was applied already. Upload the file again to import it anew.")
    row.problem = ""
    options, known, seen = options_of(row), await read_known(session, actor), Seen()
    position = 0
    await queries.forget_outcomes(session, key)
    while several := await queries.next_rows(session, key, position, CHUNK):
        position = several[-1].position
        pairs = [(one.position, one.cells) for one in several]
        plans = await plan_rows(session, actor, pairs, options, known, seen)
        told = [{"id": one.id, **columns_of(plan)} for one, plan in zip(several, plans, strict=True)]
        await session.execute(update(DeviceImportRow), told)
        for one in several:
            session.expunge(one)
    if row.status != ImportStatus.CHECKED:
        await move(session, IMPORTS, row, ImportStatus.CHECKED)
    await session.flush()
    counts = await queries.count_by(session, [key])
    return {name: number for (_, name), number in counts.items()}


def columns_of(plan: Plan) -> dict[str, Any]:
    """A plan as its row keeps it."""
    return {
        "name": plan.name,
        "device_id": plan.device_id,
        "outcome": plan.outcome,
        "changes": plan.changes,
        "problems": [{"field": field, "message": message} for field, message in plan.problems],
        "detail": plan.detail,
    }
