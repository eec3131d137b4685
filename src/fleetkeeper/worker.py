"""The worker process: periodic work of all rooms, and the jobs that rooms enqueue."""

import asyncio
import signal
from functools import partial

import structlog
from psycopg import OperationalError
from sqlalchemy.exc import SQLAlchemyError

import fleetkeeper.all_jobs
import fleetkeeper.all_models  # noqa: F401 - foreign keys name tables of rooms that a job may not import itself
from fleetkeeper.alerts import jobs as alerts
from fleetkeeper.alerts.engine.evaluating import Engine
from fleetkeeper.alerts.engine.loop import AlertLoop
from fleetkeeper.alerts.engine.recording import Recorder
from fleetkeeper.alerts.rules.builtin import install
from fleetkeeper.audit import jobs as audit
from fleetkeeper.database.engine import Database
from fleetkeeper.database.logins import application_url, audit_keeper_url
from fleetkeeper.jobs.abandoned import SILENT_SECONDS
from fleetkeeper.jobs.queue import build_queue
from fleetkeeper.jobs.registration import register
from fleetkeeper.jobs.run import Tools
from fleetkeeper.kit.heartbeat import heartbeat
from fleetkeeper.kit.periodic import Periodic
from fleetkeeper.operations.self_measuring import EVERY_SECONDS, measure_itself
from fleetkeeper.settings import Settings
from fleetkeeper.telemetry import jobs as telemetry
from fleetkeeper.telemetry.product_samples import ProductSamples
from fleetkeeper.telemetry.promql.service import Promql

log = structlog.get_logger(__name__)

SWEEP_SECONDS = 5.0
STATEMENT_TIMEOUT_SECONDS = 3600


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
    watching = Database(url, pool_size=6, statement_timeout_seconds=60)
    promql = Promql(settings.promql)
    samples = ProductSamples(settings, watching)
    alert_loop = AlertLoop(Engine(watching, settings, promql, Recorder(watching, samples)))
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    sweeper = Periodic("sweep", SWEEP_SECONDS, partial(sweep, database, settings))
    measuring = Periodic(
        "self-measuring", EVERY_SECONDS, partial(measure_itself, watching, settings, samples)
    )
    heart = heartbeat()
    heart.start()
    try:
        await telemetry.manage_partitions(database)
        await audit.manage_partitions(database)
        await alerts.manage_partitions(database)
        await install(database)
        await telemetry.repair_latest(database)
        await samples.start()
        sweeper.start()
        measuring.start()
        alert_loop.start()
        while not stop.is_set():
            try:
                await _work(url, database, keeper, settings, stop)
            except (OperationalError, SQLAlchemyError, OSError) as error:
                log.warning("the worker waits for the database", reason=str(error).splitlines()[0])
                await asyncio.sleep(2)
    finally:
        await sweeper.stop()
        await alert_loop.stop()
        await measuring.stop()
        await samples.stop()
        await promql.stop()
        await heart.stop()
        await watching.close()
        await keeper.close()
        await database.close()


async def _work(
    url: str, database: Database, keeper: Database, settings: Settings, stop: asyncio.Event
) -> None:
    queue = build_queue(url)
    register(Tools(database, keeper, settings, queue))
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
