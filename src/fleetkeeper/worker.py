"""The worker process: periodic work of all rooms, and the jobs that rooms enqueue."""

import asyncio
import signal
from datetime import timedelta
from functools import partial

import structlog
from procrastinate import App, RetryStrategy
from psycopg import OperationalError
from sqlalchemy.exc import SQLAlchemyError

import fleetkeeper.all_models  # noqa: F401 - foreign keys name tables of rooms that a job may not import itself
from fleetkeeper.audit import jobs as audit
from fleetkeeper.database.context import product_context
from fleetkeeper.database.engine import Database
from fleetkeeper.database.logins import application_url, audit_keeper_url
from fleetkeeper.database.readers import end_long_readers
from fleetkeeper.identity import queries as identity
from fleetkeeper.identity.sign_in import queries as sign_in
from fleetkeeper.jobs.abandoned import SILENT_SECONDS, take_up_abandoned
from fleetkeeper.jobs.queue import KEEP_FINISHED_HOURS, build_queue
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.heartbeat import heartbeat
from fleetkeeper.kit.periodic import Periodic
from fleetkeeper.operations.idempotency import queries as idempotency
from fleetkeeper.settings import Settings
from fleetkeeper.telemetry import jobs as telemetry
from fleetkeeper.telemetry.archive import runs as archive
from fleetkeeper.telemetry.archive.deletion import DELETE_TASK
from fleetkeeper.telemetry.archive.verification import VERIFY_TASK, verify
from fleetkeeper.telemetry.chunks import jobs as chunks
from fleetkeeper.telemetry.refusals import service as refusals
from fleetkeeper.telemetry.rollups import jobs as rollups
from fleetkeeper.telemetry.space import jobs as space

log = structlog.get_logger(__name__)

SWEEP_SECONDS = 5.0
STATEMENT_TIMEOUT_SECONDS = 3600
_RETRY = RetryStrategy(max_attempts=5, exponential_wait=2)


def register_tasks(queue: App, database: Database, keeper: Database, settings: Settings) -> None:
    """All periodic tasks, by name and schedule; `keeper` is a login of the audit log's keeper."""
    register_sealing(queue, database, settings)
    register_retention(queue, database, settings)
    register_housekeeping(queue, database, settings)

    @queue.periodic(cron="7 * * * *")
    @queue.task(name="telemetry.manage_partitions", queueing_lock="telemetry.manage_partitions", retry=_RETRY)
    async def manage_partitions(timestamp: int) -> None:
        del timestamp
        await telemetry.manage_partitions(database)

    @queue.periodic(cron="11 * * * *")
    @queue.task(
        name="identity.remove_ended_sessions", queueing_lock="identity.remove_ended_sessions", retry=_RETRY
    )
    async def remove_ended_sessions(timestamp: int) -> None:
        del timestamp
        idle = timedelta(minutes=settings.identity.session_idle_minutes)
        async with database.session(product_context("job", "identity.remove_ended_sessions")) as session:
            await identity.delete_ended_sessions(session, utc_now(), idle)
            await sign_in.remove_expired(session, utc_now())

    @queue.periodic(cron="3 0 * * *")
    @queue.task(name="audit.manage_partitions", queueing_lock="audit.manage_partitions", retry=_RETRY)
    async def manage_audit_partitions(timestamp: int) -> None:
        del timestamp
        await audit.manage_partitions(database)

    @queue.periodic(cron="* * * * *")
    @queue.task(name="audit.seal", queueing_lock="audit.seal", retry=_RETRY)
    async def seal_audit_log(timestamp: int) -> None:
        del timestamp
        await audit.seal_each_minute(keeper, settings)

    @queue.periodic(cron="41 1 * * *")
    @queue.task(name="audit.archive", queueing_lock="audit.archive", retry=_RETRY)
    async def archive_audit_log(timestamp: int) -> None:
        del timestamp
        await audit.archive_old_months(keeper, settings)

    @queue.periodic(cron="17 2 * * *")
    @queue.task(name="audit.verify", queueing_lock="audit.verify", retry=_RETRY)
    async def verify_audit_log(timestamp: int) -> None:
        del timestamp
        await audit.verify_nightly(database, settings)


def register_housekeeping(queue: App, database: Database, settings: Settings) -> None:
    """The tasks that keep the database and the queue themselves in order."""

    @queue.periodic(cron="47 * * * *")
    @queue.task(name="idempotency.forget_old_keys", queueing_lock="idempotency.forget_old_keys", retry=_RETRY)
    async def forget_old_keys(timestamp: int) -> None:
        del timestamp
        async with database.session(product_context("job", "idempotency.forget_old_keys")) as session:
            await idempotency.forget_old(session)

    @queue.periodic(cron="* * * * *")
    @queue.task(name="database.end_long_readers", queueing_lock="database.end_long_readers", retry=_RETRY)
    async def end_readers(timestamp: int) -> None:
        del timestamp
        longest = timedelta(minutes=settings.database.reader_transaction_minutes)
        await end_long_readers(database, longest)

    @queue.periodic(cron="* * * * *")
    @queue.task(name="jobs.take_up_abandoned", queueing_lock="jobs.take_up_abandoned", retry=_RETRY)
    async def take_up(timestamp: int) -> None:
        del timestamp
        await take_up_abandoned(queue)

    @queue.periodic(cron="23 4 * * *")
    @queue.task(name="jobs.remove_finished", queueing_lock="jobs.remove_finished", retry=_RETRY)
    async def remove_finished(timestamp: int) -> None:
        del timestamp
        await queue.job_manager.delete_old_jobs(nb_hours=KEEP_FINISHED_HOURS, include_failed=True)


