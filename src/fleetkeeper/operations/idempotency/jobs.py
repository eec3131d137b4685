"""The periodic work of this room."""

from fleetkeeper.database.context import product_context
from fleetkeeper.jobs.declaring import job
from fleetkeeper.jobs.run import Run
from fleetkeeper.operations.idempotency import queries


@job("idempotency.forget_old_keys", "Remove old idempotency keys", cron="47 * * * *", is_quiet=True)
async def forget_old_keys(run: Run) -> None:
    """Forget the answers that are kept for repeated requests."""
    async with run.database.session(product_context("job", "idempotency.forget_old_keys")) as session:
        await queries.forget_old(session)
