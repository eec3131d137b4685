"""The periodic work of this room."""

from datetime import timedelta

from fleetkeeper.database.context import product_context
from fleetkeeper.identity import queries
from fleetkeeper.identity.sign_in import queries as sign_in
from fleetkeeper.jobs.declaring import job
from fleetkeeper.jobs.run import Run
from fleetkeeper.kit.clock import utc_now


@job("identity.remove_ended_sessions", "Remove ended sessions", cron="11 * * * *", is_quiet=True)
async def remove_ended_sessions(run: Run) -> None:
    """Forget sessions that are over, and sign-ins that came to nothing."""
    idle = timedelta(minutes=run.settings.identity.session_idle_minutes)
    async with run.database.session(product_context("job", "identity.remove_ended_sessions")) as session:
        await queries.delete_ended_sessions(session, utc_now(), idle)
        await sign_in.remove_expired(session, utc_now())