def register_sealing(queue: App, database: Database, settings: Settings) -> None:
    """The tasks by which frames become chunks and rollups."""
    sealing = asyncio.Lock()

    @queue.periodic(cron="*/5 * * * *")
    @queue.task(name="telemetry.seal", queueing_lock="telemetry.seal", retry=_RETRY)
    async def seal_telemetry(timestamp: int) -> None:
        del timestamp
        if sealing.locked():
            # A long run is at it still; a second one would hold up all other work of this process.
            return
        async with sealing:
            await chunks.seal_frames(database.url, settings.telemetry)
            await rollups.refresh_rollups(database.url, settings)

    @queue.periodic(cron="13 * * * *")
    @queue.task(name="telemetry.merge", queueing_lock="telemetry.merge", retry=_RETRY)
    async def merge_telemetry(timestamp: int) -> None:
        del timestamp
        await chunks.merge_chunks(database.url)


def register_retention(queue: App, database: Database, settings: Settings) -> None:
    """The tasks of the telemetry archive, and the one that measures what all telemetry takes."""

    @queue.periodic(cron="37 2 * * *")
    @queue.task(name=archive.RETAIN_TASK, queueing_lock=archive.RETAIN_TASK, retry=_RETRY)
    async def retain_telemetry(timestamp: int) -> None:
        del timestamp
        await archive.retain(database, settings, requested_by="schedule")

    # Devices that were deleted are looked for each hour, in case that their own job got lost.
    @queue.periodic(cron="29 * * * *")
    @queue.task(name=DELETE_TASK, queueing_lock=DELETE_TASK, retry=_RETRY)
    async def delete_telemetry(timestamp: int) -> None:
        del timestamp
        await archive.delete_requested(database, settings)

    # A new installation need not wait for its first hour to be over.
    @queue.periodic(cron="* * * * *")
    @queue.task(name="telemetry.measure_first", queueing_lock="telemetry.measure_first", retry=_RETRY)
    async def measure_first(timestamp: int) -> None:
        del timestamp
        await space.measure_first(database)

    @queue.periodic(cron="57 * * * *")
    @queue.task(name="telemetry.forget_refusals", queueing_lock="telemetry.forget_refusals", retry=_RETRY)
    async def forget_refusals(timestamp: int) -> None:
        del timestamp
        await refusals.forget_old(database)

    @queue.periodic(cron="53 3 * * 0")
    @queue.task(name=VERIFY_TASK, queueing_lock=VERIFY_TASK, retry=_RETRY)
    async def verify_archive(timestamp: int) -> None:
        del timestamp
        await verify(database.url, settings)

    @queue.periodic(cron=f"{space.MEASURE_MINUTE} * * * *")
    @queue.task(name=space.MEASURE_TASK, queueing_lock=space.MEASURE_TASK, retry=_RETRY)
    async def measure_space(timestamp: int) -> None:
        del timestamp
        await space.measure_space(database)


async def sweep(database: Database, settings: Settings) -> None:
    """Mark devices offline soon after they fall silent; a cron's minute would be too coarse."""
    try:
        await telemetry.mark_silent_devices(database, settings)
    except (SQLAlchemyError, OSError) as error:
        log.warning("silent devices were not looked for", reason=str(error).splitlines()[0])


async def run_worker(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT; a running job is finished first. Comes back when the database does."""
    url = application_url(settings)
    database = Database(url, pool_size=4, statement_timeout_seconds=STATEMENT_TIMEOUT_SECONDS)
    keeper = Database(
        audit_keeper_url(settings), pool_size=2, statement_timeout_seconds=STATEMENT_TIMEOUT_SECONDS
    )
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    sweeper = Periodic("sweep", SWEEP_SECONDS, partial(sweep, database, settings))
    heart = heartbeat()
    heart.start()
    try:
        await telemetry.manage_partitions(database)
        await audit.manage_partitions(database)
        await telemetry.repair_latest(database)
        sweeper.start()
        while not stop.is_set():
            try:
                await _work(url, database, keeper, settings, stop)
            except (OperationalError, SQLAlchemyError, OSError) as error:
                log.warning("the worker waits for the database", reason=str(error).splitlines()[0])
                await asyncio.sleep(2)
    finally:
        await sweeper.stop()
        await heart.stop()
        await keeper.close()
        await database.close()


async def _work(
    url: str, database: Database, keeper: Database, settings: Settings, stop: asyncio.Event
) -> None:
    queue = build_queue(url)
    register_tasks(queue, database, keeper, settings)
    async with queue.open_async():
        working = asyncio.create_task(
            queue.run_worker_async(
                install_signal_handlers=False,
                concurrency=2,
                shutdown_graceful_timeout=20,
                stalled_worker_timeout=SILENT_SECONDS,
            )
        )
        stopping = asyncio.create_task(stop.wait())
        done, _ = await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if working not in done:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
        else:
            working.result()
