"""`/settings/retention`: policies for old telemetry, what they would do, runs, files and deletions."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.approvals.schemas import ApprovalRead
from fleetkeeper.console.contexts.panels import Panel
from fleetkeeper.console.deletion_panels import (
    CONFIRM,
    DELETION_LIST,
    deletion_confirmation,
    deletion_form,
)
from fleetkeeper.console.deletion_panels import FORM as DELETION
from fleetkeeper.console.details import Refusal
from fleetkeeper.console.lists.answering import show_list
from fleetkeeper.console.navigation import Place, declare
from fleetkeeper.console.panels import (
    attempt,
    done,
    model_of,
    refuse_in,
    refused,
    show_page,
    submit,
)
from fleetkeeper.console.policy_forms import CHANGE, HOME, NEW, policy_form
from fleetkeeper.console.requests import FormLists
from fleetkeeper.console.retention_panels import (
    FILE_LIST,
    outcome_table,
    policies_table,
    run_form,
    runs_table,
    store_panel,
    verify_form,
)
from fleetkeeper.database.request_session import AppDatabase, AppSettings, Session
from fleetkeeper.devices.finding import find_device
from fleetkeeper.errors import FleetkeeperError
from fleetkeeper.identity.access import ConfigRead, ConfigWrite, ReasonGiven
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.departments import service as departments
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.jobs.service import list_runs
from fleetkeeper.settings import Settings
from fleetkeeper.telemetry.archive import browsing, editing, requesting
from fleetkeeper.telemetry.archive.access import TelemetryDelete
from fleetkeeper.telemetry.archive.runs import RETAIN_TASK
from fleetkeeper.telemetry.archive.schemas import Amounts, DeletionCreate, PolicyRead

router = APIRouter(prefix=HOME)
declare(
    Place(
        "/settings/retention",
        "Retention",
        "clock-stop",
        Permission.CONFIG_READ,
        group="System",
        order=20,
        key="m",
        words="policies keep",
    )
)
declare(
    Place(
        "/settings/retention/preview",
        "Retention preview",
        "eye",
        Permission.CONFIG_READ,
        group="System",
        order=30,
        parent="/settings/retention",
        words="dry run",
    )
)
declare(
    Place(
        "/settings/retention/files",
        "Archive files",
        "archive",
        Permission.CONFIG_READ,
        group="System",
        order=40,
        parent="/settings/retention",
        words="parquet",
    )
)
declare(
    Place(
        "/settings/retention/deletions",
        "Deletions",
        "trash",
        Permission.DEVICES_DELETE,
        group="System",
        order=50,
        parent="/settings/retention",
        words="delete telemetry",
    )
)

TITLE = "Retention"
PREVIEW, FILES, DELETIONS = f"{HOME}/preview", f"{HOME}/files", f"{HOME}/deletions"
BELOW = ((HOME, TITLE),)
SHOWN = (("limit", "10"),)
PolicyId = Annotated[int, Path(ge=1, le=2**31 - 1)]


@router.get("")
async def show_retention(actor: ConfigRead, session: Session, settings: AppSettings) -> Response:
    """Policies, the state of the archive, and runs."""
    return _home(actor, await _panels(session, actor, settings))


@router.post("/policies")
async def create_policy(
    request: Request, sent: FormLists, actor: ConfigWrite, session: Session, settings: AppSettings
) -> Response:
    """Make a policy."""

    async def make() -> PolicyRead:
        return await editing.create_policy(session, NEW.read(sent))

    async def again(error: FleetkeeperError) -> Response:
        panels = refuse_in(await _panels(session, actor, settings), NEW.id, error, sent)
        return _home(actor, panels, error.status)

    return await submit(request, session, make(), lambda _: HOME, again)


@router.get("/policies/{policy_id}")
async def show_policy(policy_id: PolicyId, actor: ConfigRead, session: Session) -> Response:
    """One policy."""
    return await _policy_page(session, actor, policy_id)


@router.post("/policies/{policy_id}")
async def change_policy(
    request: Request, policy_id: PolicyId, sent: FormLists, actor: ConfigWrite, session: Session
) -> Response:
    """Change a policy."""

    async def change() -> PolicyRead:
        return await editing.change_policy(session, policy_id, CHANGE.read(sent))

    async def again(error: FleetkeeperError) -> Response:
        return await _policy_page(session, actor, policy_id, Refusal(CHANGE.id, error, sent))

    return await submit(request, session, change(), lambda _: HOME, again)


@router.post("/policies/{policy_id}/delete")
async def delete_policy(
    request: Request, policy_id: PolicyId, actor: ConfigWrite, session: Session
) -> Response:
    """Delete a policy."""
    del actor
    await editing.delete_policy(session, policy_id)
    return done(request, HOME)


@router.get("/preview")
async def show_preview(actor: ConfigRead, database: AppDatabase, settings: AppSettings) -> Response:
    """What a run would move and remove now."""
    outcome = await browsing.dry_run(database, settings)
    panels: list[Panel | None] = [
        outcome_table(
            outcome,
            "Preview",
            "Nothing has changed yet.",
            "Nothing is due. All telemetry already matches the policies.",
        ),
        run_form(outcome) if actor.may(Permission.CONFIG_WRITE) else None,
    ]
    return show_page(actor, PREVIEW, "Retention preview", panels, crumbs=BELOW)


@router.post("/run")
async def ask_for_run(request: Request, actor: ConfigWrite, session: Session) -> Response:
    """Apply the policies as soon as the worker can."""
    del actor
    await browsing.ask_for_run(session)
    return done(request, f"{HOME}#runs")


@router.post("/verify")
async def ask_for_verification(request: Request, actor: ConfigWrite, session: Session) -> Response:
    """Check all files as soon as the worker can."""
    del actor
    await browsing.ask_for_verification(session)
    return done(request, f"{HOME}/files")


@router.get("/files")
async def list_files(request: Request, actor: ConfigRead, session: Session) -> Response:
    """The files of the archive."""
    after = [verify_form() if actor.may(Permission.CONFIG_WRITE) else None]
    fetch = partial(browsing.list_files, session)
    return await show_list(request, session, actor, FILE_LIST, fetch, after=after, crumbs=BELOW)


@router.get("/deletions")
async def list_deletions(
    request: Request, actor: TelemetryDelete, session: Session, device: str = ""
) -> Response:
    """Deletions, and the form for one."""
    before = [deletion_form(device)]
    fetch = partial(browsing.list_deletions, session)
    return await show_list(
        request, session, actor, DELETION_LIST, fetch, before=before, crumbs=_crumbs(actor)
    )


@router.post("/deletions/preview")
async def preview_deletion(sent: FormLists, actor: TelemetryDelete, session: Session) -> Response:
    """What a deletion would take away."""

    async def look() -> Amounts:
        entered = DELETION.read(sent)
        # Names may be given to another device meanwhile.
        device = await find_device(session, actor, entered.device)
        wanted = model_of(DeletionCreate, entered.model_dump() | {"device": device})
        return await browsing.preview_deletion(session, actor, wanted)

    outcome = await attempt(session, look())
    if isinstance(outcome, FleetkeeperError):
        panels: list[Panel | None] = [refused(deletion_form(), outcome, sent)]
        return show_page(
            actor, DELETIONS, "Delete telemetry", panels, crumbs=_crumbs(actor), status=outcome.status
        )
    confirmation = deletion_confirmation(outcome)
    return show_page(actor, DELETIONS, "Delete telemetry", confirmation, crumbs=_crumbs(actor))


@router.post("/deletions")
async def ask_for_deletion(
    request: Request, sent: FormLists, actor: TelemetryDelete, session: Session, reason: ReasonGiven
) -> Response:
    """Delete telemetry of a device in every tier."""
    asked = await requesting.ask_for_deletion(session, actor, CONFIRM.read(sent), reason)
    return done(request, f"/approvals/{asked.id}" if isinstance(asked, ApprovalRead) else DELETIONS)


def _home(actor: Actor, panels: list[Panel | None], status: int = 200) -> Response:
    links = [(f"{HOME}/preview", "Preview")]
    if actor.may(Permission.DEVICES_DELETE):
        links.append((f"{HOME}/deletions", "Delete telemetry"))
    return show_page(actor, HOME, TITLE, panels, links=links, status=status)


def _crumbs(actor: Actor) -> tuple[tuple[str, str], ...]:
    return BELOW if actor.may(Permission.CONFIG_READ) else ()


async def _panels(session: AsyncSession, actor: Actor, settings: Settings) -> list[Panel | None]:
    may_change = actor.may(Permission.CONFIG_WRITE)
    policies = (await editing.list_policies(session)).results
    return [
        policies_table(policies, may_change=may_change),
        await _form(session, actor, None) if may_change else None,
        store_panel(await browsing.store_state(session, settings)),
        runs_table((await list_runs(session, (("job", RETAIN_TASK), *SHOWN))).results),
    ]


async def _form(session: AsyncSession, actor: Actor, policy: PolicyRead | None) -> Panel:
    return policy_form(
        policy,
        await editing.metric_groups(session),
        await editing.device_types(session),
        await departments.all_departments(session, actor),
    )


async def _policy_page(
    session: AsyncSession,
    actor: Actor,
    policy_id: int,
    refusal: Refusal | None = None,
) -> Response:
    policy = await editing.get_policy(session, policy_id)
    may_change = actor.may(Permission.CONFIG_WRITE)
    panels: list[Panel | None] = [
        await _form(session, actor, policy) if may_change else policies_table([policy], may_change=False)
    ]
    if refusal is not None:
        panels = refuse_in(panels, refusal.form_id, refusal.error, refusal.sent)
    title = policy.name or f"Policy {policy.id}"
    status = 200 if refusal is None else refusal.error.status
    return show_page(actor, HOME, title, panels, crumbs=BELOW, status=status)
