"""The worker's part: events become deliveries, deliveries go out, old ones are forgotten."""

import time

from fleetkeeper.database.context import product_context
from fleetkeeper.jobs.declaring import job
from fleetkeeper.jobs.run import Run
from fleetkeeper.jobs.service import wake
from fleetkeeper.kit.outgoing import Reach
from fleetkeeper.kit.sealing import Sealer, installation_key
from fleetkeeper.notifications.channels.service import Outgoing
from fleetkeeper.notifications.deliveries import queries
from fleetkeeper.notifications.deliveries.delivering import deliver_due
from fleetkeeper.notifications.deliveries.dispatch import dispatch
from fleetkeeper.notifications.events import DISPATCH
from fleetkeeper.settings import Settings

DELIVER = "notifications.deliver"
# The schedule goes on with what is left, and other jobs have their turn.
DELIVER_SECONDS = 45.0
KEEP_DELIVERED_DAYS = 30
KEEP_DEAD_DAYS = 90


def outgoing_of(settings: Settings) -> Outgoing:
    """What sending takes, as the settings have it."""
    key = installation_key(settings.identity.secret_key, settings.home)
    return Outgoing(Sealer(key), Reach.of(settings.outgoing), settings.web.public_origin or "")


@job(DISPATCH, "Dispatch notifications", cron="* * * * *", is_quiet=True)
async def dispatch_events(run: Run) -> None:
    """Make deliveries of all events that wait. Emitting wakes it; the schedule finds what that missed."""
    while True:
        async with run.database.session(product_context("job", DISPATCH)) as session:
            number = await dispatch(session)
            if number:
                await wake(session, DELIVER)
        if not number:
            return


@job(DELIVER, "Deliver notifications", cron="* * * * *", is_quiet=True, is_alone=True)
async def deliver(run: Run) -> None:
    """Send what is due."""
    outgoing = outgoing_of(run.settings)
    end = time.monotonic() + DELIVER_SECONDS
    while await deliver_due(run.database, outgoing) and time.monotonic() < end:
        pass


@job("notifications.remove_old", "Remove old notifications", cron="37 4 * * *", is_quiet=True)
async def remove_old(run: Run) -> None:
    """Forget what went out long ago."""
    async with run.database.session(product_context("job", "notifications.remove_old")) as session:
        await queries.forget_old(session, KEEP_DELIVERED_DAYS, KEEP_DEAD_DAYS)
