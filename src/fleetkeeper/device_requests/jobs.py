"""The worker's part: automations and webhooks answer, leases end, and what nobody takes is given up."""

import time

from fleetkeeper.database.context import product_context
from fleetkeeper.device_requests.archiving.service import ARCHIVE, archive_next, remove_unfinished
from fleetkeeper.device_requests.connections import close_quiet
from fleetkeeper.device_requests.handling.service import end_leases
from fleetkeeper.device_requests.responses.service import give_up, note_pushed
from fleetkeeper.device_requests.serving import answer_next
from fleetkeeper.device_requests.submitting import HAND_OUT
from fleetkeeper.device_requests.webhooks import send_next
from fleetkeeper.jobs.declaring import job
from fleetkeeper.jobs.run import Run
from fleetkeeper.notifications.jobs import outgoing_of

ARCHIVE_SECONDS = 1800.0
UPKEEP = "device_requests.upkeep"
# The schedule goes on with what is left, and other jobs have their turn.
HAND_OUT_SECONDS = 45.0


@job(HAND_OUT, "Answer device requests", cron="* * * * *", is_quiet=True, is_alone=True)
async def hand_out(run: Run) -> None:
    """Answer what the product answers by itself. Submitting wakes it; the schedule finds what that missed."""
    end = time.monotonic() + HAND_OUT_SECONDS
    outgoing = outgoing_of(run.settings)
    is_busy = True
    while is_busy and time.monotonic() < end:
        is_busy = await answer_next(run.database)
        is_busy = bool(await send_next(run.database, outgoing)) or is_busy


@job(UPKEEP, "Return device requests whose lease ended", cron="* * * * *", is_quiet=True)
async def keep_up(run: Run) -> None:
    """End leases, note what webhooks took, give up undelivered responses, close connections without a sign of life."""
    context = product_context("job", UPKEEP)
    is_busy = True
    while is_busy:
        async with run.database.session(context) as session:
            is_busy = await end_leases(session) > 0
    async with run.database.session(context) as session:
        await note_pushed(session)
        await give_up(session)
        await close_quiet(session)


@job(ARCHIVE, "Archive old device requests", cron="25 3 * * *", is_alone=True)
async def archive(run: Run) -> None:
    """Write requests that ended long ago into files; the next night goes on with what is left."""
    end = time.monotonic() + ARCHIVE_SECONDS
    await remove_unfinished(run.database, run.settings)
    moved = total = 0
    while time.monotonic() < end:
        await run.tell("Writing files", total)
        moved = await archive_next(run.database, run.settings)
        total += moved
        if not moved:
            break
    run.outcome["archived"] = total
