"""The periodic work of this room."""

from datetime import timedelta
from functools import lru_cache

import structlog
from sqlalchemy import text

from fleetkeeper.alerts.rule_files.queries import forget_files
from fleetkeeper.alerts.rule_files.syncing import FolderSync
from fleetkeeper.config.service import read_config
from fleetkeeper.database.context import product_context
from fleetkeeper.database.engine import Database
from fleetkeeper.errors import InvalidInputError
from fleetkeeper.identity.actor import product_actor
from fleetkeeper.jobs.declaring import job
from fleetkeeper.jobs.run import Run
from fleetkeeper.kit.clock import utc_now

log = structlog.get_logger(__name__)

SYNC_FILES = "alerts.sync_rule_files"


async def manage_partitions(database: Database) -> None:
    """Make the partitions of the coming weeks, and drop those whose alerts are past the retention."""
    async with database.session(product_context("job", "alerts.manage_partitions")) as session:
        kept = timedelta(days=(await read_config(session)).alerts.retention_days)
        before = (utc_now() - kept).date()
        await session.execute(text("SELECT manage_alert_partitions(:before)"), {"before": before})


@job("alerts.manage_partitions", "Manage alert partitions", cron="17 3 * * *", is_quiet=True)
async def manage_partitions_daily(run: Run) -> None:
    """Keep the partitions as they must be."""
    await manage_partitions(run.database)


@job(SYNC_FILES, "Import rule files", cron="* * * * *", is_quiet=True)
async def sync_rule_files(run: Run) -> None:
    """Keep rules in step with the folder; without one, rules that it brought become people's."""
    folder, context = run.settings.alerts.rule_files, product_context("job", SYNC_FILES)
    if folder is None:
        async with run.database.session(context) as session:
            await forget_files(session)
        return
    try:
        await FolderSync(run.database, context, product_actor("job", SYNC_FILES)).sync(folder)
    except InvalidInputError as error:
        _warn(error.detail)
    else:
        _warn.cache_clear()


@lru_cache(maxsize=1)
def _warn(problem: str) -> None:
    """Say it once, not each minute."""
    log.warning("rule files were not imported", problem=problem)
