"""The worker's part: imports are applied and undone, and old ones are forgotten."""

from datetime import timedelta
from uuid import UUID

from fleetkeeper.database.context import product_context
from fleetkeeper.devices.importing import queries
from fleetkeeper.devices.importing.models import DeviceImport
from fleetkeeper.devices.importing.running import APPLY, UNDO, carry_out, limited, stop
from fleetkeeper.devices.importing.service import UNDO_WITHIN
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.service import actor_of_user_id
from fleetkeeper.jobs.declaring import job
from fleetkeeper.jobs.run import Run, RunCancelledError, RunFailedError
from fleetkeeper.kit.clock import utc_now

FORGET = "devices.forget_imports"
_UNTOUCHED = timedelta(days=7)
_REFUSED = "The account of whoever asked for it is gone or disabled."


@job(APPLY, "Import devices")
async def apply(run: Run) -> None:
    """Apply an import."""
    await _work(run, APPLY, "Importing")


@job(UNDO, "Undo an import of devices")
async def undo(run: Run) -> None:
    """Undo an import."""
    await _work(run, UNDO, "Undoing")


@job(FORGET, "Remove old imports", cron="53 4 * * *", is_quiet=True)
async def forget(run: Run) -> None:
    """Remove files that nobody applied for a week, and imports that cannot be undone any more."""
    now = utc_now()
    async with run.database.session(product_context("job", FORGET)) as session:
        await queries.forget_old(session, now - _UNTOUCHED, now - UNDO_WITHIN)


async def _work(run: Run, name: str, phase: str) -> None:
    key = UUID(run.args["import_id"])
    actor, reason = await _asked_by(run, name, key)

    async def tell(done: int, total: int) -> None:
        await run.tell(phase, done, total)

    try:
        await carry_out(run.database, actor, key, name, reason, tell)
    except RunCancelledError:
        if name == APPLY:
            async with run.database.session(product_context("job", name)) as session:
                await stop(session, key)
        raise
    async with run.database.session(product_context("job", name)) as session:
        counts = await queries.count_by(session, [key])
    run.outcome |= {told: number for (_, told), number in counts.items()}


async def _asked_by(run: Run, name: str, key: UUID) -> tuple[Actor, str]:
    async with run.database.session(product_context("job", name)) as session:
        row = await session.get(DeviceImport, key)
        user = run.args.get("user")
        actor = await actor_of_user_id(session, UUID(user)) if user else None
    if row is None or actor is None:
        raise RunFailedError(_REFUSED)
    return limited(actor, row.grants), run.args["why"]
