"""The worker's part: proposals are made at night, and when somebody asks for it."""

from dataclasses import asdict

from fleetkeeper.database.context import product_context
from fleetkeeper.jobs.declaring import job
from fleetkeeper.jobs.run import Run
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.replenishment import queries
from fleetkeeper.replenishment.proposing import propose
from fleetkeeper.replenishment.service import PROPOSE


@job(PROPOSE, "Propose orders", cron="41 3 * * *", manual_run=True)
async def propose_orders(run: Run) -> None:
    """Look through all stock, and propose orders for what has reached its reorder point."""
    context = product_context("job", PROPOSE)
    async with run.database.session(context) as session:
        total = await queries.count_places(session)

    async def tell(done: int) -> None:
        await run.tell("Looking through stock", done, max(done, total))

    run.outcome |= asdict(await propose(run.database, context, utc_now(), tell))
