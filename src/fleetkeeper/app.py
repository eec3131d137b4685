"""Builds the ASGI application of one web process."""

import contextlib
import hashlib
from collections.abc import AsyncIterator
from functools import partial

import msgspec
import structlog
from fastapi import FastAPI
from sqlalchemy.exc import SQLAlchemyError

import fleetkeeper.all_jobs
import fleetkeeper.all_models
import fleetkeeper.all_searches  # noqa: F401 - with what foreign keys name and what can be found in any room
from fleetkeeper.audit.tally import EventTally
from fleetkeeper.cloud_files.spool import body_spool
from fleetkeeper.console.error_pages import handle_console_error, install_console_errors
from fleetkeeper.console.router import console_router
from fleetkeeper.database.context import product_context
from fleetkeeper.database.engine import Database, warn_if_held
from fleetkeeper.database.logins import application_url
from fleetkeeper.device_requests.responses.waiting import RequestWatch
from fleetkeeper.devices.keys import KEY_PREFIX
from fleetkeeper.error_handlers import Problem, install_error_handlers
from fleetkeeper.fleet.service import agent_config
from fleetkeeper.identity.access import session_cookie_name
from fleetkeeper.identity.oidc.client import OidcClient
from fleetkeeper.kit.body_front import BodyFront
from fleetkeeper.kit.http_shell import HttpShell, RequestLimits
from fleetkeeper.kit.periodic import Periodic
from fleetkeeper.kit.places import Places
from fleetkeeper.kit.request_body import Pace
from fleetkeeper.kit.sealing import Sealer, installation_key
from fleetkeeper.kit.services import Services
from fleetkeeper.kit.shares import Shares
from fleetkeeper.operations.idempotency.front import IdempotencyFront
from fleetkeeper.routes import API, RARE_PATHS, find_doors, include_routes
from fleetkeeper.settings import Settings
from fleetkeeper.settings.web import WebSettings
from fleetkeeper.telemetry.door import TelemetryDoor
from fleetkeeper.telemetry.front import IngestFront
from fleetkeeper.telemetry.promql.service import Promql
from fleetkeeper.telemetry.senders.intake import SenderIntake
from fleetkeeper.telemetry.senders.write_api import PATHS as SENDER_PATHS
from fleetkeeper.telemetry.space.intake import (
    FLUSH_SECONDS,
    IntakeRecorder,
    counts_of_door,
    counts_of_senders,
)
from fleetkeeper.telemetry.stream import FrameStream

log = structlog.get_logger(__name__)

CONFIG_TAG_SECONDS = 2.0
# Where agents knock. The ingest route itself is answered in front of the limits.
AGENT_PATHS = ("/api/v1/agent/", "/api/v1/telemetry/processes", "/api/v1/telemetry/sessions")
# Senders write side by side, PromQL queries have a line of their own for each user, and live views stay.
UNSHARED_PATHS = (*SENDER_PATHS, "/prometheus/", "/alertmanager/", f"{API}/telemetry/stream")
SHARE_PATIENCE_SECONDS = 30.0


def create_app(settings: Settings, url: str | None = None) -> IngestFront:
    """The whole web application: the ingest door in front, the shell, then API and console."""
    url = url or application_url(settings)
    services = Services(settings)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        database = Database(
            url,
            pool_size=settings.database.pool_size,
            statement_timeout_seconds=settings.database.statement_timeout_seconds,
            settings=settings,
        )
        door, stream = TelemetryDoor.build(settings, database), _live_views(database, settings.web)
        senders = SenderIntake(database, door, settings.telemetry)
        oidc, promql, watch = OidcClient(), Promql(settings.promql), RequestWatch(database)
        services.add(Sealer(installation_key(settings.identity.secret_key, settings.home)))
        await door.start()
        for reader in (stream, senders, watch):
            reader.start()
        front.door, front.stream = door, stream
        follower = Periodic("config follower", CONFIG_TAG_SECONDS, partial(_follow_config, database, front))
        follower.start()
        intake = IntakeRecorder(
            database, [partial(counts_of_door, door), partial(counts_of_senders, senders.tally)]
        )
        for one in (database, door, stream, senders, oidc, promql, intake, watch):
            services.add(one)
        recorder = Periodic("intake recorder", FLUSH_SECONDS, intake.flush)
        recorder.start()
        try:
            async with EventTally(database) as events:
                services.add(events)
                yield
        finally:
            await follower.stop()
            await recorder.stop()
            for part in (watch, stream, senders, door):
                await part.stop()
            await intake.flush()
            await promql.stop()
            await oidc.close()
            await database.close()

    app = FastAPI(
        title="Fleetkeeper",
        version="1",
        lifespan=lifespan,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        separate_input_output_schemas=False,
    )
    app.state.services = services
    install_error_handlers(app)
    include_routes(app)
    app.include_router(console_router())
    install_console_errors(app)
    _describe_problems(app)
    web = settings.web
    limits = RequestLimits(
        web.requests_per_minute_per_token,
        web.requests_per_minute_per_address,
        uncounted_prefix=KEY_PREFIX,
        uncounted_paths=AGENT_PATHS,
        sender_paths=SENDER_PATHS,
        rare_paths=RARE_PATHS,
    )
    pace = Pace(web.body_grace_seconds, web.min_body_bytes_per_second)
    most, most_of_one, room = (
        web.max_requests_in_flight,
        web.max_requests_in_flight_per_caller,
        web.max_body_megabytes * 1024 * 1024,
    )
    app.add_middleware(IdempotencyFront, prefix=f"{API}/", services=services, answer=handle_console_error)
    spool = services.add(body_spool(settings.home, settings.cloud_files))
    app.add_middleware(
        BodyFront,
        find_doors=partial(find_doors, app, settings),
        answer=handle_console_error,
        callers=Places(most, most_of_one, room),
        strangers=Places(most, most_of_one, room),
        pace=pace,
        spool=spool,
    )
    shell = HttpShell(
        app,
        allowed_hosts=web.allowed_hosts,
        https=web.secure_cookies,
        limits=limits,
        shares=Shares(
            web.max_requests_at_once_per_caller,
            waiting=most_of_one,
            patience_seconds=SHARE_PATIENCE_SECONDS,
        ),
        session_cookie=session_cookie_name(settings),
        unshared_paths=UNSHARED_PATHS,
        before_sending=partial(warn_if_held, "The reader of an answer"),
    )
    telemetry = settings.telemetry
    front = IngestFront(
        shell,
        limits=limits,
        places=Places(telemetry.max_requests_in_flight, telemetry.max_requests_in_flight_per_device, room),
        pace=pace,
        max_body_bytes=telemetry.max_body_bytes,
    )
    return front


def _live_views(database: Database, web: WebSettings) -> FrameStream:
    return FrameStream(
        database,
        Places(web.max_live_views, web.max_live_views_per_caller, what="live views"),
        Places(web.max_live_views, web.max_live_views_per_address, what="live views"),
    )


async def _follow_config(database: Database, front: IngestFront) -> None:
    """Keep the tag of the agents' configuration current, so that agents learn of a change with their next frame."""
    with contextlib.suppress(SQLAlchemyError, OSError):
        async with database.session(product_context("job", "web.follow_config")) as session:
            content = msgspec.json.encode(await agent_config(session))
        front.config_tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'.encode()


def _describe_problems(app: FastAPI) -> None:
    """Put the schema of error answers into the API's description."""
    made = app.openapi

    def openapi() -> dict[str, object]:
        document = made()
        document.setdefault("components", {}).setdefault("schemas", {})["Problem"] = (
            Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        )
        return document

    app.openapi = openapi  # type: ignore[method-assign]
